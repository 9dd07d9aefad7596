"""Key pairs that are the same in every run, so that an input means the same in every run.

They protect nothing: anybody can compute them from the lines below.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha512
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from fuzz.reference import b64

_CURVES = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
    "ES256K": ec.SECP256K1(),
}
_JWK_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "ES256K": "secp256k1"}
ALGS = ("Ed25519", "ES256", "RS256", "ES384", "ES512", "ES256K", "ML-DSA-44")


@cache
def private_key(alg: str, which: str = "ours") -> Any:
    """Return the one private key of that algorithm; another ``which`` is another key."""
    seed = sha512(f"kmsjwt fuzz {alg} {which}".encode()).digest()[:32]
    if alg == "Ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    if alg == "ML-DSA-44":
        return mldsa.MLDSA44PrivateKey.from_seed_bytes(seed)
    if alg == "RS256":
        return _rsa()
    return ec.derive_private_key(int.from_bytes(seed, "big") >> 1, _CURVES[alg])


def sign(alg: str, data: bytes, which: str = "ours") -> bytes:
    """Return a signature in JOSE form, the same for the same data."""
    private = private_key(alg, which)
    if alg == "RS256":
        return bytes(private.sign(data, padding.PKCS1v15(), SHA256()))
    if alg == "ES256":
        scheme = ec.ECDSA(SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(private.sign(data, scheme))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return bytes(private.sign(data))


@cache
def jwk(alg: str) -> dict[str, str]:
    """Return the public JWK, written by hand from the standards."""
    public = private_key(alg).public_key()
    common = {"kid": alg.lower(), "alg": alg, "use": "sig"}
    if alg == "Ed25519":
        x = b64(public.public_bytes_raw())
        return {"kty": "OKP", "crv": "Ed25519", "x": x, **common}
    if alg == "ML-DSA-44":
        return {"kty": "AKP", "pub": b64(public.public_bytes_raw()), **common}
    numbers = public.public_numbers()
    if alg == "RS256":
        return {"kty": "RSA", "n": b64(_octets(numbers.n)), "e": "AQAB", **common}
    width = (public.curve.key_size + 7) // 8
    x, y = (b64(number.to_bytes(width, "big")) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": _JWK_CURVES[alg], "x": x, "y": y, **common}


def _octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _rsa() -> rsa.RSAPrivateKey:
    # The first primes p, with p - 1 no multiple of e, above two numbers made of hashes.
    p, q, e = _hashed("p") + 246, _hashed("q") + 694, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    exponents = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    public = rsa.RSAPublicNumbers(e, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, *exponents, public).private_key()


def _hashed(name: str) -> int:
    halves = (sha512(f"kmsjwt fuzz {name} {half}".encode()).digest() for half in range(2))
    return int.from_bytes(b"".join(halves), "big") | 3 << 1022 | 1
