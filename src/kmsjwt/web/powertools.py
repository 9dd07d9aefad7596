"""A middleware for the event handler of Powertools for AWS Lambda (Python).

::

    app = LambdaFunctionUrlResolver()
    app.use(middlewares=[kmsjwt_middleware(guard)])

    @app.get("/orders")
    def orders():
        return {"for": app.context["token"].claims["sub"]}
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kmsjwt._encoding import to_json
from kmsjwt.errors import ConfigError
from kmsjwt.web._paths import UNCLEAR
from kmsjwt.web.guard import required
from kmsjwt.web.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.event_handler import ApiGatewayResolver, Response
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

    from kmsjwt.web.guard import Guard

    Middleware = Callable[[ApiGatewayResolver, NextMiddleware], Response[Any]]


def kmsjwt_middleware(guard: Guard) -> Middleware:
    """Return a middleware, for ``app.use`` or for one route's ``middlewares``.

    The verified token is ``app.context["token"]`` while the request lasts. Rules are asked about
    the path that Powertools routes by: without an HTTP API's stage and without ``strip_prefixes``.
    Its routes are regular expressions: where ``/v1.0`` would serve ``/v1x0``, it is refused.
    With ``app.use`` an unknown path and a CORS preflight need a token too: where browsers ask, let
    the function URL or the API answer preflights, or name the middleware on each route.

    Raises:
        ConfigError: Powertools is not installed, or the guard is none.
    """
    required(guard)
    try:
        from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
    except ImportError as error:
        raise ConfigError(
            "the middleware needs aws-lambda-powertools, which isn't installed",
            code="extra_missing",
            fix="pip install 'kmsjwt[powertools]'",
        ) from error

    def routed(app: ApiGatewayResolver) -> str:
        # What routes are matched by. Were it gone one day, nothing would pass.
        path: str = app.context["_path"]
        # This one resolver takes no notice of slashes at the end.
        return path.rstrip("/") or "/" if isinstance(app, APIGatewayRestResolver) else path

    def others(app: ApiGatewayResolver) -> tuple[str, ...]:
        # A "." that nothing repeats is meant as a dot: what it matched else is not the path that
        # rules were written for. Nor is one that a route with "|" matched in part. No other sign
        # of a pattern matches itself, so it would be noticed.
        meant = re.sub(r"(?<!\\)\.(?![*+?{])", r"\.", app.context["_route"].rule.pattern)
        return () if re.fullmatch(meant, app.context["_path"]) else (UNCLEAR,)

    def middleware(app: ApiGatewayResolver, next_middleware: NextMiddleware) -> Response[Any]:
        event = app.current_event
        request_id = getattr(app.lambda_context, "aws_request_id", None)
        try:
            token = guard.check(
                event.http_method.upper(),
                routed(app),
                event.raw_event,
                also=others(app),
                request_id=request_id,
            )
        except Refused as refused:
            return Response(
                status_code=refused.status,
                content_type="application/json",
                headers=dict(refused.headers),
                body=to_json(refused.body).decode("utf-8"),
            )
        app.context["token"] = token
        try:
            return next_middleware(app)
        finally:
            # A resolver outlives its requests, and another route may have no guard.
            app.context.pop("token", None)

    return middleware
