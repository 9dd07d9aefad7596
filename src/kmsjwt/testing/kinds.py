"""What differs between the kinds of API: the event, the words of a refusal, the context.

Statuses and bodies: API Gateway developer guide, "Gateway response types" and "Lambda
authorizers". Not verified against AWS: bodies of HTTP and WebSocket APIs, and that an HTTP API
answers 500 to an exception that reads ``Unauthorized`` (REST and WebSocket APIs answer 401).
Of AppSync it is known that ``isAuthorized: false`` is 401 with a fixed message (issue 372 of
aws-appsync-community); every other status and body of AppSync is not verified against AWS.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kmsjwt.testing import events
from kmsjwt.testing.messages import Asked, GatewayResponse, GraphqlRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt.testing.answers import Answer
    from kmsjwt.testing.routes import Route

    BuildEvent = Callable[[Asked, Route, tuple[str, ...], float, dict[str, str]], dict[str, Any]]

_ERROR_TYPE = "x-amzn-ErrorType"
_DENIED = "User is not authorized to access this resource"
_Refusal = tuple[int, dict[str, Any], str]
_UNAUTHORIZED: _Refusal = (401, {"message": "Unauthorized"}, "UnauthorizedException")
_BROKEN: _Refusal = (500, {"message": None}, "AuthorizerConfigurationException")
_FORBIDDEN: _Refusal = (403, {"message": "Forbidden"}, "")
_SERVER_ERROR: _Refusal = (500, {"message": "Internal Server Error"}, "")

_REST: dict[str, _Refusal] = {
    "missing_identity": _UNAUTHORIZED,
    "identity_mismatch": _UNAUTHORIZED,
    "unauthorized": _UNAUTHORIZED,
    "explicit_deny": (
        403,
        {"Message": f"{_DENIED} with an explicit deny in an identity-based policy"},
        "AccessDeniedException",
    ),
    "implicit_deny": (403, {"Message": _DENIED}, "AccessDeniedException"),
    "authorizer_error": _BROKEN,
    "malformed_answer": _BROKEN,
    "arn_too_long": (414, {"message": "Request-URI Too Long"}, ""),
    "no_route": (
        403,
        {"message": "Missing Authentication Token"},
        "MissingAuthenticationTokenException",
    ),
}
_HTTP: dict[str, _Refusal] = {
    "missing_identity": (401, {"message": "Unauthorized"}, ""),
    "explicit_deny": _FORBIDDEN,
    "implicit_deny": _FORBIDDEN,
    "not_authorized": _FORBIDDEN,
    "authorizer_error": _SERVER_ERROR,
    "malformed_answer": _SERVER_ERROR,
    "no_route": (404, {"message": "Not Found"}, ""),
}


def _graphql_error(status: int, error_type: str, message: str) -> _Refusal:
    return status, {"errors": [{"errorType": error_type, "message": message}]}, error_type


_APPSYNC_401 = _graphql_error(
    401, "UnauthorizedException", "You are not authorized to make this call."
)
_APPSYNC_500 = _graphql_error(500, "InternalFailure", "The authorizer failed.")
_APPSYNC: dict[str, _Refusal] = {
    "missing_identity": _APPSYNC_401,
    "identity_mismatch": _APPSYNC_401,
    "not_authorized": _APPSYNC_401,
    "authorizer_error": _APPSYNC_500,
    "malformed_answer": _APPSYNC_500,
}
_REFUSALS = {"rest": _REST, "websocket": _REST, "http": _HTTP, "appsync": _APPSYNC}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of API with its authorizer.

    Attributes:
        name: as users name it.
        family: ``rest``, ``http``, ``websocket`` or ``appsync``.
        stage: the stage, unless another is named; AppSync has none.
        identity: the identity sources, unless others are named.
        spelling: how an identity source begins in this family; empty if none can be named.
        caches: whether answers are cached at all.
        validates: whether a regular expression may look at the token before the authorizer.
        door: the method of `Gateway` that goes through it.
        event: builds the authorizer's event.
        success: status and body when let in and no backend is there to answer.
    """

    name: str
    family: str
    stage: str
    identity: tuple[str, ...]
    spelling: tuple[str, ...]
    caches: bool
    event: BuildEvent
    validates: bool = False
    door: str = "request"
    success: tuple[int, Any] = (200, {"message": "let in"})

    @property
    def answers_unauthorized(self) -> bool:
        """Whether an exception that reads ``Unauthorized`` is a 401."""
        return self.family in ("rest", "websocket")

    @property
    def flat_context(self) -> bool:
        """Whether the context may hold text, numbers and booleans only."""
        return self.family != "http"

    def refusal(
        self,
        reason: str,
        *,
        detail: str | None = None,
        age: float | None = None,
        invoked: bool = False,
    ) -> GatewayResponse:
        """Return what a client sees that was not let in."""
        status, body, error_type = _REFUSALS[self.family][reason]
        return GatewayResponse(
            status=status,
            body=copy.deepcopy(body),
            headers={_ERROR_TYPE: error_type} if error_type else {},
            reason=reason,
            detail=detail,
            cached=age is not None,
            invoked=invoked,
            age=age,
        )

    def delivered(self, answer: Answer) -> Mapping[str, Any]:
        """Return the context as the backend gets it.

        That AppSync's resolvers get numbers and booleans as they are is not verified against AWS.
        """
        if self.family in ("http", "appsync"):
            return dict(answer.context)
        texts = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in answer.context.items()
        }
        return {**texts, "principalId": answer.principal}


