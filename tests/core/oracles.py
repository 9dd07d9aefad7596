"""Three JOSE libraries that are not ours, brought to one shape. Each raises to refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jwt as jwcrypto_jwt

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[str, dict[str, str]], dict[str, Any]]
    Make = Callable[[dict[str, Any], dict[str, Any], Any], str]

_CLASSIC = (
    "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 ES256K".split()  # noqa: SIM905
)
SPEAKS = {
    "PyJWT": (*_CLASSIC, "EdDSA"),
    "joserfc": (*_CLASSIC, "EdDSA", "Ed25519"),
    "jwcrypto": (*_CLASSIC, "EdDSA", "Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"),
}


def pem(private: Any) -> bytes:
    return bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def public_pem(public: Any) -> bytes:
    return bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _pyjwt_read(token: str, jwk: dict[str, str]) -> dict[str, Any]:
    key = jwt.PyJWK(jwk, jwk["alg"])
    # The tests' clock is not the machine's, so the times are left to the verifier under test.
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    return dict(jwt.decode(token, key.key, algorithms=[jwk["alg"]], options=options))


def _joserfc_read(token: str, jwk: dict[str, str]) -> dict[str, Any]:
    return dict(joserfc_jwt.decode(token, joserfc_key(jwk), algorithms=[jwk["alg"]]).claims)


def _jwcrypto_read(token: str, jwk: dict[str, str]) -> dict[str, Any]:
    read = jwcrypto_jwt.JWT(algs=[jwk["alg"]], check_claims={})
    read.validity = 10**9
    read.leeway = 10**9
    read.deserialize(token, jwcrypto_jwk.JWK(**jwk))
    return dict(json.loads(read.claims))


def _pyjwt_make(header: dict[str, Any], claims: dict[str, Any], private: Any) -> str:
    return jwt.encode(claims, private, algorithm=header["alg"], headers=header)


def _joserfc_make(header: dict[str, Any], claims: dict[str, Any], private: Any) -> str:
    kind = {"E": "EC", "R": "RSA", "P": "RSA"}[header["alg"][0]]
    if header["alg"] in ("EdDSA", "Ed25519"):
        kind = "OKP"
    key = joserfc_jwk.import_key(pem(private), kind)  # type: ignore[call-overload]
    return joserfc_jwt.encode(header, claims, key, algorithms=[header["alg"]])


def _jwcrypto_make(header: dict[str, Any], claims: dict[str, Any], private: Any) -> str:
    made = jwcrypto_jwt.JWT(header=header, claims=claims, algs=[header["alg"]])
    made.make_signed_token(jwcrypto_jwk.JWK.from_pyca(private))
    return str(made.serialize())


def joserfc_key(jwk: dict[str, str]) -> Any:
    return joserfc_jwk.import_key(dict(jwk))


READ: dict[str, Read] = {
    "PyJWT": _pyjwt_read,
    "joserfc": _joserfc_read,
    "jwcrypto": _jwcrypto_read,
}
MAKE: dict[str, Make] = {
    "PyJWT": _pyjwt_make,
    "joserfc": _joserfc_make,
    "jwcrypto": _jwcrypto_make,
}
PAIRS = [(library, alg) for library, algs in SPEAKS.items() for alg in algs]
