"""Direct calls, which IAM guards: ``{"sub", "aud", "lifetime", "claims"}`` and nothing else."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.handlers.support import ISSUER, NOW, Recorder, http_api, read, rest

from kmsjwt.errors import ClaimsRefused, ConfigError, KmsAccessDenied, KmsJwtError, KmsThrottled
from kmsjwt.handlers import issue
from kmsjwt.local import LocalKms


@pytest.fixture
def function(environ, kms, log, clock) -> Any:
    return issue.build(environ=environ, client=kms, log=log, clock=clock)


def test_a_direct_call_gives_a_token_that_pyjwt_verifies(function, kms, ec_key):
    answer = function(
        {"sub": "ala", "aud": "billing", "lifetime": 60, "claims": {"tenant": "t1"}}, None
    )

    assert {name: answer[name] for name in ("token_type", "expires_in")} == {
        "token_type": "Bearer",
        "expires_in": 60,
    }
    assert set(answer) == {"access_token", "token_type", "expires_in"}
    claims = read(answer["access_token"], kms, ec_key)
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "sub": "ala",
        "aud": "billing",
        "tenant": "t1",
        "iat": NOW,
        "exp": NOW + 60,
    }


def test_audience_and_lifetime_have_defaults(function, kms, ec_key):
    answer = function({"sub": "ala"})

    claims = read(answer["access_token"], kms, ec_key)
    assert (claims["aud"], claims["exp"] - claims["iat"]) == ("orders", 900)


def test_an_alias_signs_and_the_kid_is_the_keys_thumbprint(environ, alias, kms, ec_key, log, clock):
    by_alias = issue.build(
        environ={**environ, "KMSJWT_KEY": alias}, client=kms, log=log, clock=clock
    )
    by_arn = issue.build(environ=environ, client=kms, log=log, clock=clock)

    tokens = [each({"sub": "ala"})["access_token"] for each in (by_alias, by_arn)]

    kids = {jwt.get_unverified_header(token)["kid"] for token in tokens}
    assert len(kids) == 1
    assert kids.isdisjoint({alias, ec_key, ec_key.rpartition("/")[2]})


def test_the_log_ties_the_token_to_its_cloudtrail_event_and_holds_no_token(function, log):
    class Context:
        aws_request_id = "lambda-request-1"

    answer = function({"sub": "ala", "claims": {"secret": "s3cr3t"}}, Context())

    header = jwt.get_unverified_header(answer["access_token"])
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    line = log.last
    assert (line["jti"], line["kid"]) == (claims["jti"], header["kid"])
    assert len(line["kms_request_id"]) == 36
    assert line["request_id"] == "lambda-request-1"
    assert "s3cr3t" not in log.text()
    for part in answer["access_token"].split("."):
        assert part not in log.text()


@pytest.mark.parametrize(
    ("event", "code"),
    [
        pytest.param({}, "sub", id="nothing"),
        pytest.param({"sub": ""}, "sub", id="empty sub"),
        pytest.param({"sub": ["ala"]}, "sub", id="sub of a wrong type"),
        pytest.param({"sub": None}, "sub", id="null sub"),
        pytest.param({"sub": "ala", "aud": 1}, "claim_type", id="aud of a wrong type"),
        pytest.param({"sub": "ala", "aud": []}, "claim_type", id="no audience"),
        pytest.param({"sub": "ala", "lifetime": 86_401}, "lifetime", id="over the maximum"),
        pytest.param({"sub": "ala", "lifetime": 0}, "lifetime", id="no lifetime"),
        pytest.param({"sub": "ala", "lifetime": True}, "lifetime", id="bool lifetime"),
        pytest.param({"sub": "ala", "lifetime": "900"}, "lifetime", id="text lifetime"),
        pytest.param({"sub": "ala", "claims": []}, "claims_type", id="claims no object"),
        pytest.param({"sub": "ala", "claims": {"iss": "me"}}, "claims_reserved", id="own iss"),
        pytest.param({"sub": "ala", "claims": {"exp": 1}}, "claims_reserved", id="own exp"),
        pytest.param({"sub": "ala", "claims": {"iat": 1}}, "claims_reserved", id="own iat"),
        pytest.param({"sub": "ala", "claims": {"jti": "1"}}, "claims_reserved", id="own jti"),
        pytest.param({"sub": "ala", "claims": {"sub": "b"}}, "claims_reserved", id="second sub"),
        pytest.param({"sub": "ala", "claims": {"x": "y" * 9_000}}, "too_long", id="too large"),
        pytest.param({"sub": "a\ud800"}, "claims_json", id="half a surrogate pair"),
        pytest.param({"sub": "ala", "claims": {"x": float("nan")}}, "claims_json", id="NaN"),
        pytest.param({"sub": "ala", "Records": []}, "not_direct", id="Records"),
        pytest.param({"Records": [{"body": '{"sub": "ala"}'}]}, "not_direct", id="SQS"),
        pytest.param({"sub": "ala", "kid": "x"}, "not_direct", id="unknown member"),
        pytest.param({"sub": "ala", "client_id": "x"}, "not_direct", id="client_id"),
        pytest.param({"sub": "ala", "iss": "me"}, "not_direct", id="iss beside sub"),
        pytest.param({"body": '{"sub": "ala"}'}, "not_direct", id="a body"),
        pytest.param({"sub": "ala", "resource": "/token"}, "not_direct", id="half a proxy event"),
        pytest.param([{"sub": "ala"}], "not_direct", id="a list"),
        pytest.param("ala", "not_direct", id="text"),
        pytest.param(None, "not_direct", id="null"),
    ],
)
def test_what_may_not_be_asked_is_refused_with_its_own_code(function, log, event, code):
    with pytest.raises(ClaimsRefused) as refused:
        function(event)

    assert refused.value.code == code
    assert log.last["decision"] == "refused"
    assert log.last["reason"] == code
    assert len(str(refused.value).splitlines()) <= 3


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"sub": "ala", "requestContext": {}}, id="forged beside sub"),
        pytest.param({"requestContext": None, "sub": "ala"}, id="null context"),
        pytest.param(rest({"sub": "ala"}), id="REST"),
        pytest.param(http_api({"sub": "ala"}), id="HTTP API"),
    ],
)
def test_what_a_gateway_sends_is_never_direct(function, event):
    answer = function(event)

    assert answer["statusCode"] == 401
    assert json.loads(answer["body"]) == {"error": "unauthorized"}


def test_a_deeply_nested_event_is_refused(function):
    nested: dict[str, object] = {}
    for _ in range(3_000):
        nested = {"x": nested}

    with pytest.raises(ClaimsRefused) as refused:
        function({"sub": "ala", "claims": nested})

    assert refused.value.code == "claims_depth"


def test_the_maximum_lifetime_holds_for_the_default_too(environ, kms, log, clock):
    function = issue.build(
        environ={**environ, "KMSJWT_MAX_LIFETIME": "5m"}, client=kms, log=log, clock=clock
    )

    assert function({"sub": "ala"})["expires_in"] == 300
    with pytest.raises(ClaimsRefused, match="300"):
        function({"sub": "ala", "lifetime": 301})


def test_the_audiences_that_are_allowed_bind_direct_callers_too(environ, kms, log, clock):
    allowed = {**environ, "KMSJWT_AUDIENCES_ALLOWED": "orders billing"}
    function = issue.build(environ=allowed, client=kms, log=log, clock=clock)

    assert function({"sub": "ala", "aud": ["orders", "billing"]})
    with pytest.raises(ClaimsRefused) as refused:
        function({"sub": "ala", "aud": ["orders", "admin"]})
    assert refused.value.code == "aud"


def test_one_allowed_audience_is_the_default(environ, kms, ec_key, log, clock):
    one = {**environ, "KMSJWT_AUDIENCE": "", "KMSJWT_AUDIENCES_ALLOWED": "billing"}
    function = issue.build(environ=one, client=kms, log=log, clock=clock)

    assert read(function({"sub": "ala"})["access_token"], kms, ec_key)["aud"] == "billing"


def test_a_default_that_is_not_allowed_stops_the_function(environ, kms):
    with pytest.raises(ConfigError, match="not among KMSJWT_AUDIENCES_ALLOWED"):
        issue.build(environ={**environ, "KMSJWT_AUDIENCES_ALLOWED": "billing"}, client=kms)


def test_of_several_audiences_one_must_be_named(environ, kms, log, clock):
    several = {**environ, "KMSJWT_AUDIENCE": "orders billing"}
    function = issue.build(environ=several, client=kms, log=log, clock=clock)

    with pytest.raises(ClaimsRefused, match="aud is missing"):
        function({"sub": "ala"})


def test_claims_added_by_the_operator_win(environ, kms, ec_key, log, clock):
    function = issue.build(
        environ=environ,
        client=kms,
        log=log,
        clock=clock,
        claims=lambda principal: {"tenant": f"of {principal.sub}"},
    )

    answer = function({"sub": "ala", "claims": {"tenant": "mine", "team": "x"}})

    claims = read(answer["access_token"], kms, ec_key)
    assert (claims["tenant"], claims["team"]) == ("of ala", "x")


@pytest.mark.parametrize(
    ("fault", "error"),
    [("throttle", KmsThrottled), ("access_denied", KmsAccessDenied)],
)
def test_kms_trouble_is_raised_to_a_direct_caller(environ, log, clock, fault, error):
    kms = LocalKms()
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    function = issue.build(environ={**environ, "KMSJWT_KEY": key}, client=kms, log=log, clock=clock)

    with kms.faults.add("Sign", kind=fault, times=None), pytest.raises(error):
        function({"sub": "ala"})

    assert log.last["level"] == "ERROR"
    assert log.last["kms_request_id"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["sub", "aud", "lifetime", "claims", "requestContext", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(event=_JSON)
def test_any_event_gives_a_token_or_an_error_of_ours(kms, ec_key, event):
    log = Recorder()
    environ = {"KMSJWT_KEY": ec_key, "KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": "orders"}
    function = issue.build(environ=environ, client=kms, log=log, clock=lambda: NOW)

    try:
        answer = function(event)
    except KmsJwtError:
        return
    if "access_token" in answer:
        assert read(answer["access_token"], kms, ec_key)["sub"] == event["sub"]
        assert set(event) <= {"sub", "aud", "lifetime", "claims"}
    else:
        assert answer["statusCode"] == 401
        assert "requestContext" in event
