"""Hostile JWKs, each with the code of its refusal, and odd ones that must load."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from tests.core import helpers
from tests.core.helpers import b64, unb64

Jwk = dict[str, Any]
_P25519 = 2**255 - 19


@cache
def _base(alg: str) -> Jwk:
    return dict(helpers.held(alg).public.to_jwk())


def jwk(alg: str, /, *without: str, **members: Any) -> Jwk:
    return {**{n: v for n, v in _base(alg).items() if n not in without}, **members}


def _number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _rsa_of(bits: int, exponent: int = 65537) -> Jwk:
    numbers = rsa.generate_private_key(exponent, bits).public_key().public_numbers()
    return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e), "alg": "RS256"}


def _modulus() -> int:
    return int.from_bytes(unb64(_base("RS256")["n"]), "big")


def _standard(text: str) -> str:
    return base64.b64encode(unb64(text)).decode()


def _little(value: int) -> str:
    return b64(value.to_bytes(32, "little"))


def _roca_shaped() -> str:
    """Return a modulus with the fingerprint of CVE-2017-15361: a power of 65537 to small primes."""
    product = 1
    for prime in _primes(170):
        product *= prime
    residue = pow(65537, 12345, product)
    return _number(residue + product * ((1 << 2047) // product + 1))


def _primes(limit: int) -> list[int]:
    return [n for n in range(2, limit) if all(n % d for d in range(2, int(n**0.5) + 1))]


def hostile() -> dict[str, tuple[str, Any]]:
    """Return name -> (code, JWK)."""
    good_n = _base("RS256")["n"]
    ec = _base("ES256")
    ec_x, ec_y = unb64(ec["x"]), unb64(ec["y"])
    pub = unb64(_base("ML-DSA-44")["pub"])
    cases: dict[str, tuple[str, Any]] = {
        "not-an-object-null": ("jwk_malformed", None),
        "not-an-object-list": ("jwk_malformed", [jwk("RS256")]),
        "not-an-object-text": ("jwk_malformed", "RSA"),
        "not-an-object-int": ("jwk_malformed", 1),
        "empty": ("jwk_kty", {}),
        # type and algorithm
        "kty-missing": ("jwk_kty", jwk("RS256", "kty")),
        "kty-null": ("jwk_kty", jwk("RS256", kty=None)),
        "kty-lower": ("jwk_kty", jwk("RS256", kty="rsa")),
        "kty-list": ("jwk_kty", jwk("RS256", kty=["RSA"])),
        "kty-oct": ("jwk_kty", jwk("RS256", kty="oct")),
        "kty-unknown": ("jwk_kty", jwk("RS256", kty="LATTICE")),
        "kty-of-another": ("jwk_alg", jwk("RS256", kty="EC")),
        "alg-null": ("jwk_alg", jwk("RS256", alg=None)),
        "alg-empty": ("jwk_alg", jwk("RS256", alg="")),
        "alg-zero": ("jwk_alg", jwk("RS256", alg=0)),
        "alg-false": ("jwk_alg", jwk("RS256", alg=False)),
        "alg-list": ("jwk_alg", jwk("RS256", alg=["RS256"])),
        "alg-empty-list": ("jwk_alg", jwk("RS256", alg=[])),
        "alg-none": ("jwk_alg", jwk("RS256", alg="none")),
        "alg-hs256": ("jwk_alg", jwk("RS256", alg="HS256")),
        "alg-lower": ("jwk_alg", jwk("RS256", alg="rs256")),
        "alg-rsa-oaep": ("jwk_alg", jwk("RS256", alg="RSA-OAEP")),
        "alg-ecdh": ("jwk_alg", jwk("ES256", alg="ECDH-ES")),
        "alg-es521": ("jwk_alg", jwk("ES512", alg="ES521")),
        "alg-contradicts-kty": ("jwk_alg", jwk("RS256", alg="ES256")),
        "alg-contradicts-curve": ("jwk_alg", jwk("ES256", alg="ES384")),
        "alg-contradicts-curve-k": ("jwk_alg", jwk("ES256", alg="ES256K")),
        "alg-rsa-on-ec": ("jwk_alg", jwk("ES256", alg="RS256")),
        "alg-eddsa-on-rsa": ("jwk_alg", jwk("RS256", alg="EdDSA")),
        # use
        "use-enc": ("jwk_use", jwk("RS256", use="enc")),
        "use-null": ("jwk_use", jwk("RS256", use=None)),
        "use-upper": ("jwk_use", jwk("RS256", use="SIG")),
        "use-list": ("jwk_use", jwk("RS256", use=["sig"])),
        "key-ops-encrypt": ("jwk_use", jwk("RS256", key_ops=["encrypt"])),
        "key-ops-sign": ("jwk_use", jwk("RS256", key_ops=["sign"])),
        "key-ops-empty": ("jwk_use", jwk("RS256", key_ops=[])),
        "key-ops-text": ("jwk_use", jwk("RS256", key_ops="verify")),
        "key-ops-null": ("jwk_use", jwk("RS256", key_ops=None)),
        "key-ops-twice": ("jwk_use", jwk("RS256", key_ops=["verify", "verify"])),
        "key-ops-mixed-types": ("jwk_use", jwk("RS256", key_ops=["verify", 1])),
        "key-ops-unhashable": ("jwk_use", jwk("RS256", key_ops=["verify", []])),
        "key-ops-despite-use": ("jwk_use", jwk("RS256", use="sig", key_ops=["decrypt"])),
        # kid
        "kid-null": ("jwk_kid", jwk("RS256", kid=None)),
        "kid-int": ("jwk_kid", jwk("RS256", kid=1)),
        "kid-empty": ("jwk_kid", jwk("RS256", kid="")),
        "kid-list": ("jwk_kid", jwk("RS256", kid=["a"])),
        # RSA
        "rsa-512": ("jwk_weak", jwk("RS256", n=_number(2**511 + 187))),
        "rsa-1024": ("jwk_weak", _rsa_of(1024)),
        "rsa-2047": ("jwk_weak", jwk("RS256", n=_number(2**2046 + 1))),
        "rsa-16384": ("jwk_weak", jwk("RS256", n=_number(2**16383 + 1))),
        "rsa-even-modulus": ("jwk_weak", jwk("RS256", n=_number(_modulus() - 1))),
        "rsa-roca": ("jwk_weak", jwk("RS256", n=_roca_shaped())),
        "rsa-e-one": ("jwk_weak", jwk("RS256", e="AQ")),
        "rsa-e-two": ("jwk_weak", jwk("RS256", e="Ag")),
        "rsa-e-three": ("jwk_weak", _rsa_of(2048, 3)),
        "rsa-e-even": ("jwk_weak", jwk("RS256", e=_number(65536))),
        "rsa-e-even-larger": ("jwk_weak", jwk("RS256", e=_number(65538))),
        "rsa-e-huge": ("jwk_weak", jwk("RS256", e=_number(2**64 + 1))),
        "rsa-e-zero": ("jwk_malformed", jwk("RS256", e="AA")),
        "rsa-e-missing": ("jwk_malformed", jwk("RS256", "e")),
        "rsa-e-int": ("jwk_malformed", jwk("RS256", e=65537)),
        "rsa-e-empty": ("jwk_malformed", jwk("RS256", e="")),
        "rsa-e-leading-zero": ("jwk_malformed", jwk("RS256", e="AAEAAQ")),
        "rsa-n-missing": ("jwk_malformed", jwk("RS256", "n")),
        "rsa-n-null": ("jwk_malformed", jwk("RS256", n=None)),
        "rsa-n-padded": ("jwk_malformed", jwk("RS256", n=good_n + "==")),
        "rsa-n-standard": ("jwk_malformed", jwk("RS256", n=_standard(good_n))),
        "rsa-n-leading-zero": ("jwk_malformed", jwk("RS256", n=b64(b"\0" + unb64(good_n)))),
        "rsa-n-space": ("jwk_malformed", jwk("RS256", n=good_n[:9] + " " + good_n[9:])),
        "rsa-n-newline": ("jwk_malformed", jwk("RS256", n=good_n + "\n")),
        "rsa-n-unicode": ("jwk_malformed", jwk("RS256", n=good_n[:-1] + "\uff21")),
        "rsa-n-surrogate": ("jwk_malformed", jwk("RS256", n="\ud800" + good_n)),
        "rsa-n-unused-bits": ("jwk_malformed", jwk("RS256", n=good_n[:-1] + "B")),
        "rsa-n-list": ("jwk_malformed", jwk("RS256", n=[good_n])),
        "rsa-n-bytes": ("jwk_malformed", jwk("RS256", n=good_n.encode())),
        # EC
        "ec-crv-missing": ("jwk_alg", jwk("ES256", "crv")),
        "ec-crv-missing-no-alg": ("jwk_alg", jwk("ES256", "crv", "alg")),
        "ec-crv-unknown": ("jwk_alg", jwk("ES256", "alg", crv="P-192")),
        "ec-crv-lower": ("jwk_alg", jwk("ES256", crv="p-256")),
        "ec-crv-list": ("jwk_alg", jwk("ES256", "alg", crv=["P-256"])),
        "ec-crv-brainpool": ("jwk_alg", jwk("ES256", "alg", crv="brainpoolP256r1")),
        "ec-crv-other": ("jwk_weak", jwk("ES256", alg="ES256K", crv="secp256k1")),
        "ec-crv-wider": ("jwk_malformed", jwk("ES256", alg="ES384", crv="P-384")),
        "ec-x-missing": ("jwk_malformed", jwk("ES256", "x")),
        "ec-y-missing": ("jwk_malformed", jwk("ES256", "y")),
        "ec-y-boolean": ("jwk_malformed", jwk("ES256", y=True)),
        "ec-x-long": ("jwk_malformed", jwk("ES256", x=b64(b"\0" + ec_x))),
        "ec-x-short": ("jwk_malformed", jwk("ES256", x=b64(ec_x[1:]))),
        "ec-x-padded": ("jwk_malformed", jwk("ES256", x=ec["x"] + "=")),
        "ec-off-curve": ("jwk_weak", jwk("ES256", y=b64(helpers.flipped(ec_y, 9)))),
        "ec-swapped": ("jwk_weak", jwk("ES256", x=ec["y"], y=ec["x"])),
        "ec-infinity": ("jwk_weak", jwk("ES256", x=b64(bytes(32)), y=b64(bytes(32)))),
        "ec-beyond-field": ("jwk_weak", jwk("ES256", x=b64(b"\xff" * 32))),
        "ec-in-sec1": ("jwk_malformed", jwk("ES256", x=b64(b"\4" + ec_x + ec_y))),
        # OKP
        "okp-x25519": ("jwk_alg", jwk("Ed25519", "alg", crv="X25519")),
        "okp-x25519-alg": ("jwk_alg", jwk("Ed25519", crv="X25519")),
        "okp-ed448": ("jwk_alg", jwk("Ed25519", "alg", crv="Ed448")),
        "okp-x-short": ("jwk_malformed", jwk("Ed25519", x=b64(bytes(31)))),
        "okp-x-long": ("jwk_malformed", jwk("Ed25519", x=b64(bytes(33)))),
        "okp-x-missing": ("jwk_malformed", jwk("Ed25519", "x")),
        "okp-identity": ("jwk_weak", jwk("Ed25519", x=_little(1))),
        "okp-order-2": ("jwk_weak", jwk("Ed25519", x=_little(_P25519 - 1))),
        "okp-order-4": ("jwk_weak", jwk("Ed25519", x=_little(0))),
        "okp-order-4-signed": ("jwk_weak", jwk("Ed25519", x=_little(1 << 255))),
        "okp-order-8": (
            "jwk_weak",
            jwk(
                "Ed25519",
                x=b64(
                    bytes.fromhex(
                        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
                    )
                ),
            ),
        ),
        "okp-not-reduced": ("jwk_weak", jwk("Ed25519", x=_little(_P25519 + 1))),
        "okp-beyond-field": ("jwk_weak", jwk("Ed25519", x=_little(2**255 - 1))),
        "okp-off-curve": ("jwk_weak", jwk("Ed25519", x=_little(2))),
        # AKP
        "akp-no-alg": ("jwk_alg", jwk("ML-DSA-44", "alg")),
        "akp-other-set": ("jwk_malformed", jwk("ML-DSA-44", alg="ML-DSA-65")),
        "akp-rsa-alg": ("jwk_alg", jwk("ML-DSA-44", alg="RS256")),
        "akp-pub-missing": ("jwk_malformed", jwk("ML-DSA-44", "pub")),
        "akp-pub-short": ("jwk_malformed", jwk("ML-DSA-44", pub=b64(pub[:-1]))),
        "akp-pub-empty": ("jwk_malformed", jwk("ML-DSA-44", pub="")),
        "akp-slh-dsa": ("jwk_alg", jwk("ML-DSA-44", alg="SLH-DSA-SHA2-128s")),
    }
    return cases


def private() -> dict[str, Jwk]:
    """Return JWKs with members that must never be published."""
    return {
        "rsa-d": jwk("RS256", d="AQAB"),
        "rsa-p": jwk("RS256", p="AQAB"),
        "rsa-crt": jwk("RS256", dp="AQAB", dq="AQAB", qi="AQAB"),
        "rsa-oth": jwk("RS256", oth=[]),
        "ec-d": jwk("ES256", d="AQAB"),
        "ec-d-null": jwk("ES256", d=None),
        "okp-d": jwk("Ed25519", d="AQAB"),
        "akp-priv": jwk("ML-DSA-44", priv="AQAB"),
        "akp-seed": jwk("ML-DSA-44", seed="AQAB"),
        "oct": {"kty": "oct", "k": "AAAA", "kid": "mac"},
        "oct-without-kty": {"k": "AAAA"},
        "unusable-anyway": {"kty": "X", "d": "AQAB"},
        "encryption-key": jwk("RS256", use="enc", d="AQAB"),
    }


def good() -> dict[str, Jwk]:
    """Return odd JWKs that must load."""
    return {
        "plain": jwk("RS256"),
        "least-rsa": jwk("RS256", "alg", "use", "kid"),
        "least-ec": jwk("ES384", "alg", "use", "kid"),
        "least-ed25519": jwk("Ed25519", "alg", "use", "kid"),
        "ed25519-by-its-older-name": jwk("EdDSA"),
        "unknown-members": jwk("RS256", x="y", note={"deep": [1]}, exp=1),
        "certificate-members": jwk("RS256", x5c=["not base64"], x5t="AAAA", x5u="file:///x"),
        "key-ops-verify": jwk("ES256", "use", key_ops=["verify"]),
        "key-ops-tuple": jwk("ES256", "use", key_ops=("verify",)),
        "key-ops-sign-too": jwk("ES256", key_ops=["sign", "verify"]),
        "unicode-kid": jwk("ES256", kid="klucz-ą"),
        "ps256": jwk("PS256"),
        "rsa-with-crv": jwk("RS256", crv="P-256"),
        "rsa-larger-exponent": _rsa_with_exponent(),
        "ml-dsa": jwk("ML-DSA-65"),
        "secp256k1": jwk("ES256K", "alg"),
    }


def _rsa_with_exponent() -> Jwk:
    return jwk("RS256", e=_number(65539))
