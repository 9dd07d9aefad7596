"""A loopback HTTP server that answers as it is told, a clock to turn, and keys to publish.

The JWKs are PyJWT's, so that what kmsjwt reads was not written by kmsjwt.
"""

from __future__ import annotations

import json
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = Callable[["Handler"], None]


class Clock:
    """Seconds since 1970 that pass when told to."""

    def __init__(self, now: float = 1_790_000_000) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@cache
def private_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def jwk(kid: str, material: str | None = None) -> dict[str, Any]:
    public = private_key(material or kid).public_key()
    return {**ECAlgorithm.to_jwk(public, as_dict=True), "kid": kid, "alg": "ES256", "use": "sig"}


def private_jwk(kid: str) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(private_key(kid), as_dict=True), "kid": kid}


def jwks(*kids: str) -> dict[str, Any]:
    return {"keys": [jwk(kid) for kid in kids]}


def raw(content: bytes) -> Answer:
    """Send exactly these bytes and hang up."""

    def answer(handler: Handler) -> None:
        handler.wfile.write(content)

    return answer


def body(content: bytes | dict[str, Any], *, status: int = 200, **headers: str) -> Answer:
    """Send a correct answer; ``Cache_Control="…"`` sends a header of that name."""
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(payload)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(payload)

    return answer


def silent(handler: Handler) -> None:
    """Never answer."""
    handler.server.released.wait(10)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.server.last_headers = dict(self.headers.items())
        self.server.answers.get(self.path, self.server.answer)(self)

    def log_message(self, *_args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Answers every path with ``answer``, but for those in ``answers``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: Answer = body(jwks("a"))
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.last_headers: dict[str, str] = {}
        self.released = threading.Event()
        """Set when the test is over, so that answers that dawdle come to an end."""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.origin}/jwks.json"

    def publish(self, *kids: str) -> None:
        self.answer = body(jwks(*kids))

    def fail(self) -> None:
        self.answer = body(b"", status=503)

    def handle_error(self, *_args: object) -> None:
        """A client that hangs up early is what several tests are about."""

    def stop(self) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()
        self._thread.join(5)
