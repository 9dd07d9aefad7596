"""Cookies, query parameters and headers: in the events, and as what keys the cache."""

from __future__ import annotations

from typing import Any

import pytest

from kmsjwt.testing import Clock, Gateway, events

ALLOW = {
    "principalId": "ala",
    "policyDocument": {
        "Version": "2012-10-17",
        "Statement": [
            {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "arn:aws:execute-api:*"}
        ],
    },
}
COOKIE_HEADER = [
    pytest.param({"headers": {"Cookie": "a=1; b=2"}}, id="header"),
    pytest.param({"cookies": ["a=1", "b=2"]}, id="cookies"),
    pytest.param({"headers": {"cookie": "a=1"}, "cookies": "b=2"}, id="both"),
]


@pytest.mark.parametrize("given", COOKIE_HEADER)
def test_format_2_0_keeps_cookies_apart(given):
    event = events.http_api_v2("GET", "/", **given)
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["headers"] == {}


def test_cookies_of_repeated_headers_are_all_told():
    event = events.http_api_v2(headers={"Cookie": ["a=1;b=2", "c=3"]})
    assert event["cookies"] == ["a=1", "b=2", "c=3"]


@pytest.mark.parametrize("given", COOKIE_HEADER)
@pytest.mark.parametrize(
    "build", [events.rest_request, events.http_api_v1, events.websocket_connect]
)
def test_the_others_have_a_cookie_header(build, given):
    event = build(**given)
    (name,) = event["headers"]
    assert (name.lower(), event["headers"][name]) == ("cookie", "a=1; b=2")
    assert event["multiValueHeaders"] == {name: ["a=1; b=2"]}
    assert "cookies" not in event


SOURCES = [
    ("rest_request", "method.request.header.Cookie", "cookie"),
    ("rest_request", "method.request.querystring.token", "query"),
    ("rest_request", "method.request.header.X-Token", "header"),
    ("rest_token", "method.request.header.X-Token", "header"),
    ("http_api_v1", "$request.header.cookie", "cookie"),
    ("http_api_v1", "$request.querystring.token", "query"),
    ("http_api_v1", "$request.header.x-token", "header"),
    ("http_api_v2", "$request.header.cookie", "cookie"),
    ("http_api_v2", "$request.querystring.token", "query"),
    ("http_api_v2", "$request.header.x-token", "header"),
]


def carrying(place, value) -> Any:
    return {
        "cookie": {"headers": {"Cookie": f"session={value}"}},
        "query": {"query": {"token": value}},
        "header": {"headers": {"X-Token": value}},
    }[place]


@pytest.mark.parametrize(("kind", "source", "place"), SOURCES)
def test_an_identity_source_keys_the_cache_and_must_be_there(kind, source, place):
    asked = []

    def authorizer(event, context) -> Any:
        asked.append(event)
        return ALLOW

    gateway = Gateway(authorizer, kind=kind, identity_source=source)
    seen = []
    for value in ("k1", "k1", "k2", "k1"):
        answer = gateway.request("GET", "/", **carrying(place, value))
        seen.append((answer.status, answer.cached))
    assert seen == [(200, False), (200, True), (200, False), (200, True)]
    elsewhere = gateway.request("GET", "/", headers={"Authorization": "Bearer k1"})
    assert (elsewhere.status, elsewhere.reason) == (401, "missing_identity")
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("place", "source", "value"),
    [
        ("cookie", "$request.header.cookie", "session=k1"),
        ("query", "$request.querystring.token", "k1"),
        ("header", "$request.header.X-Token", "k1"),
    ],
)
def test_an_http_api_tells_the_sources_values(place, source, value):
    told = []

    def authorizer(event, context) -> Any:
        told.append(event["identitySource"])
        return ALLOW

    for kind in ("http_api_v1", "http_api_v2"):
        gateway = Gateway(authorizer, kind=kind, identity_source=source)
        gateway.request("GET", "/", **carrying(place, "k1"))
    assert told == [value, [value]]


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("route.request.header.Cookie", "cookie"),
        ("route.request.querystring.token", "query"),
        ("route.request.header.Sec-WebSocket-Protocol", "protocol"),
    ],
)
def test_a_websocket_s_identity_source_must_be_there(source, place):
    gateway = Gateway(lambda *_: ALLOW, kind="websocket", identity_source=source)
    given = (
        {"headers": {"Sec-WebSocket-Protocol": "jwt, k1"}}
        if place == "protocol"
        else carrying(place, "k1")
    )
    assert gateway.connect(**given).status == 101
    assert gateway.connect(headers={"Authorization": "Bearer k1"}).reason == "missing_identity"


@pytest.mark.parametrize("kind", ["rest_token", "http_api_v2"])
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_cached_answer_says_how_old_it_is(kind, effect):
    statement = ALLOW["policyDocument"]["Statement"][0] | {"Effect": effect}  # type: ignore[index]  # a JSON document
    answer = {**ALLOW, "policyDocument": {"Statement": [statement]}}
    clock = Clock(1_800_000_000)
    gateway = Gateway(lambda *_: answer, kind=kind, ttl=300, clock=clock)
    ages = []
    for seconds in (0, 0, 299, 1):
        clock.advance(seconds)
        response = gateway.request("GET", "/", headers={"Authorization": "Bearer x"})
        ages.append((response.age, response.cached, response.invoked))
    assert ages == [
        (None, False, True),
        (0, True, False),
        (299, True, False),
        (None, False, True),
    ]


def test_live_answers_stay_however_many_there_are():
    clock = Clock(1_800_000_000)
    gateway = Gateway(lambda *_: ALLOW, ttl=300, clock=clock)
    for n in range(1_100):
        gateway.request("GET", "/", headers={"Authorization": f"Bearer {n}"})
    assert gateway.request("GET", "/", headers={"Authorization": "Bearer 0"}).cached


def test_a_refusal_without_a_call_has_no_age():
    assert Gateway(lambda *_: ALLOW).request("GET", "/").age is None
