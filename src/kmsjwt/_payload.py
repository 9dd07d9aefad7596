"""What an issuer signs: claims that were all checked, as JSON, and none longer than a token."""

from __future__ import annotations

from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kmsjwt._encoding import MAX_DEPTH, to_json
from kmsjwt.claims import type_fault
from kmsjwt.errors import ClaimsRefused, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_SET_BY_ISSUER = frozenset(("iss", "sub", "aud", "exp", "iat", "jti", "client_id"))


def payload(own: Mapping[str, Any], further: Mapping[str, Any] | None, *, most: int) -> bytes:
    """Return claims as JSON.

    Args:
        own: those that the issuer sets.
        further: those that its user adds; none of them may be one of the issuer's.
        most: characters that a token may have. Of longer claims no more is looked at.

    Raises:
        ClaimsRefused: they may not be signed.
    """
    copy = _Copy(most)
    claims = copy.members(own)
    if further is not None:
        claims |= _unreserved(copy.members(further))
    fault = type_fault(claims)
    if fault is not None:
        raise ClaimsRefused(fault[1], code="claim_type")
    if claims.get("nbf", 0) >= claims["exp"]:
        raise ClaimsRefused("nbf is not before exp, so the token would never be valid", code="nbf")
    try:
        return to_json(claims)
    except (ValueError, TypeError) as error:
        raise ClaimsRefused(
            "the claims hold what JSON cannot say: NaN, half a surrogate pair, or a foreign type",
            code="claims_json",
        ) from error


def too_long(length: object, most: int) -> ClaimsRefused:
    """Return the refusal of a token that would be longer than its issuer issues."""
    return ClaimsRefused(
        f"the token would be {length} characters, expected at most {most}",
        code="too_long",
        fix="put less into the claims: each request carries them",
    )


def _unreserved(claims: dict[str, Any]) -> dict[str, Any]:
    if not _SET_BY_ISSUER.isdisjoint(claims):
        taken = ", ".join(sorted(_SET_BY_ISSUER.intersection(claims)))
        raise ClaimsRefused(
            f"claims names {taken}, which the issuer sets itself",
            code="claims_reserved",
            fix="sub, aud, lifetime and client_id have parameters of their own",
        )
    return claims


class _Copy:
    """Copies claims into dict and list alone: what is signed later is what was checked.

    Mappings and lists are asked once for what they hold, and text is counted, so that neither a
    list of a million, nor one that holds itself twice over, nor an endless one takes long.
    """

    __slots__ = ("_left", "_most")

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def members(self, mapping: Any, depth: int = 1) -> dict[str, Any]:
        """Return the members of a mapping.

        Names that JSON would coerce are refused, so that 1 and "1" cannot become one member twice.
        """
        _refuse_depth(depth)
        try:
            members = dict(islice(mapping.items(), self._left + 1))
        except Exception as error:  # somebody's own class may raise anything
            raise _unreadable(mapping, "mapping", depth) from error
        size = len(members)
        for name, member in members.items():
            if type(name) is not str:
                raise ClaimsRefused(
                    f"a claim's name is {shown(name)}, expected text", code="claims_name"
                )
            size += len(name)
            if type(member) is str:
                size += len(member)
        self._count(size)
        return {
            name: member if type(member) is str else self._value(member, depth)
            for name, member in members.items()
        }

    def _items(self, items: Any, depth: int) -> list[Any]:
        _refuse_depth(depth)
        try:
            copied = list(islice(items, self._left + 1))
        except Exception as error:  # somebody's own class may raise anything
            raise _unreadable(items, "list", depth) from error
        self._count(len(copied))
        return [self._value(item, depth) for item in copied]

    def _value(self, value: Any, depth: int) -> Any:
        # Asked of the type alone: a value may call itself an instance of anything.
        kind = type(value)
        if issubclass(kind, int):
            self._count(int.bit_length(value) // 4)  # no number has fewer digits
        elif issubclass(kind, str):
            self._count(str.__len__(value))
        elif issubclass(kind, (dict, MappingProxyType)):
            return self.members(value, depth + 1)
        elif issubclass(kind, (list, tuple)):
            return self._items(value, depth + 1)
        return value

    def _count(self, characters: int) -> None:
        self._left -= characters
        if self._left < 0:
            raise too_long(f"over {self._most}", self._most)


def _refuse_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ClaimsRefused(f"the claims are nested deeper than {MAX_DEPTH}", code="claims_depth")


def _unreadable(value: object, expected: str, depth: int) -> ClaimsRefused:
    what = "claims is" if depth == 1 else "a claim is"
    return ClaimsRefused(
        f"{what} {shown(value)}, expected a {expected} that can be read", code="claims_type"
    )
