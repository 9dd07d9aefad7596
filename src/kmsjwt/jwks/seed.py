"""A seed: a copy of a published JWKS that lies beside the code, and says when it was read.

It spares a cold start the fetch. A copy does not learn that a key was withdrawn, so it has an end
of its own, which a new process does not put off.
"""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING

from kmsjwt.errors import ConfigError, shown
from kmsjwt.jwks.static import read_file

if TYPE_CHECKING:
    from os import PathLike

    from kmsjwt.keys import KeySet

FILE = "jwks-seed.json"
"""The seed's name in a bundle of ours."""
MAX_AGE = 604_800
"""Seconds for which a bundle's seed may serve, counted from when it was read: a week."""
_READ_AT = "read_at"
_CLOCKS_DIFFER = 3_600  # seconds that the clock of whoever built it may be ahead


def seed_bytes(keys: KeySet, read_at: int) -> bytes:
    """Return a seed as JSON: a JWKS with one member more (RFC 7517 section 5 allows for any).

    Args:
        keys: what was read from the URL.
        read_at: when, in seconds since 1970.
    """
    from kmsjwt.jwks.document import document_bytes  # an authorizer writes none

    listed = sorted(keys, key=lambda key: key.kid)
    return document_bytes({"keys": [key.to_jwk() for key in listed], _READ_AT: read_at})


def read_seed(
    path: str | PathLike[str], *, alg: str | None, max_age: float | None, now: float
) -> tuple[KeySet | None, float]:
    """Read a seed.

    Args:
        path: of the file.
        alg: the algorithm of JWKs that do not name one.
        max_age: seconds for which it may serve, counted from its ``read_at``; None if it need
            not say when it was read, and has no end.
        now: seconds since 1970.

    Returns:
        Its keys, None if its time is over; and when that is, in seconds since 1970.

    Raises:
        ConfigError: it cannot be read, is no JWKS that may be used, or does not say when it was
            read.
    """
    keys, document = read_file(path, alg)
    if max_age is None:
        return keys, inf
    if type(max_age) not in (int, float) or not (isfinite(max_age) and max_age > 0):
        raise ConfigError(
            f"seed_max_age is {shown(max_age)}, expected a positive number of seconds",
            code="jwks_times",
        )
    until = _read_at(document.get(_READ_AT), path, now) + max_age
    return (keys if now < until else None), until


def read_at(path: str | PathLike[str]) -> int | None:
    """Return when a JWKS file says that it was read, or None if it does not say.

    Raises:
        ConfigError: as `read_seed`.
    """
    told = read_file(path)[1].get(_READ_AT)
    return told if type(told) is int else None


def _read_at(told: object, path: str | PathLike[str], now: float) -> int:
    if type(told) is not int:
        raise ConfigError(
            f"the seed {str(path)!a} has {_READ_AT} {shown(told)}, expected when it was read, in"
            " seconds since 1970",
            code="jwks_seed",
            fix="make it with: kmsjwt bundle --jwks URL",
        )
    if told > now + _CLOCKS_DIFFER:
        raise ConfigError(
            f"the seed {str(path)!a} was read at {told}, which is later than now",
            code="jwks_seed",
            fix="look at the clock of whoever built it, and of this machine",
        )
    return told
