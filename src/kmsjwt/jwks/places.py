"""Where a remote JWKS is: at a configured URL, or at the one its issuer names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.errors import ConfigError, JwksInvalid, shown
from kmsjwt.jwks.fetch import Document, fetch
from kmsjwt.jwks.static import parsed
from kmsjwt.jwks.urls import openid_configuration_url, read_url
from kmsjwt.keys import KeySet

if TYPE_CHECKING:
    from kmsjwt.jwks.urls import Url


class UrlPlace:
    """A JWKS whose URL was configured."""

    __slots__ = ("_url",)

    def __init__(self, url: object) -> None:
        """Read the URL.

        Raises:
            ConfigError: it is none that keys may be fetched from.
        """
        self._url = read_url(url, "url")

    def read(self, until: float) -> Document:
        """Fetch the JWKS, giving up at ``until`` by `time.monotonic`.

        Raises:
            KeySourceError: it could not be had.
        """
        return fetch(self._url, until)

    def __str__(self) -> str:
        return str(self._url)


class IssuerPlace:
    """A JWKS whose URL stands in the issuer's OpenID configuration.

    The configuration is read each time the keys are: it cannot be older than they are.
    """

    __slots__ = ("_issuer", "_url")

    _url: Url

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    @property
    def issuer(self) -> str:
        """The issuer, as it was given."""
        return self._issuer

    def checked(self) -> IssuerPlace:
        """Return this place, after its issuer was read.

        Raises:
            ConfigError: the issuer is no URL that keys may be fetched from.
        """
        self._url = read_url(openid_configuration_url(self._issuer), "issuer")
        return self

    def read(self, until: float) -> Document:
        """Fetch the configuration and the JWKS, giving up at ``until`` by `time.monotonic`.

        Raises:
            KeySourceError: one of them could not be had, or they do not belong together.
        """
        return fetch(self._jwks_uri(fetch(self._url, until).body), until)

    def _jwks_uri(self, body: bytes) -> Url:
        try:
            configuration = parsed(body, str(self._url), "OpenID configuration")
            named = configuration.get("issuer")
            self._require_issuer(named)
            jwks_uri = read_url(configuration.get("jwks_uri"), "its jwks_uri")
        except ConfigError as error:
            raise _invalid(error, str(self._url), "discovery_malformed") from None
        # Plain http is for an issuer that is itself on this machine and plain.
        if jwks_uri.scheme != "https" and self._url.scheme == "https":
            raise JwksInvalid(
                f"{self._url} names the jwks_uri {shown(str(jwks_uri))}, expected https",
                code="discovery_malformed",
            )
        return jwks_uri

    def _require_issuer(self, named: object) -> None:
        if named != self._issuer:  # OpenID Connect Discovery 1.0 section 4.3
            raise JwksInvalid(
                f"{self._url} has issuer {shown(named)}, expected {shown(self._issuer)}",
                code="discovery_issuer",
                fix="give the issuer to the character, with its closing slash if it has one",
            )

    def __str__(self) -> str:
        return str(self._url)


def read_key_set(body: bytes, where: str, alg: str | None) -> KeySet:
    """Read a fetched JWKS.

    Raises:
        JwksInvalid: it is none, or none that may be used; its code starts with ``jwks``.
    """
    try:
        return KeySet.from_jwks(parsed(body, where), alg=alg)
    except ConfigError as error:
        raise _invalid(error, where, error.code) from None


def _invalid(error: ConfigError, where: str, code: str) -> JwksInvalid:
    message = error.message if where in error.message else f"{where}: {error.message}"
    return JwksInvalid(message, code=code, fix=error.fix)
