"""``kmsjwt key adopt``, and the rotation that follows it."""

from __future__ import annotations

import json
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

PUBLISHED = ["--issuer", "https://id.example", "--to", "site"]


@pytest.fixture
def key(kms, aws) -> str:
    """A key that was made by other means, before there was a ring."""
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return str(made["KeyMetadata"]["Arn"])


@pytest.fixture
def name(key) -> str:
    """A ring's name that is new in each test."""
    return f"from-{key[-12:]}"


def test_live_tokens_stay_good_and_the_ring_signs_with_the_key(typed, key, name, kms):
    claims = ["--issuer", "https://id.example", "--audience", "orders", "--subject", "ala"]
    before = typed("issue", "--key", key, *claims).out.strip()

    done = typed("key", "adopt", name, key)
    rotated = typed("key", "rotate", name, *PUBLISHED)

    assert (done.code, rotated.code) == (0, 0), done.err + rotated.err
    assert f"alias/{name}/1 is new" in done.err
    assert done.out.splitlines()[0].split() == ["arn", key]
    [jwk] = json.loads(Path("site/.well-known/jwks.json").read_text())["keys"]
    for token in (before, typed("issue", "--key", f"ring:{name}", *claims).out.strip()):
        told = jwt.decode(token, jwt.PyJWK(jwk), algorithms=["ES256"], audience="orders")
        assert told["sub"] == "ala"
    assert jwk["kid"] in done.out
    # The published key is the key itself, by its DER.
    der = kms.get_public_key(KeyId=key)["PublicKey"]
    assert jwt.PyJWK(jwk).key == load_der_public_key(der)


def test_the_report_as_json_first_foretold_then_done_then_there(typed, key, name):
    foretold, done, again = (
        json.loads(typed("key", "adopt", name, key, "--json", *more).out)
        for more in (["--dry-run"], [], [])
    )

    assert foretold == {**done, "dry_run": True}
    assert again == {**done, "new": False}
    assert done == {
        "ring": name,
        "alias": f"alias/{name}/1",
        "arn": key,
        "spec": "ECC_NIST_P256",
        "alg": "ES256",
        "max_lifetime": 86_400,
        "kid": done["kid"],
        "new": True,
        "dry_run": False,
    }


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        (["--max-lifetime", "1h"], 86_400),
        (["--max-lifetime", "1h", "--before", "2h"], 7_200),
        (["--max-lifetime", "2h", "--before", "1h"], 7_200),
    ],
)
def test_it_drains_for_as_long_as_its_tokens_live(typed, key, name, kms, words, seconds):
    """Those that it signed before there was a ring, too."""
    done = typed("key", "adopt", name, key, *words)

    assert f"lifetime  {seconds} s at most" in done.out
    tags = {each["TagKey"]: each["TagValue"] for each in kms.list_resource_tags(KeyId=key)["Tags"]}
    assert tags["kmsjwt:max-lifetime"] == str(seconds)


def test_a_dry_run_does_nothing(typed, key, name):
    done = typed("key", "adopt", name, key, "--dry-run")

    assert (done.code, f"alias/{name}/1 would be new" in done.err) == (0, True)
    assert typed("key", "list", name).code == 2  # there is no such ring


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--alg", "RS256"], "alg is 'RS256'"),
        (["--consumer-cache", "9999d"], "consumer_cache"),
    ],
    ids=["alg", "a time"],
)
def test_what_does_not_fit_is_refused(typed, key, name, words, told):
    refused = typed("key", "adopt", name, key, *words)

    assert (refused.code, told in refused.err) == (2, True), refused.err


def test_a_ring_that_has_begun_takes_no_other(typed, key):
    refused = typed("key", "adopt", "auth", key)

    assert refused.code == 2
    assert "ring auth has begun with arn:aws:kms:" in refused.err
    assert len(refused.err.strip().splitlines()) <= 3


def test_a_name_that_is_no_key_is_refused(typed, aws):
    assert typed("key", "adopt", "auth", "no key").code == 2
