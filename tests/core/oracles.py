"""Three JOSE libraries that are not ours, brought to one shape. Each raises to refuse.

They look at the signature alone: the tests' clock is not the machine's, so claims are left to the
verifier under test. tests/interop has the whole comparison, claim checks and all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk as joserfc_jwk
from joserfc import jws as joserfc_jws
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from tests.interop.known import READS

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[str, dict[str, str]], dict[str, Any]]


def _pyjwt(token: str, jwk: dict[str, str]) -> dict[str, Any]:
    key = jwt.PyJWK(jwk)
    return dict(json.loads(jwt.PyJWS().decode(token, key, algorithms=[jwk["alg"]])))


def _joserfc(token: str, jwk: dict[str, str]) -> dict[str, Any]:
    read = joserfc_jws.deserialize_compact(token, joserfc_key(jwk), algorithms=[jwk["alg"]])
    return dict(json.loads(read.payload))


def _jwcrypto(token: str, jwk: dict[str, str]) -> dict[str, Any]:
    read = JWS()
    read.allowed_algs = [jwk["alg"]]
    read.deserialize(token, JWK(**jwk))
    return dict(json.loads(read.payload))


READ: dict[str, Read] = {"PyJWT": _pyjwt, "joserfc": _joserfc, "jwcrypto": _jwcrypto}
SPEAKS = {library: READS[library] for library in READ}


def joserfc_key(jwk: dict[str, str]) -> Any:
    return joserfc_jwk.import_key(dict(jwk))


def public_pem(public: Any) -> bytes:
    return bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
