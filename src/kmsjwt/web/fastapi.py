"""A dependency for FastAPI, which its OpenAPI document shows as a security scheme.

::

    Token = Annotated[VerifiedToken, Depends(bearer(guard))]

    @app.get("/orders")
    def orders(token: Token):
        return {"for": token.claims["sub"]}
"""

# No `from __future__ import annotations`: FastAPI reads the parameters of `__call__` itself.

from typing import TYPE_CHECKING

from kmsjwt.errors import ConfigError
from kmsjwt.verifier import VerifiedToken
from kmsjwt.web._mounts import route_paths
from kmsjwt.web.asgi import event_of, method_of
from kmsjwt.web.guard import Guard, required
from kmsjwt.web.refused import Refused

try:
    from fastapi import HTTPException, WebSocketException
    from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
    from fastapi.requests import HTTPConnection
    from fastapi.security import SecurityScopes
    from fastapi.security.base import SecurityBase
except ImportError as missing:
    raise ConfigError(
        "kmsjwt.web.fastapi needs FastAPI, which isn't installed",
        code="extra_missing",
        fix="pip install 'kmsjwt[fastapi]'",
    ) from missing

if TYPE_CHECKING:
    from collections.abc import Callable

_POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1
_IN = {"header": APIKeyIn.header, "query": APIKeyIn.query, "cookie": APIKeyIn.cookie}


def bearer(guard: Guard) -> "Callable[[HTTPConnection, SecurityScopes], VerifiedToken]":
    """Return a dependency that gives the verified token, or answers in place of the route.

    ``Security(bearer(guard), scopes=["orders:read"])`` asks for scopes besides. A refusal's body
    is ``{"detail": {"error": …}}``, as of every HTTPException. Rules are asked about the path that
    the outermost application routes by: decoded, without its ``root_path``. It is no coroutine,
    so FastAPI runs it in a thread: now and then a check fetches the keys.
    """
    return _Bearer(required(guard))


class _Bearer(SecurityBase):
    def __init__(self, guard: Guard) -> None:
        kind, _, name = guard.token_from.partition(":")
        if kind not in _IN or (kind, name.lower()) == ("header", "authorization"):
            self.model = HTTPBearer(bearerFormat="JWT")
        else:
            self.model = APIKey.model_validate({"in": _IN[kind], "name": name})
        self.scheme_name = "kmsjwt"
        self._guard = guard

    def __call__(
        self, connection: HTTPConnection, security_scopes: SecurityScopes
    ) -> VerifiedToken:
        scope = connection.scope
        path, *also = route_paths(scope)
        try:
            token = self._guard.check(
                method_of(scope), path, event_of(scope, self._guard), also=also
            )
            self._guard.require_scopes(token, security_scopes.scopes)
        except Refused as refused:
            if scope["type"] == "websocket":
                raise WebSocketException(_POLICY_VIOLATION) from None
            raise HTTPException(refused.status, refused.body, refused.headers) from None
        return token
