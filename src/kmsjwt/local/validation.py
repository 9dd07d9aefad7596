"""A request against its shape, refused in AWS's own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kmsjwt.local.errors import Refusal
from kmsjwt.local.shapes import OPERATIONS, Member

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["checked"]

_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "blob": (bytes,),
    "flag": (bool,),
    "number": (int,),
    "list": (list, tuple),
    "structure": (dict,),
}


def checked(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request without members that are None.

    Args:
        operation: one of ``OPERATIONS``.
        request: members by their API name, blobs as bytes.

    Raises:
        Refusal: SerializationException for a wrong type, ValidationException naming every
            constraint that fails.
    """
    members = OPERATIONS[operation]
    given = {name: value for name, value in request.items() if value is not None}
    faults = list(_structure_faults("", members, given))
    if faults:
        plural = "error" if len(faults) == 1 else "errors"
        raise Refusal(
            "ValidationException",
            f"{len(faults)} validation {plural} detected: {'; '.join(faults)}",
        )
    return given


def _structure_faults(
    path: str, members: Mapping[str, Member], value: Mapping[str, Any]
) -> Iterator[str]:
    for name, member in members.items():
        where = path + name[0].lower() + name[1:]
        if value.get(name) is not None:
            yield from _faults(where, member, value[name])
        elif member.required:
            yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"


def _faults(where: str, member: Member, value: Any) -> Iterator[str]:
    _check_type(where, member, value)
    for constraint in _constraints(member, value):
        shown = f"Value '{value}'" if member.kind in {"text", "number"} else "Value"
        yield f"{shown} at '{where}' failed to satisfy constraint: Member must {constraint}"
    if member.kind == "structure":
        yield from _structure_faults(f"{where}.", member.members, value)
    elif member.item is not None:
        for position, entry in enumerate(value, start=1):
            yield from _faults(f"{where}.{position}.member", member.item, entry)


def _check_type(where: str, member: Member, value: Any) -> None:
    wrong_number = member.kind == "number" and isinstance(value, bool)
    if wrong_number or not isinstance(value, _TYPES[member.kind]):
        raise Refusal(
            "SerializationException",
            f"'{where}' is of type {type(value).__name__}, expected {member.kind}",
        )


def _constraints(member: Member, value: Any) -> Iterator[str]:
    if member.choices and value not in member.choices:
        yield f"satisfy enum value set: [{', '.join(member.choices)}]"
    if member.pattern and not re.fullmatch(member.pattern, value, re.ASCII):
        yield f"satisfy regular expression pattern: {member.pattern}"
    if member.kind == "number":
        measure, noun = value, "value"
    elif member.minimum is None and member.maximum is None:
        return
    else:
        measure, noun = len(value), "length"
    if member.minimum is not None and measure < member.minimum:
        yield f"have {noun} greater than or equal to {member.minimum}"
    if member.maximum is not None and measure > member.maximum:
        yield f"have {noun} less than or equal to {member.maximum}"
