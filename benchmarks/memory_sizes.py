"""How long a first decision takes in functions of several memory sizes, as far as that is CPU.

    python -m benchmarks memory_sizes [--quick]

AWS says that Lambda gives CPU in proportion to memory, and one vCPU at 1,769 MB. So whole
processes are held to that part of one processor; memory itself is not held to anything.
"""

from __future__ import annotations

from benchmarks.cpu_share import NoShare, cpu_share
from benchmarks.process_runs import Runs, measure, prove
from benchmarks.processes import DEFAULT, OURS, PYJWT, URL, VERIFY, python_cases, stage, wall
from benchmarks.table import Table

from benchmarks import bundle

SIZES = (128, 256, 512, 1_024, 1_769)
WHOLE = 1_769
"""The megabytes for which a function has one vCPU, by AWS's developer guide."""
ROUNDS, QUICK_ROUNDS = 12, 2
_NAMES = (OURS, URL, PYJWT, DEFAULT, VERIFY)

TITLE = "Cold start by memory size"
NOTE = (
    "ms of wall time from the start of the interpreter to the first decision, medians of {rounds}"
    " rounds. Each process had the part of one processor of this machine that AWS says a function"
    f" of so many MB has, MB / {WHOLE:,}, shared out every 20 ms; the KMS and the URL, on"
    " loopback, had the other. Not measured on Lambda."
)


def tables(quick: bool) -> list[Table]:
    """Return one table, without rows where a process cannot be held to a part of a processor."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    with stage() as on:
        packages = bundle.compiled(on.folder / "compiled")
        cases = [each for each in python_cases(on, packages) if each.name in _NAMES]
        for case in cases:
            prove(case, on.launch, good=on.good, forged=on.forged)
        by_size: dict[int, Runs] = {}
        try:
            for size in SIZES:
                with cpu_share(on.launch.process_id, size / WHOLE):
                    by_size[size] = measure(cases, on.launch, on.good, rounds)
        except NoShare as error:
            return [Table(TITLE, f"Not measured: {error}.", ("process",), [])]
    columns = ("process", *(f"{size:,} MB" for size in SIZES))
    rows = [
        (name, *(f"{by_size[size].median(name, wall):.0f}" for size in SIZES)) for name in _NAMES
    ]
    return [Table(TITLE, NOTE.format(rounds=rounds), columns, rows)]
