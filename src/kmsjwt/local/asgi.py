"""The local KMS as an ASGI application: one path, one verb, AWS JSON 1.1.

Credentials are not checked: any will do, or none. Two things of the signature's scope are read: the
Region, which is the Region asked, and the access key id, which is the reader's name if
``kms.reader(name)`` was called.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from kmsjwt.local.client import NOTICE
from kmsjwt.local.faults import Dropped
from kmsjwt.local.wire import answer_bytes, read_target

if TYPE_CHECKING:
    from kmsjwt.local.client import LocalKms

__all__ = ["Asgi", "application"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

_LONGEST_BODY = 262_144  # bytes; the longest request, a key policy of 32 KB, is far shorter
_SLOW = frozenset({"CreateKey"})
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([a-z0-9-]{1,32})/kms/aws4_request")
_LOOPBACK_HOST = re.compile(r"(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])(?::\d+)?", re.IGNORECASE)


def application(kms: LocalKms, *, mounts: Mapping[str, Asgi] | None = None) -> Asgi:
    """Return the ASGI application that answers for ``kms``.

    A request whose Host is not this machine's loopback is refused: a web page whose name was
    made to point here (DNS rebinding) says its own name. A page of another origin can't send
    X-Amz-Target without a preflight, which nobody answers.

    Args:
        kms: who answers; its Region is meant where a request isn't signed.
        mounts: other ASGI applications by path prefix (``"/gateway"``); the longest that fits
            gets the request, its scope unchanged.
    """
    return _App(kms, dict(mounts or {}))


class _App:
    def __init__(self, kms: LocalKms, mounts: dict[str, Asgi]) -> None:
        self._kms = kms
        self._mounts = sorted(mounts.items(), key=lambda mount: -len(mount[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"the scope is of type {scope['type']!r}, expected 'http'")
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not _LOOPBACK_HOST.fullmatch(headers.get(b"host", "")):
            await _say(send, 403, "ForbiddenException", "Host is not a loopback name.")
            return
        path = scope["path"]
        for prefix, mounted in self._mounts:
            if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
                await mounted(scope, receive, send)
                return
        if path != "/":
            await _say(send, 404, "NotFound", f"Nothing is at {path[:64]}; KMS is at /.")
        elif scope["method"] == "GET":
            await _send(send, 200, {"content-type": "text/plain"}, NOTICE.encode() + b"\n")
        elif scope["method"] != "POST":
            await _say(send, 405, "MethodNotAllowed", "KMS takes POST.")
        else:
            await self._answer(scope, headers, receive, send)

    async def _answer(
        self, scope: Scope, headers: Mapping[bytes, str], receive: Receive, send: Send
    ) -> None:
        body = await _body(receive)
        if body is None:
            message = f"The body is longer than {_LONGEST_BODY} bytes."
            await _say(send, 413, "RequestEntityTooLargeException", message)
            return
        try:
            status, answered, content = await self._carry_out(headers, body)
        except Dropped:
            await _drop(scope, receive)
            return
        await _send(send, status, answered, content)

    async def _carry_out(
        self, headers: Mapping[bytes, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        target = headers.get(b"x-amz-target", "")
        service = self._kms.service
        region, reader = self._kms.meta.region_name, ""
        credential = _CREDENTIAL.search(headers.get(b"authorization", ""))
        if credential:
            region = credential[2]
            reader = credential[1] if credential[1] in service.readers else ""

        def carry_out() -> tuple[int, dict[str, str], bytes]:
            return answer_bytes(service, target, body, region=region, reader=reader)

        # A signature takes less time than changing threads; making an RSA key, or a fault's
        # latency, would hold up everybody else.
        if read_target(target) in _SLOW or service.faults:
            return await asyncio.to_thread(carry_out)
        return carry_out()


async def _body(receive: Receive) -> bytes | None:
    parts, length = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > _LONGEST_BODY:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


async def _drop(scope: Scope, receive: Receive) -> None:
    """Close the connection without a word; the server puts its transport into the scope."""
    scope["state"]["transport"].abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(send: Send, status: int, code: str, message: str) -> None:
    body = json.dumps({"__type": code, "message": message}).encode()
    headers = {"content-type": "application/x-amz-json-1.1", "connection": "close"}
    await _send(send, status, headers, body)


async def _send(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    listed = {**headers, "content-length": str(len(body))}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in listed.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
