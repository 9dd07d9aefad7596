"""Hostile tokens are refused, each by its code; odd but good ones pass; nothing leaks."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest
from tests.core import helpers
from tests.core.attacks import Attack, attacks
from tests.core.goods import GOODS

from kmsjwt import TokenError

if TYPE_CHECKING:
    from collections.abc import Iterator

_RS256 = attacks("RS256")
_OTHERS = ("RS512", "PS256", "PS512", "ES256", "ES384", "ES512", "ES256K", "Ed25519", "EdDSA")


def outcome(alg: str, token: object) -> tuple[str, TokenError | None]:
    try:
        helpers.verifier(alg).verify(token)
    except TokenError as error:
        return error.code, error
    return "accepted", None


def test_the_table_is_wide_and_its_names_are_unique():
    names = [attack.name for attack in _RS256]

    assert len(set(names)) == len(names)
    assert len(names) >= 600


@pytest.mark.parametrize("attack", _RS256, ids=lambda attack: attack.name)
def test_refused_with_its_code(attack: Attack):
    code, error = outcome("RS256", attack.build(helpers.forge("RS256")))

    assert code == attack.code
    assert error is not None
    assert error.retryable is False


@pytest.mark.parametrize("alg", [*_OTHERS, "ML-DSA-44", "ML-DSA-87"])
def test_the_whole_table_for(alg: str):
    table = attacks(alg)
    forge = helpers.forge(alg)
    wrong = [
        f"{attack.name}: {code}, expected {attack.code}"
        for attack in table
        if (code := outcome(alg, attack.build(forge))[0]) != attack.code
    ]

    assert wrong == []
    assert len(table) >= 600


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "Ed25519", "ML-DSA-44"])
def test_odd_but_good_tokens_pass(alg: str):
    forge = helpers.forge(alg)
    wrong = [
        f"{name}: {code}"
        for name, build in GOODS.items()
        if (code := outcome(alg, build(forge))[0]) != "accepted"
    ]

    assert wrong == []
    assert len(GOODS) >= 40


def test_the_other_half_of_an_ecdsa_signature_passes():
    """JWS has no low-S rule: KMS makes both, so both must be read."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    forge = helpers.forge("ES256")
    mirrored = order - int.from_bytes(forge.signature[32:], "big")
    token = forge.with_signature(forge.signature[:32] + mirrored.to_bytes(32, "big"))

    assert outcome("ES256", token)[0] == "accepted"


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_no_refusal_shows_the_token(alg: str):
    forge = helpers.forge(alg)
    leaks = []
    for attack in attacks(alg):
        token = attack.build(forge)
        _, error = outcome(alg, token)
        assert error is not None
        if not isinstance(token, str) or token.count(".") < 2:
            continue
        secret = ".".join(token[:20_000].split(".")[1:])
        told = [str(error), repr(error), "".join(traceback.format_exception(error)[-1:])]
        leaks += [attack.name for text in told for piece in pieces(text) if piece in secret]

    assert leaks == []


def pieces(text: str) -> Iterator[str]:
    return (text[start : start + 12] for start in range(len(text) - 11))


def test_every_message_fits_a_log_line():
    forge = helpers.forge("RS256")
    for attack in _RS256:
        _, error = outcome("RS256", attack.build(forge))
        text = str(error)
        assert text.isprintable(), attack.name
        assert text.isascii(), attack.name
        assert 10 < len(text) < 300, attack.name
