"""URLs, read strictly; and where the well-known documents of an issuer are."""

from __future__ import annotations

import re

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, shown

# Compiled at their first use: a cold start that reads no URL should not pay for them.
_PARTS = r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?"
_IPV6 = r"\[([0-9A-Fa-f:.]{2,45})\]"
_HOST = r"((?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63})"
_AUTHORITY = rf"(?:{_IPV6}|{_HOST})(?::([0-9]{{1,5}}))?"
# RFC 3986 section 2: everything else in a URL is percent-encoded.
_FOREIGN = r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]"
_LONGEST = 2_048
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_DEFAULT_PORTS = {"https": 443, "http": 80}


class Url(Immutable):
    """An https URL, or an http one of this machine.

    Attributes:
        scheme: ``https`` or ``http``.
        authority: host and port as written, for the Host header.
        host: the host alone, without the brackets of IPv6.
        port: the port, 443 or 80 if none is written.
        path: the path, which may be empty.
        query: the query with its ``?``, or nothing.
    """

    __slots__ = ("authority", "host", "path", "port", "query", "scheme")

    scheme: str
    authority: str
    host: str
    port: int
    path: str
    query: str

    def __init__(
        self, *, scheme: str, authority: str, host: str, port: int, path: str, query: str
    ) -> None:
        self._fill(scheme=scheme, authority=authority, host=host, port=port, path=path, query=query)

    @property
    def is_loopback(self) -> bool:
        """Whether it names this machine."""
        return self.host.lower() in _LOOPBACK

    def with_path(self, path: str) -> Url:
        """Return the URL of another path on the same host."""
        return Url(
            scheme=self.scheme,
            authority=self.authority,
            host=self.host,
            port=self.port,
            path=path,
            query="",
        )

    def __str__(self) -> str:
        """Return the URL without its query, where some put secrets."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"


def read_url(text: object, name: str) -> Url:
    """Read a URL that documents may be fetched from.

    Args:
        text: the URL: https, or http if the host is 127.0.0.1, ::1 or localhost.
        name: what to call it in a message.

    Raises:
        ConfigError: naming the first fault; it never shows a password or a query.
    """
    parts = re.fullmatch(_PARTS, text) if isinstance(text, str) and len(text) <= _LONGEST else None
    if parts is None:
        raise _fault(f"{name} is {_harmless(text)}, expected an https URL")
    scheme, authority, path, query, fragment = parts.groups(default="")
    scheme = scheme.lower()
    if "@" in authority:
        raise _fault(f"{name} holds a user name or password, expected none in a URL")
    host, port = _host_and_port(authority, name)
    url = Url(
        scheme=scheme,
        authority=authority,
        host=host,
        port=int(port) if port else _DEFAULT_PORTS.get(scheme, 0),
        path=path,
        query=query,
    )
    _refuse_unfit(url, name, fragment)
    return url


def read_issuer(text: object, name: str = "issuer") -> Url:
    """Read an issuer identifier: a URL without query (OpenID Connect Discovery 1.0 section 3).

    Raises:
        ConfigError: as `read_url`, or it has a query.
    """
    url = read_url(text, name)
    if url.query:
        raise _fault(f"{name} {str(url)!r} has a query, expected none in an issuer")
    return url


def openid_configuration_url(issuer: str) -> str:
    """Return where OpenID Connect looks: the well-known part is appended.

    OpenID Connect Discovery 1.0 section 4: a terminating slash is removed first.

    Raises:
        ConfigError: the issuer is no https URL.
    """
    return str(_appended(issuer, "openid-configuration"))


def oauth_authorization_server_url(issuer: str) -> str:
    """Return where OAuth 2 looks: the well-known part stands between host and path.

    RFC 8414 section 3: a terminating slash is removed first.

    Raises:
        ConfigError: the issuer is no https URL.
    """
    url = read_issuer(issuer)
    return str(url.with_path(f"/.well-known/oauth-authorization-server{url.path.rstrip('/')}"))


def jwks_url(issuer: str) -> str:
    """Return where our issuers publish their keys: ``<issuer>/.well-known/jwks.json``.

    Raises:
        ConfigError: the issuer is no https URL.
    """
    return str(_appended(issuer, "jwks.json"))


def _appended(issuer: str, document: str) -> Url:
    url = read_issuer(issuer)
    return url.with_path(f"{url.path.rstrip('/')}/.well-known/{document}")


def _harmless(text: object) -> str:
    """Return what can be shown of something that is no URL: no query, no password."""
    if not isinstance(text, str):
        return shown(text)
    start = text.partition("?")[0]
    return "no URL" if "@" in start else shown(start)


def _host_and_port(authority: str, name: str) -> tuple[str, str]:
    match = re.fullmatch(_AUTHORITY, authority)
    if match is None:
        raise _fault(
            f"{name} names the host {shown(authority)}, expected ASCII letters, digits and dots",
            fix="write an international host name in its xn-- form",
        )
    ipv6, host, port = match.groups(default="")
    return ipv6 or host, port


def _refuse_unfit(url: Url, name: str, fragment: str) -> None:
    if url.scheme not in _DEFAULT_PORTS or (url.scheme == "http" and not url.is_loopback):
        raise _fault(
            f"{name} {shown(str(url))} is {url.scheme}, expected https",
            fix="http is for 127.0.0.1, ::1 and localhost alone: elsewhere keys could be swapped",
        )
    if fragment:
        raise _fault(f"{name} {shown(str(url))} has a fragment, expected none")
    if re.search(_FOREIGN, url.path + url.query):
        raise _fault(f"{name} {shown(str(url))} holds characters that a URL percent-encodes")
    if not 0 < url.port < 65_536:
        raise _fault(f"{name} {shown(str(url))} names port {url.port}, expected 1 to 65535")


def _fault(message: str, fix: str | None = None) -> ConfigError:
    return ConfigError(message, code="url", fix=fix)
