"""A verifier that lets any claims pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt import VerifiedToken

if TYPE_CHECKING:
    from collections.abc import Mapping


class Trusting:
    """A verifier of somebody else's: claims of any type, and no cost of a signature."""

    def __init__(self, claims: Mapping[str, Any]) -> None:
        self._claims = claims

    def verify(self, token: object) -> VerifiedToken:
        """Return the claims, whatever the token."""
        del token
        return VerifiedToken(header={}, claims=self._claims, kid="key-1", alg="ES256")
