"""Each condition that stands between a caller and a token, at its limit."""

from __future__ import annotations

from typing import Any

import pytest
from tests.handlers.support import ISSUER, ROLE, USER, Recorder, body_of, http_api, read, rest

from kmsjwt.errors import ClaimsRefused, ConfigError, KmsJwtError
from kmsjwt.handlers import _callers, authorizer, issue, jwks
from kmsjwt.handlers._callers import Principal
from kmsjwt.kms import KmsKeys

UNTIL = "2026-11-22T12:00:00Z"
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
RECIPE = {"KMSJWT_PROFILE": "recipe", "KMSJWT_RECIPE_UNTIL": UNTIL}


def code_of(read: Any, *arguments: Any) -> str:
    try:
        read(*arguments)
    except KmsJwtError as error:
        return error.code
    return "accepted"


def refused(build: Any, kms: Any, **settings: str) -> str:
    """Return what is wrong with an environment, or nothing."""
    try:
        build(environ=settings, client=kms, log=lambda *_, **__: None)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("x" * 32, True),
        ("x" * 33, False),
        ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", False),
        ("two words", False),
        ("zażółć", False),
        ("1st", False),
        (7, False),
        (None, False),
        (("sub",), False),
    ],
    ids=ascii,
)
def test_a_strange_member_is_named_only_if_its_name_is_plain(name: Any, told: bool):
    """A client wrote it, so that it may be a token."""
    with pytest.raises(ClaimsRefused) as caught:
        _callers.direct({"sub": "ala", name: 1})
    assert (str(name) in str(caught.value)) is told
    assert ("odd name" in str(caught.value)) is not told


@pytest.mark.parametrize("event", [None, 7, "event", [], [("sub", "ala")]])
def test_an_event_of_another_shape_names_nobody(event: object):
    assert code_of(_callers.direct, event) == "not_direct"
    assert code_of(_callers.iam, event) == "unauthenticated"
    assert code_of(_callers.custom, event, lambda _: Principal("ala")) == "unauthenticated"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (None, "unauthenticated"),
        (Principal("ala"), "accepted"),
        (("ala", {}), "accepted"),
        (["ala", {}], "accepted"),
        (("", {}), "authenticate_answer"),
        ((b"ala", {}), "authenticate_answer"),
        (("ala", None), "authenticate_answer"),
        (("ala", [("tenant", "t1")]), "authenticate_answer"),
        (("ala", "tenant"), "authenticate_answer"),
        (("ala",), "authenticate_answer"),
        (("ala", {}, {}), "authenticate_answer"),
        ("ala", "authenticate_answer"),
        (True, "authenticate_answer"),
        ({"sub": "ala"}, "authenticate_answer"),
    ],
    ids=ascii,
)
def test_what_authenticate_may_answer(answer: object, code: str):
    assert code_of(_callers.custom, rest({}), lambda _: answer) == code


@pytest.mark.parametrize("make", [rest, http_api])
@pytest.mark.parametrize(
    ("arn", "sub"),
    [
        (f"{ROLE}/session-1", ROLE),
        (USER, USER),
        (ROLE, None),
        (f"{ROLE}/a/b", None),
        (f"{ROLE}/{'s' * 65}", None),
        ("arn:aws:iam::123456789012:root", None),
        ("arn:aws:sts::123456789012:federated-user/ala", None),
        (f"{USER}\n", None),
        (7, None),
        ([USER], None),
        ({"arn": USER}, None),
        ("", None),
    ],
    ids=ascii,
)
def test_which_arns_are_somebody(make: Any, arn: Any, sub: str | None):
    event = make({}, arn=arn)

    if sub is None:
        assert code_of(_callers.iam, event) == "no_iam_caller"
    else:
        assert _callers.iam(event).principal.sub == sub


def test_two_arns_that_differ_are_nobody():
    event = rest({}, arn=USER)
    context = {**event["requestContext"], "authorizer": {"iam": {"userArn": USER}}}
    assert _callers.iam({**event, "requestContext": context}).principal.sub == USER

    context["authorizer"] = {"iam": {"userArn": f"{USER}2"}}
    assert code_of(_callers.iam, {**event, "requestContext": context}) == "no_iam_caller"


