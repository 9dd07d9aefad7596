"""The limits of what is issued, at the limit itself and one beside it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core import helpers
from tests.core.helpers import AUD, NOW

from kmsjwt import ConfigError
from kmsjwt.errors import ClaimsRefused


def issued(signer: helpers.HeldKey, claims: dict[str, Any] | None = None, **options: Any) -> str:
    issuer = helpers.issuer(signer=signer, new_jti=lambda: "6f0c2b", **options)
    return issuer.issue(sub="ala", aud=AUD, claims=claims).token


@pytest.mark.parametrize("alg", ["Ed25519", "ES256", "ES512", "ML-DSA-44"])
def test_a_token_may_be_as_long_as_the_limit_and_no_longer(alg: str):
    """The length is known before anything is signed, to the character."""
    length = len(issued(helpers.HeldKey(alg)))
    signer = helpers.HeldKey(alg)

    assert len(issued(signer, max_length=length)) == length
    with pytest.raises(ClaimsRefused) as caught:
        issued(signer, max_length=length - 1)
    assert caught.value.code == "too_long"
    assert len(signer.signed) == 1


def test_the_longest_rsa_signature_counts_for_every_rsa_key():
    """The key's size is the signer's matter, so the limit holds for the largest."""
    signer = helpers.HeldKey("RS256", helpers.rsa_key(4096))
    length = len(issued(signer))

    assert len(issued(signer, max_length=length)) == length
    with pytest.raises(ClaimsRefused):
        issued(signer, max_length=length - 1)


def test_a_lifetime_may_be_the_longest_and_no_longer():
    issuer = helpers.issuer(max_lifetime=3600, lifetime=900)

    assert issuer.issue(sub="ala", aud=AUD, lifetime=3600).expires_at == NOW + 3600
    with pytest.raises(ClaimsRefused) as caught:
        issuer.issue(sub="ala", aud=AUD, lifetime=3601)
    assert caught.value.code == "lifetime"


@pytest.mark.parametrize(
    ("option", "least"), [("max_length", 1), ("lifetime", 1), ("max_lifetime", 900)]
)
def test_the_least_setting_there_may_be(option: str, least: int):
    setting: dict[str, Any] = {option: least}
    helpers.issuer(signer=None, **setting)
    with pytest.raises(ConfigError):
        helpers.issuer(signer=None, **{**setting, option: 0})


def test_the_longest_settings_there_may_be():
    helpers.issuer(lifetime=86_400, max_lifetime=86_400)
    with pytest.raises(ConfigError):
        helpers.issuer(max_lifetime=86_401)
    with pytest.raises(ConfigError):
        helpers.issuer(max_lifetime=600, lifetime=601)
