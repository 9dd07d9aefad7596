"""The article's limits, at the limit itself and one beside it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.recipe.article import NOW, UNTIL

from kmsjwt.errors import ConfigError, TokenError
from kmsjwt.handlers.recipe import RecipeVerifier
from kmsjwt.kms import KmsKeys

RAW_LIMIT = 4096  # KMS API reference, Sign: the longest RAW message
RSA_4096 = 684  # characters of standard base64 of 512 bytes


def verifier(kms: Any, key_id: str, *, now: float = NOW, until: Any = UNTIL) -> RecipeVerifier:
    keys = KmsKeys(key_id, client=kms, kid="key-id")
    return RecipeVerifier(keys, key_id=key_id, until=until, clock=lambda: now)


def code_of(verifier: RecipeVerifier, token: object) -> str:
    try:
        verifier.verify(token)
    except TokenError as error:
        return error.code
    return "accepted"


@pytest.mark.parametrize(
    ("signed", "signature", "code"),
    [
        (RAW_LIMIT, RSA_4096, "signature_length"),
        (RAW_LIMIT + 1, RSA_4096 - 1, "recipe_too_long"),
        (RAW_LIMIT - 1, RSA_4096 + 2, "recipe_too_long"),
        (1000, RAW_LIMIT + 1 + RSA_4096 - 1001, "signature_length"),
        (1000, RAW_LIMIT + 1 + RSA_4096 - 1000, "recipe_too_long"),
    ],
)
def test_a_token_may_be_as_long_as_kms_signs_and_no_longer(
    kms, key_id, article, signed: int, signature: int, code: str
):
    head = article.token().partition(".")[0]
    body = "A" * (signed - len(head) - 1)
    spelled = "+" * (signature // 4 * 4)
    token = f"{head}.{body}.{spelled}" + "A" * (signature - len(spelled))
    if code == "signature_length" and len(spelled) != signature:
        code = "recipe_signature_base64"

    assert len(token) == signed + 1 + signature
    assert code_of(verifier(kms, key_id), token) == code


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"iat": NOW - 10, "exp": NOW - 10}, "recipe_exp_before_iat"),
        ({"iat": NOW - 10, "exp": NOW - 9}, "accepted"),
        ({"iat": NOW - 10, "exp": NOW - 10 + 86_400}, "accepted"),
        ({"iat": NOW - 10, "exp": NOW - 10 + 86_401}, "recipe_lifetime"),
        ({"nbf": NOW + 30}, "accepted"),
        ({"nbf": NOW + 31}, "recipe_nbf_ahead"),
        ({"iat": NOW - 1}, "accepted"),
        ({"iat": NOW}, "recipe_after_cut_off"),
    ],
)
def test_the_times_of_a_token(kms, key_id, article, members: dict[str, int], code: str):
    assert code_of(verifier(kms, key_id), article.token(claims=members)) == code


@pytest.mark.parametrize(("ahead", "code"), [(30, "accepted"), (31, "recipe_iat_ahead")])
def test_a_clock_may_be_half_a_minute_slow(kms, key_id, article, ahead: int, code: str):
    token = article.token(claims={"iat": NOW - 100, "exp": NOW + 100})

    assert code_of(verifier(kms, key_id, now=NOW - 100 - ahead), token) == code


@pytest.mark.parametrize("token", [None, b"a.b.c=", 7, ["a.b.c="], {}])
def test_what_is_no_text_is_left_to_the_strict_parser(kms, key_id, token: object):
    from kmsjwt.recipe import is_recipe_spelling

    assert is_recipe_spelling(token) is False


@pytest.mark.parametrize(
    "until", ["0000-01-01T00:00:00Z", "2027-01-15T08:00:60Z", "2027-01-15T08:00:00+24:00"]
)
def test_a_cut_off_that_the_calendar_does_not_have(kms, key_id, until: str):
    with pytest.raises(ConfigError) as caught:
        verifier(kms, key_id, until=until)
    assert caught.value.code == "recipe_until"


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        pytest.param("-" + "A" * 341 + "==", "recipe_signature_base64url", id="minus and padding"),
        pytest.param("_" + "A" * 341 + "==", "recipe_signature_base64url", id="line and padding"),
        pytest.param("+" * 341 + "-", "recipe_signature_base64url", id="plus and minus"),
        pytest.param("A" * 344, "recipe_signature_base64url", id="neither tells"),
        pytest.param("A" * 342 + "==", "bad_signature", id="padding tells"),
        pytest.param("+" + "A" * 341 + "==", "bad_signature", id="plus tells"),
        pytest.param("/" + "A" * 341 + "==", "bad_signature", id="slash tells"),
    ],
)
def test_which_spelling_a_signature_has(kms, key_id, article, signature: str, code: str):
    assert code_of(verifier(kms, key_id), article.token(spell=lambda _: signature)) == code


@pytest.mark.parametrize("kid", [{"a": 1}, [["x"]], [], 1.5, True])
def test_a_kid_of_any_type_is_refused(kms, key_id, article, kid: object):
    assert code_of(verifier(kms, key_id), article.token(header={"kid": kid})) == "recipe_kid"
