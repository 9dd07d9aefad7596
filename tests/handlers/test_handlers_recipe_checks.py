"""A strict verifier beside the article's: which of them has the last word."""

from __future__ import annotations

from typing import Any

import pytest
from tests.handlers.support import ISSUER, NOW
from tests.recipe.article import Article, base64url

from kmsjwt import TokenError, Verifier
from kmsjwt.handlers.recipe import RecipeVerifier, StrictOrRecipe
from kmsjwt.kms import KmsKeys

CLAIMS = {"iss": ISSUER, "aud": "orders", "sub": "ala", "jti": "1", "user_name": None}


@pytest.fixture
def key(kms) -> str:
    made = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    return str(made["KeyMetadata"]["KeyId"])


def code_of(verifier: Any, token: str) -> str:
    with pytest.raises(TokenError) as caught:
        verifier.verify(token)
    return caught.value.code


@pytest.mark.parametrize(
    ("lacking", "code"), [("exp", "missing_claim"), ("aud", "missing_claim"), ("iss", None)]
)
def test_a_strict_token_that_lacks_a_claim_is_refused_for_that(kms, key, lacking, code):
    """Only without ``iss`` may it be the article's, spelled anew by who holds it."""
    keys = KmsKeys(key, client=kms, kid="key-id")
    strict = Verifier(keys, issuer=ISSUER, audience="orders", clock=lambda: NOW)
    recipe = RecipeVerifier(keys, key_id=key, until=NOW + 1, clock=lambda: NOW)
    token = Article(kms, key).token(claims={**CLAIMS, lacking: None}, spell=base64url)

    told = code_of(StrictOrRecipe(strict, recipe), token)

    assert told == code_of(recipe if code is None else strict, token)
    assert told == (code or "recipe_signature_base64url")
