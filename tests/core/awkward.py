"""Objects made to be awkward, and what raises or lies whatever is asked of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.core import helpers


def raises(*_: object, **__: object) -> Any:
    """Stand for code that must not run."""
    raise RuntimeError("an object's own code ran")


class Awkward:
    """Whatever is done to it, it raises."""

    __eq__ = __ne__ = __str__ = __repr__ = __bool__ = __len__ = __iter__ = __contains__ = raises
    __lt__ = __ge__ = __int__ = __index__ = __float__ = __format__ = __bytes__ = raises
    __hash__ = __getattr__ = __getitem__ = raises


class EqualToAll:
    """Equal to everything, and reads like a good token."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(helpers.forge("Ed25519").good)

    def __str__(self) -> str:
        return helpers.forge("Ed25519").good

    __repr__ = __str__


class Text(str):
    """A good token that lies about itself."""

    __slots__ = ()
    __hash__ = str.__hash__
    encode = split = partition = rpartition = count = __str__ = __repr__ = __getitem__ = raises

    def __eq__(self, other: object) -> bool:
        return True

    def __len__(self) -> int:
        return 10

    def isascii(self) -> bool:
        return True


class Octets(bytes):
    __slots__ = ()
    decode = __repr__ = __str__ = __getitem__ = __len__ = raises


class Number(int):
    __slots__ = ()
    __repr__ = __str__ = raises


class Real(float):
    __slots__ = ()
    __repr__ = __str__ = raises


class SaysItIsText:
    __class__ = str  # type: ignore[assignment]  # a lie, to be caught


class Nameless(type):
    """The type of types that will not say their name."""

    __repr__ = __str__ = raises

    @property
    def __name__(cls) -> str:  # type: ignore[override]  # a lie, to be caught
        return str(raises())


class OfNamelessType(metaclass=Nameless):
    pass


def _nested(kind: type, depth: int) -> Any:
    value: Any = kind()
    for _ in range(depth):
        value = {"a": value} if kind is dict else kind((value,))
    return value


def _loop() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


OBJECTS: dict[str, Any] = {
    "awkward": Awkward(),
    "awkward-type": Awkward,
    "equal-to-all": EqualToAll(),
    "text-subclass": Text(helpers.forge("Ed25519").good),
    "bytes-subclass": Octets(b"a.b.c"),
    "int-subclass": Number(5),
    "float-subclass": Real(1.5),
    "says-it-is-text": SaysItIsText(),
    "of-nameless-type": OfNamelessType(),
    "nameless-type": OfNamelessType,
    "of-a-type-of-long-name": type("x" * 100_000, (), {})(),
    "of-a-type-of-two-lines": type("a\nlevel=INFO", (), {})(),
    "of-a-type-of-foreign-name": type("Klasa\u202e\u0142", (), {})(),
    "of-a-type-of-long-foreign-name": type("\U0001f511" * 1000, (), {})(),
    "namespace": SimpleNamespace(token=helpers.forge("Ed25519").good),
    "deep-list": _nested(list, 100_000),
    "deep-tuple": _nested(tuple, 100_000),
    "deep-dict": _nested(dict, 100_000),
    "loop": _loop(),
    "huge-int": 10**5000,
    "huge-negative-int": -(10**5000),
    "huger-int": 1 << 3_000_000,
    "nan": float("nan"),
    "complex": 1j,
    "megabyte-of-bytes": b"a" * 1_000_000,
    "megabytes": "a" * 5_000_000,
    "megabytes-of-dots": "." * 5_000_000,
    "megabyte-of-surrogates": "\ud800" * 1_000_000,
    "surrogate-in-segment": "a.\udc00.b",
    "memory": memoryview(b"a.b.c"),
    "generator": (letter for letter in "a.b.c"),
    "exception": ValueError("a.b.c"),
    "class": str,
    "function": raises,
    "ellipsis": ...,
    "not-implemented": NotImplemented,
    "frozenset": frozenset({"a.b.c"}),
}
