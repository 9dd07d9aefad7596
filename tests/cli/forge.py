"""Tokens as other people's code makes them, right and wrong; nothing of ours is used."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = 1_800_000_000
HEADER = {"alg": "RS256", "kid": "k1", "typ": "JWT"}
CLAIMS = {"iss": "https://id.example", "sub": "ala", "aud": "orders", "iat": NOW, "exp": NOW + 900}


def rsa_key() -> Any:
    return rsa.generate_private_key(65537, 2048)


def ec_key() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


def ed_key() -> Any:
    return ed25519.Ed25519PrivateKey.generate()


def b64url(data) -> Any:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value) -> Any:
    return b64url(value if isinstance(value, bytes) else json.dumps(value).encode())


def signing_input(header=None, claims=None) -> Any:
    return (
        f"{segment({**HEADER, **(header or {})})}.{segment(CLAIMS if claims is None else claims)}"
    )


def without(mapping, *names) -> Any:
    return {name: value for name, value in mapping.items() if name not in names}


def rs256(key, signed, *, data=None) -> Any:
    message = signed.encode() if data is None else data
    return key.sign(message, padding.PKCS1v15(), SHA256())


def ps256(key, signed, *, salt=32) -> Any:
    return key.sign(signed.encode(), padding.PSS(padding.MGF1(SHA256()), salt), SHA256())


def es256_der(key, signed, *, data=None) -> Any:
    return key.sign(signed.encode() if data is None else data, ec.ECDSA(SHA256()))


def es256(key, signed, *, data=None) -> Any:
    r, s = decode_dss_signature(es256_der(key, signed, data=data))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def rs512(key, signed) -> Any:
    return key.sign(signed.encode(), padding.PKCS1v15(), SHA512())


def digest(signed) -> Any:
    return hashlib.sha256(signed.encode()).digest()


def hs256(secret, signed) -> Any:
    return hmac.new(secret, signed.encode(), hashlib.sha256).digest()


def pem(key) -> Any:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def good(key, header=None, claims=None) -> Any:
    signed = signing_input(header, claims)
    return f"{signed}.{b64url(rs256(key, signed))}"


def jwk(key, kid="k1", alg=None) -> Any:
    public = key.public_key() if hasattr(key, "public_key") else key
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        n = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
        return {"kty": "RSA", "n": b64url(n), "e": "AQAB", "alg": alg or "RS256", "kid": kid}
    if isinstance(public, ec.EllipticCurvePublicKey):
        point = public.public_numbers()
        x, y = (value.to_bytes(32, "big") for value in (point.x, point.y))
        return {"kty": "EC", "crv": "P-256", "x": b64url(x), "y": b64url(y), "kid": kid}
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url(raw), "kid": kid}


def jwks(*jwks_) -> Any:
    return {"keys": list(jwks_)}
