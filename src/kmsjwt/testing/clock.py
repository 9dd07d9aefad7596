"""Time for tests: it stands still until it is moved."""

from __future__ import annotations

import time


class Clock:
    """A clock to pass as ``clock=``.

    Attributes:
        now: seconds since 1970; set it to what you like.
    """

    __slots__ = ("now",)

    def __init__(self, now: float | None = None) -> None:
        """Stop the clock at ``now``; at this very moment if None."""
        self.now = time.time() if now is None else now

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let that many seconds pass."""
        self.now += seconds

    def __repr__(self) -> str:
        return f"Clock({self.now!r})"
