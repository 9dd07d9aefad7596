"""Tokens in any state: accepted or refused as said by libraries that are not ours, and by us."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import joserfc.errors
import jwt
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from kmsjwt import Verifier
from kmsjwt.errors import TokenError
from kmsjwt.handlers import authorizer
from kmsjwt.jwks import StaticKeys
from kmsjwt.testing import Clock, Gateway, Tokens

ISSUER, AUDIENCE = "https://id.example", "orders"
ALGS = ("ES256", "RS256", "Ed25519")
OURS = {
    "expired": "expired",
    "not_yet_valid": "not_yet_valid",
    "wrong_audience": "wrong_audience",
    "wrong_issuer": "wrong_issuer",
    "unknown_key": "unknown_key",
    "bad_signature": "bad_signature",
    "alg_none": "not_compact",  # without a signature it is none of the three parts
    "malformed": "not_compact",
}
PYJWT: dict[str, type[Exception]] = {
    "expired": jwt.ExpiredSignatureError,
    "not_yet_valid": jwt.ImmatureSignatureError,
    "wrong_audience": jwt.InvalidAudienceError,
    "wrong_issuer": jwt.InvalidIssuerError,
    "unknown_key": KeyError,
    "bad_signature": jwt.InvalidSignatureError,
    "alg_none": jwt.InvalidAlgorithmError,
    "malformed": jwt.DecodeError,
}
JOSERFC: dict[str, type[Exception]] = {
    "expired": joserfc.errors.ExpiredTokenError,
    "not_yet_valid": joserfc.errors.InvalidTokenError,
    "wrong_audience": joserfc.errors.InvalidClaimError,
    "wrong_issuer": joserfc.errors.InvalidClaimError,
    "unknown_key": joserfc.errors.InvalidKeyIdError,
    "bad_signature": joserfc.errors.BadSignatureError,
    "alg_none": joserfc.errors.UnsupportedAlgorithmError,
    "malformed": joserfc.errors.DecodeError,
}


@pytest.fixture(scope="session")
def tokens_of() -> Any:
    return {alg: Tokens(alg=alg) for alg in ALGS}


@pytest.fixture(params=ALGS)
def tokens(request, tokens_of) -> Any:
    return tokens_of[request.param]


def by_pyjwt(tokens, token) -> Any:
    keys = jwt.PyJWKSet.from_dict(tokens.jwks)
    kid = jwt.get_unverified_header(token)["kid"]
    return jwt.decode(token, keys[kid], algorithms=[tokens.alg], audience=AUDIENCE, issuer=ISSUER)


def by_joserfc(tokens, token) -> Any:
    keys = KeySet.import_key_set(tokens.jwks)
    read = joserfc_jwt.decode(token, keys, algorithms=[tokens.alg])
    joserfc_jwt.JWTClaimsRegistry(
        now=int(time.time()),
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
    ).validate(read.claims)
    return read.claims


def verifier(tokens, **settings) -> Any:
    expected = {"issuer": ISSUER, "audience": AUDIENCE, **settings}
    return Verifier(StaticKeys(tokens.jwks), **expected)


def test_the_table_is_of_every_bad_state():
    assert Tokens.BAD == tuple(OURS) == tuple(PYJWT) == tuple(JOSERFC)


def test_a_good_token_is_good_to_everybody(tokens):
    token = tokens.good(sub="ola", scope="orders:read")
    told = by_joserfc(tokens, token)
    assert (told["sub"], told["scope"]) == ("ola", "orders:read")
    assert dict(verifier(tokens).verify(token).claims) == told
    if tokens.alg != "Ed25519":  # PyJWT knows the name EdDSA only
        assert by_pyjwt(tokens, token) == told


@pytest.mark.parametrize("state", Tokens.BAD)
def test_a_bad_token_is_refused_by_us_for_that_reason(tokens, state):
    with pytest.raises(TokenError) as refused:
        verifier(tokens).verify(tokens.in_state(state))
    assert refused.value.code == OURS[state]


@pytest.mark.parametrize("state", Tokens.BAD)
def test_a_bad_token_is_refused_by_joserfc_for_that_reason(tokens, state):
    with pytest.raises(JOSERFC[state]) as refused:
        by_joserfc(tokens, tokens.in_state(state))
    assert type(refused.value) is JOSERFC[state]


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
@pytest.mark.parametrize("state", Tokens.BAD)
def test_a_bad_token_is_refused_by_pyjwt_for_that_reason(tokens_of, alg, state):
    with pytest.raises(PYJWT[state]) as refused:
        by_pyjwt(tokens_of[alg], tokens_of[alg].in_state(state))
    assert type(refused.value) is PYJWT[state]


FORGIVING: dict[str, dict[str, Any]] = {
    "expired": {"clock": lambda: time.time() - 3_700},
    "not_yet_valid": {"clock": lambda: time.time() + 3_700},
    "wrong_audience": {"audience": "orders-of-another"},
    "wrong_issuer": {"issuer": "https://id.example/another"},
}


@pytest.mark.parametrize("state", FORGIVING)
def test_nothing_else_is_wrong_with_it(tokens, state):
    token = tokens.in_state(state)
    assert verifier(tokens, **FORGIVING[state]).verify(token).claims["sub"] == "ala"


def test_a_token_of_an_unknown_key_is_well_signed(tokens):
    stranger = tokens.unknown_key()
    kid = jwt.get_unverified_header(stranger)["kid"]
    assert kid not in [key["kid"] for key in tokens.jwks["keys"]]
    assert jwt.get_unverified_header(tokens.unknown_key())["kid"] == kid


def test_only_the_claims_of_a_bad_signature_were_changed(tokens):
    token = tokens.bad_signature(sub="admin")
    assert jwt.decode(token, options={"verify_signature": False})["sub"] == "admin"
    assert jwt.get_unverified_header(token)["kid"] == tokens.kid


def test_an_unsecured_token_ends_with_a_dot(tokens):
    token = tokens.alg_none()
    assert token.endswith(".")
    assert jwt.get_unverified_header(token)["alg"] == "none"


@pytest.mark.parametrize("state", ["good", *Tokens.BAD])
def test_every_state_takes_claims_and_leaves_out_those_that_are_none(tokens, state):
    token = tokens.in_state(state, tenant="t1", jti=None)
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["tenant"] == "t1"
    assert "jti" not in claims


def test_two_tokens_are_two():
    tokens = Tokens()
    jtis = {
        jwt.decode(tokens.good(), options={"verify_signature": False})["jti"] for _ in range(10)
    }
    assert len(jtis) == 10
    assert Tokens().kid != tokens.kid


def test_time_is_the_clock_s():
    clock = Clock(1_800_000_000)
    tokens = Tokens(lifetime=60, clock=clock, typ="at+jwt")
    claims = jwt.decode(tokens.good(), options={"verify_signature": False})
    assert (claims["iat"], claims["exp"]) == (1_800_000_000, 1_800_000_060)
    clock.advance(91)
    with pytest.raises(TokenError) as late:
        verifier(tokens, clock=clock, typ="at+jwt").verify(tokens.good(exp=1_800_000_060))
    assert late.value.code == "expired"


def test_several_audiences():
    tokens = Tokens(audience=["billing", AUDIENCE])
    assert verifier(tokens).verify(tokens.good())
    with pytest.raises(TokenError):
        verifier(tokens).verify(tokens.wrong_audience())


def test_the_kid_is_the_thumbprint_of_rfc_7638(tokens):
    from jwcrypto.jwk import JWK

    assert JWK(**{k: v for k, v in tokens.jwks["keys"][0].items() if k != "kid"}).thumbprint() == (
        tokens.kid
    )


def test_the_jwks_is_public_and_one_s_own(tokens):
    tokens.jwks["keys"][0].clear()
    key = tokens.jwks["keys"][0]
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
    assert (key["alg"], key["use"]) == (tokens.alg, "sig")


def test_the_ready_made_authorizer_reads_the_file(tmp_path):
    tokens = Tokens()
    path = tokens.write_jwks(tmp_path / "jwks.json")
    environ = {
        "KMSJWT_JWKS": str(path),
        "KMSJWT_ISSUER": tokens.issuer,
        "KMSJWT_AUDIENCE": AUDIENCE,
    }
    gateway = Gateway(authorizer.build(environ=environ, log=lambda *_, **__: None))
    for state in ("good", *Tokens.BAD):
        headers = {"Authorization": f"Bearer {tokens.in_state(state)}"}
        status = gateway.request("GET", "/orders", headers=headers).status
        assert status == (200 if state == "good" else 401), state


def test_what_there_is_not():
    with pytest.raises(ValueError, match="alg is 'HS256', expected one of ES256, RS256, Ed25519"):
        Tokens(alg="HS256")
    with pytest.raises(ValueError, match="state is 'jwks', expected good, expired"):
        Tokens().in_state("jwks")


def test_a_repr_shows_no_key():
    shown = repr(Tokens(alg="Ed25519"))
    assert shown == "Tokens(issuer='https://id.example', audience='orders', alg='Ed25519')"
    assert repr(Clock(5.0)) == "Clock(5.0)"
