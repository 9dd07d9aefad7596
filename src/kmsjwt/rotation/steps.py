"""What can be done to a ring, and what a plan says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kmsjwt._immutable import Immutable

if TYPE_CHECKING:
    from collections.abc import Iterable

Action = Literal[
    "publish",
    "mark-unpublished",
    "mark-published",
    "create",
    "point",
    "mark-draining",
    "retire",
    "disable",
]
"""``create`` makes a key and names it ``alias/NAME/n``; ``point`` moves ``alias/NAME`` to it;
``publish`` brings the documents up to date; the others write one fact, or disable a key."""


class Step(Immutable):
    """One thing to do now.

    Attributes:
        action: what.
        number: to which generation; 0 for the ring as a whole.
        why: the reason, for people.
    """

    __slots__ = ("action", "number", "why")

    action: Action
    number: int
    why: str

    def __init__(self, action: Action, number: int, why: str) -> None:
        self._fill(action=action, number=number, why=why)

    @property
    def key(self) -> tuple[Action, int, str]:
        """What makes two steps the same one: a run makes one key, and publishes for one reason."""
        if self.action == "create":
            return self.action, 0, ""
        return self.action, self.number, self.why if self.action == "publish" else ""

    def __repr__(self) -> str:
        return f"Step({self.action!r}, {self.number}, {self.why!r})"


class Later(Immutable):
    """What is not due yet.

    Attributes:
        what: the step, for people.
        at: from when, seconds since 1970 by the clock of KMS; None if it waits for no time but
            for ``why``.
        why: the reason.
    """

    __slots__ = ("at", "what", "why")

    what: str
    at: float | None
    why: str

    def __init__(self, what: str, at: float | None, why: str) -> None:
        self._fill(what=what, at=at, why=why)

    def __repr__(self) -> str:
        return f"Later({self.what!r}, {self.at}, {self.why!r})"


class Plan(Immutable):
    """What to do about a ring.

    Attributes:
        due: the steps that may be taken now, first things first.
        later: those that have to wait, soonest first.
    """

    __slots__ = ("due", "later")

    due: tuple[Step, ...]
    later: tuple[Later, ...]

    def __init__(self, due: Iterable[Step], later: Iterable[Later]) -> None:
        soonest = sorted(later, key=lambda each: float("inf") if each.at is None else each.at)
        self._fill(due=tuple(due), later=tuple(soonest))

    def __repr__(self) -> str:
        return f"Plan({list(self.due)}, {list(self.later)})"
