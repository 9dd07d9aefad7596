"""Slotted values that cannot be changed after they are made.

Plain classes instead of frozen dataclasses: ``import dataclasses`` alone costs a cold start
more than the rest of the verifier's own modules together (docs/decisions/0003).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value", bound="Immutable")

_set_once = object.__setattr__


class Immutable:
    """Base of all values: fields are named in ``__slots__`` and set once, by keyword."""

    __slots__ = ()

    def _fill(self, **fields: Any) -> None:
        for name, value in fields.items():
            _set_once(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be deleted")


def replaced(value: Value, **changes: Any) -> Value:
    """Return a copy with some fields changed, checked as any other is when it is made.

    For values whose constructor takes what their slots are called.
    """
    names: tuple[str, ...] = value.__slots__
    return type(value)(**{**{name: getattr(value, name) for name in names}, **changes})


def slot_setters(
    values: type[Immutable], *names: str
) -> tuple[Callable[[Immutable, object], None], ...]:
    """Return what sets each slot of a class, in the order of the names, which must be all.

    For a constructor that runs with every token: `Immutable._fill` takes three times as long.
    """
    if sorted(names) != sorted(values.__slots__):
        raise TypeError(f"{values.__name__} has the slots {', '.join(values.__slots__)}")
    return tuple(getattr(values, name).__set__ for name in names)