@pytest.mark.parametrize("context", [None, 7, "x", [], {"connectionId": "c"}])
def test_a_request_without_a_gateway_s_context_is_nobody_s(context: object):
    event = {**rest({}, arn=USER), "requestContext": context}
    if isinstance(context, dict):
        event["requestContext"] = {**rest({}, arn=USER)["requestContext"], **context}

    assert code_of(_callers.iam, event) == "unauthenticated"


@pytest.mark.parametrize(
    ("issuer", "audience", "says"),
    [
        (ISSUER, "orders", ""),
        ("ANY", "orders", ""),
        (ISSUER, "ANY", ""),
        ("ANY", "ANY", "expected one of them named"),
    ],
)
def test_beside_the_recipe_issuer_or_audience_is_named(kms, issuer: str, audience: str, says: str):
    told = refused(
        authorizer.build,
        kms,
        KMS_KEY_ID=KEY,
        KMSJWT_ISSUER=issuer,
        KMSJWT_AUDIENCE=audience,
        **RECIPE,
    )

    assert says in told
    assert bool(told) is bool(says)


@pytest.mark.parametrize("build", [issue.build, authorizer.build])
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "KMSJWT_KEY"),
        ({"KMSJWT_ISSUER": "", "KMSJWT_KEY": KEY}, "KMSJWT_ISSUER"),
        ({"KMSJWT_PROFILE": "recipe", "KMS_KEY_ID": KEY}, "KMSJWT_RECIPE_UNTIL is unset"),
        ({**RECIPE, "KMS_KEY_ID": KEY, "KMSJWT_ALG": "PS256"}, "KMSJWT_ALG is not RS256"),
        ({**RECIPE, "KMS_KEY_ID": KEY, "KMSJWT_RECIPE_UNTIL": "soon"}, "KMSJWT_RECIPE_UNTIL"),
    ],
)
def test_what_is_missing_is_named(kms, build: Any, settings: dict[str, str], says: str):
    given = {"KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": "orders", **settings}

    assert says in refused(build, kms, **given)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"KMSJWT_MAX_LIFETIME": "86400"}, ""),
        ({"KMSJWT_MAX_LIFETIME": "86401"}, "KMSJWT_MAX_LIFETIME is 86401 s"),
        ({"KMSJWT_MAX_LIFETIME": "600", "KMSJWT_LIFETIME": "600"}, ""),
        ({"KMSJWT_MAX_LIFETIME": "600", "KMSJWT_LIFETIME": "601"}, "KMSJWT_LIFETIME is 601 s"),
        ({"KMSJWT_MAX_LIFETIME": "60"}, ""),
        ({"KMSJWT_ISSUER": "ANY"}, "KMSJWT_ISSUER is ANY"),
        ({"KMSJWT_AUDIENCE": "ANY"}, "KMSJWT_AUDIENCE is ANY"),
        ({"KMSJWT_AUDIENCES_ALLOWED": "orders ANY"}, "KMSJWT_AUDIENCES_ALLOWED is ANY"),
        ({"KMSJWT_AUDIENCES_ALLOWED": "orders billing"}, ""),
        ({"KMSJWT_AUDIENCES_ALLOWED": "billing"}, "not among"),
        ({"KMSJWT_AUDIENCE": ""}, ""),
        ({"KMSJWT_AUDIENCE": "", "KMSJWT_CALLERS": "iam"}, "KMSJWT_AUDIENCES_ALLOWED and"),
        (
            {
                "KMSJWT_AUDIENCE": "",
                "KMSJWT_CALLERS": "iam",
                "KMSJWT_AUDIENCES_ALLOWED": "orders billing",
            },
            "",
        ),
        ({"KMSJWT_RECIPE_OPEN": "yes"}, "KMSJWT_PROFILE is not recipe"),
        ({"KMSJWT_CALLERS": "custom"}, "needs issue.build(authenticate=...)"),
    ],
    ids=str,
)
def test_the_limits_of_what_is_issued(kms, ec_key, settings: dict[str, str], says: str):
    given = {"KMSJWT_KEY": ec_key, "KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": "orders", **settings}
    told = refused(issue.build, kms, **given)

    assert says in told
    assert bool(told) is bool(says)


