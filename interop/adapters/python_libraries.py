"""Six Python libraries behind one line protocol; `interop.adapters` says what the lines are.

Each library is used as its own manual says, with its usual claim checks on. Whatever it raises is
its refusal.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import version
from typing import Any

import jwt as pyjwt
import oxyjwt
from authlib.jose import JsonWebKey, JsonWebToken
from jose import jwk as python_jose_jwk
from jose import jwt as python_jose_jwt
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jwt as jwcrypto_jwt

Question = dict[str, Any]


def pyjwt_verify(ask: Question) -> dict[str, Any]:
    key = pyjwt.PyJWK(ask["jwk"])
    return pyjwt.decode(
        ask["token"],
        key,
        algorithms=[ask["alg"]],
        issuer=ask["issuer"],
        audience=ask["audience"],
    )


def pyjwt_sign(ask: Question) -> str:
    headers = {"kid": ask["kid"]}
    return pyjwt.encode(ask["claims"], ask["pem"], algorithm=ask["alg"], headers=headers)


def oxyjwt_verify(ask: Question) -> dict[str, Any]:
    key = oxyjwt.DecodingKey.from_jwk(ask["jwk"])
    claims: dict[str, Any] = oxyjwt.decode(
        ask["token"],
        key,
        algorithms=[ask["alg"]],
        issuer=ask["issuer"],
        audience=ask["audience"],
    )
    return claims


def oxyjwt_sign(ask: Question) -> str:
    keys = oxyjwt.EncodingKey  # which reads no JWK
    from_pem = {"RSA": keys.from_rsa_pem, "EC": keys.from_ec_pem}
    key = from_pem.get(ask["jwk"]["kty"], keys.from_ed_pem)(ask["pem"])
    headers = {"kid": ask["kid"]}
    return oxyjwt.encode(ask["claims"], key, algorithm=ask["alg"], headers=headers)


def joserfc_verify(ask: Question) -> dict[str, Any]:
    keys = joserfc_jwk.KeySet.import_key_set({"keys": [ask["jwk"]]})
    token = joserfc_jwt.decode(ask["token"], keys, algorithms=[ask["alg"]])
    rules = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ask["issuer"]},
        aud={"essential": True, "value": ask["audience"]},
        exp={"essential": True},
    )
    rules.validate(token.claims)
    return token.claims


def joserfc_sign(ask: Question) -> str:
    key = joserfc_jwk.import_key(ask["jwk"])
    header = {"alg": ask["alg"], "kid": ask["kid"]}
    return joserfc_jwt.encode(header, ask["claims"], key, algorithms=[ask["alg"]])


def authlib_verify(ask: Question) -> dict[str, Any]:
    rules = {
        "iss": {"essential": True, "value": ask["issuer"]},
        "aud": {"essential": True, "value": ask["audience"]},
    }
    keys = JsonWebKey.import_key_set({"keys": [ask["jwk"]]})
    claims = JsonWebToken([ask["alg"]]).decode(ask["token"], keys, claims_options=rules)
    claims.validate()
    return dict(claims)


def authlib_sign(ask: Question) -> str:
    header = {"alg": ask["alg"], "kid": ask["kid"]}
    key = JsonWebKey.import_key(ask["jwk"])
    token: bytes = JsonWebToken([ask["alg"]]).encode(header, dict(ask["claims"]), key)
    return token.decode()


def jwcrypto_verify(ask: Question) -> dict[str, Any]:
    keys = jwcrypto_jwk.JWKSet.from_json(json.dumps({"keys": [ask["jwk"]]}))
    token = jwcrypto_jwt.JWT(
        jwt=ask["token"],
        key=keys,
        algs=[ask["alg"]],
        check_claims={"iss": ask["issuer"], "aud": ask["audience"], "exp": None},
    )
    claims: dict[str, Any] = json.loads(token.claims)
    return claims


def jwcrypto_sign(ask: Question) -> str:
    header = {"alg": ask["alg"], "kid": ask["kid"], "typ": "JWT"}  # it adds no typ by itself
    token = jwcrypto_jwt.JWT(header=header, claims=ask["claims"], algs=[ask["alg"]])
    token.make_signed_token(jwcrypto_jwk.JWK(**ask["jwk"]))
    return str(token.serialize())


def python_jose_verify(ask: Question) -> dict[str, Any]:
    claims: dict[str, Any] = python_jose_jwt.decode(
        ask["token"],
        {"keys": [ask["jwk"]]},
        algorithms=[ask["alg"]],
        issuer=ask["issuer"],
        audience=ask["audience"],
    )
    return claims


def python_jose_sign(ask: Question) -> str:
    key = python_jose_jwk.construct(ask["jwk"], ask["alg"])
    headers = {"kid": ask["kid"]}
    return str(python_jose_jwt.encode(ask["claims"], key, algorithm=ask["alg"], headers=headers))


LIBRARIES = {
    "PyJWT": (pyjwt_verify, pyjwt_sign),
    "oxyjwt": (oxyjwt_verify, oxyjwt_sign),
    "joserfc": (joserfc_verify, joserfc_sign),
    "Authlib": (authlib_verify, authlib_sign),
    "jwcrypto": (jwcrypto_verify, jwcrypto_sign),
    "python-jose": (python_jose_verify, python_jose_sign),
}


def answer(ask: Question) -> dict[str, Any]:
    if ask["op"] == "about":
        libraries = {name: version(name) for name in LIBRARIES}
        return {"ok": True, "runtime": platform.python_version(), "libraries": libraries}
    verify, sign = LIBRARIES[ask["library"]]
    try:
        if ask["op"] == "verify":
            return {"ok": True, "claims": verify(ask)}
        return {"ok": True, "token": sign(ask)}
    except Exception as error:  # noqa: BLE001  each library has errors of its own
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
