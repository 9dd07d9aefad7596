"""kmsjwt: issue, publish, verify and authorize JWTs whose private keys never leave AWS KMS."""

from kmsjwt.errors import CannotKnow, ConfigError, Forbidden, KmsJwtError, TokenError
from kmsjwt.expectations import ANY
from kmsjwt.issuer import IssuedToken, Issuer
from kmsjwt.keys import KeySet, PublicKey
from kmsjwt.verifier import AnyOf, VerifiedToken, Verifier

__all__ = [
    "ANY",
    "AnyOf",
    "CannotKnow",
    "ConfigError",
    "Forbidden",
    "IssuedToken",
    "Issuer",
    "KeySet",
    "KmsJwtError",
    "PublicKey",
    "TokenError",
    "VerifiedToken",
    "Verifier",
]
