"""GenerateMac and VerifyMac."""

from __future__ import annotations

import pytest

BITS = (224, 256, 384, 512)
MESSAGE = b"some important message"


@pytest.mark.parametrize("bits", BITS)
def test_a_mac_is_good_and_of_its_length(kms, bits):
    key, algorithm = kms.key(f"HMAC_{bits}"), f"HMAC_SHA_{bits}"
    answer = kms.client.generate_mac(KeyId=key, MacAlgorithm=algorithm, Message=MESSAGE)
    assert (answer["KeyId"], answer["MacAlgorithm"]) == (key, algorithm)
    assert len(answer["Mac"]) == bits // 8
    verified = kms.client.verify_mac(
        KeyId=key, MacAlgorithm=algorithm, Message=MESSAGE, Mac=answer["Mac"]
    )
    assert (verified["KeyId"], verified["MacValid"]) == (key, True)


@pytest.mark.parametrize("mac", [b"x" * 32, b"x"])
def test_a_bad_mac_is_an_error_with_no_message(kms, refused, mac):
    with refused("KMSInvalidMacException") as error:
        kms.client.verify_mac(
            KeyId=kms.key("HMAC_256"), MacAlgorithm="HMAC_SHA_256", Message=MESSAGE, Mac=mac
        )
    assert error.message == ""


@pytest.mark.parametrize(
    ("spec", "algorithm", "code", "message"),
    [
        (
            "HMAC_224",
            "HMAC_SHA_256",
            "InvalidKeyUsageException",
            "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224.",
        ),
        (
            "HMAC_256",
            "INVALID",
            "ValidationException",
            (
                "1 validation error detected: Value 'INVALID' at 'macAlgorithm' failed to satisfy "
                "constraint: Member must satisfy enum value set: [HMAC_SHA_384, HMAC_SHA_256, "
                "HMAC_SHA_224, HMAC_SHA_512]"
            ),
        ),
    ],
)
def test_an_algorithm_that_does_not_fit_is_refused(kms, refused, spec, algorithm, code, message):
    with refused(code) as error:
        kms.client.generate_mac(KeyId=kms.key(spec), MacAlgorithm=algorithm, Message=MESSAGE)
    assert error.message == message


def test_a_symmetric_key_makes_no_mac(kms, refused):
    key = kms.key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    with refused("InvalidKeyUsageException") as error:
        kms.client.generate_mac(KeyId=key, MacAlgorithm="HMAC_SHA_256", Message=MESSAGE)
    assert error.message == (
        f"{key} key usage is ENCRYPT_DECRYPT which is not valid for GenerateMac."
    )


def test_a_message_has_4096_bytes_at_most(kms, refused):
    with refused("ValidationException"):
        kms.client.generate_mac(
            KeyId=kms.key("HMAC_256"), MacAlgorithm="HMAC_SHA_256", Message=b"m" * 4097
        )


def test_a_dry_run_makes_no_mac(kms, refused):
    with refused("DryRunOperationException"):
        kms.client.generate_mac(
            KeyId=kms.key("HMAC_256"), MacAlgorithm="HMAC_SHA_256", Message=b"m", DryRun=True
        )
    with refused("DryRunOperationException"):
        kms.client.verify_mac(
            KeyId=kms.key("HMAC_256"),
            MacAlgorithm="HMAC_SHA_256",
            Message=b"m",
            Mac=b"m" * 32,
            DryRun=True,
        )
