"""The article's tokens are let in; each deviation is refused with a code of its own."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.recipe.article import ISSUER, NOW, UNTIL, Article, base64url

from kmsjwt import Verifier
from kmsjwt.errors import ConfigError, Forbidden, KmsThrottled, TokenError
from kmsjwt.handlers.recipe import RecipeVerifier, StrictOrRecipe
from kmsjwt.jwks import StaticKeys
from kmsjwt.kms import KmsKeys, KmsVerify
from kmsjwt.local import LocalKms


@pytest.fixture(scope="session")
def keys(kms, key_id) -> Any:
    return KmsKeys(key_id, client=kms, kid="key-id")


@pytest.fixture(scope="session")
def verifier(keys, key_id) -> Any:
    return RecipeVerifier(keys, key_id=key_id, until=UNTIL, clock=lambda: NOW)


@pytest.fixture(scope="session")
def strict(keys) -> Any:
    return Verifier(keys, issuer=ISSUER, audience="orders", clock=lambda: NOW)


def refusal(verifier, token) -> Any:
    with pytest.raises(TokenError) as refused:
        verifier.verify(token)
    assert len(str(refused.value).splitlines()) <= 3
    if isinstance(token, str):
        for part in token.split("."):
            assert len(part) < 20 or part not in str(refused.value)
    return refused.value.code


def test_the_articles_token_is_let_in(article, verifier, key_id):
    verified = verifier.verify(article.token(claims={"role": ["a", {"b": 1}]}))

    assert verified.claims["user_name"] == "ala"
    assert verified.to_dict()["claims"]["role"] == ["a", {"b": 1}]
    assert verified.to_dict()["header"] == {"alg": "RS256", "typ": "JWT", "kid": key_id}
    assert (verified.kid, verified.alg) == (key_id, "RS256")
    with pytest.raises(TypeError):
        verified.claims["user_name"] = "ola"


def test_the_members_of_the_header_may_come_in_any_order(article, verifier, key_id):
    header = json.dumps({"kid": key_id, "typ": "JWT", "alg": "RS256"}, indent=1).encode()

    assert verifier.verify(article.token(raw_header=header)).claims


def claims(**members) -> Any:
    return {"claims": members}


def header(**members) -> Any:
    return {"header": members}


DEVIATIONS = [
    pytest.param(header(alg="RS512"), "recipe_alg", id="alg RS512"),
    pytest.param(header(alg="none"), "recipe_alg", id="alg none"),
    pytest.param(header(alg="HS256"), "recipe_alg", id="alg HS256"),
    pytest.param(header(alg="rs256"), "recipe_alg", id="alg in another case"),
    pytest.param(header(alg=["RS256"]), "recipe_alg", id="alg a list"),
    pytest.param(header(alg=None), "recipe_alg", id="no alg"),
    pytest.param(header(typ="at+jwt"), "recipe_typ", id="typ at+jwt"),
    pytest.param(header(typ="jwt"), "recipe_typ", id="typ in another case"),
    pytest.param(header(typ=None), "recipe_typ", id="no typ"),
    pytest.param(header(typ={}), "recipe_typ", id="typ an object"),
    pytest.param(header(kid="alias/auth"), "recipe_kid", id="kid an alias"),
    pytest.param(header(kid=None), "recipe_kid", id="no kid"),
    pytest.param(header(kid=7), "recipe_kid", id="kid a number"),
    pytest.param(header(kid=["x"]), "recipe_kid", id="kid a list"),
    pytest.param(header(crit=["exp"]), "recipe_header_members", id="crit"),
    pytest.param(header(b64=False), "recipe_header_members", id="b64"),
    pytest.param(header(jku="https://e.example"), "recipe_header_members", id="jku"),
    pytest.param(header(cty="JWT"), "recipe_header_members", id="cty"),
    pytest.param(claims(iss=ISSUER), "recipe_iss", id="iss"),
    pytest.param(claims(aud="orders"), "recipe_aud", id="aud"),
    pytest.param(claims(sub="ala"), "recipe_sub", id="sub"),
    pytest.param(claims(iat=None), "recipe_iat_missing", id="no iat"),
    pytest.param(claims(exp=None), "recipe_exp_missing", id="no exp"),
    pytest.param(claims(iat=str(NOW)), "recipe_iat_type", id="iat text"),
    pytest.param(claims(iat=True), "recipe_iat_type", id="iat a bool"),
    pytest.param(claims(exp=str(NOW)), "recipe_exp_type", id="exp text"),
    pytest.param(claims(exp=[NOW]), "recipe_exp_type", id="exp a list"),
    pytest.param(claims(nbf="now"), "recipe_nbf_type", id="nbf text"),
    pytest.param(claims(jti=7), "recipe_jti_type", id="jti a number"),
    pytest.param(claims(iat=NOW, exp=NOW + 60), "recipe_after_cut_off", id="issued at the cut-off"),
    pytest.param(
        claims(iat=NOW + 5, exp=NOW + 60), "recipe_after_cut_off", id="issued after the cut-off"
    ),
    pytest.param(
        claims(iat=(NOW - 1) * 1000, exp=(NOW + 60) * 1000),
        "recipe_after_cut_off",
        id="milliseconds",
    ),
    pytest.param(
        claims(iat=NOW - 10, exp=NOW - 10 + 86_401), "recipe_lifetime", id="a second over a day"
    ),
    pytest.param(claims(iat=NOW - 10, exp=NOW * 1000), "recipe_lifetime", id="exp in ms"),
    pytest.param(claims(iat=NOW - 10, exp=NOW - 20), "recipe_exp_before_iat", id="exp before iat"),
    pytest.param(
        claims(iat=NOW - 86_430, exp=NOW - 30), "recipe_expired", id="expired, leeway over"
    ),
    pytest.param(claims(nbf=NOW + 31), "recipe_nbf_ahead", id="not yet"),
    pytest.param({"raw_header": b"[]"}, "recipe_header_not_object", id="header a list"),
    pytest.param({"raw_header": b"{"}, "recipe_header_json", id="header no JSON"),
    pytest.param(
        {"raw_header": b'{"alg":"RS256","alg":"RS256"}'},
        "recipe_header_duplicate_member",
        id="header with a duplicate member",
    ),
    pytest.param({"raw_header": b"\xff{}"}, "recipe_header_utf8", id="header no UTF-8"),
    pytest.param({"raw_claims": b"[]"}, "recipe_payload_not_object", id="claims a list"),
    pytest.param({"raw_claims": b"NaN"}, "recipe_payload_json", id="claims NaN"),
    pytest.param({"raw_claims": b'{"iat":NaN}'}, "recipe_payload_json", id="iat NaN"),
    pytest.param(
        {"raw_claims": b'{"a":1,"a":1}'}, "recipe_payload_duplicate_member", id="twice a claim"
    ),
    pytest.param({"raw_claims": b'{"a":' * 50}, "recipe_payload_depth", id="deep claims"),
    pytest.param({"raw_claims": "{}".encode("utf-16")}, "recipe_payload_utf8", id="UTF-16"),
    pytest.param({"spell": base64url}, "recipe_signature_base64url", id="base64url signature"),
    pytest.param(
        {"spell": lambda sig: base64.urlsafe_b64encode(b"\xff" * 3 + sig[3:])},
        "recipe_signature_base64url",
        id="base64url signature with padding",
    ),
    pytest.param(
        {"spell": lambda sig: base64.b64encode(b"\xff" * 3 + sig[3:]).rstrip(b"=")},
        "recipe_signature_base64",
        id="no padding",
    ),
    pytest.param(
        {"spell": lambda sig: base64.b64encode(sig)[:-1]}, "recipe_signature_base64", id="half"
    ),
    pytest.param(
        {"spell": lambda sig: base64.b64encode(sig) + b"="}, "recipe_signature_base64", id="==="
    ),
    pytest.param(
        {"spell": lambda sig: base64.b64encode(sig) + b" "}, "recipe_signature_base64", id="space"
    ),
    pytest.param({"spell": base64.encodebytes}, "recipe_signature_base64", id="lines"),
    pytest.param(
        {"spell": lambda sig: base64.b64encode(sig)[:-3] + b"B=="},
        "recipe_signature_base64",
        id="unused bits set",
    ),
    pytest.param(
        {"spell": lambda sig: base64.b64encode(sig[:-1])}, "signature_length", id="a byte short"
    ),
    pytest.param({"spell": lambda _: base64.b64encode(bytes(256))}, "bad_signature", id="zeros"),
    pytest.param(
        {"spell": lambda sig: base64.b64encode(sig[:-1] + bytes([sig[-1] ^ 1]))},
        "bad_signature",
        id="one bit flipped",
    ),
]


@pytest.mark.parametrize(("made", "code"), DEVIATIONS)
def test_each_deviation_has_its_own_code(article, verifier, strict, made, code):
    token = article.token(**made)

    assert refusal(verifier, token) == code
    with pytest.raises(TokenError):
        StrictOrRecipe(strict, verifier).verify(token)


def test_a_token_signed_by_another_key_is_refused(kms, key_id, other_key_id, verifier):
    other = Article(kms, other_key_id)

    assert refusal(verifier, other.token()) == "recipe_kid"
    assert refusal(verifier, other.token(header={"kid": key_id})) == "bad_signature"


@pytest.mark.parametrize(
    ("mangle", "code"),
    [
        pytest.param(lambda _: None, "recipe_not_text", id="None"),
        pytest.param(lambda token: token.encode(), "recipe_not_text", id="bytes"),
        pytest.param(lambda _: "", "recipe_not_compact", id="empty"),
        pytest.param(lambda token: token + ".x", "recipe_not_compact", id="four segments"),
        pytest.param(lambda token: token.rpartition(".")[0], "recipe_not_compact", id="two"),
        pytest.param(
            lambda token: token.rpartition(".")[0] + ".", "recipe_not_compact", id="no signature"
        ),
        pytest.param(
            lambda token: "." + token.partition(".")[2], "recipe_not_compact", id="no header"
        ),
        pytest.param(lambda token: token + "é", "recipe_not_compact", id="not ASCII"),
        pytest.param(lambda token: "\ud800" + token, "recipe_not_compact", id="half a pair"),
        pytest.param(
            lambda token: token.replace(".", "=.", 1), "recipe_header_base64", id="padded header"
        ),
        pytest.param(lambda _: "x" * 10_000, "recipe_too_long", id="too long"),
        pytest.param(
            lambda token: f"{token.split('.')[0]}.{'A' * 4_096}.{token.split('.')[2]}",
            "recipe_too_long",
            id="more than KMS signs raw",
        ),
    ],
)
def test_what_is_no_such_token_at_all(article, verifier, mangle, code):
    assert refusal(verifier, mangle(article.token())) == code


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(claims(iat=NOW - 1, exp=NOW - 1 + 86_400), id="a second before the cut-off"),
        pytest.param(claims(iat=NOW - 86_429, exp=NOW - 29), id="within the leeway"),
        pytest.param(claims(iat=NOW - 1.5, exp=NOW + 5.5), id="fractions"),
        pytest.param(claims(jti="x", nbf=NOW - 1, scope="read"), id="claims of one's own"),
    ],
)
def test_what_the_article_could_have_made_is_let_in(article, verifier, made):
    assert verifier.verify(article.token(**made)).claims


def test_a_future_token_waits(keys, key_id, article):
    early = RecipeVerifier(keys, key_id=key_id, until=NOW * 2, clock=lambda: NOW - 200)

    assert refusal(early, article.token()) == "recipe_iat_ahead"


@pytest.mark.parametrize("until", [UNTIL, NOW, float(NOW), "2027-01-15T08:00:00Z"])
def test_the_cut_off_in_text_and_in_seconds(keys, key_id, article, until):
    verifier = RecipeVerifier(keys, key_id=key_id, until=until, clock=lambda: NOW)

    assert verifier.verify(article.token(claims={"iat": NOW - 1})).claims
    assert refusal(verifier, article.token(claims={"iat": NOW})) == "recipe_after_cut_off"


@pytest.mark.parametrize(
    "until",
    [
        "2027-01-15T08:00:00",
        "2027-01-15",
        "2027-01-15T08:00:00+01",
        "2027-01-15T08:00Z",
        "2027-02-30T08:00:00Z",
        "20270115T080000Z",
        "1800000000",
        "tomorrow",
        "",
        None,
        True,
        float("nan"),
        float("inf"),
        10**400,
    ],
)
def test_a_cut_off_without_an_offset_is_none(keys, key_id, until):
    with pytest.raises(ConfigError) as refused:
        RecipeVerifier(keys, key_id=key_id, until=until)

    assert refused.value.code == "recipe_until"


@pytest.mark.parametrize(
    "named", ["alias/auth", "auth", "", None, "arn:aws:kms:eu-central-1:111122223333:alias/auth"]
)
def test_the_key_is_named_by_id_or_arn(keys, named):
    with pytest.raises(ConfigError) as refused:
        RecipeVerifier(keys, key_id=named, until=UNTIL)

    assert refused.value.code == "recipe_key"


def test_an_article_whose_variable_held_the_arn(keys, key_arn, kms):
    by_arn = RecipeVerifier(keys, key_id=key_arn, until=UNTIL, clock=lambda: NOW)

    assert by_arn.verify(Article(kms, key_arn).token()).claims
    assert by_arn.verify(Article(kms, key_arn.rpartition("/")[2]).token()).claims


def test_kms_may_be_asked_each_time(kms, key_id, article):
    keys = KmsVerify(key_id, client=kms, kid="key-id")
    verifier = RecipeVerifier(keys, key_id=key_id, until=UNTIL, clock=lambda: NOW)

    assert verifier.verify(article.token()).claims
    assert refusal(verifier, article.token(spell=lambda _: base64.b64encode(bytes(256)))) == (
        "bad_signature"
    )


def test_not_knowing_is_not_a_refusal(article, key_id):
    kms = LocalKms()
    kms.faults.add("GetPublicKey", kind="throttle", times=None)
    keys = KmsKeys(key_id, client=kms, kid="key-id")
    verifier = RecipeVerifier(keys, key_id=key_id, until=UNTIL, clock=lambda: NOW)

    with pytest.raises(KmsThrottled):
        verifier.verify(article.token())


def test_a_key_bound_to_another_algorithm_is_a_wrong_setting(kms, key_id, article):
    keys = KmsKeys(key_id, client=kms, kid="key-id", alg="PS256")
    verifier = RecipeVerifier(keys, key_id=key_id, until=UNTIL, clock=lambda: NOW)

    with pytest.raises(ConfigError) as refused:
        verifier.verify(article.token())
    assert refused.value.code == "recipe_key_alg"


def test_a_jwks_that_names_the_key_by_its_id_will_do(keys, key_id, article):
    static = StaticKeys(keys.key_set())

    verifier = RecipeVerifier(static, key_id=key_id, until=UNTIL, clock=lambda: NOW)

    assert verifier.verify(article.token()).claims


def test_the_users_check_has_its_say(keys, key_id, article):
    def check(header, claims) -> Any:
        if claims["user_name"] == "ola":
            raise Forbidden("closed")
        return claims["user_name"] != "eve"

    verifier = RecipeVerifier(keys, key_id=key_id, until=UNTIL, check=check, clock=lambda: NOW)

    assert verifier.verify(article.token()).claims
    for name in ("ola", "eve"):
        assert refusal(verifier, article.token(claims={"user_name": name})) == "forbidden"


def respelled(token) -> Any:
    """Spell the signature the other way, as any holder of a token can."""
    signed, _, signature = token.rpartition(".")
    decoded = base64.urlsafe_b64decode(signature.replace("+", "-").replace("/", "_") + "==")
    standard = not set("+/=").isdisjoint(signature)
    return f"{signed}.{base64url(decoded) if standard else base64.b64encode(decoded).decode()}"


def test_a_strict_token_respelled_does_not_escape_iss_and_aud(article, verifier, strict):
    """The holder of a token for another service must not get in by spelling it anew."""
    foreign = article.token(
        claims={"iss": ISSUER, "aud": "billing", "sub": "ala", "jti": "1"}, spell=base64url
    )
    both = StrictOrRecipe(strict, verifier)

    assert refusal(both, foreign) == "wrong_audience"
    assert refusal(both, respelled(foreign)) == "recipe_iss"


def test_an_articles_token_respelled_does_not_escape_the_cut_off(article, verifier, strict):
    both = StrictOrRecipe(strict, verifier)
    late = article.token(claims={"iat": NOW + 1, "exp": NOW + 60})

    assert refusal(both, late) == "recipe_after_cut_off"
    assert refusal(both, respelled(late)) == "recipe_signature_base64url"


@settings(max_examples=60, deadline=None)
@given(
    members=st.dictionaries(
        st.sampled_from(["iss", "aud", "sub", "iat", "exp", "nbf", "jti"]),
        st.sampled_from([None, ISSUER, "orders", "x", 1, NOW - 1, NOW + 60, NOW * 1000, [], {}]),
    ),
    standard=st.booleans(),
)
def test_no_token_is_good_in_both_spellings(article, verifier, strict, members, standard):
    """What one verifier lets in, the other refuses, and the chooser lets in no third kind."""
    spell = base64.b64encode if standard else base64url
    token = article.token(claims=members, spell=spell)
    both = StrictOrRecipe(strict, verifier)

    let_in = [each for each in (verifier, strict) if passes(each, token)]

    assert len(let_in) <= 1
    assert passes(both, token) == bool(let_in)
    assert not (let_in and passes(both, respelled(token)))


def passes(verifier, token) -> Any:
    try:
        return bool(verifier.verify(token).claims)
    except TokenError:
        return False


@settings(max_examples=150, deadline=None)
@given(token=st.text() | st.from_regex(r"[\w-]{0,9}\.[\w-]{0,9}\.[\w+/=-]{0,9}", fullmatch=True))
def test_anything_else_is_refused_by_one_family_of_errors(verifier, token):
    assert not passes(verifier, token)
