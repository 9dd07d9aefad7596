"""Keys to publish, made by PyJWT, and eyes to see with that are not kmsjwt's."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm
from tests.jwks.servers import jwk

from kmsjwt import PublicKey
from kmsjwt.publish import Documents

if TYPE_CHECKING:
    from tests.publish.s3 import MemoryS3

ISSUER = "https://id.example/auth"
JWKS = "auth/.well-known/jwks.json"
OPENID = "auth/.well-known/openid-configuration"
OAUTH = ".well-known/oauth-authorization-server/auth"
ALL = (JWKS, OPENID, OAUTH)


@cache
def key(kid: str) -> PublicKey:
    """Return a P-256 key of that kid, always the same."""
    return PublicKey.from_jwk(jwk(kid))


def keys(*kids: str) -> list[PublicKey]:
    return [key(kid) for kid in kids]


@cache
def rsa_jwk(kid: str, alg: str = "RS256") -> dict[str, Any]:
    public = rsa.generate_private_key(65537, 2048).public_key()
    made = RSAAlgorithm.to_jwk(public, as_dict=True)
    return {**made, "kid": kid, "alg": alg, "use": "sig"}


@cache
def ed25519_jwk(kid: str) -> dict[str, Any]:
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    made = OKPAlgorithm.to_jwk(public, as_dict=True)
    return {**made, "kid": kid, "alg": "EdDSA", "use": "sig"}


def document(*jwks: dict[str, Any], **members: Any) -> bytes:
    return json.dumps({"keys": list(jwks), **members}).encode()


def published(s3: MemoryS3, path: str = JWKS) -> Any:
    """Return what is there as JSON; None if nothing is."""
    found = s3.object(path)
    return None if found is None else json.loads(found.body)


def kids(s3: MemoryS3, path: str = JWKS) -> set[str]:
    """Return the kids of the published keys that PyJWT can use."""
    found = s3.object(path)
    return set() if found is None else kids_in(found.body)


def kids_in(body: bytes) -> set[str]:
    """Return the kids of a JWKS that PyJWT can use; it raises if there is none."""
    return {str(each.key_id) for each in jwt.PyJWKSet.from_json(body.decode()).keys}


def steps(s3: MemoryS3) -> list[tuple[set[str], set[str]]]:
    """Return the kids before and after each write of the JWKS, whoever made it."""
    states: list[set[str]] = [set(), *(kids_in(state.body) for state in s3.states(JWKS))]
    return list(pairwise(states))


def no_pause(_seconds: float) -> None:
    """Let no time pass between two attempts."""


def documents() -> Documents:
    return Documents(ISSUER)
