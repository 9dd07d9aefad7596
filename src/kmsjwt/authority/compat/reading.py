"""Where facts come from: an issuer's URL, or the folder that is to be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.authority.compat.facts import Facts, read_keys
from kmsjwt.errors import ConfigError, shown
from kmsjwt.jwks.static import MAX_BYTES
from kmsjwt.jwks.urls import jwks_url
from kmsjwt.publish.readback import issuer_documents, read_discovery

if TYPE_CHECKING:
    from pathlib import Path

    from kmsjwt.publish.readback import Discovery

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
    found = issuer_documents(issuer, timeout=timeout)
    body = None if found.jwks is None else found.jwks.body
    return Facts(
        asked=issuer,
        discovery=found.discovery,
        no_discovery=found.no_discovery,
        jwks=body,
        keys=() if body is None else read_keys(body, found.jwks_uri)[0],
        key_set=found.key_set,
        max_age=None if found.jwks is None else found.jwks.max_age,
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
    keys, key_set = read_keys(small, _JWKS) if small is not None else ((), None)
    return Facts(
        asked=None,
        discovery=discovery,
        no_discovery=missing,
        jwks=small,
        keys=keys,
        key_set=key_set,
    )


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
