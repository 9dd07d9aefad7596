"""kmsjwt: issue, publish, verify and authorize JWTs whose private keys never leave AWS KMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.errors import CannotKnow, ConfigError, Forbidden, KmsJwtError, TokenError
from kmsjwt.expectations import ANY
from kmsjwt.keys import KeySet, PublicKey
from kmsjwt.verifier import AnyOf, VerifiedToken, Verifier

if TYPE_CHECKING:
    from kmsjwt.issuer import IssuedToken, Issuer

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


def __getattr__(name: str) -> Any:
    if name in ("IssuedToken", "Issuer"):  # who only verifies has no issuer to load
        from kmsjwt import issuer

        return getattr(issuer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
