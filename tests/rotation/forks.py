"""What comes of it if one more call fails: the process is copied at each call, and a copy fails.

So whatever happened before is played once, and each call after a first failure can fail in turn.
"""

from __future__ import annotations

import gc
import os
import pickle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.rotation.cases import Case, Outcome


class Forks:
    """Asked at each call of one case: goes on as it is, and in copies that fail there.

    Attributes:
        outcomes: what came of the copies.
    """

    def __init__(self, after: int, kinds: Callable[[int, str], Iterable[str]]) -> None:
        """Say after which call, and in which ways the others may fail."""
        self._after = after
        self._kinds = kinds
        self._taken: tuple[int, str] | None = None
        self._pipe = -1
        self.outcomes: list[Outcome] = []

    def __call__(self, number: int, operation: str) -> str | None:
        """Return how this call fails here; None if it does in the copies alone."""
        if self._taken is not None or number <= self._after:
            return None
        for kind in self._kinds(number, operation):
            if self._is_copy():
                self._taken = number, kind
                return kind
        return None

    def _is_copy(self) -> bool:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._pipe = writing
            return True
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            content = told.read()
        os.waitpid(child, 0)
        self.outcomes.append(pickle.loads(content))
        return False

    def end(self, case: Case, outcome: Outcome) -> None:
        """In a copy, tell what came of it and be gone."""
        if self._taken is None:
            return
        case = case._replace(faults=(*case.faults, self._taken))
        told = pickle.dumps(outcome.of(case))
        with os.fdopen(self._pipe, "wb") as pipe:
            pipe.write(told)
        os._exit(0)


def each_second(
    case: Case,
    kinds: Callable[[int, str], Iterable[str]],
    run: Callable[[Case, Forks], Outcome],
) -> list[Outcome]:
    """Play a case, and it once more for each call after its own failures that fails too."""
    forks = Forks(max((number for number, _ in case.faults), default=-1), kinds)
    gc.freeze()  # so that copies share what they only read
    try:
        outcome = run(case, forks)
    finally:
        gc.unfreeze()
    forks.end(case, outcome)
    return [outcome, *forks.outcomes]
