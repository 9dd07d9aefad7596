"""The work that is measured: access tokens of 600 to 900 bytes, and forgeries none may accept.

Made with ``cryptography`` alone, so that no contender checks its own handiwork.
"""

from __future__ import annotations

import base64
import json
import random
import time
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://tokens.example.com"
AUDIENCE = "https://orders.example.com"
TYP = "at+jwt"
TOKENS = 128
"""Different tokens taken in turn, so that no memory of the last one helps."""

_HOUR = 3600
_CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1}
_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384()}


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair of one JOSE algorithm."""

    alg: str
    kid: str
    private: Any

    @property
    def public(self) -> Any:
        return self.private.public_key()

    def pem(self) -> str:
        spki = PublicFormat.SubjectPublicKeyInfo
        return str(self.public.public_bytes(Encoding.PEM, spki).decode())

    def jwk(self) -> dict[str, str]:
        return {**_members(self.public), "kid": self.kid, "alg": self.alg, "use": "sig"}

    def sign(self, data: bytes) -> bytes:
        """Return the signature in JOSE form (RFC 7518 section 3)."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            width = (self.private.key_size + 7) // 8
            der = self.private.sign(data, ec.ECDSA(self.hash))
            r, s = decode_dss_signature(der)
            return r.to_bytes(width, "big") + s.to_bytes(width, "big")
        return bytes(self.private.sign(data, self.padding, self.hash))

    @property
    def hash(self) -> Any:
        return _HASHES[self.alg[2:]]

    @property
    def padding(self) -> Any:
        if self.alg.startswith("PS"):
            return padding.PSS(padding.MGF1(self.hash), self.hash.digest_size)
        return padding.PKCS1v15()


@dataclass(frozen=True, slots=True)
class Work:
    """What a contender is given: a key, good tokens, and forgeries by what is wrong with them."""

    key: Key
    tokens: list[str]
    forgeries: dict[str, str]

    @property
    def alg(self) -> str:
        return self.key.alg

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        return {"keys": [self.key.jwk()]}


@cache
def work(alg: str) -> Work:
    """Return the work of one algorithm, the same each time."""
    key = new_key(alg)
    return Work(key, [token(key) for _ in range(TOKENS)], _forgeries(key))


def new_key(alg: str) -> Key:
    """Make a key under a ``kid`` such as a thumbprint."""
    kid = segment(random.randbytes(32))
    if alg in _CURVES:
        return Key(alg, kid, ec.generate_private_key(_CURVES[alg]()))
    if alg == "EdDSA":
        return Key(alg, kid, ed25519.Ed25519PrivateKey.generate())
    return Key(alg, kid, rsa.generate_private_key(public_exponent=65537, key_size=2048))


def token(key: Key, *, typ: str = TYP, **changes: object) -> str:
    """Sign an access token; a claim changed to None is left out."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": f"user-{random.randrange(10**8):08}",
        "client_id": "orders-web-client",
        "scope": "orders:read orders:write",
        "jti": str(uuid.uuid4()),
        "iat": now - 5,
        "nbf": now - 5,
        "exp": now + 12 * _HOUR,
        "tenant": f"t-{random.randrange(10_000):04}",
        "roles": ["customer", "beta"],
        "token_use": "access",
    }
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    header = {"alg": key.alg, "kid": key.kid, "typ": typ}
    signed = f"{_json_segment(header)}.{_json_segment(claims)}"
    return f"{signed}.{segment(key.sign(signed.encode()))}"


def signed_parts(compact: str) -> tuple[bytes, bytes]:
    """Return signature and signing input of a token, ready to be checked."""
    signed, _, signature = compact.rpartition(".")
    return base64.urlsafe_b64decode(signature + "=="), signed.encode()


def segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _forgeries(key: Key) -> dict[str, str]:
    now = int(time.time())
    good = token(key)
    header, payload, signature = good.split(".")
    _, others_payload, _ = token(key, sub="admin").split(".")
    return {
        "signature": f"{header}.{payload}.{_flipped(signature)}",
        "payload": f"{header}.{others_payload}.{signature}",
        "aud": token(key, aud="https://billing.example.com"),
        "iss": token(key, iss="https://staging.example.com"),
        "exp": token(key, iat=now - 3 * _HOUR, nbf=now - 3 * _HOUR, exp=now - 2 * _HOUR),
        "no exp": token(key, exp=None),
        "nbf": token(key, nbf=now + _HOUR),
        "iat": token(key, iat=now + _HOUR),
        "typ": token(key, typ="logout+jwt"),
    }


def _flipped(signature: str) -> str:
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[len(raw) // 3] ^= 1
    return segment(bytes(raw))


def _members(public: Any) -> dict[str, str]:
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": _uint(numbers.n), "e": _uint(numbers.e)}
    if isinstance(public, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": segment(public.public_bytes_raw())}
    width = (public.key_size + 7) // 8
    point = public.public_numbers()
    x, y = (segment(number.to_bytes(width, "big")) for number in (point.x, point.y))
    return {"kty": "EC", "crv": f"P-{public.key_size}", "x": x, "y": y}


def _uint(number: int) -> str:
    return segment(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _json_segment(value: object) -> str:
    return segment(json.dumps(value, separators=(",", ":")).encode())
