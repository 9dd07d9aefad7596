"""What can be read where consumers read, seen with a verifier's eyes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.errors import (
    ConfigError,
    DocumentUnusable,
    JwksInvalid,
    JwksUnavailable,
    shown,
)
from kmsjwt.jwks.fetch import fetch
from kmsjwt.jwks.places import read_key_set
from kmsjwt.jwks.static import parsed
from kmsjwt.jwks.urls import jwks_url, openid_configuration_url, read_url
from kmsjwt.keys import KeySet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kmsjwt.jwks.fetch import Document
    from kmsjwt.jwks.urls import Url
    from kmsjwt.keys import PublicKey
    from kmsjwt.publish.places import Place

FETCH_TIMEOUT = 5.0
"""Seconds for one fetch of the issuer's JWKS."""


class Discovery(Immutable):
    """What ``.well-known/openid-configuration`` says.

    Attributes:
        issuer: the issuer it names.
        jwks_uri: where it says that the JWKS is.
    """

    __slots__ = ("issuer", "jwks_uri")

    issuer: str
    jwks_uri: str

    def __init__(self, *, issuer: str, jwks_uri: str) -> None:
        self._fill(issuer=issuer, jwks_uri=jwks_uri)

    def __repr__(self) -> str:
        return f"Discovery({self.issuer!a}, {self.jwks_uri!a})"


class IssuerDocuments(Immutable):
    """What an issuer's URL answers.

    Attributes:
        discovery: its OpenID configuration, or None.
        no_discovery: why there is none.
        jwks_uri: where its JWKS was looked for.
        jwks: that; None if it has more than 150,000 bytes.
        key_set: the keys in it that can be used here; None if there is none.
    """

    __slots__ = ("discovery", "jwks", "jwks_uri", "key_set", "no_discovery")

    discovery: Discovery | None
    no_discovery: str
    jwks_uri: str
    jwks: Document | None
    key_set: KeySet | None

    def __init__(
        self,
        *,
        discovery: Discovery | None,
        no_discovery: str,
        jwks_uri: str,
        jwks: Document | None,
        key_set: KeySet | None,
    ) -> None:
        self._fill(
            discovery=discovery,
            no_discovery=no_discovery,
            jwks_uri=jwks_uri,
            jwks=jwks,
            key_set=key_set,
        )

    def __repr__(self) -> str:
        return f"IssuerDocuments({self.jwks_uri!a}, {self.key_set!r})"


def issuer_documents(issuer: str, *, timeout: float = FETCH_TIMEOUT) -> IssuerDocuments:
    """Fetch what an issuer publishes.

    Where there is no discovery, the JWKS is looked for at ``<issuer>/.well-known/jwks.json``.

    Args:
        issuer: its URL, to the byte as tokens have it; http is for loopback alone.
        timeout: seconds for both documents together.

    Raises:
        ConfigError: the issuer is no such URL.
        JwksUnavailable: nothing answered, or nothing was there.
        JwksInvalid: what answered is no such document.
    """
    where = read_url(openid_configuration_url(issuer), "issuer")
    until = time.monotonic() + timeout
    discovery, missing = None, ""
    try:
        discovery = read_discovery(fetch(where, until).body, str(where))
    except JwksUnavailable as error:
        if error.code != "jwks_status":
            raise
        missing = error.message
    jwks_uri = discovery.jwks_uri if discovery else jwks_url(issuer)
    jwks = _fetched(_jwks_url(jwks_uri, where), until)
    return IssuerDocuments(
        discovery=discovery,
        no_discovery=missing,
        jwks_uri=jwks_uri,
        jwks=jwks,
        key_set=None if jwks is None else usable_keys(jwks.body, jwks_uri),
    )


def read_discovery(body: bytes, where: str) -> Discovery:
    """Read an OpenID configuration.

    Raises:
        JwksInvalid: no JSON object, or without an issuer and a jwks_uri that are text.
    """
    try:
        document = parsed(body, where, "OpenID configuration")
    except ConfigError as error:
        raise JwksInvalid(error.message, code="discovery_malformed") from None
    members = {name: document.get(name) for name in ("issuer", "jwks_uri")}
    for name, value in members.items():
        if not isinstance(value, str) or not value:
            raise JwksInvalid(
                f"{where} has the {name} {shown(value)}, expected a URL",
                code="discovery_malformed",
            )
    return Discovery(issuer=str(members["issuer"]), jwks_uri=str(members["jwks_uri"]))


def usable_keys(body: bytes, where: str) -> KeySet | None:
    """Return the keys of a JWKS that can be used here; None if there is none.

    Raises:
        JwksInvalid: no JWKS, one with a private key, with two keys of one ``kid``, or with more
            than 1,000 members.
    """
    try:
        return KeySet.from_jwks(parsed(body, where))
    except ConfigError as error:
        if error.code == "jwks_no_usable_key":
            return None
        raise JwksInvalid(_located(error, where), code=error.code, fix=error.fix) from None


def _jwks_url(jwks_uri: str, issuer: Url) -> Url:
    try:
        url = read_url(jwks_uri, "jwks_uri")
    except ConfigError as error:
        raise JwksInvalid(error.message, code="discovery_malformed", fix=error.fix) from None
    # Plain http is for an issuer that is itself on this machine and plain.
    if url.scheme != "https" and issuer.scheme == "https":
        raise JwksInvalid(
            f"{issuer} names the jwks_uri {shown(str(url))}, expected https",
            code="discovery_malformed",
        )
    return url


def _fetched(url: Url, until: float) -> Document | None:
    """Return the JWKS; None if it is too large to read."""
    try:
        return fetch(url, until)
    except JwksInvalid as error:
        if error.code == "jwks_too_large":
            return None
        raise


def _located(error: ConfigError, where: str) -> str:
    return error.message if where in error.message else f"{where}: {error.message}"


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
        raise DocumentUnusable(
            _located(error, where), where=where, code=error.code, fix=error.fix
        ) from None


def fetched_keys(url: Url) -> KeySet:
    """Return the usable keys of the JWKS at a URL.

    Raises:
        KeySourceError: it did not answer with one.
    """
    document = fetch(url, time.monotonic() + FETCH_TIMEOUT)
    return read_key_set(document.body, str(url), None)


def kids_of(keys: KeySet | None, expected: Iterable[PublicKey] = ()) -> frozenset[str]:
    """Return the ``kid`` of each key, but of one that is not the key expected by that ``kid``."""
    wanted = {key.kid: key for key in expected}
    return frozenset(key.kid for key in keys or () if wanted.get(key.kid, key) == key)


def algs_of(keys: KeySet | None) -> frozenset[str]:
    """Return the name of each key's algorithm."""
    return frozenset(key.alg.name for key in keys or ())
