"""Where facts come from: an issuer's URL, or the folder that is to be published."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from kmsjwt.authority.compat.facts import Discovery, Facts, read_discovery, read_jwks
from kmsjwt.errors import ConfigError, JwksInvalid, JwksUnavailable, shown
from kmsjwt.jwks.fetch import fetch
from kmsjwt.jwks.static import MAX_BYTES
from kmsjwt.jwks.urls import jwks_url, openid_configuration_url, read_url

if TYPE_CHECKING:
    from pathlib import Path

    from kmsjwt.authority.compat.facts import PublishedKey
    from kmsjwt.jwks.fetch import Document
    from kmsjwt.jwks.urls import Url
    from kmsjwt.keys import KeySet

_DISCOVERY = ".well-known/openid-configuration"
_JWKS = ".well-known/jwks.json"
_PATIENCE = 10.0


def from_issuer(issuer: str, *, timeout: float = _PATIENCE) -> Facts:
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
    until = monotonic() + timeout
    discovery, missing = None, ""
    try:
        discovery = read_discovery(fetch(where, until).body, str(where))
    except JwksUnavailable as error:
        if error.code != "jwks_status":
            raise
        missing = error.message
    jwks_uri = discovery.jwks_uri if discovery else jwks_url(issuer)
    document = _fetched(_jwks_url(jwks_uri, where), until)
    keys, key_set = _read(document, jwks_uri)
    return Facts(
        asked=issuer,
        discovery=discovery,
        no_discovery=missing,
        jwks=document.body if document else None,
        keys=keys,
        key_set=key_set,
        max_age=document.max_age if document else None,
    )


def from_folder(folder: Path) -> Facts:
    """Read a folder that holds what an issuer will publish: ``.well-known/…``.

    Raises:
        ConfigError: it has no JWKS.
        JwksInvalid: a document is none.
    """
    discovery, missing = None, f"{_DISCOVERY} is not there"
    found = _contents(folder / _DISCOVERY)
    if found is not None:
        discovery = read_discovery(found, _DISCOVERY)
        _refuse_elsewhere(discovery)
    body = _contents(folder / _JWKS)
    if body is None:
        raise ConfigError(
            f"{str(folder)!a} has no {_JWKS}, expected a folder laid out as it is published",
            code="compat_folder",
            fix="name the folder that holds .well-known, or the issuer's URL",
        )
    small = body if len(body) <= MAX_BYTES else None
    keys, key_set = read_jwks(small, _JWKS) if small is not None else ((), None)
    return Facts(
        asked=None,
        discovery=discovery,
        no_discovery=missing,
        jwks=small,
        keys=keys,
        key_set=key_set,
    )


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


def _read(document: Document | None, where: str) -> tuple[tuple[PublishedKey, ...], KeySet | None]:
    return read_jwks(document.body, where) if document is not None else ((), None)


def _contents(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such name is possible"
        raise ConfigError(f"{str(path)!a} cannot be read: {why}", code="compat_folder") from error


def _refuse_elsewhere(discovery: Discovery) -> None:
    """Refuse a folder whose discovery sends consumers to another JWKS than the one in it."""
    try:
        expected = jwks_url(discovery.issuer)
    except ConfigError:
        return  # judged
    if discovery.jwks_uri != expected:
        raise ConfigError(
            f"jwks_uri is {shown(discovery.jwks_uri)}, and the folder's {_JWKS} will be at "
            f"{shown(expected)}",
            code="compat_folder",
            fix="judge the issuer by its URL once it is published",
        )
