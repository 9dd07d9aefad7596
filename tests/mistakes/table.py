"""The table of the commonest mistakes: what is done, what is raised, what its text must say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.mistakes.world import World


class Mistake(NamedTuple):
    """One row of the table.

    Attributes:
        act: makes the mistake.
        error: the exact class.
        code: its stable code; for the authorizer, the reason that goes into its log.
        says: pieces of its text: the cause, and what to do.
    """

    act: Callable[[World], object]
    error: type[Exception]
    code: str
    says: tuple[str, ...]


MISTAKES: dict[str, Mistake] = {}


def mistake(
    error: type[Exception], code: str, *says: str
) -> Callable[[Callable[[World], object]], Callable[[World], object]]:
    def add(act: Callable[[World], object]) -> Callable[[World], object]:
        MISTAKES[act.__name__.replace("_", " ")] = Mistake(act, error, code, says)
        return act

    return add
