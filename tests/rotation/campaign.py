"""The crash matrix: rotations and withdrawals in which every call fails, one and two at a time.

``python -m tests.rotation.campaign`` plays all of it; ``--help`` tells more. What is played:

``singles``
    Every call of every scene, in every way in which it may fail: before and after it took effect,
    with an answer or without, throttled, and with the process gone. Once with issuers and
    verifiers of this package alive, then by key set with changes that are seen at once, and with
    those of key states seen late as well.
``pairs``
    Two calls of one scene, the second counted after the first has failed. Every two writes in
    nine ways each; every write with every read after it, and every read with every write after
    it, in one way that goes round; of two reads, which change nothing, one pair in ``READS``.
``denials``
    Every permission, missing for three runs from every run on.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from tests.rotation.cases import Case, Outcome, run
from tests.rotation.emergency import SCENES as WITHDRAWALS
from tests.rotation.faults import WRITES
from tests.rotation.forks import each_second

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROTATIONS = ("routine", "raced", "first")
SCENES = (*ROTATIONS, *WITHDRAWALS)
OF_WRITES = ("drop", "drop_after", "error_after", "throttle", "kill_before", "kill_after")
OF_READS = ("drop", "throttle", "kill_before")
IN_PAIRS = ("drop", "drop_after", "kill_after")
WAITS = (0.0, 60.0, 301.0, 3_600.0)
"""Seconds until a run that failed is repeated."""
READS = 25
DENIED = (
    "DescribeKey",
    "ListResourceTags",
    "GetPublicKey",
    "ListAliases",
    "CreateKey",
    "CreateAlias",
    "UpdateAlias",
    "TagResource",
    "DisableKey",
    "ScheduleKeyDeletion",
    "ListKeys",
    "get_object",
    "put_object",
    "ListBucket",
    "fetch",
    "create_invalidation",
    *(
        f"{operation}@{number}"
        for operation in ("DescribeKey", "ListResourceTags", "GetPublicKey")
        for number in (1, 2)
    ),
)
_RUNS = {"routine": 12, "raced": 12}
_FEW_RUNS = 4
"""How many runs a scene takes at most, of those in which something is done."""
_PROGRESS = 60.0
"""Seconds after which the sums so far are printed."""


class Work(NamedTuple):
    """Cases that are played together: one, and it with one more call failing, each in turn.

    Attributes:
        case: the one.
        then: which calls fail as well: ``all``, ``second``, or none.
        turn: which of the ways to fail; each goes with one way to wait.
    """

    case: Case
    then: str = ""
    turn: int = 0

    def play(self) -> list[Outcome]:
        """Play them."""
        if not self.then:
            return [run(self.case).of(self.case)]
        kinds = self._singles if self.then == "all" else self._seconds
        first, *others = each_second(self.case, kinds, run)
        # What fails in the first alone is one of the singles.
        return [first.of(self.case), *others] if self.then == "all" else others

    def _singles(self, number: int, operation: str) -> list[str]:
        kinds = OF_WRITES if operation in WRITES else OF_READS
        return [kind for place, kind in enumerate(kinds) if (number + place) % 4 == self.turn]

    def _seconds(self, number: int, operation: str) -> tuple[str, ...]:
        ((first, _),) = self.case.faults
        after_write = self.turn > 0
        if operation in WRITES:
            return IN_PAIRS if after_write else (IN_PAIRS[(first + number) % 3],)
        if not after_write and (first * 7 + number) % READS:
            return ()
        # Of a write three ways are tried, of which each takes a third of the reads.
        if after_write and number % 3 != self.turn - 1:
            return ()
        return (OF_READS[(first + number // 3) % 3],)


def waiting(case: Case, turn: int) -> Case:
    """Return a case that goes on in one of the ways that there are after a failure."""
    return case._replace(wait=WAITS[turn % 4], again=turn % 2 == 1)


def worlds(scene: str) -> list[Case]:
    """Return the worlds in which every call of a scene fails."""
    whole = Case(scene=scene, public=True, alive=scene != "first")
    light = whole._replace(alive=False)
    found = [whole, light._replace(view="now")]
    if scene != "first":  # who cannot see a key that it made cannot begin a ring
        found.append(light._replace(view="later"))
    if scene == "routine":
        found += [Case(), Case(view="now")]
    return found


def singles() -> Iterator[Work]:
    """Yield every call of every scene, failing in every way."""
    for scene in SCENES:
        for world in worlds(scene):
            for turn in range(4):
                yield Work(waiting(world, turn), "all", turn)


def pairs() -> Iterator[Work]:
    """Yield every call of every scene with those that fail after it."""
    for scene in SCENES:
        world = Case(scene=scene, public=True, alive=False)
        for number, operation in enumerate(run(world).calls):
            if operation in WRITES:
                for place, kind in enumerate(IN_PAIRS):
                    faults = ((number, kind),)
                    case = waiting(world._replace(faults=faults), number + place)
                    yield Work(case, "second", place + 1)
            else:
                faults = ((number, OF_READS[number % 3]),)
                yield Work(waiting(world._replace(faults=faults), number), "second")


def denials() -> Iterator[Work]:
    """Yield a case for every permission, missing for three runs from every run on."""
    for scene in SCENES:
        for view in ("late", "now"):
            alive = view == "late" and scene != "first"
            world = Case(scene=scene, view=view, public=True, alive=alive)
            for operation in DENIED:
                for number in range(_RUNS.get(scene, _FEW_RUNS)):
                    denied = world._replace(denied=operation, denied_from=number)
                    yield Work(waiting(denied, number))


def sample(seed: int, count: int) -> list[Case]:
    """Return some cases of each kind."""
    random = Random(seed)
    found: list[Case] = []
    for number, scene in enumerate(SCENES):
        view = ("late", "now")[number % 2]
        world = Case(scene=scene, view=view, public=True, alive=scene != "first")
        calls = run(world._replace(alive=False)).calls
        writes = [place for place, operation in enumerate(calls) if operation in WRITES]
        alone = random.sample(writes, min(count, len(writes)))
        both = [sorted(random.sample(range(len(calls)), 2)) for _ in range(count)]
        for place, numbers in enumerate([*([each] for each in alone), *both]):
            faults = tuple(zip(numbers, random.choices(OF_WRITES, k=2), strict=False))
            found.append(waiting(world._replace(faults=faults), place))
        denied = world._replace(denied=random.choice(DENIED), denied_from=random.randrange(4))
        found.append(denied)
    return found


def added(sums: Counter[str], outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Add outcomes to the sums, and return those that are bad."""
    bad = []
    for each in outcomes:
        sums["runs"] += 1
        sums["of withdrawals"] += each.case.scene in WITHDRAWALS
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
    return bad


