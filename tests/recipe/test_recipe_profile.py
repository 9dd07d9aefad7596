"""``KMSJWT_PROFILE=recipe``: both functions under the article's own settings."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from tests.recipe.article import ISSUER, NOW, base64url

from kmsjwt.errors import ClaimsRefused, ConfigError, KmsKeyUnusable
from kmsjwt.handlers import authorizer, issue, jwks
from kmsjwt.local import LocalKms
from kmsjwt.testing import Gateway

USER = "arn:aws:iam::123456789012:user/ala"


def proxy(arn=None, body=None) -> Any:
    return {
        "httpMethod": "POST",
        "headers": {},
        "requestContext": {"identity": {"userArn": arn}},
        "body": body,
    }


@pytest.fixture
def build_issue(environ, kms, log, clock) -> Any:
    def built(authenticate=None, claims=None, **settings) -> Any:
        return issue.build(
            environ={**environ, **settings},
            authenticate=authenticate,
            claims=claims,
            client=kms,
            log=log,
            clock=clock,
        )

    return built


@pytest.fixture
def build_authorizer(environ, kms, log, clock) -> Any:
    def built(check=None, client=kms, **settings) -> Any:
        return authorizer.build(
            environ={**environ, **settings}, check=check, client=client, log=log, clock=clock
        )

    return built


def token_in(answer) -> Any:
    """Return the token of an answer that has exactly the article's shape."""
    assert set(answer) == {"isBase64Encoded", "statusCode", "body"}
    assert answer["isBase64Encoded"] is False
    assert answer["statusCode"] == 200
    token = json.loads(answer["body"])
    assert isinstance(token, str)
    return token


def verified(token, kms, key_id) -> Any:
    key: Any = load_der_public_key(kms.get_public_key(KeyId=key_id)["PublicKey"])
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    return jwt.decode(token, key, algorithms=["RS256"], options=options)


def passes_the_articles_check(token, kms, key_id) -> Any:
    """kms:Verify of the RAW message, the signature read as Node's base64 reads it."""
    signing_input, _, signature = token.rpartition(".")
    standard = signature.replace("-", "+").replace("_", "/")
    answer = kms.verify(
        KeyId=key_id,
        Message=signing_input.encode(),
        MessageType="RAW",
        Signature=base64.b64decode(standard + "=" * (-len(standard) % 4)),
        SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
    )
    return answer["SignatureValid"]


def test_the_empty_event_gets_the_recipes_answer(build_issue, kms, key_id):
    token = token_in(build_issue()({}))

    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": key_id}
    claims = verified(token, kms, key_id)
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "aud": "orders",
        "sub": "recipe",
        "iat": NOW,
        "exp": NOW + 86_400,
    }
    assert passes_the_articles_check(token, kms, key_id)


@pytest.mark.parametrize("opened", ["yes", ""], ids=["open", "direct"])
def test_a_key_that_does_not_sign_rs256_signs_nothing(build_issue, kms, log, opened):
    created = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    function = build_issue(KMS_KEY_ID=created["KeyMetadata"]["KeyId"], KMSJWT_RECIPE_OPEN=opened)

    if opened:
        assert function({})["statusCode"] == 500
    else:
        with pytest.raises(KmsKeyUnusable, match="RS256"):
            function({})
    assert log.lines[-1]["reason"] == "alg_mismatch"


def test_claims_are_added_in_code_as_the_article_adds_them(build_issue, kms, key_id):
    function = build_issue(claims=lambda principal: {"user_name": principal.sub})

    assert verified(token_in(function({})), kms, key_id)["user_name"] == "recipe"


def test_a_token_never_outgrows_the_articles_check(build_issue, kms, key_id):
    function = build_issue()
    low, high = 2_000, 4_000
    while high - low > 1:
        middle = (low + high) // 2
        try:
            token = token_in(function({"sub": "ala", "claims": {"x": "y" * middle}}))
            low = middle
        except ClaimsRefused as refused:
            assert refused.code == "too_long_for_raw"  # noqa: PT017  the bound is sought, not the error
            high = middle

    signing_input = token.rpartition(".")[0]
    assert 4_094 < len(signing_input) <= 4_096
    assert passes_the_articles_check(token, kms, key_id)


