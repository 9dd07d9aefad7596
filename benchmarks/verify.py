"""Checking one token, beside the bare signature check and every other library in Python."""

from __future__ import annotations

from benchmarks.contenders import BARE, OURS, contenders
from benchmarks.harness import Timings, prove, race
from benchmarks.peers import JOSERFC, PYJWT, PYJWT_KID
from benchmarks.table import Table, Target
from benchmarks.work import work

# Where an algorithm is no more than reported, it has no limit.
LIMITS = {
    "RS256": {BARE: 1.6, PYJWT: 0.42, PYJWT_KID: 0.28, JOSERFC: 0.65},
    "ES256": {BARE: 1.22},
    "EdDSA": {BARE: 1.15},
    "PS256": {},
    "ES384": {},
}
NOTE = "µs of CPU for one token, all claims checked except by the bare check."


def tables(quick: bool) -> list[Table]:
    """Return a table for each algorithm, with its targets."""
    return [_table(alg, rounds=30 if quick else 300) for alg in LIMITS]


def _table(alg: str, rounds: int) -> Table:
    given = work(alg)
    found, missing = contenders(given)
    lax = {each.name: prove(each, given.tokens, given.forgeries) for each in found}
    timings = race(found, given.tokens, rounds)
    rows: list[tuple[str, ...]] = [
        (
            name,
            f"{timings.median(name):.1f}",
            f"{timings.ratio(name, BARE):.2f}",
            f"{timings.ratio(OURS, name):.3f}",
            "signature only" if name == BARE else _unseen(lax[name]),
        )
        for name in sorted(timings.by_name, key=timings.median)
    ]
    length = len(given.tokens[0])
    return Table(
        title=f"{alg}, a token of {length} bytes",
        note=" ".join([NOTE, *(f"{reason}." for reason in missing)]),
        columns=("contender", "µs", "/ bare", "kmsjwt / it", "does not check"),
        rows=rows,
        targets=[_target(alg, base, timings) for base in LIMITS[alg]],
    )


def _unseen(accepted: list[str]) -> str:
    return ", ".join(accepted) or "-"


def _target(alg: str, base: str, timings: Timings) -> Target:
    there = base in timings.by_name
    return Target(
        figure=f"{alg}: kmsjwt / {base}",
        limit=LIMITS[alg][base],
        measured=timings.ratio(OURS, base) if there else None,
        reason="" if there else "not installed",
    )
