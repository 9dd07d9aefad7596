"""A middleware for ASGI: Starlette, FastAPI, or any other application; it imports none of them.

::

    app.add_middleware(BearerMiddleware, guard=guard)   # Starlette
    app = BearerMiddleware(app, guard)                  # any
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from kmsjwt._encoding import to_json
from kmsjwt.errors import ConfigError, shown
from kmsjwt.web._mounts import route_paths
from kmsjwt.web.guard import required
from kmsjwt.web.refused import Refused

if TYPE_CHECKING:
    from kmsjwt.gateway.event import Event
    from kmsjwt.web.guard import Guard

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_DENIAL = "websocket.http.response"
_POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1


class BearerMiddleware:
    """Lets only those requests reach the application that may; the others it answers itself.

    The verified token is ``scope["state"]["token"]``, which Starlette shows as
    ``request.state.token``. WebSocket handshakes are judged as GET. The path that rules are asked
    about is the one that Starlette routes by: decoded, without ``root_path``. A FastAPI application
    puts its own ``root_path`` into the scope only behind this: it is looked for along ``app``,
    ``router``, ``default`` and the ``routes`` that match, and within a `functools.partial` or a
    method. Rules must allow the path that each application found there would route by as well.

    The check runs in a thread. Most take microseconds, but now and then one fetches the keys, and
    would hold up every other request of the event loop.
    """

    def __init__(self, app: App, guard: Guard) -> None:
        """Stand before an application."""
        self._app = app
        self._guard = required(guard)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, one WebSocket, or the application's lifespan."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, send)
            return
        if kind not in ("http", "websocket"):
            raise ConfigError(f"scope type is {shown(kind)}, expected http, websocket or lifespan")
        path, *also = route_paths(scope, self._app)
        try:
            token = await asyncio.to_thread(
                self._guard.check,
                method_of(scope),
                path,
                event_of(scope, self._guard),
                also=also,
            )
        except Refused as refused:
            await (_close if kind == "websocket" else _answer)(refused, scope, receive, send)
            return
        # A copy, so that no other request can ever see this token.
        state = {**(scope.get("state") or {}), "token": token}
        await self._app({**scope, "state": state}, receive, send)


def method_of(scope: Scope) -> str:
    """Return the method to judge by: GET for a WebSocket, whatever its server put there."""
    method: str = "GET" if scope["type"] == "websocket" else scope["method"]
    return method


def event_of(scope: Scope, guard: Guard) -> Event:
    """Return a scope's headers, and its query if the token is there, as a guard reads them."""
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    event: dict[str, Any] = {"multiValueHeaders": headers}
    if guard.token_from.startswith("query:"):
        from urllib.parse import parse_qs

        event["multiValueQueryStringParameters"] = parse_qs(
            scope.get("query_string", b"").decode("latin-1")
        )
    return event


async def _answer(
    refused: Refused, _scope: Scope, _receive: Receive, send: Send, kind: str = "http"
) -> None:
    body = to_json(refused.body)
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **refused.headers,
    }
    raw = [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    await send({"type": f"{kind}.response.start", "status": refused.status, "headers": raw})
    await send({"type": f"{kind}.response.body", "body": body})


async def _close(refused: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a handshake: with the answer if the server can send one, else with its own 403."""
    await receive()  # websocket.connect
    if _DENIAL in (scope.get("extensions") or {}):
        await _answer(refused, scope, receive, send, "websocket.http")
    else:
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
