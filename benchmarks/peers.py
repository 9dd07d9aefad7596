"""The other libraries, each set up as strictly as it lets itself be.

Keys are read beforehand wherever a library allows that: what is timed is the token alone.
"""

from __future__ import annotations

import json
import warnings
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmarks.harness import Contender, one_by_one
from benchmarks.work import AUDIENCE, ISSUER, TYP, Work

if TYPE_CHECKING:
    from collections.abc import Callable

PYJWT = "PyJWT, key in hand"
PYJWT_KID = "PyJWT, kid look-up"
JOSERFC = "joserfc, key in hand"

_LEEWAY = 30
_REQUIRED = ("iss", "aud", "exp", "nbf", "iat")


def pyjwt(work: Work) -> list[Contender]:
    import jwt

    in_hand = jwt.PyJWK(work.key.jwk())
    key_set = jwt.PyJWKSet.from_dict(work.jwks())
    decode = partial(_decode_strictly, jwt.decode, [work.alg])

    def look_up_and_check(token: str) -> None:
        # As PyJWKClient does, without its own cache in front.
        decode(token, key_set[jwt.get_unverified_header(token)["kid"]])

    return [
        Contender(PYJWT, one_by_one(lambda token: decode(token, in_hand))),
        Contender(PYJWT_KID, one_by_one(look_up_and_check)),
    ]


def oxyjwt(work: Work) -> list[Contender]:
    oxy = import_module("oxyjwt")

    key = oxy.DecodingKey.from_jwk(work.key.jwk())
    decode = partial(_decode_strictly, partial(oxy.decode, typ=TYP), [work.alg])
    return [Contender("oxyjwt, key in hand", one_by_one(lambda token: decode(token, key)))]


def _decode_strictly(
    decode: Callable[..., Any], algorithms: list[str], token: str, key: object
) -> None:
    decode(
        token,
        key,
        algorithms,
        {"require": _REQUIRED, "strict_aud": True},
        audience=AUDIENCE,
        issuer=ISSUER,
        leeway=_LEEWAY,
    )


def joserfc(work: Work) -> list[Contender]:
    from joserfc import jwk, jwt

    warnings.filterwarnings("ignore", message="EdDSA is deprecated")
    registry = jwt.JWTClaimsRegistry(
        leeway=_LEEWAY,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
        nbf={"essential": True},
        iat={"essential": True},
    )
    algorithms = [work.alg]

    def check(key: Any, token: str) -> None:
        registry.validate(jwt.decode(token, key, algorithms).claims)

    jwks: Any = work.jwks()
    in_hand = jwk.import_key(jwks["keys"][0])
    key_set = jwk.KeySet.import_key_set(jwks)
    return [
        Contender(JOSERFC, one_by_one(partial(check, in_hand))),
        Contender("joserfc, key set", one_by_one(partial(check, key_set))),
    ]


def authlib(work: Work) -> list[Contender]:
    with warnings.catch_warnings(record=True):  # it points to joserfc, whatever filter is set
        jose = import_module("authlib.jose")

    key = jose.JsonWebKey.import_key(work.key.jwk())
    decoder = jose.JsonWebToken([work.alg])
    options: dict[str, dict[str, Any]] = {name: {"essential": True} for name in _REQUIRED}
    options["iss"]["value"] = ISSUER
    options["aud"]["value"] = AUDIENCE

    def check(token: str) -> None:
        decoder.decode(token, key, claims_options=options).validate(leeway=_LEEWAY)

    return [Contender("Authlib, key in hand", one_by_one(check))]


def python_jose(work: Work) -> list[Contender]:
    if work.alg[:2] not in {"RS", "ES"}:
        return []
    jwt = import_module("jose.jwt")
    key = import_module("jose.jwk").construct(work.key.jwk(), work.alg)
    options = {"leeway": _LEEWAY, **{f"require_{name}": True for name in _REQUIRED}}

    def check(token: str) -> None:
        jwt.decode(token, key, work.alg, options, audience=AUDIENCE, issuer=ISSUER)

    return [Contender("python-jose, key in hand", one_by_one(check))]


def jwcrypto(work: Work) -> list[Contender]:
    from jwcrypto import jwk, jwt

    key = jwk.JWK(**work.key.jwk())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": None, "nbf": None, "iat": None}

    def check(token: str) -> None:
        checked = jwt.JWT(jwt=token, key=key, algs=[work.alg], check_claims=claims)
        json.loads(checked.claims)

    return [Contender("jwcrypto, key in hand", one_by_one(check))]


PEERS = (pyjwt, oxyjwt, joserfc, authlib, python_jose, jwcrypto)
