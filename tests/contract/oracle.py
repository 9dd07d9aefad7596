"""What a signature must be, said by `cryptography` and by nothing of ours."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

SIGNING = {
    **{
        spec: [
            f"RSASSA_{scheme}_SHA_{bits}"
            for scheme in ("PKCS1_V1_5", "PSS")
            for bits in (256, 384, 512)
        ]
        for spec in ("RSA_2048", "RSA_3072", "RSA_4096")
    },
    "ECC_NIST_P256": ["ECDSA_SHA_256"],
    "ECC_NIST_P384": ["ECDSA_SHA_384"],
    "ECC_NIST_P521": ["ECDSA_SHA_512"],
    "ECC_SECG_P256K1": ["ECDSA_SHA_256"],
    "ECC_NIST_EDWARDS25519": ["ED25519_SHA_512"],
    "ML_DSA_44": ["ML_DSA_SHAKE_256"],
    "ML_DSA_65": ["ML_DSA_SHAKE_256"],
    "ML_DSA_87": ["ML_DSA_SHAKE_256"],
}
PAIRS = [(spec, algorithm) for spec, algorithms in SIGNING.items() for algorithm in algorithms]
# FIPS 204 table 2 and RFC 8032 5.1.6; RSA by its modulus.
LENGTHS = {
    "RSA_2048": 256,
    "RSA_3072": 384,
    "RSA_4096": 512,
    "ECC_NIST_EDWARDS25519": 64,
    "ML_DSA_44": 2420,
    "ML_DSA_65": 3309,
    "ML_DSA_87": 4627,
}
_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def has_digest(algorithm: str) -> bool:
    return algorithm.startswith(("RSASSA", "ECDSA"))


def digest_of(algorithm: str, message: bytes) -> bytes:
    return hashlib.new(f"sha{algorithm[-3:]}", message).digest()


def mu_of(spki: bytes, message: bytes) -> bytes:
    """FIPS 204 algorithm 7 line 6, with an empty context, by hashlib alone."""
    key: Any = serialization.load_der_public_key(spki)
    tr = hashlib.shake_256(key.public_bytes_raw()).digest(64)
    return hashlib.shake_256(tr + b"\x00\x00" + message).digest(64)


def is_good(spki: bytes, algorithm: str, message: bytes, signature: bytes) -> bool:
    key: Any = serialization.load_der_public_key(spki)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, *_rsa(algorithm))
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(_HASHES[algorithm[-3:]]))
        else:
            key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _rsa(algorithm: str) -> tuple[padding.AsymmetricPadding, hashes.HashAlgorithm]:
    digest = _HASHES[algorithm[-3:]]
    if "PSS" in algorithm:
        # The exact salt length: RFC 7518 3.5 wants the hash's, and AUTO would hide another.
        return padding.PSS(padding.MGF1(digest), digest.digest_size), digest
    return padding.PKCS1v15(), digest
