"""Mistakes in asking for a token, and in tokens."""

from __future__ import annotations

import base64
import json
import time

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from tests.kms.support import b64
from tests.mistakes.table import mistake
from tests.mistakes.world import ISS, World

from kmsjwt import ConfigError, errors


@mistake(errors.ClaimsRefused, "lifetime", "lifetime is 86401", "expected 1 to 86400 s")
def lifetime_too_long(world: World) -> object:
    return world.issue(lifetime=86_401)


@mistake(errors.ClaimsRefused, "lifetime", "lifetime is '15m'", "expected 1 to 86400 s")
def lifetime_as_text(world: World) -> object:
    return world.issue(lifetime="15m")


@mistake(errors.ClaimsRefused, "claims_reserved", "names exp, iss", "parameters of their own")
def claims_that_name_iss(world: World) -> object:
    return world.issue(claims={"iss": "me", "exp": 1})


@mistake(errors.ClaimsRefused, "claims_json", "the claims hold what JSON cannot say", "NaN")
def nan_in_the_claims(world: World) -> object:
    return world.issue(claims={"score": float("nan")})


@mistake(errors.ClaimsRefused, "too_long", "expected at most 8192", "put less into the claims")
def too_many_claims(world: World) -> object:
    return world.issue(claims={"roles": ["administrator"] * 1000})


@mistake(errors.ClaimsRefused, "claim_type", "aud is ''", "expected a string or a list")
def empty_audience(world: World) -> object:
    return world.issue(aud="")


# --- verifying ---


@mistake(errors.WrongAudience, "wrong_audience", "aud is 'orders'", "expected 'billing'")
def wrong_audience(world: World) -> object:
    return world.verify(world.token, audience="billing")


@mistake(errors.WrongIssuer, "wrong_issuer", "iss is 'https://id.example'", "example/'")
def an_issuer_with_one_slash_more(world: World) -> object:
    return world.verify(world.token, issuer=ISS + "/")


@mistake(errors.MissingClaim, "missing_claim", "aud is missing")
def a_token_without_audience(world: World) -> object:
    token = world.forge()
    head, body, _ = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    del claims["aud"]
    signed = f"{head}.{b64(json.dumps(claims).encode())}"
    value = world.signer.current().sign(signed.encode()).value
    return world.verify(f"{signed}.{b64(value)}")


@mistake(errors.Expired, "expired", "exp passed", "ago")
def expired(world: World) -> object:
    return world.verify(world.token, clock=lambda: time.time() + 1000)


@mistake(errors.NotYetValid, "not_yet_valid", "iat lies", "ahead")
def a_clock_that_is_slow(world: World) -> object:
    return world.verify(world.token, clock=lambda: time.time() - 1000)


@mistake(errors.LifetimeTooLong, "lifetime_too_long", "at most 86400 s", "not milliseconds")
def milliseconds_in_exp(world: World) -> object:
    return world.verify(world.forge(exp=int(time.time() * 1000)))


@mistake(errors.WrongType, "wrong_type", "typ is None", "expected at+jwt or jwt")
def a_token_without_typ(world: World) -> object:
    return world.verify(world.forge({"typ": None}))


@mistake(errors.MalformedToken, "signature_base64", "standard base64", "expected base64url")
def standard_base64(world: World) -> object:
    return world.verify(world.with_signature(base64.b64encode(world.signature).decode()))


@mistake(errors.BadSignature, "signature_length", "bytes, expected 64 for ES256")
def a_signature_left_in_der(world: World) -> object:
    r, s = (int.from_bytes(half, "big") for half in (world.signature[:32], world.signature[32:]))
    return world.verify(world.with_signature(b64(encode_dss_signature(r, s))))


@mistake(errors.BadSignature, "bad_signature", "the ES256 signature does not verify")
def one_bit_flipped(world: World) -> object:
    value = bytes([world.signature[0] ^ 1]) + world.signature[1:]
    return world.verify(world.with_signature(b64(value)))


@mistake(errors.UnknownKey, "unknown_key", "kid is 'arn:aws:kms", "none of the 1 trusted keys")
def kid_is_an_arn(world: World) -> object:
    return world.verify(world.forge({"kid": world.arn}))


@mistake(errors.AlgorithmNotAllowed, "algorithm_not_allowed", "alg is 'none'", "expected ES256")
def alg_none(world: World) -> object:
    return world.verify(world.forge({"alg": "none"}))


@mistake(errors.AlgorithmNotAllowed, "algorithm_not_allowed", "alg is 'HS256'", "expected ES256")
def alg_hs256(world: World) -> object:
    return world.verify(world.forge({"alg": "HS256"}))


@mistake(errors.MalformedToken, "too_long", "characters, at most 16384")
def a_token_of_1_mb(world: World) -> object:
    return world.verify(world.token + "A" * 1_000_000)


@mistake(errors.MalformedToken, "not_text", "of type bytes, expected str")
def a_token_in_bytes(world: World) -> object:
    return world.verify(world.token.encode())


@mistake(errors.MalformedToken, "not_compact", "the token is empty", "header.payload.signature")
def an_empty_token(world: World) -> object:
    return world.verify("")


@mistake(ConfigError, "verifier", "issuer is ''", "audience is None", "or ANY")
def nothing_demanded(world: World) -> object:
    return world.verifier(issuer="", audience=None)