def _rest_token(
    asked: Asked, route: Route, key: tuple[str, ...], now: float, api: dict[str, str]
) -> dict[str, Any]:
    del route, now  # the event has neither
    return events.rest_token(asked.method, asked.path, authorization=key[0], **api)


def _rest_request(
    asked: Asked, route: Route, key: tuple[str, ...], now: float, api: dict[str, str]
) -> dict[str, Any]:
    del key
    return events.rest_request(
        asked.method,
        asked.path,
        headers=asked.headers,
        query=asked.query,
        route=route.path,
        now=now,
        **api,
    )


def _http_api(version: Callable[..., dict[str, Any]]) -> BuildEvent:
    def build(
        asked: Asked, route: Route, key: tuple[str, ...], now: float, api: dict[str, str]
    ) -> dict[str, Any]:
        return version(
            asked.method,
            asked.path,
            headers=asked.headers,
            query=asked.query,
            route=route.key,
            identity=key,
            now=now,
            **api,
        )

    return build


def _websocket(
    asked: Asked, route: Route, key: tuple[str, ...], now: float, api: dict[str, str]
) -> dict[str, Any]:
    del route, key
    return events.websocket_connect(headers=asked.headers, query=asked.query, now=now, **api)


def _appsync(
    asked: Asked, route: Route, key: tuple[str, ...], now: float, api: dict[str, str]
) -> dict[str, Any]:
    del route, now
    graphql = asked.graphql or GraphqlRequest(query="")
    return events.appsync(
        authorization=key[0],
        query=graphql.query,
        operation=graphql.operation,
        variables=graphql.variables,
        headers={name: ",".join(values) for name, values in asked.headers.items()},
        **{name: value for name, value in api.items() if name in ("api_id", "account")},
    )


_REST_HEADER = ("method.request.header.Authorization",)
_HTTP_HEADER = ("$request.header.Authorization",)

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name="rest_token",
            family="rest",
            stage="prod",
            identity=_REST_HEADER,
            spelling=("method.request.", "context."),
            caches=True,
            event=_rest_token,
            validates=True,
        ),
        Kind(
            name="rest_request",
            family="rest",
            stage="prod",
            identity=_REST_HEADER,
            spelling=("method.request.", "context."),
            caches=True,
            event=_rest_request,
        ),
        Kind(
            name="http_api_v1",
            family="http",
            stage="$default",
            identity=_HTTP_HEADER,
            spelling=("$request.", "$context."),
            caches=True,
            event=_http_api(events.http_api_v1),
        ),
        Kind(
            name="http_api_v2",
            family="http",
            stage="$default",
            identity=_HTTP_HEADER,
            spelling=("$request.", "$context."),
            caches=True,
            event=_http_api(events.http_api_v2),
        ),
        Kind(
            name="websocket",
            family="websocket",
            stage="prod",
            identity=("route.request.header.Authorization",),
            spelling=("route.request.", "context."),
            caches=False,
            event=_websocket,
            door="connect",
            success=(101, None),
        ),
        Kind(
            name="appsync",
            family="appsync",
            stage="",
            identity=_HTTP_HEADER,
            spelling=(),
            caches=True,
            event=_appsync,
            validates=True,
            door="graphql",
            success=(200, {"data": {}}),
        ),
    )
}
"""Every kind by its name."""
