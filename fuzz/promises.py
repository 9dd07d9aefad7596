"""What a target raises when the code under it breaks its word."""

from __future__ import annotations

from typing import NoReturn


class BrokenPromise(AssertionError):
    """The code accepted, refused, raised or answered what it must not."""


def promise(held: object, what: str) -> None:
    """Raise BrokenPromise unless ``held`` is true; ``what`` says what was promised."""
    if not held:
        broken(what)


def broken(what: str) -> NoReturn:
    """Raise BrokenPromise."""
    raise BrokenPromise(what)