def test_a_direct_caller_may_still_name_sub_aud_and_claims(build_issue, kms, key_id):
    answer = build_issue()({"sub": "ala", "aud": "billing", "lifetime": 60, "claims": {"a": 1}})

    claims = verified(token_in(answer), kms, key_id)
    assert (claims["sub"], claims["aud"], claims["a"]) == ("ala", "billing", 1)
    assert claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize(
    ("event", "settings"),
    [
        pytest.param(proxy(), {}, id="direct"),
        pytest.param({"requestContext": {}}, {}, id="direct, bare"),
        pytest.param(proxy(), {"KMSJWT_CALLERS": "iam"}, id="iam, nobody"),
        pytest.param({}, {"KMSJWT_CALLERS": "iam"}, id="iam, no request"),
        pytest.param(proxy(USER), {}, id="iam's caller, but not asked for"),
    ],
)
def test_nobody_mints_without_being_known(build_issue, event, settings):
    answer = build_issue(**settings)(event)

    assert answer["statusCode"] == 401
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert json.loads(answer["body"]) == {"error": "unauthorized"}


@pytest.mark.parametrize("event", [{"Records": []}, {"key1": "value1"}, [], None])
def test_what_is_no_direct_call_is_still_none(build_issue, event):
    with pytest.raises(ClaimsRefused) as refused:
        build_issue()(event)

    assert refused.value.code == "not_direct"


def test_callers_known_by_iam_or_by_code_get_the_recipes_answer(build_issue, kms, key_id):
    by_iam = build_issue(KMSJWT_CALLERS="iam")
    by_code = build_issue(
        lambda _: ("ola", {"user_name": "ola"}), KMSJWT_CALLERS="custom", KMSJWT_LIFETIME="1h"
    )

    known = verified(token_in(by_iam(proxy(USER))), kms, key_id)
    assert (known["sub"], known["exp"] - known["iat"]) == (USER, 86_400)
    coded = verified(token_in(by_code(proxy())), kms, key_id)
    assert (coded["user_name"], coded["exp"] - coded["iat"]) == ("ola", 3_600)


@pytest.mark.parametrize(
    "event",
    [
        {},
        None,
        [],
        "x",
        proxy(),
        {"Records": []},
        {"sub": "root", "aud": "admin", "lifetime": 1, "claims": {"admin": True}},
    ],
)
def test_open_means_anyone_and_nobody_chooses_anything(build_issue, kms, key_id, log, event):
    function = build_issue(KMSJWT_RECIPE_OPEN="yes")

    claims = verified(token_in(function(event)), kms, key_id)

    assert (claims["sub"], claims["aud"]) == ("recipe", "orders")
    assert claims["exp"] - claims["iat"] == 86_400
    assert "admin" not in claims
    start = log.lines[0]
    assert (start["level"], start["callers"]) == ("WARN", "anyone (KMSJWT_RECIPE_OPEN)")


@pytest.mark.parametrize("word", ["Yes", "true", "1", "y"])
def test_open_is_said_in_one_word_only(build_issue, word):
    with pytest.raises(ConfigError, match="KMSJWT_RECIPE_OPEN"):
        build_issue(KMSJWT_RECIPE_OPEN=word)


def test_open_answers_for_kms_trouble_in_the_recipes_way(environ, log, clock):
    kms = LocalKms()
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    settings = {**environ, "KMS_KEY_ID": key, "KMSJWT_RECIPE_OPEN": "yes"}
    function = issue.build(environ=settings, client=kms, log=log, clock=clock)

    with kms.faults.add("Sign", kind="throttle", times=None):
        answer = function({})

    assert answer["statusCode"] == 503
    assert set(answer) == {"isBase64Encoded", "statusCode", "headers", "body"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"KMSJWT_RECIPE_OPEN": "yes", "KMSJWT_CALLERS": "iam"}, "KMSJWT_CALLERS is iam"),
        ({"KMSJWT_RECIPE_OPEN": "yes", "KMSJWT_PROFILE": ""}, "KMSJWT_PROFILE is not recipe"),
        ({"KMSJWT_AUDIENCE": ""}, "KMSJWT_AUDIENCE is unset"),
        ({"KMSJWT_ISSUER": ""}, "KMSJWT_ISSUER is unset"),
        ({"KMSJWT_KID": "thumbprint"}, "KMSJWT_KID is thumbprint"),
        ({"KMSJWT_RECIPE_UNTIL": "soon"}, "KMSJWT_RECIPE_UNTIL"),
        ({"KMSJWT_RECIPE_UNTIL": ""}, "KMSJWT_RECIPE_UNTIL is unset"),
        ({"KMS_KEY_ID": ""}, "KMSJWT_KEY is unset"),
    ],
)
def test_contradictions_stop_the_issue_function(build_issue, settings, told):
    with pytest.raises(ConfigError, match=told):
        build_issue(**settings)


