"""What a callable holds, by whatever name, that may be an application or lead to one.

Wrappers are functions that close over the next application, or objects that keep it as they
please. Only what is stored is looked at: no property and no ``__getattr__`` is asked, as those
may raise, or make up something new without end.
"""

from __future__ import annotations

from itertools import chain, islice
from types import BuiltinFunctionType, FunctionType, MemberDescriptorType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_FRAMEWORKS = ("starlette", "fastapi")  # whose own functions hold the endpoint of a route
_EACH = 300  # values of one collection
_LEVEL = 1_000  # values of all collections of one callable
_LEVELS = 3  # what is stored, what a collection has, and what one in that has: pairs, say


def attribute(thing: object, name: str) -> Any:
    """Return an attribute; None if there is none, or none to be had."""
    try:
        return getattr(thing, name, None)
    except Exception:  # noqa: BLE001  of somebody's own property, whatever it is
        return None


def is_frameworks(thing: object) -> bool:
    """Tell whether it is the function in which a framework wraps an endpoint."""
    if type(thing) is not FunctionType:
        return False
    module = thing.__globals__.get("__name__")  # `__module__` may be copied from what it wraps
    return isinstance(module, str) and module.partition(".")[0] in _FRAMEWORKS


def has_its_own(thing: object, name: str) -> bool:
    """Tell whether it or its class has an attribute, none that ``__getattr__`` makes up."""
    return name in _dict(thing) or any(name in vars(kind) for kind in type(thing).__mro__)


def held(thing: object) -> Iterator[object]:
    """Return the callables that it holds, those first that it holds itself."""
    level = tuple(_stored(thing))
    for _ in range(_LEVELS):
        yield from filter(_may_lead_on, level)
        level = tuple(islice(chain.from_iterable(map(_items, level)), _LEVEL))


def _stored(thing: object) -> Iterator[object]:
    if issubclass(type(thing), type) or is_frameworks(thing):
        return
    yield from tuple(_dict(thing).values())  # with a function's `__wrapped__`
    if type(thing) is FunctionType:
        for cell in thing.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # not assigned yet
                continue
        yield from thing.__defaults__ or ()
        yield from (thing.__kwdefaults__ or {}).values()
        return
    # The slots; those of methods and of `functools.partial` as well.
    for kind in type(thing).__mro__:
        for member in tuple(vars(kind).values()):
            if type(member) is MemberDescriptorType:
                try:
                    yield member.__get__(thing, type(thing))
                except AttributeError:  # not assigned
                    continue


def _dict(thing: object) -> dict[str, object]:
    try:
        own: dict[str, object] = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        return {}
    return own


def _items(value: object) -> tuple[object, ...]:
    kind = type(value)
    values: Iterable[object]
    if issubclass(kind, dict):
        values = dict.values(value)  # type: ignore[arg-type]  # by its type
    elif issubclass(kind, (list, tuple, set, frozenset)):
        values = value  # type: ignore[assignment]  # by its type
    else:
        return ()
    try:
        return tuple(islice(values, _EACH))
    except Exception:  # noqa: BLE001  of somebody's own collection, whatever it is
        return ()


def _may_lead_on(value: object) -> bool:
    dull = (type, BuiltinFunctionType)
    return callable(value) and not issubclass(type(value), dull)
