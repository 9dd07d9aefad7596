"""The issuer's URL behind a CDN: two nodes, each with its own copy, and a fetch that may fail.

What is fetched goes through the package's own HTTP client and its checks; of the network nothing
is in place but a connection. What an invalidation does is forgotten by all nodes at once.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError, ConnectTimeoutError

from kmsjwt.jwks import fetch as http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.publish.s3 import MemoryS3
    from tests.rotation.faults import Gate

DISTRIBUTION = "E1234567890ABC"
NODES = 2


class Front:
    """A CDN over the bucket.

    Attributes:
        faults: what is to go wrong with the next call: ``before``, ``after``, ``throttle``,
            ``deny``.
        invalidations: when all was to be forgotten.
    """

    def __init__(self, s3: MemoryS3, name: str, clock: Callable[[], float]) -> None:
        self._s3 = s3
        self._name = name
        self._clock = clock
        self._held: list[tuple[float, bytes, str] | None] = [None] * NODES
        self._turn = 0
        self.faults: list[str] = []
        self.invalidations: list[float] = []

    def served(self) -> tuple[bytes, str] | None:
        """Return what the next node answers: the JWKS and its Cache-Control."""
        self._turn += 1
        return self._at(self._turn % NODES)

    def anywhere(self) -> list[bytes]:
        """Return what each node would answer."""
        found = (self._at(node, keep=False) for node in range(NODES))
        return [each[0] for each in found if each is not None]

    def _at(self, node: int, *, keep: bool = True) -> tuple[bytes, str] | None:
        held, now = self._held[node], self._clock()
        if held is None or now - held[0] >= _seconds(held[2]):
            there = self._s3.object(self._name)
            if there is None:
                return None
            held = now, there.body, str(there.cache_control)
            if keep:
                self._held[node] = held
        return held[1:]

    def create_invalidation(self, **parameters: Any) -> dict[str, Any]:
        """Forget what is asked for, as CloudFront does."""
        kind = self.faults.pop() if self.faults else None
        if kind == "deny":
            raise _refused("AccessDenied", 403)
        if kind == "throttle":
            raise _refused("TooManyInvalidationsInProgress", 400)
        if kind == "before":
            raise ConnectTimeoutError(endpoint_url="https://cloudfront.amazonaws.com/")
        assert parameters["DistributionId"] == DISTRIBUTION
        if f"/{self._name}" in parameters["InvalidationBatch"]["Paths"]["Items"]:
            self._held = [None] * NODES
            self.invalidations.append(self._clock())
        if kind == "after":
            raise ConnectTimeoutError(endpoint_url="https://cloudfront.amazonaws.com/")
        return {"Invalidation": {"Status": "InProgress"}}

    def fetch(self) -> _Connection:
        """Connect to the URL."""
        kind = self.faults.pop() if self.faults else None
        if kind in ("before", "after"):
            raise TimeoutError
        if kind is not None:
            return _Connection(_answer("403 Forbidden" if kind == "deny" else "503 Busy"))
        served = self.served()
        if served is None:
            return _Connection(_answer("404 Not Found"))
        return _Connection(_answer("200 OK", *served))


@contextmanager
def reached(front: Front, gate: Gate) -> Iterator[None]:
    """Let whoever fetches the issuer's URL meanwhile reach the front, through an actor's gate."""
    before = http._connected

    def connected(url: Any, until: float) -> Any:
        if url.scheme == "http":  # a server of a test's own
            return before(url, until)
        return gate.pass_("fetch", front.fetch)

    http._connected = connected
    try:
        yield
    finally:
        http._connected = before


class _Connection:
    """A connection that answers once, as far as the package's HTTP client uses one."""

    def __init__(self, answer: bytes) -> None:
        self._left = answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def settimeout(self, _seconds: float) -> None:
        pass

    def sendall(self, _data: bytes) -> None:
        pass

    def recv_into(self, buffer: Any) -> int:
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size


def _answer(status: str, body: bytes = b"", cache_control: str = "no-store") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nCache-Control: {cache_control}"
    return head.encode() + b"\r\n\r\n" + body


def _seconds(cache_control: str) -> int:
    told = re.search("max-age=([0-9]+)", cache_control)
    return int(told[1]) if told else 0


def _refused(code: str, status: int) -> ClientError:
    answer = {
        "Error": {"Code": code, "Message": f"{code} by the test"},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "REQ1"},
    }
    return ClientError(answer, "CreateInvalidation")
