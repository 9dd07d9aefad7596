"""Slotted values that cannot be changed after they are made.

Plain classes instead of frozen dataclasses: ``import dataclasses`` alone costs a cold start
more than the rest of the verifier's own modules together (docs/decisions/0003).
"""

from __future__ import annotations

from typing import Any, NoReturn

set_once = object.__setattr__
"""For a constructor that runs with every token: `Immutable._fill` takes half as long again."""


class Immutable:
    """Base of all values: fields are named in ``__slots__`` and set once, by keyword."""

    __slots__ = ()

    def _fill(self, **fields: Any) -> None:
        for name, value in fields.items():
            set_once(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be deleted")
