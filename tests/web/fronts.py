"""Every adapter before the same routes, each asked as its own framework or gateway asks."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from aws_lambda_powertools.event_handler import (
    ALBResolver,
    APIGatewayHttpResolver,
    APIGatewayRestResolver,
    LambdaFunctionUrlResolver,
)
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.web import shapes

from kmsjwt import VerifiedToken
from kmsjwt.web.asgi import BearerMiddleware
from kmsjwt.web.aws_lambda import protect
from kmsjwt.web.fastapi import bearer
from kmsjwt.web.powertools import kmsjwt_middleware

METHODS = ["GET", "HEAD", "DELETE", "POST"]


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any

    def text(self) -> str:
        return json.dumps([self.headers, self.body], ensure_ascii=False)


class Context:
    aws_request_id = "req-1"


def _answer(raw: dict[str, Any], *, many: bool) -> Answer:
    json.dumps(raw)  # as Lambda's runtime does
    member, other = ("multiValueHeaders", "headers")[:: 1 if many else -1]
    assert other not in raw
    headers = raw[member]
    if many:
        assert all(isinstance(values, list) and len(values) == 1 for values in headers.values())
        headers = {name: values[0] for name, values in headers.items()}
    body = json.loads(raw["body"]) if raw["body"] else None
    return Answer(raw["statusCode"], {name.lower(): value for name, value in headers.items()}, body)


def _plain(shape: Any, *, many: bool = False) -> Any:
    def front(guard: Any, method: str, path: str, headers: Any) -> Answer:
        @protect(guard)
        def handler(event: Any, context: Any, *, token: VerifiedToken) -> Any:
            assert context.aws_request_id == "req-1"
            member = "multiValueHeaders" if many else "headers"
            body = json.dumps({"sub": token.claims["sub"], "path": path})
            return {"statusCode": 200, member: {}, "body": body}

        return _answer(handler(shape(method, path, headers), Context()), many=many)

    return front


def _powertools(resolver: Any, shape: Any, *, many: bool = False) -> Any:
    def front(guard: Any, method: str, path: str, headers: Any) -> Answer:
        app = resolver()
        app.use(middlewares=[kmsjwt_middleware(guard)])

        @app.route("/.+", method=METHODS)
        def anything() -> Any:
            return {"sub": app.context["token"].claims["sub"], "path": path}

        raw = app.resolve(shape(method, path, headers), Context())
        assert "token" not in app.context
        return _answer(raw, many=many)

    return front


def _http(app: Any, method: str, path: str, headers: Any) -> Answer:
    client = TestClient(app, base_url="http://127.0.0.1")
    answer = client.request(method, path, headers=headers)
    body = answer.json() if answer.content else None
    return Answer(answer.status_code, dict(answer.headers), body)


def _starlette(guard: Any, method: str, path: str, headers: Any) -> Answer:
    async def anything(request: Any) -> Any:
        return JSONResponse(
            {"sub": request.state.token.claims["sub"], "path": request.scope["path"]}
        )

    app = Starlette(
        routes=[Route("/{rest:path}", anything, methods=METHODS)],
        middleware=[Middleware(BearerMiddleware, guard=guard)],
    )
    return _http(app, method, path, headers)


def _fastapi(guard: Any, method: str, path: str, headers: Any) -> Answer:
    app = FastAPI()
    app.api_route("/{rest:path}", methods=METHODS)(_endpoint(Depends(bearer(guard))))
    answer = _http(app, method, path, headers)
    body = answer.body
    if answer.status != 200 and body:
        assert list(body) == ["detail"]
        body = body["detail"]
    return Answer(answer.status, answer.headers, body)


def _endpoint(dependency: Any) -> Any:
    def anything(rest: str, token: Any = dependency) -> dict[str, Any]:
        assert isinstance(token, VerifiedToken)
        return {"sub": token.claims["sub"], "path": f"/{rest}"}

    return anything


FRONTS: dict[str, Any] = {
    "function_url": _plain(shapes.payload_2_0),
    "http_api_2.0": _plain(shapes.http_api),
    "rest": _plain(shapes.rest),
    "alb": _plain(shapes.alb),
    "alb_multi": _plain(shapes.alb_multi, many=True),
    "powertools_url": _powertools(LambdaFunctionUrlResolver, shapes.payload_2_0),
    "powertools_http": _powertools(APIGatewayHttpResolver, shapes.http_api),
    "powertools_rest": _powertools(APIGatewayRestResolver, shapes.rest, many=True),
    "powertools_alb": _powertools(ALBResolver, shapes.alb),
    "powertools_alb_multi": _powertools(ALBResolver, shapes.alb_multi, many=True),
    "starlette": _starlette,
    "fastapi": _fastapi,
}
