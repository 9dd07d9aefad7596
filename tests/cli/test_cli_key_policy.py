"""Keys made by hand get the policy that is asked for, as those of the rotate function do."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from kmsjwt.cli.local import environment
from kmsjwt.local import LocalKms
from kmsjwt.local.http import running

ACCOUNT, REGION = "111122223333", "eu-central-1"
SIGNER = f"arn:aws:iam::{ACCOUNT}:role/issue"
ROTATE = ["--issuer", "https://id.example", "--to", "site"]
SPLIT = ["--key-policy", "split", "--account", ACCOUNT, "--spec", "ECC_NIST_P256"]


@pytest.fixture
def kms(monkeypatch, tmp_path) -> Any:
    kms = LocalKms()
    monkeypatch.chdir(tmp_path)
    with running(kms) as server:
        for name, value in environment(os.environ, server.endpoint_url, REGION).items():
            monkeypatch.setenv(name, value)
        yield kms


def policy_of(kms: LocalKms, alias: str) -> dict[str, Any]:
    arn = kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
    policy = json.loads(kms.get_key_policy(KeyId=arn)["Policy"])
    return {each["Sid"]: each for each in policy["Statement"]}


def test_what_iam_prints_becomes_the_policy_of_a_first_key_and_of_the_next(kms, typed):
    printed = typed("iam", "key-policy", "--account", ACCOUNT, "--region", REGION).out
    Path("policy.json").write_text(printed)
    expected = {each["Sid"]: each for each in json.loads(printed)["Statement"]}

    made = typed("key", "create", "auth", "--key-policy", "policy.json")
    typed("key", "rotate", "auth", *ROTATE)
    begun = typed("key", "rotate", "auth", *ROTATE, "--start", "--key-policy", "policy.json")

    assert (made.code, begun.code) == (0, 0), made.err + begun.err
    assert policy_of(kms, "alias/auth/1") == policy_of(kms, "alias/auth/2") == expected


def test_the_successor_of_a_compromised_key_gets_it_too(kms, typed):
    typed("key", "create", "auth", "--spec", "ECC_NIST_P256")
    typed("key", "rotate", "auth", *ROTATE)

    done = typed("key", "rotate", "auth", *ROTATE, "--compromised", "1", *SPLIT)

    assert done.code == 0, done.err
    policy = policy_of(kms, "alias/auth/2")
    assert policy["Sign"]["Condition"]["StringEquals"]["kms:SigningAlgorithm"] == ["ECDSA_SHA_256"]
    assert "kms:Sign" not in policy["Administer"]["Action"]


def test_in_the_functions_environment_it_is_the_stacks(kms, typed, monkeypatch):
    monkeypatch.setenv("KMSJWT_KEY_POLICY", "split")
    monkeypatch.setenv("KMSJWT_ACCOUNT", ACCOUNT)
    monkeypatch.setenv("KMSJWT_MAY_SIGN", SIGNER)
    monkeypatch.setenv("KMSJWT_SPEC", "ECC_NIST_P256")

    done = typed("key", "rotate", "auth", *ROTATE, "--start")

    assert done.code == 0, done.err
    assert policy_of(kms, "alias/auth/1")["Sign"]["Principal"] == {"AWS": [SIGNER]}


def test_without_it_a_key_has_the_policy_of_kms(kms, typed):
    typed("key", "create", "auth")
    typed("key", "create", "other", "--key-policy", "default")

    assert policy_of(kms, "alias/auth").keys() == policy_of(kms, "alias/other").keys()
    assert "Administer" not in policy_of(kms, "alias/auth")


def test_a_ring_that_is_there_keeps_its_policy_and_says_so(kms, typed):
    typed("key", "create", "auth")

    again = typed("key", "create", "auth", "--key-policy", "split", "--account", ACCOUNT)

    assert again.code == 0
    assert "its key policy stays" in again.err
    assert "put-key-policy" in again.err
    assert "Administer" not in policy_of(kms, "alias/auth")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--key-policy", "nowhere.json"], "nowhere.json"),
        (["--key-policy", "words.json"], "'words.json' is no JSON object"),
        (["--key-policy", "list.json"], "'list.json' is no JSON object"),
        (["--key-policy", "empty.json"], "expected a JSON object with a Statement"),
        (["--key-policy", "split", "--spec", "RSA_2048"], "--account"),
        (["--key-policy", "split", "--account", ACCOUNT], "--spec"),
        (["--may-sign", SIGNER], "--key-policy split"),
        (["--key-policy", "split", *SPLIT[2:], "--may-sign", "*"], "expected the ARN"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["run", "dry run"])
def test_a_policy_that_is_none_makes_no_key(kms, typed, words, told, more):
    Path("words.json").write_text("not JSON")
    Path("list.json").write_text("[]")
    Path("empty.json").write_text("{}")

    refused = typed("key", "rotate", "auth", *ROTATE, "--start", *more, *words)

    assert refused.code == 2
    assert told in refused.err
    assert kms.list_keys()["Keys"] == []
