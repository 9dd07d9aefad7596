"""A forbidden token is a verified one: who it was is told, in the answer and in the log."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from tests.handlers.support import ISSUER, NOW, Recorder

from kmsjwt import AnyOf, Verifier
from kmsjwt.gateway import Authorizer
from kmsjwt.handlers import authorizer, issue
from kmsjwt.jwks import StaticKeys
from kmsjwt.rules import Rules, scope
from kmsjwt.testing import events


@pytest.fixture
def token(environ, kms, clock) -> Any:
    function = issue.build(environ=environ, client=kms, log=Recorder(), clock=clock)
    return function({"sub": "ala"})["access_token"]


@pytest.fixture
def build(environ, kms, log, clock) -> Any:
    def built(given, **settings) -> Any:
        return authorizer.build(
            environ={**environ, **settings}, client=kms, log=log, clock=clock, **given
        )

    return built


def bearer(token) -> Any:
    return {"Authorization": f"Bearer {token}"}


def appsync(token) -> Any:
    return {"authorizationToken": token, "requestContext": {"apiId": "h4nq2zpt7vdlcfxk3mw5yb6ejr"}}


DOORS = {
    "rest_token": lambda t: events.rest_token("GET", "/", authorization=f"Bearer {t}"),
    "rest_request": lambda t: events.rest_request("GET", "/", headers=bearer(t)),
    "http_api_v1": lambda t: events.http_api_v1("GET", "/", headers=bearer(t)),
    "http_api_v2": lambda t: events.http_api_v2("GET", "/", headers=bearer(t)),
    "websocket": lambda t: events.websocket_connect(headers=bearer(t)),
    "appsync": appsync,
}


def closed(header, claims) -> Any:
    raise authorizer.Forbidden("tenant closed", code="tenant_closed")


def no(header, claims) -> bool:
    return False


CHECKS = [
    pytest.param(closed, "tenant_closed", id="raised"),
    pytest.param(no, "forbidden", id="False"),
]


def assert_told(kind, answer, line, *, principal, kid, jti, reason) -> None:
    assert (line["decision"], line["reason"], line["level"]) == ("deny", reason, "INFO")
    assert (line["kid"], line["jti"]) == (kid, jti)
    assert line["claimed_kid"] is None
    assert line["claimed_jti"] is None
    if kind == "appsync":
        assert answer == {"isAuthorized": False, "ttlOverride": 0}
        return
    assert answer["principalId"] == principal
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert "context" not in answer


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize(("check", "reason"), CHECKS)
def test_who_was_forbidden(build, token, log, kind, check, reason):
    claims = jwt.decode(token, options={"verify_signature": False})
    answer = build({"check": check})(DOORS[kind](token))
    assert_told(
        kind,
        answer,
        log.last,
        principal="ala",
        kid=jwt.get_unverified_header(token)["kid"],
        jti=claims["jti"],
        reason=reason,
    )


def test_who_was_forbidden_is_told_beside_simple_answers(build, token, log):
    answer = build({"check": closed}, KMSJWT_RESPONSE="simple")(DOORS["http_api_v2"](token))
    assert answer == {"isAuthorized": False}
    assert log.last["jti"]


def own_tokens(issuer, check) -> Any:
    """Return a verifier and a token for it, made by PyJWT."""
    key = ec.generate_private_key(ec.SECP256R1())
    jwk = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    keys = StaticKeys({"keys": [{**jwk, "kid": issuer[-1], "alg": "ES256", "use": "sig"}]})
    verifier = Verifier(keys, issuer=issuer, audience="orders", check=check, clock=lambda: NOW)
    claims = {"iss": issuer, "aud": "orders", "sub": "ala", "jti": f"jti-{issuer[-1]}"}
    token = jwt.encode(
        {**claims, "iat": NOW, "exp": NOW + 60},
        key,
        algorithm="ES256",
        headers={"kid": issuer[-1]},
    )
    return verifier, token


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize(("check", "reason"), CHECKS)
def test_who_was_forbidden_by_one_of_several_verifiers(log, kind, check, reason):
    one, _ = own_tokens("https://id.example/1", None)
    other, token = own_tokens("https://id.example/2", check)
    answer = Authorizer(AnyOf(one, other), log=log)(DOORS[kind](token))
    assert_told(kind, answer, log.last, principal="ala", kid="2", jti="jti-2", reason=reason)


def article_token(kms, key, **claims) -> str:
    """Return a token as the article's function makes it: a base64 signature, no iss and no aud."""
    head = {"alg": "RS256", "typ": "JWT", "kid": key.rpartition("/")[2]}
    body = {"client_id": "ola", "iat": NOW - 100, "exp": NOW - 100 + 86_400, **claims}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part, separators=(",", ":")).encode()).rstrip(b"=")
        for part in (head, body)
    ]
    signature = kms.sign(
        KeyId=key,
        Message=b".".join(parts),
        MessageType="RAW",
        SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
    )["Signature"]
    return b".".join([*parts, base64.b64encode(signature)]).decode()


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize(("check", "reason"), CHECKS)
def test_who_was_forbidden_of_the_article_s_tokens(build, kms, rsa_key, log, kind, check, reason):
    function = build(
        {"check": check},
        KMSJWT_KEY=rsa_key,
        KMSJWT_PROFILE="recipe",
        KMSJWT_RECIPE_UNTIL="2028-01-01T00:00:00Z",
        KMSJWT_ISSUER=ISSUER,
    )
    token = article_token(kms, rsa_key, jti="jti-9")
    answer = function(DOORS[kind](token))
    kid = rsa_key.rpartition("/")[2]
    assert_told(kind, answer, log.last, principal="ola", kid=kid, jti="jti-9", reason=reason)


@pytest.mark.parametrize("kind", DOORS)
def test_rules_hold_for_the_article_s_tokens_as_well(build, kms, rsa_key, log, kind):
    function = build(
        {"rules": Rules(require=scope("read"))},
        KMSJWT_KEY=rsa_key,
        KMSJWT_PROFILE="recipe",
        KMSJWT_RECIPE_UNTIL="2028-01-01T00:00:00Z",
    )
    for claims, decision in (({"scope": "read"}, "allow"), ({}, "deny")):
        function(DOORS[kind](article_token(kms, rsa_key, **claims)))
        assert log.last["decision"] == decision


class Forbids:
    """A verifier of somebody else's, which knows no token of ours."""

    def verify(self, token: str) -> Any:
        raise authorizer.Forbidden(f"not {len(token)} characters")


@pytest.mark.parametrize("kind", DOORS)
def test_forbidden_without_a_token_is_a_denial_of_nobody(log, kind, token):
    answer = Authorizer(Forbids(), log=log)(DOORS[kind](token))
    assert (log.last["decision"], log.last["kid"], log.last["jti"]) == ("deny", None, None)
    assert log.last["claimed_jti"]
    if kind != "appsync":
        assert answer["principalId"] == "anonymous"


def test_a_refusal_used_twice_names_the_token_of_each_time(build, kms, environ, log, clock):
    """A check that keeps one Forbidden and raises it again must not name somebody else."""
    refusal = authorizer.Forbidden("closed")

    def check(header, claims) -> Any:
        raise refusal

    function = build({"check": check})
    sign = issue.build(environ=environ, client=kms, log=Recorder(), clock=clock)
    for who in ("ala", "ola"):
        token = sign({"sub": who})["access_token"]
        assert function(DOORS["rest_token"](token))["principalId"] == who
