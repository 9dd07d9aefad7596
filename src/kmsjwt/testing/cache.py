"""The gateway's cache: an answer is used for its time to live, whatever becomes of the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.testing.answers import Answer

_PRUNE_ABOVE = 1_000


class AnswerCache:
    """Answers by the values of the identity sources."""

    def __init__(self, ttl: float, clock: Callable[[], float]) -> None:
        """Begin empty.

        Args:
            ttl: seconds an answer is kept that does not say itself; 0 is not at all.
            clock: seconds since 1970.
        """
        self._ttl = ttl
        self._clock = clock
        self._kept: dict[tuple[str, ...], tuple[float, float, Answer]] = {}

    def find(self, key: tuple[str, ...]) -> tuple[Answer, float] | None:
        """Return the answer and how many seconds ago it was given; None if it must be asked."""
        if key not in self._kept:
            return None
        given, until, answer = self._kept[key]
        now = self._clock()
        return None if now >= until else (answer, now - given)

    def keep(self, key: tuple[str, ...], answer: Answer) -> None:
        """Keep an answer for as long as it says, else for the cache's own time."""
        ttl = self._ttl if answer.ttl is None else answer.ttl
        if not ttl:
            return
        now = self._clock()
        if len(self._kept) > _PRUNE_ABOVE:
            self._kept = {k: kept for k, kept in self._kept.items() if now < kept[1]}
        self._kept[key] = (now, now + ttl, answer)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
