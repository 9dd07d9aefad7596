"""The simulator: statuses, the cache and its traps, as API Gateway has them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.gateway.minting import NOW

from kmsjwt.errors import ConfigError, Forbidden, JwksUnavailable
from kmsjwt.gateway import Authorizer, policy
from kmsjwt.testing import Gateway, NotSimulated

KINDS = ("rest_token", "rest_request", "http_api_v1", "http_api_v2")
API = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5"


class Clock:
    def __init__(self, now=NOW) -> None:
        self.now = now

    def __call__(self) -> Any:
        return self.now


def quiet(level, event, **fields) -> Any:
    """Log nothing."""


def bearer(token) -> Any:
    return {"Authorization": f"Bearer {token}"}


def gateway_of(mint, kind, clock, **settings) -> Any:
    authorizer = Authorizer(mint.verifier(clock=clock), log=quiet)
    return Gateway(authorizer, kind=kind, clock=clock, **settings)


def one_arn(event, context) -> Any:
    """An authorizer as every blueprint has it: it allows what was just asked for."""
    return {
        "principalId": "user",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": {
                "Action": "execute-api:Invoke",
                "Effect": "Allow",
                "Resource": event.get("methodArn") or event["routeArn"],
            },
        },
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_one_arn_policy_is_a_403_on_the_second_route_while_cached(kind):
    clock = Clock()
    gateway = Gateway(one_arn, kind=kind, clock=clock)
    first = gateway.request("GET", "/orders", headers=bearer("x"))
    assert (first.status, first.cached, first.invoked) == (200, False, True)
    second = gateway.request("GET", "/customers", headers=bearer("x"))
    assert (second.status, second.cached, second.invoked) == (403, True, False)
    assert second.reason == "implicit_deny"
    clock.now += 300
    assert gateway.request("GET", "/customers", headers=bearer("x")).status == 200


@pytest.mark.parametrize("kind", KINDS)
def test_our_policy_is_right_for_every_route_while_cached(kind, mint):
    gateway = gateway_of(mint, kind, Clock())
    token = mint.token()
    for n, (method, path) in enumerate([("GET", "/"), ("DELETE", "/a:b/c"), ("GET", "/x/*/y")]):
        answer = gateway.request(method, path, headers=bearer(token))
        assert (answer.status, answer.cached, answer.invoked) == (200, n > 0, n == 0)


def test_a_path_full_of_wildcards_opens_nothing_when_the_arn_is_echoed_not():
    """What the one-ARN blueprint does with ``/*`` is the widening that ours cannot have."""
    gateway = Gateway(one_arn, clock=Clock())
    assert gateway.request("GET", "/*", headers=bearer("x")).status == 200
    assert gateway.request("GET", "/admin/secrets", headers=bearer("x")).status == 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_cached_allow_outlives_the_token(kind, mint):
    clock = Clock()
    gateway = gateway_of(mint, kind, clock)
    token = mint.token(exp=NOW + 10)
    assert gateway.request("GET", "/", headers=bearer(token)).status == 200
    clock.now += 299
    assert gateway.request("GET", "/", headers=bearer(token)).status == 200
    clock.now += 1
    late = gateway.request("GET", "/", headers=bearer(token))
    assert late.status == (403 if kind.startswith("http") else 401)
    assert late.invoked


@pytest.mark.parametrize("kind", ["rest_token", "rest_request"])
def test_unauthorized_is_401_and_not_cached(kind, mint):
    gateway = gateway_of(mint, kind, Clock())
    token = mint.token(aud="billing")
    for _ in range(2):
        answer = gateway.request("GET", "/", headers=bearer(token))
        assert (answer.status, answer.cached, answer.invoked) == (401, False, True)
        assert answer.body == {"message": "Unauthorized"}
        assert answer.headers == {"x-amzn-ErrorType": "UnauthorizedException"}
        assert answer.detail is not None
        assert answer.detail.startswith("wrong_audience: ")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"X-Other": "Bearer x"}], ids=str)
def test_a_missing_identity_source_is_401_without_a_call(kind, headers):
    def never(event, context) -> Any:
        raise AssertionError

    answer = Gateway(never, kind=kind).request("GET", "/", headers=headers)
    assert (answer.status, answer.body) == (401, {"message": "Unauthorized"})
    assert (answer.reason, answer.invoked) == ("missing_identity", False)


def test_a_rest_request_authorizer_without_a_cache_is_asked_anyway(mint):
    answer = gateway_of(mint, "rest_request", Clock(), ttl=0).request("GET", "/")
    assert (answer.status, answer.invoked) == (401, True)
    assert answer.detail is not None
    assert answer.detail.startswith("no_token: ")


def test_a_token_that_fails_the_validation_expression_is_401_without_a_call(mint):
    gateway = gateway_of(mint, "rest_token", Clock(), identity_validation=r"Bearer [^ ]+")
    answer = gateway.request("GET", "/", headers={"Authorization": "Basic x"})
    assert (answer.status, answer.reason, answer.invoked) == (401, "identity_mismatch", False)
    assert gateway.request("GET", "/", headers=bearer(mint.token())).status == 200


@pytest.mark.parametrize("kind", KINDS)
def test_forbidden_is_403_and_cached(kind, mint):
    def check(header, claims) -> Any:
        raise Forbidden("closed")

    clock = Clock()
    authorizer = Authorizer(mint.verifier(check=check, clock=clock), log=quiet)
    gateway = Gateway(authorizer, kind=kind, clock=clock)
    token = mint.token()
    answers = [gateway.request("GET", path, headers=bearer(token)) for path in ("/a", "/b")]
    assert [(a.status, a.reason, a.cached) for a in answers] == [
        (403, "explicit_deny", False),
        (403, "explicit_deny", True),
    ]
    assert "explicit deny" in str(answers[0].body) or answers[0].body == {"message": "Forbidden"}


class Down:
    def __init__(self) -> None:
        self.calls = 0

    def verify(self, token: str) -> Any:  # noqa: ARG002  the protocol's name
        self.calls += 1
        raise JwksUnavailable("the key set could not be fetched")


@pytest.mark.parametrize(
    ("kind", "body"), [("rest_token", None), ("http_api_v2", "Internal Server Error")]
)
def test_our_own_trouble_is_500_and_not_cached(kind, body):
    down = Down()
    gateway = Gateway(Authorizer(down, log=quiet), kind=kind)
    for calls in (1, 2):
        answer = gateway.request("GET", "/", headers=bearer("a.b.c"))
        assert (answer.status, answer.body) == (500, {"message": body})
        assert (answer.reason, down.calls) == ("authorizer_error", calls)


def test_unauthorized_raised_at_an_http_api_is_not_taken_for_a_401():
    def blueprint(event, context) -> Any:
        raise Exception("Unauthorized")  # noqa: TRY002  what the developer guide shows

    assert (
        Gateway(blueprint, kind="rest_token").request("GET", "/", headers=bearer("x")).status == 401
    )
    assert (
        Gateway(blueprint, kind="http_api_v2").request("GET", "/", headers=bearer("x")).status
        == 500
    )


@pytest.mark.parametrize("text", ["unauthorized", "Unauthorized.", " Unauthorized", "401", ""])
def test_any_other_exception_text_is_500(text):
    def almost(event, context) -> Any:
        raise Exception(text)  # noqa: TRY002  of no kind

    answer = Gateway(almost).request("GET", "/", headers=bearer("x"))
    assert (answer.status, answer.body) == (500, {"message": None})


GOOD = policy("ala", "Allow", f"{API}/prod/*")
STATEMENT = GOOD["policyDocument"]["Statement"][0]


def with_statement(**changes) -> Any:
    statement = {k: v for k, v in {**STATEMENT, **changes}.items() if v is not None}
    return {**GOOD, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


MALFORMED = {
    "None": None,
    "a 401 body": {"statusCode": 401, "body": "Unauthorized"},
    "text": "Allow",
    "simple": {"isAuthorized": True},
    "no principal": {k: v for k, v in GOOD.items() if k != "principalId"},
    "empty principal": {**GOOD, "principalId": ""},
    "principal a number": {**GOOD, "principalId": 5},
    "no policy": {"principalId": "ala"},
    "no statement": {"principalId": "ala", "policyDocument": {"Version": "2012-10-17"}},
    "empty statements": {"principalId": "ala", "policyDocument": {"Statement": []}},
    "effect in lower case": with_statement(Effect="allow"),
    "no action": with_statement(Action=None),
    "no resource": with_statement(Resource=None),
    "resource a number": with_statement(Resource=5),
    "long resource": with_statement(Resource=f"{API}/prod/".ljust(513, "x")),
    "nested context": {**GOOD, "context": {"roles": ["a"]}},
    "null in the context": {**GOOD, "context": {"a": None}},
    "claims in the context": {**GOOD, "context": {"claims": "x"}},
    "context no object": {**GOOD, "context": "x"},
    "too large": {**GOOD, "context": {"s": "x" * 8_192}},
    "no JSON": {**GOOD, "context": {"s": {1, 2}}},
    "NaN": {**GOOD, "context": {"n": float("nan")}},
}


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED)
def test_what_the_gateway_cannot_read_is_500_and_not_cached(answer):
    calls = []

    def authorizer(event, context) -> Any:
        calls.append(event)
        return answer

    gateway = Gateway(authorizer)
    for _ in range(2):
        response = gateway.request("GET", "/", headers=bearer("x"))
        assert (response.status, response.reason) == (500, "malformed_answer")
    assert len(calls) == 2


@pytest.mark.parametrize("value", [1, "true", None, {}], ids=repr)
def test_a_simple_answer_needs_a_real_boolean(value):
    gateway = Gateway(lambda *_: {"isAuthorized": value}, kind="http_api_v2", response="simple")
    assert gateway.request("GET", "/", headers=bearer("x")).status == 500


def test_a_simple_verdict_is_cached_for_all_routes_unless_the_route_keys_the_cache():
    def orders_only(event, context) -> Any:
        return {"isAuthorized": event["routeKey"] == "GET /orders"}

    shared = Gateway(orders_only, kind="http_api_v2", response="simple")
    assert shared.request("GET", "/orders", headers=bearer("x")).status == 200
    trap = shared.request("GET", "/salaries", headers=bearer("x"))
    assert (trap.status, trap.cached) == (200, True)

    keyed = Gateway(
        orders_only,
        kind="http_api_v2",
        response="simple",
        identity_source=("$request.header.Authorization", "$context.routeKey"),
    )
    assert keyed.request("GET", "/orders", headers=bearer("x")).status == 200
    assert keyed.request("GET", "/salaries", headers=bearer("x")).status == 403


def test_the_cache_is_keyed_by_identity_and_can_be_flushed():
    calls = []

    def authorizer(event, context) -> Any:
        calls.append(event["authorizationToken"])
        return GOOD

    gateway = Gateway(authorizer)
    for token in ("x", "y", "x"):
        gateway.request("GET", "/", headers=bearer(token))
    assert calls == ["Bearer x", "Bearer y"]
    gateway.flush()
    gateway.request("GET", "/", headers=bearer("x"))
    assert len(calls) == 3


@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION"])
def test_a_header_is_an_identity_source_however_it_is_spelled(name):
    assert Gateway(one_arn).request("GET", "/", headers={name: "Bearer x"}).status == 200


def test_no_ttl_no_cache():
    gateway = Gateway(one_arn, ttl=0)
    for path in ("/a", "/b"):
        answer = gateway.request("GET", path, headers=bearer("x"))
        assert (answer.status, answer.cached) == (200, False)


def test_a_websocket_is_asked_at_each_connect(mint):
    gateway = gateway_of(mint, "websocket", Clock())
    for _ in range(2):
        answer = gateway.connect(headers=bearer(mint.token()))
        assert (answer.status, answer.cached, answer.invoked) == (101, False, True)
    assert gateway.connect(headers=bearer("nonsense")).status == 401
    assert gateway.connect().status == 401
    with pytest.raises(ValueError, match=r"no request\(\), expected connect"):
        gateway.request("GET", "/")
    with pytest.raises(ValueError, match=r"no connect\(\), expected request"):
        gateway_of(mint, "rest_token", Clock()).connect()


def test_rest_backends_get_the_context_as_text_and_http_backends_as_it_is():
    told = []

    def backend(request) -> Any:
        told.append(request.authorizer)
        return 201, {"made": request.path}

    context = {"n": 7, "vip": True, "f": 1.5, "s": "x"}
    rest = Gateway(lambda *_: {**GOOD, "context": context}, backend=backend)
    answer = rest.request("POST", "/orders", headers=bearer("x"))
    assert (answer.status, answer.body) == (201, {"made": "/orders"})
    http = Gateway(
        lambda *_: {"isAuthorized": True, "context": {**context, "roles": ["a"]}},
        kind="http_api_v2",
        response="simple",
        backend=backend,
    )
    http.request("POST", "/orders", headers=bearer("x"))
    assert told == [
        {"n": "7", "vip": "true", "f": "1.5", "s": "x", "principalId": "ala"},
        {**context, "roles": ["a"]},
    ]


ROUTES = ("GET /orders", "GET /orders/{id}", "ANY /files/{path+}", "POST /orders/{id}/lines")


@pytest.mark.parametrize(
    ("method", "path", "resource", "parameters"),
    [
        ("GET", "/orders", "/orders", {}),
        ("GET", "/orders/42", "/orders/{id}", {"id": "42"}),
        ("PUT", "/files/a/b", "/files/{path+}", {"path": "a/b"}),
        ("POST", "/orders/42/lines", "/orders/{id}/lines", {"id": "42"}),
    ],
)
def test_routes_name_the_resource_and_its_parameters(method, path, resource, parameters):
    seen = []

    def authorizer(event, context) -> Any:
        seen.append(event)
        return one_arn(event, context)

    gateway = Gateway(authorizer, kind="rest_request", routes=ROUTES)
    assert gateway.request(method, path, headers=bearer("x")).status == 200
    assert (seen[0]["resource"], seen[0]["pathParameters"]) == (resource, parameters)
    assert seen[0]["methodArn"] == f"{API}/prod/{method}{path}"


def test_the_most_specific_route_is_taken():
    seen = []

    def authorizer(event, context) -> Any:
        seen.append(event["routeKey"])
        return {"isAuthorized": True}

    routes = ("ANY /{all+}", "GET /orders/{id}", "GET /orders/open", "ANY /orders/open")
    gateway = Gateway(authorizer, kind="http_api_v2", response="simple", routes=routes, ttl=0)
    for path in ("/orders/open", "/orders/42", "/other/thing"):
        gateway.request("GET", path, headers=bearer("x"))
    assert seen == ["GET /orders/open", "GET /orders/{id}", "ANY /{all+}"]


def test_a_route_has_the_key_it_was_given():
    """Also where the cache is keyed by it: `ANY /users` is one key for all its methods."""
    seen = []

    def authorizer(event, context) -> Any:
        seen.append((event["routeKey"], event["requestContext"]["routeKey"]))
        return {"isAuthorized": True}

    gateway = Gateway(
        authorizer,
        kind="http_api_v2",
        response="simple",
        routes=["ANY /users", "GET /users/{id}", "$default", "ANY /{some+}"],
        identity_source=("$request.header.Authorization", "$context.routeKey"),
    )
    asked = [("GET", "/users"), ("POST", "/users"), ("GET", "/users/7"), ("PUT", "/x/y")]
    answers = [gateway.request(*each, headers=bearer("x")) for each in asked]
    assert [each.cached for each in answers] == [False, True, False, False]
    assert [key for key, _ in seen] == ["ANY /users", "GET /users/{id}", "ANY /{some+}"]
    assert all(key == within for key, within in seen)


@pytest.mark.parametrize("kind", ["http_api_v1", "http_api_v2"])
def test_what_has_no_other_route_has_the_default_one(kind):
    seen = []

    def authorizer(event, context) -> Any:
        seen.append(event)
        return one_arn(event, context)

    gateway = Gateway(authorizer, kind=kind, routes=["GET /users", "$default"])
    gateway.request("POST", "/any/thing", headers=bearer("x"))
    if kind == "http_api_v2":
        assert seen[0]["routeKey"] == "$default"
        assert "pathParameters" not in seen[0]
    else:
        assert seen[0]["resource"] == seen[0]["requestContext"]["resourceId"] == "$default"
        assert seen[0]["pathParameters"] == {}


def test_a_request_that_has_no_route():
    rest = Gateway(one_arn, routes=ROUTES).request("GET", "/nowhere", headers=bearer("x"))
    assert (rest.status, rest.body, rest.invoked) == (
        403,
        {"message": "Missing Authentication Token"},
        False,
    )
    http = Gateway(one_arn, kind="http_api_v1", routes=ROUTES)
    assert http.request("DELETE", "/orders", headers=bearer("x")).status == 404


def test_an_arn_too_long_is_414():
    answer = Gateway(one_arn).request("GET", "/" + "x" * 1_600, headers=bearer("x"))
    assert (answer.status, answer.invoked) == (414, False)


def test_the_authorizer_gets_json_of_its_own():
    def vandal(event, context) -> Any:
        event["headers"].clear()
        event.clear()
        return GOOD

    headers = {"Authorization": ["Bearer x"]}
    Gateway(vandal, kind="rest_request").request("GET", "/", headers=headers)
    assert headers == {"Authorization": ["Bearer x"]}


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "alb"},
        {"response": "simple"},
        {"response": "json", "kind": "http_api_v2"},
        {"ttl": 3_601},
        {"ttl": -1},
        {"identity_source": ()},
        {"identity_source": (), "kind": "http_api_v2"},
        {"identity_source": "$request.header.Authorization"},
        {"identity_source": "method.request.header.A", "kind": "http_api_v1"},
        {"identity_source": "method.request.querystring.token"},
        {"identity_validation": "x", "kind": "rest_request"},
        {"routes": ["orders"]},
        {"routes": ["get /orders"]},
    ],
    ids=str,
)
def test_settings_that_aws_would_refuse(settings):
    with pytest.raises(ValueError, match=r"expected|only|needs|exactly"):
        Gateway(one_arn, **settings)


def test_an_identity_source_that_is_not_simulated():
    with pytest.raises(NotSimulated):
        Gateway(one_arn, kind="http_api_v2", identity_source="$request.body.x")


def test_a_path_must_begin_with_a_slash():
    with pytest.raises(ValueError, match="begin with"):
        Gateway(one_arn).request("GET", "orders", headers=bearer("x"))


def test_a_query_in_the_path_is_no_part_of_the_arn():
    seen = []

    def authorizer(event, context) -> Any:
        seen.append(json.loads(json.dumps(event)))
        return one_arn(event, context)

    gateway = Gateway(
        authorizer, kind="rest_request", identity_source="method.request.querystring.key"
    )
    assert gateway.request("GET", "/a?key=k1&x=1&x=2").status == 200
    assert seen[0]["methodArn"].endswith("/prod/GET/a")
    assert seen[0]["queryStringParameters"] == {"key": "k1", "x": "2"}
    assert seen[0]["multiValueQueryStringParameters"] == {"key": ["k1"], "x": ["1", "2"]}
    assert gateway.request("GET", "/a?x=1").status == 401


POLICY = {
    "principalId": "ala",
    "policyDocument": {
        "Version": "2012-10-17",
        "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}],
    },
}


@pytest.mark.parametrize(
    ("answer", "response", "told"),
    [
        ({"isAuthorized": True}, "iam", "the answer is a simple one, and simple responses are off"),
        (POLICY, "simple", "the answer is a policy, and simple responses are on"),
    ],
    ids=["simple", "policy"],
)
def test_an_answer_of_the_other_form_is_told_as_such(answer, response, told):
    gateway = Gateway(lambda *_: answer, kind="http_api_v2", response=response)
    refused = gateway.request("GET", "/", headers={"Authorization": "Bearer x"})

    assert refused.reason == "malformed_answer"
    assert told in str(refused.detail)
    assert "KMSJWT_RESPONSE" in str(refused.detail)


@pytest.mark.parametrize("kind", ["appsync", "websocket"])
def test_the_wrong_door_is_told_which_is_right(kind):
    with pytest.raises(ConfigError, match=rf"an API of kind {kind} has no request\(\), expected"):
        Gateway(lambda *_: {}, kind=kind).request("GET", "/")
