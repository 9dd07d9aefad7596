"""Which documents an issuer publishes, where on its host, and what the two small ones say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kmsjwt._encoding import plain
from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, DocumentUnusable, shown
from kmsjwt.jwks import urls
from kmsjwt.jwks.document import discovery_document, document_bytes
from kmsjwt.jwks.static import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable

# A path is a file's name and an S3 key too: nothing that any of the three reads differently.
_PLAIN_PATH = r"(?:/[A-Za-z0-9_~.-]+)*/?"


class Documents(Immutable):
    """The documents of one issuer, as paths from the root of its host, without a leading slash.

    Attributes:
        issuer: the issuer, to the character.
        jwks: the JWKS.
        openid: OpenID Connect's discovery document, below the issuer's path.
        oauth: OAuth's, whose well-known part stands before the issuer's path (RFC 8414
            section 3).
    """

    __slots__ = ("issuer", "jwks", "oauth", "openid")

    issuer: str
    jwks: str
    openid: str
    oauth: str

    def __init__(self, issuer: str) -> None:
        """Read the issuer.

        Raises:
            ConfigError: it is no https URL, or its path cannot be a file's name.
        """
        path = urls.read_issuer(issuer).path
        if not re.fullmatch(_PLAIN_PATH, path) or {".", ".."} & set(path.split("/")):
            raise ConfigError(
                f"the issuer's path is {shown(path)}, expected letters, digits, -, _, . and ~",
                code="issuer_path",
                fix="documents are published below it, so it has to be a plain name",
            )
        self._fill(
            issuer=issuer,
            jwks=_path(urls.jwks_url(issuer)),
            openid=_path(urls.openid_configuration_url(issuer)),
            oauth=_path(urls.oauth_authorization_server_url(issuer)),
        )

    @property
    def discovery(self) -> tuple[str, str]:
        """The two discovery documents, which say the same."""
        return self.openid, self.oauth

    @property
    def all(self) -> tuple[str, ...]:
        """Every document, in the order in which they are written."""
        return self.jwks, self.openid, self.oauth


def discovery(current: bytes | None, issuer: str, algs: Iterable[str], where: str) -> bytes:
    """Return the discovery document to publish; what somebody added to it stays.

    Args:
        current: the document as it is published now; None if there is none.
        issuer: the issuer.
        algs: the algorithms of all keys in the published JWKS.
        where: what to call the current document in messages.

    Raises:
        DocumentUnusable: the current one is no such document, is another issuer's, or names
            another JWKS: consumers would lose the keys that are there.
    """
    ours = discovery_document(issuer, algs=algs)
    theirs: dict[str, Any] = {} if current is None else _read(current, where)
    for name in ("issuer", "jwks_uri"):
        if theirs.get(name, ours[name]) != ours[name]:
            raise DocumentUnusable(
                f"{where} has {name} {shown(theirs[name])}, expected {shown(ours[name])}",
                where=where,
                code="discovery_other",
                fix="publish elsewhere; or move its keys to where the new jwks_uri is, then"
                " remove the document",
            )
    algs_name = "id_token_signing_alg_values_supported"
    return document_bytes({**ours, **theirs, algs_name: ours[algs_name]})


def _read(current: bytes, where: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = plain(parsed(current, where, "discovery document"))
    except ConfigError as error:
        raise DocumentUnusable(
            error.message,
            where=where,
            code="discovery_malformed",
            fix="mend or remove it: it is never overwritten unread",
        ) from None
    return document


def _path(url: str) -> str:
    return urls.read_url(url, "issuer").path.removeprefix("/")
