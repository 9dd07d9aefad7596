"""What happened when: values that change in steps, and the tokens of a simulated world."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

Kids = frozenset[str]


class Steps:
    """A value that changes in steps: what it was at any time since it was first set."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.values: list[Kids] = []

    def put(self, now: float, value: Kids) -> None:
        """Let it have another value from now on."""
        if self.times and now < self.times[-1]:
            raise ValueError("time goes forward")
        if not self.values or self.values[-1] != value:
            self.times.append(now)
            self.values.append(value)

    def at(self, time: float) -> Kids | None:
        """Return the value at that time; None before it had one."""
        place = bisect_right(self.times, time)
        return self.values[place - 1] if place else None

    def during(self, start: float, end: float) -> Iterator[Kids]:
        """Yield every value that it had at some time from start to end."""
        first = max(bisect_right(self.times, start) - 1, 0)
        for place in range(first, len(self.times)):
            if self.times[place] > end:
                return
            yield self.values[place]


class Token(NamedTuple):
    """A token as far as it matters here; ``text`` only if it was really signed."""

    kid: str
    issued: float
    expires: float
    by: str
    text: str | None = None


class Refusal(NamedTuple):
    """A live token that somebody does not accept."""

    token: Token
    at: float
    by: str

    def __str__(self) -> str:
        token = self.token
        return (
            f"{self.by} at {self.at:.0f}: token of {token.kid[:6]} issued {token.issued:.0f} "
            f"by {token.by}, good until {token.expires:.0f}"
        )


def change_points(documents: Steps, age: float) -> list[float]:
    """Return each time at which what a cache may hold changes, and the moments just before."""
    points = {time + wait for time in documents.times for wait in (-1, 0, age - 1, age)}
    return sorted(points)


def refusals(
    documents: Steps, tokens: list[Token], *, caches: dict[str, float], leeway: float
) -> tuple[list[Refusal], int]:
    """Judge every token at every change point of its life by all that a verifier may hold.

    Args:
        documents: the ``kid`` in the JWKS, as it was published over time.
        tokens: what was issued.
        caches: each verifier's name, with the longest time for which it keeps a JWKS.
        leeway: seconds for which a verifier goes on accepting an expired token.

    Returns:
        The refusals, and how many verdicts were given.
    """
    found: list[Refusal] = []
    verdicts = 0
    for name, age in caches.items():
        points = change_points(documents, age)
        held: dict[float, Kids] = {}
        for token in tokens:
            last = token.expires + leeway - 1
            within = points[bisect_left(points, token.issued) : bisect_right(points, last)]
            for now in (token.issued, *within, last):
                if now < documents.times[0]:
                    continue
                if now not in held:
                    held[now] = frozenset.intersection(*documents.during(now - age, now))
                verdicts += 1
                if token.kid not in held[now]:
                    found.append(Refusal(token, now, name))
    return found, verdicts
