"""A seed: a copy of a published JWKS beside the code, which says where and when it was read.

It spares a cold start the fetch. A copy does not learn that a key was withdrawn, so it has an end
of its own, which a new process does not put off. It stands in for the URL it was read from alone:
a zip goes from one environment to the next, and another environment's keys are not trusted there.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from kmsjwt.errors import ConfigError, shown
from kmsjwt.jwks.static import path_text, read_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from kmsjwt.keys import KeySet

FILE = "jwks-seed.json"
"""The seed's name in a bundle of ours."""
MAX_AGE = 604_800
"""Seconds for which a bundle's seed may serve, counted from when it was read: a week."""
_READ_AT = "read_at"
_READ_FROM = "read_from"
_END_OF_TIME = 253_402_300_799  # the last second of the year 9999, which dates can still name
_CLOCKS_DIFFER = 3_600  # seconds that the clock of whoever built it may be ahead


def seed_bytes(keys: KeySet, read_at: int, read_from: str) -> bytes:
    """Return a seed as JSON: a JWKS with two members more (RFC 7517 section 5 allows for any).

    Args:
        keys: what was read from the URL.
        read_at: when, in seconds since 1970.
        read_from: the URL, as the authorizer will follow it.
    """
    from kmsjwt.jwks.document import document_bytes  # an authorizer writes none

    listed = sorted(keys, key=lambda key: key.kid)
    return document_bytes(
        {"keys": [key.to_jwk() for key in listed], _READ_AT: read_at, _READ_FROM: read_from}
    )


def read_seed(
    path: str | PathLike[str], *, url: str, alg: str | None, max_age: float | None, now: float
) -> tuple[KeySet | None, float, str | None]:
    """Read a seed.

    Args:
        path: of the file.
        url: that is followed: a seed that was read from another is as good as none.
        alg: the algorithm of JWKs that do not name one.
        max_age: seconds for which it may serve, counted from its ``read_at``; None if it need
            not say when and where it was read, and has no end.
        now: seconds since 1970.

    Returns:
        Its keys, or None if it must not be used; when its time is over, in seconds since 1970;
        and why it must not be used, or None.

    Raises:
        ConfigError: it cannot be read, is no JWKS that may be used, or does not say when and
            where it was read.
    """
    path = path_text(path)
    keys, document = read_file(path, alg)
    read_from = document.get(_READ_FROM)
    until = inf
    why = None
    if max_age is not None:
        _require_age(max_age)
        read_at = _read_at(document, path)
        read_from = _read_from(document, path)
        until = read_at + max_age
        why = _untimely(read_at, until, now)
    if isinstance(read_from, str) and read_from != url:
        why = _elsewhere(read_from, url)
    return (None if why else keys), until, why


def read_copy(path: str | PathLike[str]) -> tuple[KeySet, int, str]:
    """Return the keys of a seed whatever its age, when it was read, and from which URL.

    Raises:
        ConfigError: as `read_seed`.
    """
    path = path_text(path)
    keys, document = read_file(path)
    return keys, _read_at(document, path), _read_from(document, path)


def _untimely(read_at: int, until: float, now: float) -> str | None:
    if read_at > now + _CLOCKS_DIFFER:
        return (
            f"it says that it was read at {read_at}, which is later than now: look at the clock of"
            " whoever built it"
        )
    return None if now < until else f"its time was over at {until:.0f}, in seconds since 1970"


def _elsewhere(read_from: str, url: object) -> str:
    theirs = read_from.partition("?")[0]  # a query may be secret
    ours = url.partition("?")[0] if isinstance(url, str) else url
    where = shown(theirs) if theirs != ours else "the same address with another query"
    return f"it was read from {where}, expected {shown(ours)}"


def _require_age(max_age: object) -> None:
    # By its type, for a bool is no number of seconds; mypy does not follow that.
    if type(max_age) not in (int, float) or not 0 < max_age <= _END_OF_TIME:  # type: ignore[operator]  # by its type
        raise ConfigError(
            f"seed_max_age is {shown(max_age)}, expected a positive number of seconds",
            code="jwks_times",
        )


def _read_at(document: Mapping[str, Any], path: str) -> int:
    told = document.get(_READ_AT)
    if type(told) is not int or not 0 <= told <= _END_OF_TIME:
        raise _malformed(path, _READ_AT, told, "when it was read, in seconds since 1970")
    return told


def _read_from(document: Mapping[str, Any], path: str) -> str:
    told = document.get(_READ_FROM)
    if type(told) is not str or not told:
        raise _malformed(path, _READ_FROM, told, "the URL it was read from")
    return told


def _malformed(path: str, member: str, told: object, expected: str) -> ConfigError:
    return ConfigError(
        f"the seed {path!a} has {member} {shown(told)}, expected {expected}",
        code="jwks_seed",
        fix="make it with: kmsjwt bundle --jwks URL",
    )
