"""What the core's tests share: keys, a signer that holds one, and a forge for odd tokens.

Nothing here uses kmsjwt to encode or to sign, so that the two sides stay independent.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from kmsjwt import Issuer, PublicKey, Verifier
from kmsjwt.algorithms import ALGORITHMS, Algorithm
from kmsjwt.issuer import Signature
from kmsjwt.jwks import StaticKeys

ISS = "https://id.example"
AUD = "orders"
NOW = 1_790_000_000
ALGS = tuple(ALGORITHMS)

_HASHES: dict[str, Any] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: dict[str, Any] = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
    "ES256K": ec.SECP256K1(),
}
_ML_DSA: dict[str, Any] = {
    "ML-DSA-44": mldsa.MLDSA44PrivateKey,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey,
}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def dumps(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@cache
def rsa_key(bits: int, which: str = "ours") -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def private_key(alg: str, which: str = "ours") -> Any:
    """Return the one key of that algorithm; another ``which`` is another key."""
    if alg.startswith(("RS", "PS")):
        return rsa_key(2048, which)
    if alg in _CURVES:
        return ec.generate_private_key(_CURVES[alg])
    if alg in _ML_DSA:
        return _ML_DSA[alg].generate()
    return ed25519.Ed25519PrivateKey.generate()


def hash_of(alg: str) -> Any:
    return _HASHES[alg[2:5]]


def coordinate_width(alg: str) -> int:
    return (int(_CURVES[alg].key_size) + 7) // 8


def jose_sign(private: Any, alg: str, data: bytes) -> bytes:
    """Sign as RFC 7518, 8037 and 9964 say, by `cryptography` alone."""
    if alg.startswith("RS"):
        return bytes(private.sign(data, padding.PKCS1v15(), hash_of(alg)))
    if alg.startswith("PS"):
        digest = hash_of(alg)
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return bytes(private.sign(data, pss, digest))
    if alg.startswith("ES"):
        r, s = decode_dss_signature(private.sign(data, ec.ECDSA(hash_of(alg))))
        width = coordinate_width(alg)
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")
    return bytes(private.sign(data))


class HeldKey:
    """A `SigningKey` and `Signer` whose private key is in memory."""

    def __init__(self, alg: str, private: Any = None, kid: str | None = None) -> None:
        self.private = private or private_key(alg)
        self.public = PublicKey(self.private.public_key(), alg, kid=kid)
        self.signed: list[bytes] = []

    @property
    def kid(self) -> str:
        return self.public.kid

    @property
    def alg(self) -> Algorithm:
        return self.public.alg

    def current(self) -> HeldKey:
        return self

    def sign(self, signing_input: bytes) -> Signature:
        self.signed.append(signing_input)
        return Signature(jose_sign(self.private, self.alg.name, signing_input), "req-1")


@cache
def held(alg: str) -> HeldKey:
    return HeldKey(alg)


def issuer(alg: str = "Ed25519", **options: Any) -> Issuer:
    return Issuer(ISS, options.pop("signer", None) or held(alg), clock=lambda: NOW, **options)


def verifier(alg: str = "Ed25519", **options: Any) -> Verifier:
    settings: dict[str, Any] = {"issuer": ISS, "audience": AUD, "clock": lambda: NOW, **options}
    keys = settings.pop("keys", None) or StaticKeys([held(alg).public])
    return Verifier(keys, **settings)


class Forge:
    """Makes any token at all, signed with the trusted key unless told otherwise."""

    def __init__(self, alg: str) -> None:
        self.alg = alg
        self.key = held(alg)
        self.good = self.token()

    def header(self, **members: Any) -> dict[str, Any]:
        return {"alg": self.alg, "kid": self.key.kid, "typ": "JWT", **members}

    def claims(self, **members: Any) -> dict[str, Any]:
        return {
            "iss": ISS,
            "sub": "ala",
            "aud": AUD,
            "exp": NOW + 600,
            "iat": NOW,
            "jti": "6f0c2b",
            **members,
        }

    def token(
        self,
        header: dict[str, Any] | bytes | None = None,
        claims: dict[str, Any] | bytes | None = None,
        *,
        private: Any = None,
    ) -> str:
        head = self.header() if header is None else header
        body = self.claims() if claims is None else claims
        return self.sealed(b64(_raw(head)), b64(_raw(body)), private=private)

    def sealed(self, header: str, payload: str, *, private: Any = None) -> str:
        """Sign two segments as they are written."""
        signed = f"{header}.{payload}"
        signature = jose_sign(private or self.key.private, self.alg, signed.encode())
        return f"{signed}.{b64(signature)}"

    def with_signature(self, signature: bytes) -> str:
        return f"{self.signing_input}.{b64(signature)}"

    @property
    def signing_input(self) -> str:
        return self.good.rpartition(".")[0]

    @property
    def signature(self) -> bytes:
        return unb64(self.good.rpartition(".")[2])

    @property
    def segments(self) -> list[str]:
        return self.good.split(".")

    def replaced(self, position: int, text: str) -> str:
        parts = self.segments
        parts[position] = text
        return ".".join(parts)


def _raw(value: dict[str, Any] | bytes) -> bytes:
    return value if isinstance(value, bytes) else dumps(value)


@cache
def forge(alg: str) -> Forge:
    return Forge(alg)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)
