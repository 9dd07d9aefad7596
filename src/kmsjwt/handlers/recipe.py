"""Verifying the AWS article's own tokens, for as long as any of them may live.

A verifier of its own, never a setting of the strict one: `RecipeVerifier` takes the article's
tokens and no others, `StrictOrRecipe` asks it beside a strict verifier.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kmsjwt.errors import ConfigError, MissingClaim
from kmsjwt.expectations import DEFAULT_LEEWAY
from kmsjwt.recipe import (
    ALG,
    RecipeToken,
    check_claims,
    cut_off,
    is_recipe_spelling,
    key_id_of,
)
from kmsjwt.verifier import VerifiedToken, ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.gateway import TokenVerifier
    from kmsjwt.verifier import Check, KeySource


class RecipeVerifier:
    """Checks the article's tokens: one key, one cut-off, a day's life at most."""

    __slots__ = ("_check", "_clock", "_key_id", "_keys", "_kids", "_until")

    def __init__(
        self,
        keys: KeySource,
        *,
        key_id: str,
        until: str | float,
        check: Check | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set up a verifier of the article's tokens.

        Args:
            keys: a source that knows the key by its KMS key id, such as
                ``KmsKeys(key_id, kid="key-id")``.
            key_id: the key the article's function signs with, as its ``KMS_KEY_ID`` has it: a
                key id or a key ARN. Tokens must name it in the same words, or by the id.
            until: the cut-off, RFC 3339 or seconds since 1970: when the article's function
                signed last. Tokens issued then or later are refused.
            check: your own say, as in `kmsjwt.Verifier`.
            clock: seconds since 1970.

        Raises:
            ConfigError: a setting makes no sense.
        """
        self._key_id = key_id_of(key_id)
        self._until = cut_off(until)
        self._kids = frozenset((key_id, self._key_id))
        self._keys = keys
        self._check = check
        self._clock = clock

    def verify(self, token: object) -> VerifiedToken:
        """Check one of the article's tokens.

        Raises:
            TokenError: each deviation has its own code, which starts with ``recipe_``, but for
                ``bad_signature`` and ``signature_length``.
            CannotKnow: the key could not be had. This is not a denial.
        """
        parsed = RecipeToken.parse(token, self._kids)
        key = self._keys.key(self._key_id)
        if key.alg.name != ALG:
            raise ConfigError(
                f"the recipe's key verifies {key.alg.name}, expected {ALG}", code="recipe_key_alg"
            )
        key.verify(parsed.signature, parsed.signing_input)
        claims = parsed.unverified_claims()
        check_claims(claims, until=self._until, now=self._clock(), leeway=DEFAULT_LEEWAY)
        verified = VerifiedToken(header=parsed.header, claims=claims, kid=self._key_id, alg=ALG)
        if self._check is not None:
            ask(self._check, verified)
        return verified


class StrictOrRecipe:
    """A strict verifier, and beside it one for the article's tokens.

    The spelling of the signature chooses, and each verifier refuses what the other reads, so
    neither lowers the other's demands.
    """

    __slots__ = ("_recipe", "_strict")

    def __init__(self, strict: TokenVerifier, recipe: RecipeVerifier) -> None:
        """Join the two.

        Args:
            strict: a `kmsjwt.Verifier` or `kmsjwt.AnyOf`.
            recipe: the verifier of the article's tokens.
        """
        self._strict = strict
        self._recipe = recipe

    def verify(self, token: str) -> VerifiedToken:
        """Check a token of either kind. Raises as the verifiers do."""
        if is_recipe_spelling(token):
            return self._recipe.verify(token)
        try:
            return self._strict.verify(token)
        except MissingClaim as error:
            if error.claim != "iss":
                raise
        # Signed by a trusted key and without iss: the article's, had its signature been spelled
        # in base64. Its own verifier refuses it as well, and names that very deviation.
        return self._recipe.verify(token)
