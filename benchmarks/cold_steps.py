"""Where a cold start goes: the beginning of a process, left after each of its steps in turn.

    python -m benchmarks cold_steps [--quick]

Each row is a process of its own. Which modules the whole one loads is asked of it, so no list of
them can grow old. Every row imports its modules first, by their names, and the last one then runs
the script of the whole: so what is imported counts where the rows say so, and nowhere else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness import Unfit
from benchmarks.process_runs import Case, measure, prove
from benchmarks.processes import (
    BARE,
    DEFAULT,
    OURS,
    PYJWT,
    VERIFY,
    Stage,
    cpu,
    python_cases,
    stage,
)
from benchmarks.table import Table, step_rows

from benchmarks import bundle

if TYPE_CHECKING:
    from benchmarks.process_runs import Runs

ROUNDS, QUICK_ROUNDS = 40, 7
COLD = Path(__file__).parent / "cold"
MODULES = "MODULES"
"""The variable that names the modules to import."""

Belongs = Callable[[str], bool]
"""Whether a module, by the package at the root of its name, is one of those that a step imports."""

NOTE = (
    "ms of CPU of whole processes up to a step, medians of {rounds} rounds; each row does what"
    " those above it do as well, and the step is the median of its differences to the row above."
    " The last row is the process of the table *Cold start*, but for the order of its imports."
)


@dataclass(frozen=True, slots=True)
class Steps:
    """What one process does, as rows of a table.

    Attributes:
        whole: Its name in `python_cases`.
        last: What it does after all of its steps.
        imports: What it imports, step by step.
        then: The script, by the name of its step, for what follows when all is imported.
    """

    whole: str
    last: str
    imports: dict[str, Belongs]
    then: dict[str, str]


def _is_ours(package: str) -> bool:
    return package == "kmsjwt"


def _is_standard(package: str) -> bool:
    return package in sys.stdlib_module_names


def _is_cryptography(package: str) -> bool:
    return package in ("cryptography", "_cffi_backend")


STEPS = (
    Steps(
        whole=OURS,
        last="all: the event, the first decision",
        imports={
            "modules: the standard library": _is_standard,
            "modules: `cryptography`": _is_cryptography,
            "modules: kmsjwt": _is_ours,
        },
        then={"the authorizer made, its key read": "ours_made"},
    ),
    Steps(
        whole=DEFAULT,
        last="all: the authorizer, the first decision",
        imports={
            "modules: kmsjwt, and what it imports": lambda package: (
                _is_ours(package) or _is_cryptography(package)
            ),
            "modules: the standard library, for botocore": _is_standard,
            "modules: botocore, urllib3 and others": lambda _: True,
        },
        then={
            "the client": "ours_client",
            "the certificates of authorities": "ours_certificates",
            "TLS, GetPublicKey": "ours_public_key",
        },
    ),
    Steps(
        whole=VERIFY,
        last="all: the certificates, TLS, Verify, the claims",
        imports={
            "modules: the standard library": _is_standard,
            "modules: boto3, botocore, urllib3 and others": lambda _: True,
        },
        then={"the client": "boto3_client"},
    ),
)


def tables(quick: bool) -> list[Table]:
    """Return a table for each process, all of them measured in one interleaved run."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    with stage() as on:
        wholes = {case.name: case for case in python_cases(on, bundle.compiled(on.folder / "all"))}
        by_whole = {each.whole: step_cases(each, wholes, on) for each in STEPS}
        beside = [wholes[BARE], wholes[PYJWT]]
        begun = [case for cases in by_whole.values() for case in cases.values()]
        every = {case.name: case for case in (*beside, *begun)}.values()
        for case in every:
            prove(case, on.launch, good=on.good, forged=on.forged)
        runs = measure(every, on.launch, on.good, rounds)
    return [_table(each.whole, by_whole[each.whole], runs, rounds) for each in STEPS]


def step_cases(steps: Steps, wholes: dict[str, Case], on: Stage) -> dict[str, Case]:
    """Return the process of each row, by its name in the table."""
    whole = wholes[steps.whole]
    loaded = loaded_modules(whole, on)
    imported: list[str] = []
    cases = {BARE: wholes[BARE]}
    for name, belongs in steps.imports.items():
        imported += [each for each in loaded if belongs(_package(each)) and each not in imported]
        cases[name] = _left_after(whole, name, "bare", imported)
    for name, script in steps.then.items():
        cases[name] = _left_after(whole, name, script, imported)
    _, script = whole.command
    cases[steps.last] = _after_imports(whole, script, imported)
    return cases


def loaded_modules(whole: Case, on: Stage) -> list[str]:
    """Return the names of all modules that a process has loaded when it is done, in order.

    Raises:
        Unfit: the process failed.
    """
    python, *script = whole.command
    asking = replace(whole, command=(python, str(COLD / "modules.py"), *script))
    _, status, said = on.launch.run(asking, on.good)
    if status != 0:
        raise Unfit(f"{whole.name} does not tell its modules (status {status}):\n{said}")
    return said.splitlines()[-1].split()


def _left_after(whole: Case, step: str, script: str, imported: Iterable[str]) -> Case:
    case = _after_imports(whole, str(COLD / f"{script}.py"), imported)
    return replace(case, name=f"{whole.name}, up to {step}", refusal="")


def _after_imports(whole: Case, script: str, imported: Iterable[str]) -> Case:
    python, _ = whole.command
    return replace(
        whole,
        command=(python, str(COLD / "imports.py"), script),
        environment={**whole.environment, MODULES: " ".join(imported)},
    )


def _package(module: str) -> str:
    return module.partition(".")[0]


def _table(whole: str, cases: dict[str, Case], runs: Runs, rounds: int) -> Table:
    return Table(
        title=f"Where a cold start goes: {whole}",
        note=NOTE.format(rounds=rounds),
        columns=("with", "CPU", "step", "/ PyJWT"),
        rows=step_rows(
            {name: runs.median(case.name, cpu) for name, case in cases.items()},
            lambda name, above: runs.step(cases[name].name, cases[above].name, cpu),
            lambda name: f"{runs.ratio(cases[name].name, PYJWT, cpu):.2f}",
        ),
    )
