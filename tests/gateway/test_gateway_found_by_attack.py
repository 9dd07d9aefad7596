"""Ways past the rules and through the log that were found by attacking them, one test each."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tests.gateway.minting import Recorder

from kmsjwt import Verifier
from kmsjwt._log import message_of
from kmsjwt.errors import CannotKnow, ConfigError
from kmsjwt.gateway import Authorizer
from kmsjwt.handlers import authorizer
from kmsjwt.jwks import StaticKeys
from kmsjwt.rules import Rule, Rules, scope
from kmsjwt.testing import Gateway, Tokens, events

TOKENS = Tokens(issuer="https://id.example", audience="orders")
BEARER = {"Authorization": "Bearer " + TOKENS.good(scope="read")}
ORDERS = Rules(Rule("GET /orders"), Rule("DELETE /orders", scope("admin")))
ARN = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/prod/GET/"


def verifier(**settings: Any) -> Verifier:
    named = {"issuer": TOKENS.issuer, "audience": TOKENS.audience, **settings}
    return Verifier(StaticKeys(TOKENS.jwks), **named)


def simple(*sources: str) -> Gateway:
    return Gateway(
        Authorizer(verifier(), rules=ORDERS, response="simple", log=None),
        kind="http_api_v2",
        response="simple",
        identity_source=["$request.header.Authorization", *sources],
        routes=["GET /orders", "DELETE /orders"],
    )


def test_a_client_that_writes_the_route_key_itself_does_not_key_the_cache():
    """Sources with a header of the client's, and without $context.routeKey."""
    gateway = simple("$request.header.X-Tenant")
    forged = {**BEARER, "X-Tenant": "GET /orders"}

    assert gateway.request("GET", "/orders", headers=forged).status == 500
    assert gateway.request("DELETE", "/orders", headers=forged).status == 500


@pytest.mark.parametrize("cookie", ["GET /orders", " GET /orders "])
def test_nor_one_that_writes_it_as_a_cookie(cookie):
    gateway = simple("$request.header.Cookie")
    forged = {**BEARER, "Cookie": cookie}

    assert gateway.request("GET", "/orders", headers=forged).status == 500
    assert gateway.request("DELETE", "/orders", headers=forged).status == 500


@pytest.mark.parametrize("key", ["GET /orders", "GET /orders;a=b", "GET /orders; a=b"])
def test_cookies_are_looked_for_in_parts_and_whole(key):
    event = events.http_api_v2("GET", "/orders", headers=BEARER)
    event["cookies"] = key.replace("; ", ";").split(";")
    event["routeKey"], event["identitySource"] = key, [BEARER["Authorization"], key]
    rules = Rules(Rule("GET /orders"))
    with pytest.raises(ConfigError, match="routeKey is no identity source"):
        Authorizer(verifier(), rules=rules, response="simple", log=None)(event)


def test_the_query_is_looked_at_as_well():
    gateway = simple("$request.querystring.q")

    for method in ("GET", "DELETE"):
        answer = gateway.request(method, "/orders", headers=BEARER, query={"q": "GET /orders"})
        assert answer.status == 500


def test_the_route_key_of_the_gateway_counts():
    gateway = simple("$context.routeKey")

    assert gateway.request("GET", "/orders", headers=BEARER).status == 200
    assert gateway.request("DELETE", "/orders", headers=BEARER).status == 403


def test_rules_whose_denials_alone_are_too_large_are_refused_at_start():
    """A token that meets nothing has the largest policy here: seven denials a rule."""
    rules = Rules(Rule("/*"), *[Rule(f"/r{n}/*", scope("admin")) for n in range(25)])
    with pytest.raises(ConfigError, match="a token that meets no requirement"):
        Authorizer(verifier(), rules=rules)


def test_a_blank_name_of_the_rules_opens_nothing():
    """An unset parameter of a template, say."""
    environ = {
        "KMSJWT_ISSUER": TOKENS.issuer,
        "KMSJWT_AUDIENCE": "orders",
        "KMSJWT_KEYS": "1234abcd-12ab-34cd-56ef-1234567890ab",
        "KMSJWT_REGION": "eu-central-1",
        "KMSJWT_RULES": " ",
    }
    with pytest.raises(ConfigError, match="KMSJWT_RULES is blank"):
        authorizer.build(environ=environ)


@pytest.mark.parametrize("wider", ["/*", "/admin/*", "GET /*"])
@pytest.mark.parametrize(
    ("claims", "allowed"), [({"scope": "admin"}, True), ({"scope": "x"}, False), ({}, False)]
)
def test_a_slash_at_the_end_leads_around_no_rule(wider, claims, allowed):
    """An API that serves ``/admin/`` as ``/admin`` would else open it to any token."""
    rules = Rules(Rule(wider), Rule("/admin", scope("admin")))
    asked = Authorizer(verifier(), rules=rules, log=None)
    token = {"Authorization": f"Bearer {TOKENS.good(**claims)}"}
    for kind in ("rest_token", "http_api_v2"):
        gateway = Gateway(asked, kind=kind)
        statuses = {
            path: gateway.request("GET", path, headers=token).status
            for path in ("/admin/x", "/admin", "/admin/")
        }

        assert statuses["/admin/"] == (200 if allowed else 403)
        assert statuses["/admin"] == (200 if allowed else 403)
        assert statuses["/admin/x"] == 200


def test_a_slash_at_the_end_opens_nothing():
    rules = Rules(Rule("/admin"))

    assert rules.decide({}, "GET", "/admin").allowed
    assert not rules.decide({}, "GET", "/admin/").allowed


@pytest.mark.parametrize("before", ["", "x", "session_", "9", "-"])
def test_a_token_glued_to_other_text_is_cut_from_a_message(before):
    token = TOKENS.good()
    told = message_of(CannotKnow(f"could not look up {before}{token}"))

    for piece in (token, *token.split(".")):
        assert piece not in told


def test_a_clock_that_is_no_number_lets_nothing_expired_in():
    log = Recorder()
    authorize = Authorizer(verifier(clock=lambda: math.nan), on_invalid="deny", log=log)
    event = {
        "type": "TOKEN",
        "authorizationToken": BEARER["Authorization"],
        "methodArn": f"{ARN}orders",
    }

    assert authorize(event)["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert log.last["reason"] == "expired"


def test_many_cookies_and_a_long_path_are_not_compared_one_by_one():
    """Five hundred of them took thirty milliseconds; more than a few are refused anyway."""
    event = {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": f"{ARN}{'a' * 900}",
        "routeKey": "$default",
        "headers": {},
        "cookies": ["s=" + "a" * 16] * 500,
    }
    log = Recorder()
    Authorizer(verifier(), token_from="cookie:s", log=log)(event)

    assert log.last["path"] == "…"
