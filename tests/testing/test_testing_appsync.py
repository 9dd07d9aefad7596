"""AppSync's authorizer in the simulator: the event, the answer, the cache by the token."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.gateway.test_gateway_aws_events import sample

from kmsjwt.testing import Clock, Gateway, events

QUERY = "query MyQuery { orders { id } }"
TOKEN = {"Authorization": "abc"}


def appsync(answer, **settings) -> Any:
    """Return a gateway whose authorizer answers that, and the events it was asked with."""
    asked: list[Any] = []

    def authorizer(event, context) -> Any:
        asked.append(event)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Gateway(authorizer, kind="appsync", **settings), asked


def test_the_event_has_the_members_of_aws_s_sample():
    expected = sample("appSyncAuthorizerEvent.json")
    context = expected["requestContext"]
    built = events.appsync(
        authorization=expected["authorizationToken"],
        query=context["queryString"],
        operation=context["operationName"],
        variables=context["variables"],
        api_id=context["apiId"],
        account=context["accountId"],
    )
    built["requestContext"]["requestId"] = context["requestId"]
    assert built == expected


def test_request_headers_are_there_if_given():
    assert "requestHeaders" not in events.appsync(authorization="x")
    event = events.appsync(authorization="x", headers={"x-tenant": "t1"})
    assert event["requestHeaders"] == {"x-tenant": "t1"}


def test_a_graphql_request_is_let_in_with_its_context_and_denied_fields():
    told = []

    def backend(request) -> Any:
        told.append(request)
        return 200, {"data": {"orders": []}}

    answer = {
        "isAuthorized": True,
        "resolverContext": {"tenant": "t1", "balance": 100, "vip": True},
        "deniedFields": ["Mutation.createEvent"],
        "ttlOverride": 15,
    }
    gateway, asked = appsync(answer, backend=backend, api_id="zz9", account="000000000001")
    response = gateway.graphql(
        QUERY, operation="MyQuery", variables={"n": 1}, headers={**TOKEN, "X-Two": ["1", "2"]}
    )
    assert (response.status, response.body) == (200, {"data": {"orders": []}})
    assert response.context == told[0].authorizer == answer["resolverContext"]
    assert response.denied_fields == ("Mutation.createEvent",)
    assert (told[0].graphql.query, told[0].graphql.operation) == (QUERY, "MyQuery")
    assert asked[0]["authorizationToken"] == "abc"
    assert asked[0]["requestHeaders"] == {"Authorization": "abc", "X-Two": "1,2"}
    context = asked[0]["requestContext"]
    assert (context["apiId"], context["accountId"]) == ("zz9", "000000000001")
    assert (context["operationName"], context["variables"]) == ("MyQuery", {"n": 1})


def test_aws_s_sample_answer_is_read():
    gateway, _ = appsync(sample("appSyncAuthorizerResponse.json"))
    assert gateway.graphql(QUERY, headers=TOKEN).context == {"name": "Foo Man", "balance": 100}


def test_not_authorized_is_401_with_the_fixed_message_and_cached():
    gateway, asked = appsync({"isAuthorized": False}, ttl=300)
    answers = [gateway.graphql(QUERY, headers=TOKEN) for _ in range(2)]
    assert [(a.status, a.reason, a.cached) for a in answers] == [
        (401, "not_authorized", False),
        (401, "not_authorized", True),
    ]
    assert answers[1].body["errors"][0]["message"] == "You are not authorized to make this call."
    answers[0].body["errors"].clear()
    assert gateway.graphql(QUERY, headers=TOKEN).body["errors"]
    assert len(asked) == 1


@pytest.mark.parametrize("text", ["Unauthorized", "down"])
def test_an_exception_is_500_whatever_it_says_and_not_cached(text):
    gateway, asked = appsync(RuntimeError(text))
    for calls in (1, 2):
        response = gateway.graphql(QUERY, headers=TOKEN)
        assert (response.status, response.reason) == (500, "authorizer_error")
        assert response.detail == f"RuntimeError: {text}"
        assert len(asked) == calls


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"X-Other": "x"}], ids=str)
@pytest.mark.parametrize("ttl", [0, 300])
def test_no_token_is_401_without_a_call(headers, ttl):
    gateway, asked = appsync({"isAuthorized": True}, ttl=ttl)
    response = gateway.graphql(QUERY, headers=headers)
    assert (response.status, response.reason, asked) == (401, "missing_identity", [])


def test_a_token_that_fails_the_validation_expression_is_401_without_a_call():
    gateway, asked = appsync({"isAuthorized": True}, identity_validation="[a-z]+")
    response = gateway.graphql(QUERY, headers={"Authorization": "ABC"})
    assert (response.status, response.reason, asked) == (401, "identity_mismatch", [])
    assert gateway.graphql(QUERY, headers=TOKEN).status == 200


# seconds the API keeps answers, what the answer says, how long it is kept
KEPT = [
    pytest.param(300, None, 300, id="the API's"),
    pytest.param(300, 15, 15, id="shorter"),
    pytest.param(15, 3_600, 3_600, id="longer"),
    pytest.param(0, 15, 15, id="although the API keeps none"),
    pytest.param(300, 0, 0, id="not at all"),
    pytest.param(0, None, 0, id="nobody wants it"),
]


@pytest.mark.parametrize(("ttl", "override", "kept"), KEPT)
def test_an_answer_is_kept_for_the_api_s_time_or_its_own(ttl, override, kept):
    clock = Clock(1_800_000_000)
    answer = {"isAuthorized": True} | ({} if override is None else {"ttlOverride": override})
    gateway, asked = appsync(answer, ttl=ttl, clock=clock)
    gateway.graphql(QUERY, headers=TOKEN)
    if kept:
        clock.advance(kept - 1)
        response = gateway.graphql("query Another { me }", headers=TOKEN)
        assert (response.cached, response.age, len(asked)) == (True, kept - 1, 1)
        clock.advance(1)
    response = gateway.graphql(QUERY, headers=TOKEN)
    assert (response.cached, response.age, len(asked)) == (False, None, 2)


def test_the_cache_is_by_the_token():
    gateway, asked = appsync({"isAuthorized": True})
    for token in ("a", "b", "a"):
        gateway.graphql(QUERY, headers={"Authorization": token, "X-N": str(len(asked))})
    assert [event["authorizationToken"] for event in asked] == ["a", "b"]


def test_flush_empties_it():
    gateway, asked = appsync({"isAuthorized": True})
    gateway.graphql(QUERY, headers=TOKEN)
    gateway.flush()
    assert not gateway.graphql(QUERY, headers=TOKEN).cached
    assert len(asked) == 2


YES = {"isAuthorized": True}
MALFORMED: dict[str, Any] = {
    "None": None,
    "a list": [YES],
    "no verdict": {"resolverContext": {}},
    "a verdict in text": {"isAuthorized": "true"},
    "a verdict as a number": {"isAuthorized": 1},
    "an IAM answer": {"principalId": "ala", "policyDocument": {"Statement": []}},
    "nested context": {**YES, "resolverContext": {"roles": {"a": 1}}},
    "a list in the context": {**YES, "resolverContext": {"roles": ["a"]}},
    "null in the context": {**YES, "resolverContext": {"a": None}},
    "context no object": {**YES, "resolverContext": "x"},
    "context of over 5 MB": {**YES, "resolverContext": {"a": "x" * (5 * 1024 * 1024)}},
    "a TTL in text": {**YES, "ttlOverride": "15"},
    "a TTL with a fraction": {**YES, "ttlOverride": 1.5},
    "a TTL that is a boolean": {**YES, "ttlOverride": True},
    "a TTL of null": {**YES, "ttlOverride": None},
    "a negative TTL": {**YES, "ttlOverride": -1},
    "a TTL of over an hour": {**YES, "ttlOverride": 3_601},
    "denied fields in text": {**YES, "deniedFields": "Query.a"},
    "denied fields as an object": {**YES, "deniedFields": {"Query.a": 1}},
    "a denied field without its type": {**YES, "deniedFields": ["orders"]},
    "a denied field that is a number": {**YES, "deniedFields": [5]},
    "no JSON": {**YES, "resolverContext": {"s": {1, 2}}},
}


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_read_is_500_and_not_cached(answer):
    gateway, asked = appsync(answer)
    for _ in range(2):
        response = gateway.graphql(QUERY, headers=TOKEN)
        assert (response.status, response.reason) == (500, "malformed_answer")
        assert response.detail
    assert len(asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        {**YES, "deniedFields": ["Query.orders", "Order.owner_id"]},
        {
            **YES,
            "deniedFields": [
                "arn:aws:appsync:us-east-1:111122223333:apis/abc/types/Query/fields/orders"
            ],
        },
        {**YES, "ttlOverride": 3_600, "resolverContext": {"a": "x", "n": 1.5, "b": False}},
        {**YES, "resolverContext": {"a": "x" * 100_000}},
        {**YES, "context": {"ignored": [1]}},
    ],
    ids=lambda answer: json.dumps(answer)[:40],
)
def test_what_can_be_read(answer):
    response = appsync(answer)[0].graphql(QUERY, headers=TOKEN)
    assert response.status == 200
    assert response.context == answer.get("resolverContext", {})
    assert list(response.denied_fields) == answer.get("deniedFields", [])


@pytest.mark.parametrize(
    "settings",
    [
        {"routes": ["POST /graphql"]},
        {"response": "simple"},
        {"stage": "prod"},
        {"region": "eu-west-1"},
        {"ttl": 3_601},
    ],
    ids=str,
)
def test_settings_that_an_appsync_api_has_not(settings):
    with pytest.raises(ValueError, match=r"expected|only"):
        appsync(YES, **settings)


def test_the_token_is_always_of_the_authorization_header():
    with pytest.raises(ValueError, match="AppSync takes the token of the Authorization header"):
        appsync(YES, identity_source="$request.header.Authorization")


def test_each_api_has_its_own_door():
    gateway, _ = appsync(YES)
    with pytest.raises(ValueError, match=r"no request\(\), expected graphql\(\)"):
        gateway.request("POST", "/graphql", headers=TOKEN)
    with pytest.raises(ValueError, match=r"no connect\(\), expected graphql\(\)"):
        gateway.connect(headers=TOKEN)
    with pytest.raises(ValueError, match=r"no graphql\(\), expected request\(\)"):
        Gateway(lambda *_: YES).graphql(QUERY)
