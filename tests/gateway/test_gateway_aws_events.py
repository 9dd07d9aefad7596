"""AWS's own sample events, unchanged but for the credentials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.giving_up import give_up

from kmsjwt.gateway import Authorizer, Unauthorized

ROOT = Path(__file__).parents[2]
PLACES = (ROOT / "tests/vectors/events", ROOT.parent / "shared/vectors/events")


def sample(name) -> Any:
    found = [place / name for place in PLACES if (place / name).is_file()]
    if not found:
        give_up(f"{name} is in none of {', '.join(map(str, PLACES))}")
    return json.loads(found[0].read_text(encoding="utf-8"))


def with_credentials(event, value) -> Any:
    for headers in (event.get("headers"), event.get("multiValueHeaders")):
        if headers is not None:
            headers.pop("Authorization", None)
    if event["type"] == "TOKEN":
        event["authorizationToken"] = value
    else:
        event["headers"]["Authorization"] = value
        # The samples' gateways are keyed by other headers, and such a cache is refused.
        if "identitySource" in event:
            event["identitySource"] = [value] if event["version"] == "2.0" else value
    return event


SAMPLES = [
    pytest.param(
        "apiGatewayAuthorizerRequestEvent.json",
        "http_api_v1",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/*",
        id="HTTP API 1.0",
    ),
    pytest.param(
        "apiGatewayAuthorizerV2Event.json",
        "http_api_v2",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/*",
        id="HTTP API 2.0",
    ),
    pytest.param(
        "apiGatewayAuthorizerWebSocketEvent.json",
        "websocket",
        "arn:aws:execute-api:us-east-1:533568316194:c5jwxq709g/production/*",
        id="WebSocket",
    ),
]


@pytest.mark.parametrize(("name", "kind", "resource"), SAMPLES)
def test_a_good_token_is_let_into_the_whole_stage(name, kind, resource, mint, log):
    event = with_credentials(sample(name), f"Bearer {mint.token()}")
    answer = Authorizer(mint.verifier(), log=log)(event)
    assert answer == {
        "principalId": "ala",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": [resource]}
            ],
        },
        "context": {"sub": "ala", "jti": "jti-1"},
    }
    assert log.last["kind"] == kind


def test_the_rest_request_event_is_the_1_0_event_without_a_version(mint, log):
    event = sample("apiGatewayAuthorizerRequestEvent.json")
    for member in ("version", "identitySource", "authorizationToken"):
        del event[member]
    answer = Authorizer(mint.verifier(), log=log)(with_credentials(event, f"Bearer {mint.token()}"))
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert log.last["kind"] == "rest_request"


def test_the_sample_token_event_names_no_stage_so_nothing_is_allowed(mint, log):
    event = sample("apiGatewayAuthorizerTokenEvent.json")
    assert event["methodArn"].endswith("ymy8tbxw7b/*/GET/")
    answer = Authorizer(mint.verifier(), log=log)(with_credentials(event, f"Bearer {mint.token()}"))
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert (log.last["kind"], log.last["reason"]) == ("rest_token", "stage_unnamed")
    assert "deployed stage" in log.last["message"]


def test_the_sample_token_event_as_it_is_brings_no_bearer_token(mint, log):
    with pytest.raises(Unauthorized):
        Authorizer(mint.verifier(), log=log)(sample("apiGatewayAuthorizerTokenEvent.json"))
    assert (log.last["kind"], log.last["reason"]) == ("rest_token", "not_bearer")


@pytest.mark.parametrize(
    ("name", "raises"),
    [
        ("apiGatewayAuthorizerRequestEvent.json", False),
        ("apiGatewayAuthorizerV2Event.json", False),
        ("apiGatewayAuthorizerWebSocketEvent.json", True),
    ],
)
def test_a_sample_as_it_is_gets_the_refusal_of_its_gateway(name, raises, mint, log):
    authorizer = Authorizer(mint.verifier(), log=log)
    if raises:
        with pytest.raises(Unauthorized):
            authorizer(sample(name))
    else:
        answer = authorizer(sample(name))
        assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert log.last["reason"] in ("no_token", "not_bearer")


def test_the_sample_appsync_event(mint, log):
    event = sample("appSyncAuthorizerEvent.json")
    refused = Authorizer(mint.verifier(), log=log)(event)

    assert refused == {"isAuthorized": False, "ttlOverride": 0}
    assert (log.last["kind"], log.last["reason"]) == ("appsync", "not_compact")
    assert (log.last["api_id"], log.last["stage"]) == ("giy7kumfmvcqvbedntjwjvagii", None)
    assert "BE9DC5E3" not in log.text()

    for credentials in (mint.token(), f"Bearer {mint.token()}"):
        answer = Authorizer(mint.verifier(), log=log)({**event, "authorizationToken": credentials})
        assert answer["isAuthorized"] is True
        assert answer["resolverContext"]["sub"] == "ala"
