"""The authorizer function: settings in, the right verifier behind the right gateway out."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from tests.handlers.support import ISSUER, NOW

from kmsjwt.errors import CannotKnow, ConfigError
from kmsjwt.handlers import authorizer, issue, jwks
from kmsjwt.local import LocalKms
from kmsjwt.testing import Gateway, events


def bearer(token) -> Any:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def token(environ, kms, log, clock) -> Any:
    function = issue.build(environ=environ, client=kms, log=log, clock=clock)
    claims = {"tenant": "t1", "scope": "read"}
    return function({"sub": "ala", "claims": claims})["access_token"]


@pytest.fixture
def build(environ, kms, log, clock) -> Any:
    def built(check=None, client=kms, **settings) -> Any:
        return authorizer.build(
            environ={**environ, **settings}, check=check, client=client, log=log, clock=clock
        )

    return built


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="KMSJWT_KEY"),
        pytest.param({"KMSJWT_VERIFY": "kms"}, id="kms:Verify"),
        pytest.param({"KMSJWT_TYP": "jwt"}, id="typ pinned"),
        pytest.param({"KMSJWT_AUDIENCE": "billing orders"}, id="several audiences"),
    ],
)
@pytest.mark.parametrize(
    "kind", ["rest_token", "rest_request", "http_api_v1", "http_api_v2", "websocket"]
)
def test_a_good_token_is_let_in_through_every_door(build, token, kind, settings):
    gateway = Gateway(build(**settings), kind=kind, clock=lambda: NOW)

    answer = (
        gateway.connect(headers=bearer(token))
        if kind == "websocket"
        else gateway.request("GET", "/orders/42", headers=bearer(token))
    )

    assert answer.status == (101 if kind == "websocket" else 200)


def test_keys_come_from_a_bundled_jwks_and_kms_is_not_asked(environ, kms, token, tmp_path, log):
    published = jwks.build(environ=environ, client=kms, log=log)({})
    bundled = tmp_path / "jwks.json"
    bundled.write_text(published["body"])
    check = authorizer.build(
        environ={**environ, "KMSJWT_KEY": "", "KMSJWT_JWKS": str(bundled)},
        client=object(),
        log=log,
        clock=lambda: NOW,
    )

    assert Gateway(check).request("GET", "/", headers=bearer(token)).status == 200


def test_of_several_keys_each_verifies(environ, kms, ec_key, rsa_key, log, clock, build):
    tokens = [
        issue.build(environ={**environ, "KMSJWT_KEY": key}, client=kms, log=log, clock=clock)(
            {"sub": "ala"}
        )["access_token"]
        for key in (ec_key, rsa_key)
    ]
    for verify in ("local", "kms"):
        gateway = Gateway(build(KMSJWT_KEYS=f"{ec_key} {rsa_key}", KMSJWT_VERIFY=verify))

        assert [gateway.request("GET", "/", headers=bearer(each)).status for each in tokens] == [
            200,
            200,
        ]
    only_rsa = Gateway(build(KMSJWT_KEYS=rsa_key, KMSJWT_VERIFY="kms"))
    assert [only_rsa.request("GET", "/", headers=bearer(each)).status for each in tokens] == [
        401,
        200,
    ]


def signed_without_kid(kms, key) -> str:
    claims = {"iss": ISSUER, "aud": "orders", "sub": "ala", "iat": NOW, "exp": NOW + 60}
    parts = [
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "RS256", "typ": "JWT"}, claims)
    ]
    signature = kms.sign(
        KeyId=key, Message=b".".join(parts), SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256"
    )["Signature"]
    return b".".join([*parts, urlsafe_b64encode(signature).rstrip(b"=")]).decode()


RECIPE = {"KMSJWT_PROFILE": "recipe", "KMSJWT_RECIPE_UNTIL": "2028-01-01T00:00:00Z"}


@pytest.mark.parametrize("verify", ["local", "kms"])
@pytest.mark.parametrize("profile", [{}, RECIPE], ids=["strict", "beside the recipe"])
def test_a_token_without_kid_is_of_the_only_key(
    build, kms, log, ec_key, rsa_key, second_rsa_key, verify, profile
):
    """Of several none is meant, the one asked first no more than the others."""
    token = signed_without_kid(kms, rsa_key)
    other = second_rsa_key if profile else ec_key
    for keys, expected in {
        rsa_key: (200, "ok"),
        f"{rsa_key} {other}": (401, "kid_missing"),
        f"{other} {rsa_key}": (401, "kid_missing"),
    }.items():
        check = build(KMSJWT_KEY=rsa_key, KMSJWT_KEYS=keys, KMSJWT_VERIFY=verify, **profile)
        status = Gateway(check).request("GET", "/", headers=bearer(token)).status

        assert (status, log.last["reason"]) == expected


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"KMSJWT_ISSUER": "https://other.example"}, "wrong_issuer"),
        ({"KMSJWT_AUDIENCE": "billing"}, "wrong_audience"),
        ({"KMSJWT_TYP": "at+jwt"}, "wrong_type"),
        ({"KMSJWT_MAX_LIFETIME": "5m"}, "lifetime_too_long"),
    ],
)
def test_each_setting_is_demanded(build, token, log, settings, reason):
    gateway = Gateway(build(**settings))

    assert gateway.request("GET", "/", headers=bearer(token)).status == 401
    assert log.last["reason"] == reason


def test_any_is_said_aloud_and_the_log_warns(environ, kms, build, log, clock):
    foreign = {**environ, "KMSJWT_ISSUER": "https://other.example", "KMSJWT_AUDIENCE": "billing"}
    token = issue.build(environ=foreign, client=kms, log=log, clock=clock)({"sub": "ala"})

    check = build(KMSJWT_ISSUER="ANY", KMSJWT_AUDIENCE="ANY", KMSJWT_TYP="ANY")

    assert log.last["level"] == "WARN"
    assert log.last["unchecked"] == ["issuer", "audience", "typ"]
    assert log.last["warnings"] is None  # "ANY, a name like any other" it is not
    headers = bearer(token["access_token"])
    assert Gateway(check).request("GET", "/", headers=headers).status == 200
    assert Gateway(build()).request("GET", "/", headers=headers).status == 401


def test_any_beside_others_and_any_to_issue_are_refused(environ, kms, build):
    with pytest.raises(ConfigError, match="ANY beside others"):
        build(KMSJWT_AUDIENCE="orders ANY")
    for name in ("KMSJWT_ISSUER", "KMSJWT_AUDIENCE", "KMSJWT_AUDIENCES_ALLOWED"):
        with pytest.raises(ConfigError, match=f"{name} is ANY"):
            issue.build(environ={**environ, name: "ANY"}, client=kms)


def test_the_key_id_as_kid_is_a_setting_of_both_functions(environ, kms, build, log, clock):
    function = issue.build(
        environ={**environ, "KMSJWT_KID": "key-id"}, client=kms, log=log, clock=clock
    )
    token = function({"sub": "ala"})["access_token"]

    assert (
        Gateway(build(KMSJWT_KID="key-id")).request("GET", "/", headers=bearer(token)).status == 200
    )
    assert Gateway(build()).request("GET", "/", headers=bearer(token)).status == 401


def test_invalid_tokens_can_be_denied_instead(build):
    event = events.rest_token("GET", "/", authorization="Bearer x.y.z")

    with pytest.raises(authorizer.Unauthorized, match=r"^Unauthorized$"):
        build()(event)
    answer = build(KMSJWT_ON_INVALID="deny")(event)
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"


def test_simple_answers_are_a_setting(build, token):
    event = events.http_api_v2("GET", "/", headers=bearer(token))

    assert build(KMSJWT_RESPONSE="simple")(event)["isAuthorized"] is True
    assert build()(event)["policyDocument"]


def test_the_users_own_check_forbids_with_403(build, token):
    def check(header, claims) -> Any:
        if claims["tenant"] != "t2":
            raise authorizer.Forbidden("tenant closed")

    assert Gateway(build(check)).request("GET", "/", headers=bearer(token)).status == 403


def test_context_and_principal_are_chosen_in_build(environ, kms, token, log, clock):
    check = authorizer.build(
        environ=environ,
        client=kms,
        log=log,
        clock=clock,
        principal_claim="tenant",
        context=("scope",),
    )
    answer = check(events.rest_token("GET", "/", authorization=f"Bearer {token}"))

    assert (answer["principalId"], answer["context"]) == ("t1", {"scope": "read"})


@pytest.mark.parametrize("verify", ["local", "kms"])
@pytest.mark.parametrize("on_invalid", ["401", "deny"])
def test_kms_trouble_is_never_a_denial(environ, build, log, clock, verify, on_invalid):
    kms = LocalKms()
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    own = {**environ, "KMSJWT_KEY": key}
    token = issue.build(environ=own, client=kms, log=log, clock=clock)({"sub": "ala"})
    check = build(client=kms, KMSJWT_KEY=key, KMSJWT_VERIFY=verify, KMSJWT_ON_INVALID=on_invalid)
    event = events.rest_token("GET", "/", authorization=f"Bearer {token['access_token']}")

    operation = "Verify" if verify == "kms" else "GetPublicKey"
    with kms.faults.add(operation, kind="access_denied", times=None), pytest.raises(CannotKnow):
        check(event)


@pytest.mark.parametrize("first", [True, False], ids=["asked first", "asked last"])
def test_a_key_that_cannot_be_asked_about_may_be_the_tokens(environ, build, log, clock, first):
    kms = LocalKms()
    keys = [
        kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        for _ in range(2)
    ]
    signed = issue.build(
        environ={**environ, "KMSJWT_KEY": keys[0]}, client=kms, log=log, clock=clock
    )({"sub": "ala"})
    order = keys if first else keys[::-1]
    check = build(client=kms, KMSJWT_KEYS=" ".join(order), KMSJWT_VERIFY="kms")
    event = events.rest_token("GET", "/", authorization=f"Bearer {signed['access_token']}")

    denied = kms.faults.add("GetPublicKey", kind="access_denied", key=keys[0], times=None)
    with denied, pytest.raises(CannotKnow):
        check(event)
    assert check(event)["principalId"] == "ala"


def test_no_token_is_in_the_log(build, token, log):
    Gateway(build()).request("GET", "/", headers=bearer(token))
    Gateway(build()).request("GET", "/", headers=bearer(token[:-8] + "AAAAAAAA"))

    for part in token.split("."):
        assert part not in log.text()
