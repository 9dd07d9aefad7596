"""What can be done to a ring, and what a plan says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kmsjwt._immutable import Immutable

if TYPE_CHECKING:
    from collections.abc import Iterable

Action = Literal[
    "withdraw",
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
``publish`` brings the documents up to date; ``withdraw``, which no plan asks for, takes a key out
of service; the others write one fact, or disable a key."""

Reason = Literal[
    "time",
    "unread",
    "unpublished",
    "unconfirmed",
    "settings",
    "doubt",
    "stuck",
    "full",
    "document",
    "withdrawn",
]
"""Why something is not due yet. ``time``: it will be. ``unread``: KMS does not say something.
``unpublished``: a ``kid`` was not read back. ``unconfirmed``: a person has to confirm.
``settings``: the ring's times are not known. ``doubt``: facts contradict each other. ``stuck``:
a key that is to sign cannot. ``full``: the JWKS has all the keys it may have. ``document``: the
JWKS holds what it should not. ``withdrawn``: somebody may undo a withdrawal by mistake."""


class Step(Immutable):
    """One thing to do now.

    Attributes:
        action: what.
        number: to which generation; 0 for the ring as a whole.
        why: the reason, for people.
        subject: which keys a ``publish`` is about.
    """

    __slots__ = ("action", "number", "subject", "why")

    action: Action
    number: int
    why: str
    subject: str

    def __init__(self, action: Action, number: int, why: str, *, subject: str = "") -> None:
        self._fill(action=action, number=number, why=why, subject=subject)

    @property
    def key(self) -> tuple[Action, int, str]:
        """What makes two steps the same one. A run makes one key."""
        return self.action, 0 if self.action == "create" else self.number, self.subject

    def __repr__(self) -> str:
        return f"Step({self.action!r}, {self.number}, {self.why!r})"


class Later(Immutable):
    """What is not due yet.

    Attributes:
        what: the step, for people.
        at: from when, seconds since 1970 by the clock of KMS; None if it waits for no time but
            for ``why``.
        why: the reason, for people.
        reason: the reason, for programs.
    """

    __slots__ = ("at", "reason", "what", "why")

    what: str
    at: float | None
    why: str
    reason: Reason

    def __init__(self, what: str, at: float | None, why: str, *, reason: Reason) -> None:
        self._fill(what=what, at=at, why=why, reason=reason)

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
