"""Over HTTP: the gateway or the user's own code says who asks; the asker chooses little."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.handlers.support import ACCOUNT, ROLE, USER, body_of, http_api, read, rest

from kmsjwt._log import log_line
from kmsjwt.errors import ConfigError, JwksUnavailable, TokenError
from kmsjwt.handlers import issue
from kmsjwt.local import LocalKms

SESSION = f"{ROLE}/i-chose-this"
GATEWAYS = pytest.mark.parametrize(
    "event_of", [pytest.param(rest, id="REST"), pytest.param(http_api, id="HTTP API, URL")]
)


@pytest.fixture
def iam(environ, kms, log, clock) -> Any:
    allowed = {
        **environ,
        "KMSJWT_CALLERS": "iam",
        "KMSJWT_AUDIENCES_ALLOWED": "orders billing",
    }
    return issue.build(environ=allowed, client=kms, log=log, clock=clock)


@GATEWAYS
@pytest.mark.parametrize(
    ("arn", "sub"),
    [
        pytest.param(SESSION, ROLE, id="role without its session"),
        pytest.param(USER, USER, id="user"),
        pytest.param(
            f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/shop/x",
            f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/shop",
            id="role in China",
        ),
    ],
)
def test_the_gateways_caller_becomes_the_subject(iam, kms, ec_key, event_of, arn, sub):
    answer = iam(event_of({"aud": "billing", "lifetime": 60}, arn))

    assert answer["statusCode"] == 200
    assert answer["isBase64Encoded"] is False
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert answer["headers"]["Content-Type"] == "application/json"
    body = body_of(answer)
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 60)
    claims = read(body["access_token"], kms, ec_key)
    assert set(claims) == {"iss", "sub", "aud", "exp", "iat", "jti"}
    assert (claims["sub"], claims["aud"]) == (sub, "billing")


@GATEWAYS
@pytest.mark.parametrize("body", [None, "", "{}"], ids=["none", "empty", "object"])
def test_nothing_need_be_asked_for(iam, kms, ec_key, event_of, body):
    answer = iam(event_of(body, SESSION))

    assert read(body_of(answer)["access_token"], kms, ec_key)["aud"] == "orders"


def test_a_base64_body_is_read(iam, kms, ec_key):
    body = base64.b64encode(b'{"lifetime": 61}').decode()

    answer = iam(http_api(body, SESSION, isBase64Encoded=True))

    assert body_of(answer)["expires_in"] == 61


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"sub": "ala"}, id="a direct call"),
        pytest.param(None, id="null"),
        pytest.param([rest(None, SESSION)], id="a list"),
        pytest.param("text", id="text"),
        pytest.param(rest(), id="REST without IAM"),
        pytest.param(http_api(), id="HTTP API without IAM"),
        pytest.param({"requestContext": None}, id="null context"),
        pytest.param({"requestContext": "iam"}, id="text context"),
        pytest.param({"requestContext": {"identity": []}}, id="list identity"),
        pytest.param({"requestContext": {"identity": {"userArn": {}}}}, id="object ARN"),
        pytest.param(rest(None, ""), id="empty ARN"),
        pytest.param(rest(None, "ala"), id="no ARN"),
        pytest.param(rest(None, f"arn:aws:iam::{ACCOUNT}:root"), id="root"),
        pytest.param(rest(None, f"arn:aws:sts::{ACCOUNT}:federated-user/me"), id="federated"),
        pytest.param(rest(None, f"arn:aws:iam::{ACCOUNT}:role/shop"), id="a role's own ARN"),
        pytest.param(rest(None, f"{ROLE}/a/b"), id="slash in the session"),
        pytest.param(rest(None, f"{SESSION}\n"), id="line end"),
        pytest.param(rest(None, ROLE), id="no session"),
        pytest.param(
            {"requestContext": {"connectionId": "x", "identity": {"userArn": USER}}},
            id="WebSocket message",
        ),
        pytest.param(
            {
                "requestContext": {
                    "identity": {"userArn": USER},
                    "authorizer": {"iam": {"userArn": ROLE + "/x"}},
                }
            },
            id="two callers",
        ),
        pytest.param(
            {"requestContext": {"authorizer": {"userArn": USER}}}, id="ARN from an authorizer"
        ),
    ],
)
def test_anyone_else_gets_401_and_no_more(iam, log, event):
    answer = iam(event)

    assert answer["statusCode"] == 401
    assert body_of(answer) == {"error": "unauthorized"}
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert log.last["decision"] == "refused"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param({"sub": "root"}, "not_yours", id="sub"),
        pytest.param({"claims": {"admin": True}}, "not_yours", id="claims"),
        pytest.param({"iss": "me"}, "not_yours", id="iss"),
        pytest.param({"exp": 1}, "not_yours", id="exp"),
        pytest.param({"aud": "admin"}, "aud", id="an audience that is not allowed"),
        pytest.param({"aud": ["orders", "billing"]}, "aud", id="two audiences"),
        pytest.param({"aud": 7}, "aud", id="a number for aud"),
        pytest.param({"lifetime": 86_401}, "lifetime", id="over the maximum"),
        pytest.param({"lifetime": -1}, "lifetime", id="negative"),
        pytest.param({"lifetime": "900"}, "lifetime", id="text lifetime"),
        pytest.param({"lifetime": 1.5}, "lifetime", id="fraction"),
        pytest.param("{", "bad_body", id="half an object"),
        pytest.param("[]", "bad_body", id="a list"),
        pytest.param("null", "bad_body", id="null"),
        pytest.param('{"lifetime": 1, "lifetime": 2}', "bad_body", id="duplicate member"),
        pytest.param('{"lifetime": NaN}', "bad_body", id="NaN"),
        pytest.param("[" * 5_000, "bad_body", id="deep"),
        pytest.param("{}" + " " * 20_000, "bad_body", id="huge"),
        pytest.param('"\ud800"', "bad_body", id="half a surrogate pair"),
        pytest.param("grant_type=client_credentials", "bad_body", id="a form"),
    ],
)
def test_a_wrong_wish_is_400_and_says_so(iam, body, code):
    answer = iam(rest(body, SESSION))

    assert answer["statusCode"] == 400
    told = body_of(answer)
    assert told["error"] == code
    assert "billing" not in told["message"]


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"body": 7}, id="a number"),
        pytest.param({"body": {"lifetime": 60}}, id="an object"),
        pytest.param({"body": "%%%", "isBase64Encoded": True}, id="no base64"),
        pytest.param({"body": "x" * 5_000_000, "isBase64Encoded": True}, id="huge base64"),
    ],
)
def test_a_body_that_is_none_is_400(iam, members):
    answer = iam({**rest(None, SESSION), **members})

    assert answer["statusCode"] == 400


def test_the_own_audience_is_the_only_one_where_no_others_are_allowed(environ, kms, log, clock):
    only = {**environ, "KMSJWT_CALLERS": "iam"}
    function = issue.build(environ=only, client=kms, log=log, clock=clock)

    assert function(rest({"aud": "orders"}, SESSION))["statusCode"] == 200
    assert function(rest({"aud": "billing"}, SESSION))["statusCode"] == 400


def test_an_unauthenticated_caller_is_not_told_about_the_body(iam):
    assert iam(rest("{", None))["statusCode"] == 401


def test_a_throttled_kms_is_503_and_a_denied_one_500(environ, log, clock):
    kms = LocalKms()
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    settings = {**environ, "KMSJWT_KEY": key, "KMSJWT_CALLERS": "iam"}
    function = issue.build(environ=settings, client=kms, log=log, clock=clock)

    answers = []
    for fault in ("throttle", "access_denied"):
        with kms.faults.add("Sign", kind=fault, times=None):
            answers.append(function(rest(None, SESSION)))

    assert [answer["statusCode"] for answer in answers] == [503, 500]
    assert answers[0]["headers"]["Retry-After"] == "1"
    assert [body_of(answer) for answer in answers] == [
        {"error": "unavailable"},
        {"error": "internal"},
    ]
    assert key not in json.dumps(answers)
    assert all(line["kms_request_id"] for line in log.lines[1:])


class Users:
    """A user's own authentication: an API key in a header."""

    def __init__(self, answer=None) -> None:
        self._answer = answer or issue.Principal("ala", {"tenant": "t1"})

    def __call__(self, event) -> Any:
        key = event.get("headers", {}).get("x-api-key")
        if key == "trouble":
            raise JwksUnavailable("the directory is down")
        if key == "bad":
            raise TokenError("no such key")
        if key == "closed":
            raise issue.Forbidden("account closed")
        if key == "late":
            raise issue.Forbidden("bill unpaid", code="unpaid")
        return self._answer if key == "right" else None


