"""The crash matrix: a rotation in which every call fails, one and two at a time.

``python -m tests.rotation.campaign`` plays all of it; ``--help`` tells more. Each case starts
from a ring whose first key signs, and goes on until the second one does and the first is gone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from random import Random
from typing import TYPE_CHECKING

from tests.rotation.cases import Case, Outcome, run
from tests.rotation.world import WRITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OF_WRITES = ("drop", "drop_after", "error_after", "throttle", "kill_before", "kill_after")
OF_READS = ("drop", "throttle", "kill_before")
IN_PAIRS = ("drop", "drop_after", "kill_after")
WAITS = (0.0, 60.0, 301.0, 3_600.0)
"""Seconds until a run that failed is repeated."""
DENIED = (
    "DescribeKey",
    "ListResourceTags",
    "GetPublicKey",
    "ListAliases",
    "CreateKey",
    "CreateAlias",
    "UpdateAlias",
    "TagResource",
    "get_object",
    "put_object",
    *(
        f"{operation}@{number}"
        for operation in ("DescribeKey", "ListResourceTags", "GetPublicKey")
        for number in (1, 2)
    ),
)
_RUNS = 12  # how many runs one rotation takes, at most


def singles() -> Iterator[Case]:
    """Yield a case for every call of a rotation and every way in which it may fail."""
    for late in (True, False):
        for number, operation in enumerate(run(Case(late=late)).calls):
            kinds = OF_WRITES if operation in WRITES else OF_READS
            for place, kind in enumerate(kinds):
                wait = WAITS[(number + place) % len(WAITS)]
                yield Case(faults=((number, kind),), wait=wait, late=late)


def denials() -> Iterator[Case]:
    """Yield a case for every permission, missing for three runs from every run on."""
    for late in (True, False):
        for operation in DENIED:
            for number in range(_RUNS):
                wait = WAITS[number % len(WAITS)]
                yield Case(denied=operation, denied_from=number, wait=wait, late=late)


def pairs() -> Iterator[Case]:
    """Yield a case for every two writes, the second one counted after the first has failed."""
    turn = 0
    for late in (True, False):
        for number, operation in enumerate(run(Case(late=late)).calls):
            if operation not in WRITES:
                continue
            for kind in IN_PAIRS:
                wait = WAITS[turn % len(WAITS)]
                again = run(Case(faults=((number, kind),), wait=wait, late=late)).calls
                for second in range(number + 1, len(again)):
                    if again[second] not in WRITES:
                        continue
                    for other in IN_PAIRS:
                        turn += 1
                        faults = ((number, kind), (second, other))
                        yield Case(faults=faults, wait=wait, late=late)


def near_pairs() -> Iterator[Case]:
    """Yield cases in which a write fails, and then one of the calls that follow on it."""
    for late in (True, False):
        for number, operation in enumerate(run(Case(late=late)).calls):
            if operation not in WRITES:
                continue
            for step in range(1, 25):
                faults = ((number, "drop_after"), (number + step, "drop"))
                yield Case(faults=faults, wait=WAITS[step % len(WAITS)], late=late)


def everything() -> list[Case]:
    """Return the whole matrix."""
    return list(dict.fromkeys(chain(singles(), pairs(), near_pairs(), denials())))


def sample(seed: int, count: int) -> list[Case]:
    """Return some cases of each kind, without playing any that is not returned, if possible."""
    random = Random(seed)
    found: list[Case] = []
    for late in (True, False):
        calls = run(Case(late=late)).calls
        writes = [number for number, operation in enumerate(calls) if operation in WRITES]
        found += [
            Case(faults=((number, kind),), wait=random.choice(WAITS), late=late)
            for place, number in enumerate(writes)
            for kind in ("drop_after", "kill_after")
            if (place % 2 == 0) == (late == (kind == "drop_after"))
        ]
        for _ in range(count // 2):
            first, second = sorted(random.sample(range(len(calls)), 2))
            kinds = random.choices(OF_WRITES, k=2)
            faults = ((first, kinds[0]), (second, kinds[1]))
            found.append(Case(faults=faults, wait=random.choice(WAITS), late=late))
    operations = random.sample(DENIED, 5)
    return [*found, *(Case(denied=each, denied_from=random.randrange(8)) for each in operations)]


def told(outcomes: Iterable[Outcome]) -> tuple[Counter[str], list[Outcome]]:
    """Return the sums of all outcomes, and those that are bad."""
    sums: Counter[str] = Counter()
    bad = []
    for each in outcomes:
        sums["runs"] += 1
        sums["faults met"] += each.hits
        sums["tokens"] += each.tokens
        sums["of our issuers"] += each.issued
        sums["verdicts"] += each.verdicts
        sums["of our verifiers"] += each.ours
        sums["signatures verified"] += each.signatures
        sums["refused"] += len(each.refused)
        sums["not known"] += len(each.unknown)
        sums["keys without an alias"] += each.orphans
        sums["bad"] += not each.is_good
        if not each.is_good:
            bad.append(each)
    return sums, bad


def main() -> int:
    """Play the matrix, or a part of it, on all processors."""
    parser = argparse.ArgumentParser(description="Play the crash matrix of key rotation.")
    parser.add_argument("--only", choices=("singles", "pairs", "near_pairs", "denials"))
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    begun = time.monotonic()
    cases = list(globals()[chosen.only]()) if chosen.only else everything()
    print(f"{len(cases)} cases")
    with ProcessPoolExecutor(chosen.processes) as pool:
        sums, bad = told(pool.map(run, cases, chunksize=8))
    for each in bad[:20]:
        print(each)
    print(", ".join(f"{count} {what}" for what, count in sums.items()))
    print(f"{time.monotonic() - begun:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