def test_open_and_an_authenticate_contradict_each_other(build_issue):
    with pytest.raises(ConfigError, match="an authenticate was passed"):
        build_issue(lambda _: ("ala", {}), KMSJWT_RECIPE_OPEN="yes")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"KMSJWT_RECIPE_UNTIL": ""}, "KMSJWT_RECIPE_UNTIL is unset"),
        ({"KMSJWT_RECIPE_UNTIL": "2027-01-15T08:00:00"}, "with an offset"),
        ({"KMS_KEY_ID": ""}, "KMS_KEY_ID is unset"),
        ({"KMS_KEY_ID": "alias/auth"}, "expected a KMS key id or key ARN"),
        ({"KMSJWT_ISSUER": ""}, "KMSJWT_ISSUER is unset"),
        ({"KMSJWT_AUDIENCE": ""}, "KMSJWT_AUDIENCE is unset"),
        # With both, the article's late tokens would pass as strict ones, spelled anew.
        ({"KMSJWT_ISSUER": "ANY", "KMSJWT_AUDIENCE": "ANY"}, "expected one of them named"),
    ],
)
def test_contradictions_stop_the_authorizer(build_authorizer, settings, told):
    with pytest.raises(ConfigError, match=told):
        build_authorizer(**settings)


def status(function, token) -> Any:
    gateway = Gateway(function, ttl=0)
    headers = {"Authorization": f"Bearer {token}"}
    return gateway.request("GET", "/orders/42", headers=headers).status


@pytest.mark.parametrize("verify", ["local", "kms"])
def test_tokens_of_before_and_after_are_let_in_side_by_side(
    build_authorizer, build_issue, article, environ, kms, log, clock, verify
):
    """Nobody is logged out: not when the profile comes, and not when it goes."""
    function = build_authorizer(KMSJWT_VERIFY=verify)
    strict_again = issue.build(
        environ={**environ, "KMSJWT_PROFILE": ""}, client=kms, log=log, clock=clock
    )

    assert status(function, article.token()) == 200
    assert status(function, token_in(build_issue()({}))) == 200
    assert status(function, strict_again({"sub": "ala"})["access_token"]) == 200


def test_without_the_profile_the_articles_token_is_refused_and_the_log_says_why(
    build_authorizer, article, log
):
    assert status(build_authorizer(KMSJWT_PROFILE="", KMSJWT_KID="key-id"), article.token()) == 401
    assert log.lines[-1]["reason"] == "signature_base64"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iat": NOW, "exp": NOW + 60}, "recipe_after_cut_off"),
        ({"iss": ISSUER}, "recipe_iss"),
        ({"exp": None}, "recipe_exp_missing"),
    ],
)
def test_the_log_tells_the_deviation_and_the_caller_gets_401(
    build_authorizer, article, log, claims, reason
):
    assert status(build_authorizer(), article.token(claims=claims)) == 401
    assert log.lines[-1]["reason"] == reason


def test_an_articles_token_spelled_anew_is_refused_for_its_spelling(build_authorizer, article, log):
    assert status(build_authorizer(), article.token(spell=base64url)) == 401
    assert log.lines[-1]["reason"] == "recipe_signature_base64url"


def test_the_users_check_is_asked_about_the_articles_tokens_too(build_authorizer, article):
    function = build_authorizer(lambda _, claims: claims.get("user_name") == "ala")

    assert status(function, article.token()) == 200
    assert status(function, article.token(claims={"user_name": "ola"})) == 403


def test_a_bundled_jwks_will_do(
    environ, build_authorizer, build_issue, article, kms, tmp_path, log
):
    published = jwks.build(environ=environ, client=kms, log=log)({})["body"]
    bundled = tmp_path / "jwks.json"
    bundled.write_text(published)
    function = build_authorizer(client=object(), KMSJWT_JWKS=str(bundled))

    assert status(function, article.token()) == 200
    assert status(function, token_in(build_issue()({}))) == 200


def test_the_published_set_knows_the_key_by_both_names(environ, kms, key_id, log):
    keys = json.loads(jwks.build(environ=environ, client=kms, log=log)({})["body"])["keys"]

    assert len({key["n"] for key in keys}) == 1
    assert key_id in {key["kid"] for key in keys}
    assert len({key["kid"] for key in keys}) == 2


def test_another_key_may_verify_beside_the_articles(
    build_authorizer, environ, kms, other_key_id, article, log, clock
):
    moved = issue.build(
        environ={**environ, "KMSJWT_PROFILE": "", "KMSJWT_KEY": other_key_id},
        client=kms,
        log=log,
        clock=clock,
    )
    function = build_authorizer(KMSJWT_KEYS=other_key_id)

    assert status(function, article.token()) == 200
    assert status(function, moved({"sub": "ala"})["access_token"]) == 200