def custom(environ, kms, log, clock, **settings) -> Any:
    return issue.build(
        **{"authenticate": Users(), **settings},
        environ={"KMSJWT_CALLERS": "custom", **environ},
        client=kms,
        log=log,
        clock=clock,
    )


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("right", 200),
        ("wrong", 401),
        ("bad", 401),
        ("closed", 403),
        ("late", 403),
        ("trouble", 503),
    ],
)
def test_the_users_own_code_says_who_asks(environ, kms, log, clock, key, status):
    function = custom(environ, kms, log, clock)

    answer = function(http_api(headers={"x-api-key": key}))

    assert answer["statusCode"] == status


@pytest.mark.parametrize(
    "principal",
    [issue.Principal("ala", {"tenant": "t1"}), ("ala", {"tenant": "t1"})],
    ids=["Principal", "pair"],
)
def test_sub_and_claims_come_from_authenticate(environ, kms, ec_key, log, clock, principal):
    function = custom(
        environ,
        kms,
        log,
        clock,
        authenticate=Users(principal),
        claims=lambda who: {"greeting": f"{who.sub} of {who.claims['tenant']}"},
    )

    answer = function(rest({"lifetime": 60}, headers={"x-api-key": "right"}))

    claims = read(body_of(answer)["access_token"], kms, ec_key)
    assert claims["sub"] == "ala"
    assert (claims["tenant"], claims["greeting"]) == ("t1", "ala of t1")


