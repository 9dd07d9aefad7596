"""Lambda handlers that HTTP reaches without an authorizer: function URLs, ALB, proxy integrations.

::

    @protect(guard)
    def handler(event, context, *, token):
        return {"statusCode": 200, "body": token.claims["sub"]}
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from kmsjwt._encoding import to_json
from kmsjwt.gateway.request import UnknownEvent
from kmsjwt.web.guard import required
from kmsjwt.web.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.gateway.event import Event
    from kmsjwt.web.guard import Guard

    Handler = Callable[..., Any]


def protect(guard: Guard) -> Callable[[Handler], Handler]:
    """Return a decorator that lets only those requests reach a handler that may.

    The handler is called as ``handler(event, context, token=verified)``. A refusal is answered in
    its place, in the form of who asked: with ``multiValueHeaders`` if the event is of a load
    balancer's target group that has them on, else with ``headers``.

    The path that rules are asked about is the event's own: ``rawPath`` (payload format 2.0, where
    an HTTP API's stage, if it has a name, stands first) or ``path``, as they stand.

    The decorated handler raises `kmsjwt.gateway.request.UnknownEvent` for an event that is no HTTP
    request, as of a schedule or a queue: no token could be in it.
    """
    required(guard)

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def guarded(event: Any, context: Any = None) -> Any:
            method, path = _route(event)
            request_id = getattr(context, "aws_request_id", None)
            try:
                token = guard.check(method, path, event, request_id=request_id)
            except Refused as refused:
                return answer(event, refused)
            return handler(event, context, token=token)

        return guarded

    return decorate


def answer(event: Event, refused: Refused) -> dict[str, Any]:
    """Return a refusal as the answer of a Lambda function to this event."""
    headers = {"Content-Type": "application/json", **refused.headers}
    return {
        "isBase64Encoded": False,
        "statusCode": refused.status,
        **(
            {"multiValueHeaders": {name: [value] for name, value in headers.items()}}
            if _wants_many(event)
            else {"headers": headers}
        ),
        "body": to_json(refused.body).decode("utf-8"),
    }


def _route(event: object) -> tuple[str, str]:
    if isinstance(event, Mapping):
        context = event.get("requestContext")
        http = context.get("http") if isinstance(context, Mapping) else None
        if isinstance(http, Mapping):
            method, path = http.get("method"), event.get("rawPath")
        else:
            method, path = event.get("httpMethod"), event.get("path")
        if isinstance(context, Mapping) and isinstance(method, str) and isinstance(path, str):
            return method, path
    raise UnknownEvent(
        "the event is no HTTP request, expected one of a function URL, a load balancer or an API's"
        " proxy integration",
        fix="let schedules, queues and direct calls invoke a handler that is not decorated",
    )


def _wants_many(event: Event) -> bool:
    context = event.get("requestContext")
    return isinstance(context, Mapping) and "elb" in context and "multiValueHeaders" in event
