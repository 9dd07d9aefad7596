"""Who reads what, as the locked Python and JavaScript libraries are: found by trying.

A library that learns an algorithm makes a test red too: add it here, and run `make interop`.
"""

from __future__ import annotations

RSA_PKCS1 = ("RS256", "RS384", "RS512")
RSA = (*RSA_PKCS1, "PS256", "PS384", "PS512")
NIST = ("ES256", "ES384", "ES512")
ML_DSA = ("ML-DSA-44", "ML-DSA-65", "ML-DSA-87")

READS: dict[str, tuple[str, ...]] = {
    "PyJWT": (*RSA, *NIST, "ES256K", "EdDSA"),
    "oxyjwt": (*RSA, "ES256", "ES384", "EdDSA"),
    "joserfc": (*RSA, *NIST, "ES256K", "Ed25519", "EdDSA"),
    "Authlib": (*RSA, *NIST, "ES256K", "EdDSA"),
    "jwcrypto": (*RSA, *NIST, "ES256K", "Ed25519", "EdDSA", *ML_DSA),
    "python-jose": (*RSA_PKCS1, *NIST),
    "jose": (*RSA, *NIST, "Ed25519", "EdDSA", *ML_DSA),
    "jsonwebtoken": (*RSA, *NIST),
    "fast-jwt": (*RSA, *NIST, "EdDSA"),
    "aws-jwt-verify": (*RSA_PKCS1, *NIST, "EdDSA"),
}
SIGNS = {**READS, "aws-jwt-verify": ()}