def test_a_callers_claims_are_refused_though_authenticated(environ, kms, log, clock):
    function = custom(environ, kms, log, clock)

    answer = function(rest({"claims": {"admin": True}}, headers={"x-api-key": "right"}))

    assert answer["statusCode"] == 400


def test_claims_of_the_operator_that_may_not_be_signed_are_not_told_to_the_caller(
    environ, kms, log, clock
):
    function = custom(
        environ, kms, log, clock, authenticate=Users(("ala", {"iss": "internal-name"}))
    )

    answer = function(rest(headers={"x-api-key": "right"}))

    assert answer["statusCode"] == 400
    assert body_of(answer) == {"error": "claims_refused"}
    assert log.last["level"] == "ERROR"
    assert log.last["reason"] == "claims_reserved"


@pytest.mark.parametrize("answer", [None, "tenant", ["tenant"]])
def test_a_claims_function_that_answers_nonsense_mints_nothing(environ, kms, log, clock, answer):
    function = custom(environ, kms, log, clock, claims=lambda _: answer)

    response = function(rest(headers={"x-api-key": "right"}))

    assert response["statusCode"] == 500
    assert log.last["reason"] == "config"
    assert "claims() returned" in log.last["message"]


TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize("sent", ["\ud800", TOKEN], ids=["half a pair", "a token"])
def test_what_authenticate_says_of_a_request_fits_the_log(environ, kms, capsys, clock, sent):
    def authenticate(event) -> Any:
        raise issue.Forbidden(f"no user {event['headers']['x-user']}")

    function = custom(environ, kms, log_line, clock, authenticate=authenticate)

    answer = function(rest(headers={"x-user": sent}))

    assert answer["statusCode"] == 403
    logged = capsys.readouterr().out
    assert json.loads(logged.splitlines()[-1])["reason"] == "forbidden"
    assert sent not in logged


@pytest.mark.parametrize(
    "sub", [f"ala {TOKEN}", "ala\x9b31m", "ala\u202e"], ids=["a token", "C1", "bidi"]
)
def test_the_subject_in_the_log_is_printable_and_no_token(environ, kms, log, clock, sub):
    function = custom(environ, kms, log, clock, authenticate=Users((sub, {})))

    answer = function(rest(headers={"x-api-key": "right"}))

    assert answer["statusCode"] == 200
    assert log.last["sub"].isprintable()
    assert log.last["sub"].startswith("ala")
    assert TOKEN not in log.last["sub"]


@pytest.mark.parametrize("answer", [True, "ala", ("ala",), ("", {}), (None, {}), {"sub": "ala"}])
def test_an_authenticate_that_answers_nonsense_mints_nothing(environ, kms, log, clock, answer):
    function = custom(environ, kms, log, clock, authenticate=lambda _: answer)

    response = function(rest())

    assert response["statusCode"] == 500
    assert log.last["reason"] == "authenticate_answer"


@pytest.mark.parametrize(
    ("settings", "authenticate", "named"),
    [
        ({"KMSJWT_CALLERS": "custom"}, None, "authenticate"),
        ({"KMSJWT_CALLERS": "iam"}, Users(), "KMSJWT_CALLERS is iam"),
        ({"KMSJWT_CALLERS": "direct"}, Users(), "KMSJWT_CALLERS is direct"),
        ({"KMSJWT_CALLERS": "iam", "KMSJWT_AUDIENCE": ""}, None, "KMSJWT_AUDIENCES_ALLOWED"),
        ({"KMSJWT_CALLERS": "anyone"}, None, "expected direct or iam or custom"),
    ],
)
def test_contradictions_stop_the_function_at_start(environ, kms, settings, authenticate, named):
    with pytest.raises(ConfigError, match=named):
        issue.build(environ={**environ, **settings}, authenticate=authenticate, client=kms)


def test_authenticate_alone_means_custom(environ, kms, log, clock):
    function = issue.build(authenticate=Users(), environ=environ, client=kms, log=log, clock=clock)

    assert function({"sub": "ala"})["statusCode"] == 401


def test_what_the_users_own_code_raises_comes_through_and_is_logged(environ, kms, log, clock):
    """A bug in authenticate() is a 500 whose line is found by its reason, not by its text."""

    def authenticate(event) -> Any:
        raise LookupError("eyJhbGciOiJSUzI1NiJ9.e30.c2ln")

    function = custom(environ, kms, log, clock, authenticate=authenticate)

    with pytest.raises(LookupError):
        function(http_api(), None)

    assert log.last["reason"] == "unexpected_error"
    assert "eyJ" not in json.dumps(log.lines)
