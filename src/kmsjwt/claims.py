"""Registered claims (RFC 7519 section 4.1): types checked alike in issuing and verifying."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from kmsjwt.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REGISTERED = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")
"""The registered claim names."""

# 2**53: beyond it, a JavaScript verifier reads another number than was written.
_LATEST = 9_007_199_254_740_992

# What a claim that is absent is taken for.
_RIGHT_TEXT, _RIGHT_DATE = "-", 1


def type_fault(claims: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the first registered claim of a wrong type, as its name and what is wrong with it.

    A claim that is there must be right: malformed never means absent. ``client_id`` (RFC 8693
    section 4.3) and ``scope`` (section 4.2) are checked as well, since gateways act on them.
    """
    get = claims.get
    # Most claims are plainly right; only the others are looked at closely.
    for name, fault_of in _TEXTS.items():
        value = get(name, _RIGHT_TEXT)
        if type(value) is not str or not value:
            expected = fault_of(value)
            if expected is not None:
                return _fault(name, value, expected)
    for name, fault_of in _DATES.items():
        value = get(name, _RIGHT_DATE)
        if type(value) is not int or not 0 < value < _LATEST:
            expected = fault_of(value)
            if expected is not None:
                return _fault(name, value, expected)
    return None


def audiences(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Return ``aud`` as a tuple, whether it was one string or several. Types were checked."""
    aud = claims.get("aud", ())
    return (aud,) if type(aud) is str else tuple(aud)


def _fault(name: str, value: object, expected: str) -> tuple[str, str]:
    return name, f"{name} is {shown(value)}, expected {expected}"


def _text(value: object) -> str | None:
    return None if type(value) is str else "a string"


def _filled_text(value: object) -> str | None:
    return None if type(value) is str and value else "a non-empty string"


def _numeric_date(value: object) -> str | None:
    if type(value) is int or (type(value) is float and isfinite(value)):
        return None if 0 <= value < _LATEST else "seconds since 1970"
    return "a number of seconds since 1970"


def _later_date(value: object) -> str | None:
    # Some issuers write nbf: 0 for "at once". Elsewhere 0 stands for "never" or "unknown".
    return _numeric_date(value) or ("seconds after 1970" if value == 0 else None)


def _audience(value: object) -> str | None:
    if type(value) is str and value:
        return None
    if (type(value) is tuple or type(value) is list) and value:
        return None if all(type(each) is str and each for each in value) else "strings"
    return "a string or a list of strings"


_TEXTS: dict[str, Callable[[object], str | None]] = {
    "iss": _filled_text,
    "sub": _filled_text,
    "aud": _audience,
    "jti": _filled_text,
    "client_id": _filled_text,
    "scope": _text,
}
_DATES: dict[str, Callable[[object], str | None]] = {
    "exp": _later_date,
    "nbf": _numeric_date,
    "iat": _later_date,
}