def test_the_recipe_s_audience_is_not_guessed_among_several(kms, rsa_key):
    told = refused(
        issue.build,
        kms,
        KMS_KEY_ID=rsa_key.rpartition("/")[2],
        KMSJWT_ISSUER=ISSUER,
        KMSJWT_AUDIENCES_ALLOWED="orders billing",
        **RECIPE,
    )

    assert "KMSJWT_AUDIENCE is unset" in told


def test_the_recipe_s_tokens_are_for_every_audience_named(kms, rsa_key, clock, log):
    environ = {
        "KMS_KEY_ID": rsa_key.rpartition("/")[2],
        "KMSJWT_ISSUER": ISSUER,
        "KMSJWT_AUDIENCE": "orders billing",
        **RECIPE,
    }
    answer = issue.build(environ=environ, client=kms, clock=clock, log=log)({})

    assert read(body_of(answer), kms, rsa_key, "RS256")["aud"] == ["orders", "billing"]


def test_without_the_recipe_two_audiences_are_no_default(kms, environ, clock, log):
    function = issue.build(
        environ={**environ, "KMSJWT_AUDIENCE": "orders billing"}, client=kms, clock=clock, log=log
    )

    with pytest.raises(KmsJwtError) as caught:
        function({"sub": "ala"})
    assert caught.value.code == "aud"


def test_more_is_signed_than_a_raw_message_holds(kms, environ, clock, log):
    function = issue.build(environ=environ, client=kms, clock=clock, log=log)

    assert len(function({"sub": "ala", "claims": {"x": "x" * 4096}})["access_token"]) > 5000


@pytest.mark.parametrize(
    ("settings", "level", "callers", "profile"),
    [
        ({}, "INFO", "direct", None),
        ({"KMSJWT_CALLERS": "iam"}, "INFO", "iam", None),
        (RECIPE, "INFO", "direct", "recipe"),
        ({**RECIPE, "KMSJWT_RECIPE_OPEN": "yes"}, "WARN", "anyone", "recipe"),
    ],
    ids=str,
)
def test_the_first_line_says_who_may_mint(
    kms, rsa_key, settings: dict[str, str], level: str, callers: str, profile: str | None
):
    log = Recorder()
    environ = {"KMS_KEY_ID": rsa_key.rpartition("/")[2], "KMSJWT_ISSUER": ISSUER}
    issue.build(environ={**environ, "KMSJWT_AUDIENCE": "orders", **settings}, client=kms, log=log)

    assert log.last["level"] == level
    assert log.last["callers"].startswith(callers)
    assert log.last["profile"] == profile


@pytest.mark.parametrize(
    ("settings", "event", "level"),
    [
        ({}, {"sub": "ala", "claims": {"iss": "x"}}, "WARN"),
        ({}, {"sub": ""}, "WARN"),
        ({"KMSJWT_CALLERS": "iam"}, rest({"aud": 7}, arn=USER), "WARN"),
        ({"KMSJWT_CALLERS": "iam"}, rest({}, arn=None), "WARN"),
        ({"KMSJWT_CALLERS": "iam"}, rest({"aud": "orders", "lifetime": 0}, arn=USER), "WARN"),
    ],
    ids=["reserved claim", "no sub", "aud", "nobody", "lifetime"],
)
def test_an_asker_s_fault_is_a_warning(
    kms, environ, settings: dict[str, str], event: Any, level: str
):
    log = Recorder()
    function = issue.build(environ={**environ, **settings}, client=kms, log=log)
    code_of(function, event)

    assert (log.last["decision"], log.last["level"]) == ("refused", level)


