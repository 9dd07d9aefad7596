"""One bounded GET: the only place of the package that opens https.

What is decided here, and why:

* The answer is 200 with a complete body of at most 150,000 bytes, or it is refused.
* Redirects are not followed: keys come from the address that was configured, or not at all.
* One time limit covers connecting, TLS, header and body together, so that a server which sends
  a byte now and then gains nothing. Only the name look-up is the operating system's own matter.
* Proxies in the environment are not used: whoever can set ``HTTPS_PROXY`` should not be able to
  stand between the verifier and its keys, and Lambda reaches the internet through its VPC.
* The trust store is the system's; OpenSSL's ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` extend it.

http.client, socket and ssl are imported when something is fetched, not before: together they
cost a cold start more than everything else that a verifier imports.
"""

from __future__ import annotations

import io
import os
import re
from time import monotonic
from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable
from kmsjwt.errors import JwksInvalid, JwksUnavailable, shown
from kmsjwt.jwks.static import MAX_BYTES

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from socket import socket

    from kmsjwt.jwks.urls import Url

# Room for the header and for the framing of chunks. http.client alone would read 6 MB of header.
_MAX_RECEIVED = MAX_BYTES + 65_536
_OK = 200
_MAX_AGE = r'(?i)(?:^|[,\s])max-age="?([0-9]{1,9})"?(?:[,\s]|$)'
_NOT_KEPT = r"(?i)(?:^|[,\s])no-(?:store|cache)(?:[,\s=]|$)"


class Document(Immutable):
    """What was fetched.

    Attributes:
        body: the bytes, at most 150,000.
        max_age: seconds that its Cache-Control lets it be kept; None if it does not say.
    """

    __slots__ = ("body", "max_age")

    body: bytes
    max_age: int | None

    def __init__(self, body: bytes, max_age: int | None) -> None:
        self._fill(body=body, max_age=max_age)


def fetch(url: Url, until: float) -> Document:
    """Get a document.

    Args:
        url: where from.
        until: when to give up, by `time.monotonic`.

    Raises:
        JwksUnavailable: no answer in time, a broken connection, or a status that is not 200.
        JwksInvalid: an answer that is too large or in a foreign encoding.
    """
    from http.client import HTTPException

    try:
        with _connected(url, until) as connected:
            return _exchanged(url, _LimitedSocket(connected, until))
    except TimeoutError as error:
        raise _unavailable(url, "did not answer in time", "jwks_timeout") from error
    except (OSError, HTTPException, ValueError) as error:
        raise _unavailable(url, f"failed: {_reason(error)}", "jwks_connection") from error


class _LimitedSocket(io.RawIOBase):
    """What http.client needs of a socket; all reads share one limit of time and one of bytes.

    http.client by itself limits the time of each read, not of their sum.
    """

    def __init__(self, connected: socket, until: float) -> None:
        self._socket = connected
        self._until = until
        self._received = 0

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(_remaining(self._until))
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(_remaining(self._until))
        count = self._socket.recv_into(buffer)
        self._received += count
        if self._received > _MAX_RECEIVED:
            raise OSError(f"it sent more than {_MAX_RECEIVED} bytes")
        return count

    def close(self) -> None:
        """Do nothing: http.client closes early, and whoever connected closes the socket."""


def _exchanged(url: Url, limited: _LimitedSocket) -> Document:
    from http.client import HTTPConnection

    connection = HTTPConnection(url.host, url.port)
    connection.sock = limited  # it has all that http.client uses
    connection.request("GET", (url.path or "/") + url.query, headers=_headers(url))
    with connection.getresponse() as response:
        return _document(response, url)


def _connected(url: Url, until: float) -> socket:
    import socket

    addresses = socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    for left in range(len(addresses), 0, -1):
        family, kind, protocol, _, address = addresses[-left]
        candidate = socket.socket(family, kind, protocol)
        try:
            candidate.settimeout(_remaining(until) / left)
            candidate.connect(address)
            return _secured(candidate, url, until) if url.scheme == "https" else candidate
        except OSError:
            candidate.close()
            if left == 1:
                raise
    raise OSError("the host name has no address")


def _secured(plain: socket, url: Url, until: float) -> socket:
    import ssl

    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    plain.settimeout(_remaining(until))
    return context.wrap_socket(plain, server_hostname=url.host)


def _remaining(until: float) -> float:
    seconds = until - monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _headers(url: Url) -> dict[str, str]:
    return {
        "Host": url.authority,
        "Accept": "application/jwk-set+json, application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "kmsjwt",
        "Connection": "close",
    }


def _document(response: HTTPResponse, url: Url) -> Document:
    _require_ok(response, url)
    encoding = response.getheader("Content-Encoding", "identity").strip().lower()
    if encoding != "identity":
        raise JwksInvalid(
            f"{url} is encoded as {shown(encoding)}, expected identity, as was asked for",
            code="jwks_encoding",
        )
    announced = response.length
    body = response.read(MAX_BYTES + 1)
    if max(announced or 0, len(body)) > MAX_BYTES:
        raise JwksInvalid(f"{url} is larger than {MAX_BYTES} bytes", code="jwks_too_large")
    if announced is not None and len(body) < announced:
        raise _unavailable(
            url, f"broke off after {len(body)} of {announced} bytes", "jwks_truncated"
        )
    return Document(body, _max_age(response.getheader("Cache-Control", "")))


def _require_ok(response: HTTPResponse, url: Url) -> None:
    if response.status == _OK:
        return
    location = response.getheader("Location")
    if location is not None and 300 <= response.status < 400:
        # A query is cut off: login pages put secrets there.
        target = shown(location.partition("?")[0])
        raise JwksUnavailable(
            f"{url} redirects to {target}, expected the document itself",
            code="jwks_redirect",
            fix="configure that address if it is the right one; redirects are never followed",
            retryable=False,
        )
    raise _unavailable(url, f"answered {response.status}, expected 200", "jwks_status")


def _max_age(cache_control: str) -> int | None:
    if re.search(_NOT_KEPT, cache_control):
        return 0
    seconds = re.search(_MAX_AGE, cache_control)
    return int(seconds.group(1)) if seconds else None


def _reason(error: Exception) -> str:
    reason = getattr(error, "verify_message", "") or getattr(error, "strerror", None)
    return str(reason or (error if isinstance(error, OSError) else type(error).__name__))[:200]


def _unavailable(url: Url, what: str, code: str) -> JwksUnavailable:
    environment = os.environ
    proxied = url.scheme == "https" and (
        environment.get("HTTPS_PROXY") or environment.get("https_proxy")
    )
    fix = "HTTPS_PROXY is set, and key sources do not use it" if proxied else None
    return JwksUnavailable(f"{url} {what}", code=code, fix=fix)
