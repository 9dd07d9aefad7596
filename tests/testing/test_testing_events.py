"""The events we build have the members that AWS's own samples have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.gateway.test_gateway_aws_events import sample

from kmsjwt.testing import events

HEADERS = {"Authorization": "Bearer x", "Cookie": "a=1; b=2", "X-Two": ["1", "2"]}
QUERY = {"q": ["1", "2"], "r": "a b"}
ORDER: dict[str, Any] = {"headers": HEADERS, "query": QUERY, "route": "/orders/{id}"}

# What a sample has by chance, or for features that a plain request does not use.
BY_CHANCE = {"clientCert", "authentication", "apiKey", "messageDirection", "user", "userArn"}


def shape(value) -> Any:
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    return type(value).__name__


def missing(built, expected, at="") -> Any:
    if not isinstance(expected, dict) or at in ("headers", "multiValueHeaders", "stageVariables"):
        return []
    if at.endswith(("QueryStringParameters", "queryStringParameters", "Parameters", "identity")):
        return []
    return [f"{at}.{name}" for name in expected if name not in built and name not in BY_CHANCE] + [
        lack
        for name in expected
        if name in built
        for lack in missing(built[name], expected[name], name)
    ]


BUILT = {
    "apiGatewayAuthorizerTokenEvent.json": events.rest_token("GET", "/", authorization="allow"),
    "apiGatewayAuthorizerRequestEvent.json": events.http_api_v1("GET", "/orders/42", **ORDER),
    "apiGatewayAuthorizerV2Event.json": events.http_api_v2("GET", "/orders/42", **ORDER),
    "apiGatewayAuthorizerWebSocketEvent.json": events.websocket_connect(headers=HEADERS),
}


@pytest.mark.parametrize(("name", "built"), BUILT.items(), ids=BUILT)
def test_no_member_of_the_sample_is_missing(name, built):
    expected = sample(name)
    lacking = missing(built, expected)
    # Only HTTP API events carry stage variables when there are any.
    assert [lack for lack in lacking if lack != ".stageVariables"] == []
    assert json.loads(json.dumps(built)) == built


@pytest.mark.parametrize(("name", "built"), BUILT.items(), ids=BUILT)
def test_members_have_the_types_of_the_sample(name, built):
    expected = sample(name)
    for member in set(built) & set(expected):
        assert type(built[member]) is type(expected[member]), member


def test_a_token_event_has_three_members():
    assert events.rest_token("POST", "/a:b", authorization="Bearer x", stage="dev") == {
        "type": "TOKEN",
        "methodArn": "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/dev/POST/a:b",
        "authorizationToken": "Bearer x",
    }


def test_a_rest_event_keeps_the_client_s_spelling_and_the_last_of_repeated_values():
    event = events.rest_request("GET", "/orders/42", **ORDER)
    assert "version" not in event
    assert event["headers"]["X-Two"] == "2"
    assert event["multiValueHeaders"]["X-Two"] == ["1", "2"]
    assert event["queryStringParameters"] == {"q": "2", "r": "a b"}
    assert event["pathParameters"] == {"id": "42"}


def test_a_2_0_event_has_names_in_lower_case_values_joined_and_cookies_apart():
    event = events.http_api_v2("GET", "/orders/42", **ORDER)
    assert event["headers"] == {"authorization": "Bearer x", "x-two": "1,2"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["rawQueryString"] == "q=1&q=2&r=a+b"
    assert event["queryStringParameters"] == {"q": "1,2", "r": "a b"}
    assert event["identitySource"] == ["Bearer x"]
    assert event["routeKey"] == "GET /orders/{id}"
    assert event["routeArn"].endswith(":a1b2c3d4e5/$default/GET/orders/42")


def test_a_2_0_event_without_an_identity_source_says_null():
    event = events.http_api_v2("GET", "/products")
    assert event["identitySource"] is None
    assert not {"cookies", "queryStringParameters", "pathParameters"} & set(event)


def test_the_time_is_passed_in():
    event = events.http_api_v2("GET", "/", now=1_660_464_500.09)
    assert event["requestContext"]["time"] == "14/Aug/2022:08:08:20 +0000"
    assert event["requestContext"]["timeEpoch"] == 1_660_464_500_090


def test_partition_region_account_api_and_stage_can_be_named():
    where: dict[str, Any] = {
        "partition": "aws-cn",
        "region": "cn-north-1",
        "account": "000000000001",
        "api_id": "zz9",
        "stage": "v1",
    }
    prefix = "arn:aws-cn:execute-api:cn-north-1:000000000001:zz9/v1"
    built = [
        events.rest_token(authorization="x", **where)["methodArn"],
        events.rest_request(**where)["methodArn"],
        events.http_api_v1(**where)["methodArn"],
        events.http_api_v2(**where)["routeArn"],
    ]
    assert built == [f"{prefix}/GET/"] * 4
    assert events.websocket_connect(**where)["methodArn"] == f"{prefix}/$connect"
