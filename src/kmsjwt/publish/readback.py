"""What can be read where consumers read, seen with a verifier's eyes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kmsjwt.errors import ConfigError, DocumentUnusable
from kmsjwt.jwks.fetch import fetch
from kmsjwt.jwks.places import read_key_set
from kmsjwt.jwks.static import parsed
from kmsjwt.keys import KeySet

if TYPE_CHECKING:
    from kmsjwt.jwks.urls import Url
    from kmsjwt.publish.places import Place

FETCH_TIMEOUT = 5.0
"""Seconds for one fetch of the issuer's JWKS."""


def stored_keys(place: Place, document: str) -> KeySet | None:
    """Return the usable keys of the JWKS in a place; None if there is certainly none.

    Raises:
        DocumentUnusable: it is none that a verifier would use.
        PublishError: the place did not tell.
    """
    stored = place.read(document)
    if stored is None:
        return None
    where = place.where(document)
    try:
        return KeySet.from_jwks(parsed(stored.body, where))
    except ConfigError as error:
        message = error.message if where in error.message else f"{where}: {error.message}"
        raise DocumentUnusable(message, where=where, code=error.code, fix=error.fix) from None


def fetched_keys(url: Url) -> KeySet:
    """Return the usable keys of the JWKS at a URL.

    Raises:
        KeySourceError: it did not answer with one.
    """
    document = fetch(url, time.monotonic() + FETCH_TIMEOUT)
    return read_key_set(document.body, str(url), None)


def kids_of(keys: KeySet | None) -> frozenset[str]:
    """Return the ``kid`` of each key."""
    return frozenset(key.kid for key in keys or ())


def algs_of(keys: KeySet | None) -> frozenset[str]:
    """Return the name of each key's algorithm."""
    return frozenset(key.alg.name for key in keys or ())
