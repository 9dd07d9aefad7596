"""Keys: made, described, fetched, disabled, scheduled for deletion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from tests.contract.oracle import SIGNING

NO_USAGE = (
    "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
)
UNKNOWN = "1234abcd-12ab-34cd-56ef-1234567890ab"
HMAC = [f"HMAC_{bits}" for bits in (224, 256, 384, 512)]


@pytest.mark.parametrize("spec", [*SIGNING, *HMAC])
def test_metadata_says_what_the_key_can_do(kms, spec):
    arn = kms.key(spec)
    key = kms.client.describe_key(KeyId=arn)["KeyMetadata"]
    assert key["Arn"] == arn
    assert arn.endswith(f":key/{key['KeyId']}")
    assert (key["KeySpec"], key["CustomerMasterKeySpec"]) == (spec, spec)
    assert (key["KeyState"], key["Enabled"]) == ("Enabled", True)
    assert (key["Origin"], key["KeyManager"], key["MultiRegion"]) == ("AWS_KMS", "CUSTOMER", False)
    assert "MultiRegionConfiguration" not in key
    assert "DeletionDate" not in key
    assert abs(key["CreationDate"] - datetime.now(UTC)) < timedelta(hours=1)
    if spec in SIGNING:
        assert key["KeyUsage"] == "SIGN_VERIFY"
        assert set(key["SigningAlgorithms"]) - {"ED25519_PH_SHA_512"} == set(SIGNING[spec])
        assert "MacAlgorithms" not in key
    else:
        assert key["KeyUsage"] == "GENERATE_VERIFY_MAC"
        assert key["MacAlgorithms"] == [spec.replace("HMAC_", "HMAC_SHA_")]
        assert "SigningAlgorithms" not in key


@pytest.mark.parametrize(
    ("spec", "usage", "field", "algorithms"),
    [
        (
            "RSA_2048",
            "ENCRYPT_DECRYPT",
            "EncryptionAlgorithms",
            {"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"},
        ),
        ("ECC_NIST_P256", "KEY_AGREEMENT", "KeyAgreementAlgorithms", {"ECDH"}),
        (
            "SYMMETRIC_DEFAULT",
            "ENCRYPT_DECRYPT",
            "EncryptionAlgorithms",
            {"SYMMETRIC_DEFAULT"},
        ),
    ],
)
def test_metadata_lists_the_algorithms_of_the_usage_alone(kms, spec, usage, field, algorithms):
    key = kms.client.describe_key(KeyId=kms.key(spec, usage))["KeyMetadata"]
    assert set(key[field]) == algorithms
    assert "SigningAlgorithms" not in key


@pytest.mark.parametrize("spec", SIGNING)
def test_the_public_key_comes_with_arn_spec_and_usage(kms, spec):
    arn = kms.key(spec)
    answer = kms.client.get_public_key(KeyId=arn)
    assert answer["KeyId"] == arn
    assert (answer["KeySpec"], answer["CustomerMasterKeySpec"]) == (spec, spec)
    assert answer["KeyUsage"] == "SIGN_VERIFY"
    assert set(SIGNING[spec]) <= set(answer["SigningAlgorithms"])
    assert serialization.load_der_public_key(answer["PublicKey"]) is not None


@pytest.mark.parametrize(
    ("spec", "usage"), [("HMAC_256", None), ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")]
)
def test_a_key_without_a_public_half_has_none_to_fetch(kms, refused, spec, usage):
    with refused("UnsupportedOperationException"):
        kms.client.get_public_key(KeyId=kms.key(spec, usage))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"KeySpec": "ECC_NIST_P256"},
            NO_USAGE,
        ),
        (
            {"KeySpec": "HMAC_256"},
            NO_USAGE,
        ),
        (
            {"KeySpec": "RSA_2048", "KeyUsage": "KEY_AGREEMENT"},
            "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048",
        ),
        (
            {"KeySpec": "ECC_NIST_P256", "KeyUsage": "ENCRYPT_DECRYPT"},
            "KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec ECC_NIST_P256",
        ),
        (
            {"KeySpec": "ECC_SECG_P256K1", "KeyUsage": "KEY_AGREEMENT"},
            "KeyUsage KEY_AGREEMENT is not compatible with KeySpec ECC_SECG_P256K1",
        ),
        ({"KeySpec": "HMAC_random", "KeyUsage": "GENERATE_VERIFY_MAC"}, None),
        ({"KeySpec": "HMAC_256", "KeyUsage": "RANDOM"}, None),
    ],
)
def test_a_key_that_cannot_be_is_not_made(kms, refused, request_, message):
    with refused("ValidationException") as error:
        kms.client.create_key(**request_)
    assert message in (None, error.message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (UNKNOWN, "Key '{arn}' does not exist"),
        ("{arn}", "Key '{arn}' does not exist"),
        ("mrk-" + "0" * 32, "Key '{prefix}key/mrk-" + "0" * 32 + "' does not exist"),
        ("fake-key-id", "Invalid keyId 'fake-key-id'"),
        ("mrk-fake-key-id", "Invalid keyId 'mrk-fake-key-id'"),
        (UNKNOWN.replace("-", ""), f"Invalid keyId '{UNKNOWN.replace('-', '')}'"),
        ("alias/kmsjwt-nobody", "Alias {prefix}alias/kmsjwt-nobody is not found."),
        ("{prefix}alias/kmsjwt-nobody", "Alias {prefix}alias/kmsjwt-nobody is not found."),
    ],
)
def test_a_key_that_is_not_there_is_not_found(kms, refused, name, message):
    prefix = kms.key("ECC_NIST_P256").rpartition(":")[0] + ":"
    words = {"prefix": prefix, "arn": f"{prefix}key/{UNKNOWN}"}
    uses: tuple[Any, ...] = (
        lambda key: kms.client.describe_key(KeyId=key),
        lambda key: kms.client.get_public_key(KeyId=key),
        lambda key: kms.sign(key, "ECDSA_SHA_256"),
    )
    for use in uses:
        with refused("NotFoundException") as error:
            use(name.format(**words))
        assert error.message == message.format(**words)


def test_the_arn_of_another_region_is_not_found(kms, refused):
    arn = kms.key("ECC_NIST_P256")
    elsewhere = "us-west-2" if kms.region != "us-west-2" else "eu-west-1"
    with refused("NotFoundException") as error:
        kms.sign(arn.replace(kms.region, elsewhere), "ECDSA_SHA_256")
    assert error.message == f"Invalid arn {elsewhere}"


def test_a_disabled_key_neither_works_nor_shows_its_public_half(kms, refused):
    key = kms.new_key()
    signature = kms.sign(key, "ECDSA_SHA_256")["Signature"]
    kms.client.disable_key(KeyId=key)
    uses: tuple[Any, ...] = (
        lambda: kms.sign(key, "ECDSA_SHA_256"),
        lambda: kms.client.get_public_key(KeyId=key),
        lambda: kms.client.verify(
            KeyId=key, SigningAlgorithm="ECDSA_SHA_256", Message=b"message", Signature=signature
        ),
    )
    for use in uses:
        with refused("DisabledException") as error:
            use()
        assert error.message == f"{key} is disabled."
    described = kms.client.describe_key(KeyId=key)["KeyMetadata"]
    assert (described["KeyState"], described["Enabled"]) == ("Disabled", False)
    kms.client.enable_key(KeyId=key)
    for use in uses:
        use()


def test_a_key_pending_deletion_is_of_no_use_until_it_is_kept(kms, refused):
    key = kms.new_key()
    answer = kms.client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert (answer["KeyId"], answer["KeyState"]) == (key, "PendingDeletion")
    assert answer["PendingWindowInDays"] == 7
    assert abs(answer["DeletionDate"] - datetime.now(UTC) - timedelta(days=7)) < timedelta(hours=1)
    described = kms.client.describe_key(KeyId=key)["KeyMetadata"]
    assert described["KeyState"] == "PendingDeletion"
    assert described["DeletionDate"] == answer["DeletionDate"]
    uses: tuple[Any, ...] = (
        lambda: kms.sign(key, "ECDSA_SHA_256"),
        lambda: kms.client.get_public_key(KeyId=key),
        lambda: kms.client.schedule_key_deletion(KeyId=key),
        lambda: kms.client.enable_key(KeyId=key),
        lambda: kms.client.disable_key(KeyId=key),
        lambda: kms.client.update_key_description(KeyId=key, Description="x"),
        lambda: kms.client.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}]),
        lambda: kms.client.create_alias(AliasName="alias/kmsjwt-gone", TargetKeyId=key),
    )
    for use in uses:
        with refused("KMSInvalidStateException") as error:
            use()
        assert error.message == f"{key} is pending deletion."
    assert kms.client.cancel_key_deletion(KeyId=key)["KeyId"] == key
    described = kms.client.describe_key(KeyId=key)["KeyMetadata"]
    assert described["KeyState"] == "Disabled"
    assert "DeletionDate" not in described
    with refused("KMSInvalidStateException"):
        kms.client.cancel_key_deletion(KeyId=key)


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "HMAC_256"])
def test_kms_rotates_no_signing_key_by_itself(kms: Any, refused: Any, spec: str) -> None:
    with refused("UnsupportedOperationException"):
        kms.client.enable_key_rotation(KeyId=kms.key(spec))


@pytest.mark.parametrize("days", [3, 6, 31])
def test_the_waiting_period_is_7_to_30_days(kms, refused, days):
    with refused("ValidationException"):
        kms.client.schedule_key_deletion(KeyId=kms.key("ECC_NIST_P256"), PendingWindowInDays=days)


def test_a_key_has_a_description(kms):
    key = kms.new_key(Description="first")
    assert kms.client.describe_key(KeyId=key)["KeyMetadata"]["Description"] == "first"
    kms.client.update_key_description(KeyId=key, Description="")
    assert kms.client.describe_key(KeyId=key)["KeyMetadata"]["Description"] == ""


def test_a_key_has_the_default_policy_unless_given_another(kms):
    key = kms.new_key()
    answer = kms.client.get_key_policy(KeyId=key)
    assert answer["PolicyName"] == "default"
    assert '"kms:*"' in answer["Policy"]
    kms.client.put_key_policy(KeyId=key, Policy=answer["Policy"])
    assert kms.client.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    with pytest.raises(kms.client.exceptions.MalformedPolicyDocumentException):
        kms.client.put_key_policy(KeyId=key, Policy="{")


def test_the_last_use_is_known(kms):
    key = kms.new_key()
    unused = kms.client.get_key_last_usage(KeyId=key)
    assert unused["KeyId"]
    assert unused.get("KeyLastUsage", {}) == {}
    assert unused["TrackingStartDate"] >= unused["KeyCreationDate"]
    signed = kms.sign(key, "ECDSA_SHA_256")
    last = kms.client.get_key_last_usage(KeyId=key)["KeyLastUsage"]
    assert last["Operation"] == "Sign"
    assert last["KmsRequestId"] == signed["ResponseMetadata"]["RequestId"]
    checked = kms.client.verify(
        KeyId=key,
        SigningAlgorithm="ECDSA_SHA_256",
        Message=b"message",
        Signature=signed["Signature"],
    )
    last = kms.client.get_key_last_usage(KeyId=key)["KeyLastUsage"]
    assert last["Operation"] == "Verify"
    assert last["KmsRequestId"] == checked["ResponseMetadata"]["RequestId"]
