"""Powertools' resolvers: the path they route by, and whose token is in their context."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import (
    ALBResolver,
    APIGatewayHttpResolver,
    APIGatewayRestResolver,
    CORSConfig,
    LambdaFunctionUrlResolver,
    Response,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from tests.web import challenge, shapes, world

from kmsjwt.errors import ConfigError
from kmsjwt.rules import Rule, Rules, scope
from kmsjwt.web.powertools import kmsjwt_middleware

CONTEXT = LambdaContext()
BEARER = world.bearer(world.READER)
WIDE = Rules(Rule("/*"), Rule("/admin", scope("admin")))


def status(app, event) -> int:
    code: int = app.resolve(event, CONTEXT)["statusCode"]
    return code


def serving(app, guard, *paths) -> Any:
    app.use(middlewares=[kmsjwt_middleware(guard)])
    for path in paths:
        app.get(path)(lambda: {"ok": True})
    return app


def test_an_unknown_path_needs_a_token_too():
    app = serving(LambdaFunctionUrlResolver(), world.guard(rules=None), "/orders")

    assert status(app, shapes.payload_2_0("GET", "/nothing", [])) == 401
    assert status(app, shapes.payload_2_0("GET", "/nothing", BEARER)) == 404


@pytest.mark.parametrize("prefix", ["/pay", re.compile(r"/p.y")], ids=["text", "pattern"])
def test_a_stripped_prefix_hides_no_narrower_rule(prefix):
    app = serving(ALBResolver(strip_prefixes=[prefix]), world.guard(rules=WIDE), "/admin", "/x")

    assert status(app, shapes.alb("GET", "/pay/x", BEARER)) == 200
    for path in ("/admin", "/pay/admin"):
        assert status(app, shapes.alb("GET", path, BEARER)) == 403


def test_slashes_at_the_end_which_rest_apis_routes_ignore_hide_none_either():
    app = serving(APIGatewayRestResolver(), world.guard(rules=WIDE), "/admin", "/x", "/")

    assert status(app, shapes.rest("GET", "/x/", BEARER)) == 200
    assert status(app, shapes.rest("GET", "/", BEARER)) == 200
    for path in ("/admin", "/admin/", "/admin//"):
        assert status(app, shapes.rest("GET", path, BEARER)) == 403


def test_slashes_that_rest_apis_routes_ignore_are_no_part_of_the_path():
    app = serving(APIGatewayRestResolver(), world.guard(rules=Rules(Rule("GET /x"))), "/x")

    for path in ("/x", "/x/", "/x//"):
        assert status(app, shapes.rest("GET", path, BEARER)) == 200


@pytest.mark.parametrize(
    ("resolver", "shape"),
    [(LambdaFunctionUrlResolver, shapes.payload_2_0), (ALBResolver, shapes.alb)],
    ids=["url", "alb"],
)
def test_elsewhere_a_slash_at_the_end_is_part_of_the_path(resolver, shape):
    app = serving(resolver(), world.guard(rules=Rules(Rule("GET /x"))), "/.+")

    assert status(app, shape("GET", "/x", BEARER)) == 200
    assert status(app, shape("GET", "/x/", BEARER)) == 403


ADMINS = ("/v1.0/*", "/a.b", "/p.0/users/root")
DOTTED = Rules(Rule("/*"), *(Rule(path, scope("admin")) for path in ADMINS))
RESOLVERS = {
    "url": (LambdaFunctionUrlResolver, shapes.payload_2_0),
    "alb": (ALBResolver, shapes.alb),
    "rest": (APIGatewayRestResolver, shapes.rest),
}


@pytest.mark.parametrize(("resolver", "shape"), RESOLVERS.values(), ids=RESOLVERS)
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1.0/secret", 403),
        ("/v1x0/secret", 403),
        ("/v1/0/secret", 403),
        ("/v1x0/of/7", 403),
        ("/v1x0/any/thing", 403),
        ("/a-b", 403),
        ("/x.y", 200),
        ("/x-y", 403),
        ("/v1.0/users/root", 403),
        ("/v1x0/users/root", 403),
        ("/v1.0/users/7", 403),
        ("/p.0/users/root", 403),
        ("/p-0/users/root", 403),
        ("/p.0/users/7", 200),
        ("/e.f/", 200),
        ("/e-f/", 403),
        ("/of/7.5", 200),
        ("/nothing", 404),
    ],
)
def test_a_route_is_a_pattern_and_nothing_else_is_taken_for_its_dots(
    resolver, shape, path, expected
):
    routes = ["/v1.0/secret", "/v1.0/any/.+", "/a.b", "/x.y"]
    app = serving(resolver(), world.guard(rules=DOTTED), *routes)
    app.get("/of/<n>")(lambda n: {"n": n})
    for route in ("/v1.0/of/<n>", "/v1.0/users/<n>", "/p.0/users/<n>"):
        app.get(route)(lambda n: {"n": n})
    app.get("/e.f/")(dict)

    assert status(app, shape("GET", path, BEARER)) == expected


@pytest.mark.parametrize("route", ["/.+", "/o.*", r"/open/v1\.0", "/[a-z]+/v1.0", "/open/.{4}"])
def test_patterns_that_are_meant_as_such_are_judged_by_the_path(route):
    app = serving(LambdaFunctionUrlResolver(), world.guard(), route)

    assert status(app, shapes.payload_2_0("GET", "/open/v1.0", BEARER)) == 200


@pytest.mark.parametrize(
    ("path", "expected"), [("/a", 200), ("/b", 200), ("/abc", 403), ("/a|/b", 403)]
)
def test_what_a_route_matches_in_part_is_refused(path, expected):
    """By the route ``/a|/b``, Powertools serves all that begins with ``/a``."""
    app = serving(LambdaFunctionUrlResolver(), world.guard(rules=WIDE), "/a|/b")

    assert status(app, shapes.payload_2_0("GET", path, BEARER)) == expected


def test_an_http_apis_stage_is_no_part_of_the_path():
    app = serving(APIGatewayHttpResolver(), world.guard(rules=WIDE), "/admin", "/x")

    for path, expected in (("/prod/x", 200), ("/prod/admin", 403)):
        event = shapes.http_api("GET", path, BEARER)
        event["requestContext"]["stage"] = "prod"
        assert status(app, event) == expected


def test_one_route_may_be_guarded_alone_and_preflights_then_pass():
    app = ALBResolver(cors=CORSConfig(allow_origin="https://a.example"))

    @app.get("/orders", middlewares=[kmsjwt_middleware(world.guard(rules=None))])
    def orders():
        return {}

    @app.get("/health")
    def health():
        return {"token": "token" in app.context}

    assert status(app, shapes.alb("OPTIONS", "/orders", [])) == 204
    refused = app.resolve(shapes.alb("GET", "/orders", [("Origin", "https://a.example")]), CONTEXT)
    assert refused["statusCode"] == 401
    assert refused["headers"]["Access-Control-Allow-Origin"] == "https://a.example"
    challenge.parsed(refused["headers"]["WWW-Authenticate"])
    assert status(app, shapes.alb("GET", "/orders", BEARER)) == 200
    assert json.loads(app.resolve(shapes.alb("GET", "/health", []), CONTEXT)["body"]) == {
        "token": False
    }


def test_the_token_is_gone_even_if_the_route_raised():
    app = serving(ALBResolver(), world.guard(rules=None))
    app.get("/orders")(lambda: 1 / 0)

    seen = []

    @app.exception_handler(ZeroDivisionError)
    def failed(_):
        seen.append("token" in app.context)
        return Response(status_code=500)

    assert status(app, shapes.alb("GET", "/orders", BEARER)) == 500

    assert seen == [False]


def test_async_routes_are_guarded_as_well():
    app = LambdaFunctionUrlResolver()
    app.use(middlewares=[kmsjwt_middleware(world.guard())])

    @app.get("/orders/<number>")
    async def order(number):
        return {"sub": app.context["token"].claims["sub"], "number": number}

    def ask(headers) -> Any:
        event = shapes.payload_2_0("GET", "/orders/7", headers)
        return asyncio.run(app.resolve_async(event, CONTEXT))

    assert ask([])["statusCode"] == 401
    assert json.loads(ask(BEARER)["body"]) == {"sub": "ala", "number": "7"}


def test_without_powertools_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "aws_lambda_powertools.event_handler", None)

    with pytest.raises(ConfigError, match=r"pip install 'kmsjwt\[powertools\]'"):
        kmsjwt_middleware(world.guard())