def test_a_fault_of_ours_is_an_error(kms, environ):
    log = Recorder()
    function = issue.build(
        environ={**environ, "KMSJWT_CALLERS": "iam"},
        client=kms,
        log=log,
        claims=lambda _: {"iss": "x"},
    )

    assert function(rest({}, arn=USER))["statusCode"] == 400
    assert (log.last["reason"], log.last["level"]) == ("claims_reserved", "ERROR")


@pytest.mark.parametrize(("given", "told"), [("id-1", "id-1"), (7, None), (None, None)])
def test_a_request_id_is_text_or_left_out(kms, environ, given: object, told: str | None):
    log = Recorder()
    context = type("Context", (), {"aws_request_id": given})()
    issue.build(environ=environ, client=kms, log=log)({"sub": "ala"}, context)

    assert log.last["request_id"] == told


@pytest.mark.parametrize(
    ("age", "says"),
    [("24h", ""), ("86400", ""), ("86401", "KMSJWT_DOCUMENT_MAX_AGE is 86401 s, expected 24h")],
)
def test_for_how_long_anybody_may_keep_the_keys(kms, environ, age: str, says: str):
    told = refused(jwks.build, kms, **environ, KMSJWT_DOCUMENT_MAX_AGE=age)

    assert says in told
    assert bool(told) is bool(says)


def test_keys_of_a_source_of_ones_own_may_be_kept_for_five_minutes(kms, ec_key):
    answer = jwks.JwksFunction(KmsKeys(ec_key, client=kms))({})

    assert answer["headers"]["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize("build", [authorizer.build, jwks.build])
@pytest.mark.parametrize(
    ("settings", "ignored"),
    [
        ({}, None),
        ({"KMSJWT_KEYS": KEY}, None),
        ({"KMSJWT_JWKS": "https://id.example/jwks.json"}, None),
        ({"KMSJWT_KEYS": KEY, "KMSJWT_JWKS": "https://id.example/jwks.json"}, "KMSJWT_JWKS"),
    ],
    ids=str,
)
def test_the_first_line_says_what_is_set_and_not_used(
    kms, environ, build: Any, settings: dict[str, str], ignored: str | None
):
    log = Recorder()
    build(environ={**environ, **settings}, client=kms, log=log)

    assert log.last["ignored"] == ignored


@pytest.mark.parametrize("build", [authorizer.build, jwks.build])
def test_every_name_that_is_no_ring_s_is_told(kms, build: Any):
    given = {"KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": "orders"}
    told = refused(build, kms, **given, KMSJWT_KEYS="ring:a/b alias/auth ring:c/d")

    for name in ("ring:a/b", "ring:c/d", "alias/auth"):
        assert repr(name) in told


@pytest.mark.parametrize(
    "settings",
    [
        {"KMSJWT_JWKS": "https://id.example/jwks.json", "KMSJWT_ALG": "ES256"},
        {"KMSJWT_JWKS": "https://id.example/jwks.json", "KMSJWT_KID": "key-id"},
        {**RECIPE, "KMS_KEY_ID": KEY, "KMSJWT_KEYS": "ring:auth", "KMSJWT_ALG": "RS256"},
        {**RECIPE, "KMS_KEY_ID": KEY, "KMSJWT_KEYS": "ring:auth", "KMSJWT_KID": "key-id"},
    ],
    ids=str,
)
def test_only_a_ring_alone_says_algorithm_and_kid_itself(kms, settings: dict[str, str]):
    given = {"KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": "orders"}

    assert refused(authorizer.build, kms, **given, **settings) == ""


def test_lambda_finds_the_handler_by_its_name(monkeypatch, environ):
    """Looked up in this very process, as Lambda does; nothing else is there to be found."""
    aws = {
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in {**environ, **aws}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(vars(issue), "handler", raising=False)

    assert callable(issue.handler)
    monkeypatch.delitem(vars(issue), "handler")
    with pytest.raises(AttributeError):
        _ = issue.no_such_name