def part(text: str) -> tuple[int, int]:
    """Read ``K/N``, the part K of N equal ones."""
    number, _, count = text.partition("/")
    found = int(number), int(count)
    if not 1 <= found[0] <= found[1]:
        raise ValueError(text)
    return found


def main() -> int:
    """Play the matrix, or a part of it, on all processors."""
    parser = argparse.ArgumentParser(description="Play the crash matrix of key rotation.")
    parser.add_argument("--only", choices=("singles", "pairs", "denials"))
    parser.add_argument("--scene", choices=SCENES, help="of one scene alone")
    parser.add_argument("--part", type=part, default=(1, 1), metavar="K/N", help="one of N parts")
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    number, count = chosen.part
    begun = told = time.monotonic()
    made = [globals()[chosen.only]()] if chosen.only else [singles(), pairs(), denials()]
    work = [each for each in chain(*made) if chosen.scene in (None, each.case.scene)]
    work = Random(1).sample(work, len(work))[number - 1 :: count]
    print(f"{len(work)} pieces of work", flush=True)
    sums: Counter[str] = Counter()
    is_bad = False
    with ProcessPoolExecutor(chosen.processes) as pool:
        for done, outcomes in enumerate(pool.map(Work.play, work), start=1):
            for each in added(sums, outcomes):
                is_bad = True
                print(each, flush=True)
            if done == len(work) or time.monotonic() > told + _PROGRESS:
                told = time.monotonic()
                so_far = ", ".join(f"{many} {what}" for what, many in sums.items())
                print(f"{done} pieces in {told - begun:.0f} s: {so_far}", flush=True)
    return 1 if is_bad else 0


if __name__ == "__main__":
    sys.exit(main())
