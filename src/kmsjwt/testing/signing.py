"""Key pairs for test tokens: made, named and used by `cryptography` alone."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Made = tuple[Callable[[bytes], bytes], dict[str, str]]

_P256_BYTES = 32


class KeyPair:
    """A private key that signs for one algorithm, and its public JWK."""

    __slots__ = ("_sign", "alg", "jwk", "kid")

    def __init__(self, alg: str) -> None:
        """Make a key for ``ES256``, ``RS256`` or ``Ed25519``.

        Raises:
            ConfigError: it is for another algorithm.
        """
        if alg not in _MAKERS:
            raise ConfigError(f"alg is {alg!r}, expected one of {', '.join(_MAKERS)}")
        self._sign, members = _MAKERS[alg]()
        self.alg = alg
        self.kid = thumbprint(members)
        self.jwk = {**members, "kid": self.kid, "alg": alg, "use": "sig"}

    def sign(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        """Return the token in compact form."""
        signed = f"{segment(header)}.{segment(claims)}"
        return f"{signed}.{base64url(self._sign(signed.encode('ascii')))}"


def thumbprint(members: Mapping[str, str]) -> str:
    """Return the SHA-256 thumbprint of a public JWK's required members (RFC 7638 section 3)."""
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(canonical.encode("ascii")).digest())


def segment(value: Mapping[str, Any]) -> str:
    """Return a JSON object as one part of a token."""
    return base64url(json.dumps(value, separators=(",", ":")).encode("utf-8"))


def base64url(octets: bytes) -> str:
    """Encode without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _es256() -> Made:
    key = ec.generate_private_key(ec.SECP256R1())

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
        return _fixed(r) + _fixed(s)  # RFC 7518 section 3.4

    point = key.public_key().public_numbers()
    members = {"kty": "EC", "crv": "P-256"}
    return sign, {**members, "x": base64url(_fixed(point.x)), "y": base64url(_fixed(point.y))}


def _rs256() -> Made:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    numbers = key.public_key().public_numbers()
    n = numbers.n.to_bytes(256, "big")
    return (
        lambda message: key.sign(message, padding.PKCS1v15(), SHA256()),
        {"kty": "RSA", "n": base64url(n), "e": base64url(b"\x01\x00\x01")},
    )


def _ed25519() -> Made:
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    return key.sign, {"kty": "OKP", "crv": "Ed25519", "x": base64url(public)}


def _fixed(number: int) -> bytes:
    return number.to_bytes(_P256_BYTES, "big")


_MAKERS: dict[str, Callable[[], Made]] = {"ES256": _es256, "RS256": _rs256, "Ed25519": _ed25519}
