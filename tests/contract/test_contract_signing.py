"""Sign and Verify, every algorithm, against `cryptography`."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.contract.oracle import LENGTHS, PAIRS, digest_of, has_digest, is_good, mu_of

MESSAGE = b"header.payload"
pairs = pytest.mark.parametrize(("spec", "algorithm"), PAIRS, ids=[f"{s}-{a}" for s, a in PAIRS])


def public_key(kms: Any, key: Any) -> Any:
    return kms.client.get_public_key(KeyId=key)["PublicKey"]


def verify(
    kms: Any, key: Any, algorithm: Any, signature: Any, message: Any = MESSAGE, **more: Any
) -> Any:
    return kms.client.verify(
        KeyId=key, SigningAlgorithm=algorithm, Signature=signature, Message=message, **more
    )


@pairs
def test_a_raw_signature_is_good_outside_and_inside(kms, spec, algorithm):
    key = kms.key(spec)
    answer = kms.sign(key, algorithm, MESSAGE)
    signature = answer["Signature"]
    assert is_good(public_key(kms, key), algorithm, MESSAGE, signature)
    assert not is_good(public_key(kms, key), algorithm, MESSAGE + b"x", signature)
    assert (answer["KeyId"], answer["SigningAlgorithm"]) == (key, algorithm)
    assert len(signature) == LENGTHS.get(spec, len(signature))
    verified = verify(kms, key, algorithm, signature)
    assert (verified["KeyId"], verified["SignatureValid"], verified["SigningAlgorithm"]) == (
        key,
        True,
        algorithm,
    )


@pytest.mark.parametrize(("spec", "algorithm"), [pair for pair in PAIRS if has_digest(pair[1])])
def test_a_digest_is_not_hashed_again(kms, spec, algorithm):
    key = kms.key(spec)
    digest = digest_of(algorithm, MESSAGE)
    signature = kms.sign(key, algorithm, digest, MessageType="DIGEST")["Signature"]
    assert is_good(public_key(kms, key), algorithm, MESSAGE, signature)
    # "A message and its hash digest are considered to be the same message."
    assert verify(kms, key, algorithm, signature)["SignatureValid"]
    raw = kms.sign(key, algorithm, MESSAGE)["Signature"]
    assert verify(kms, key, algorithm, raw, digest, MessageType="DIGEST")["SignatureValid"]


@pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"])
def test_an_external_mu_signs_the_message_it_stands_for(kms, spec):
    key = kms.key(spec)
    spki = public_key(kms, key)
    mu = mu_of(spki, MESSAGE)
    signature = kms.sign(key, "ML_DSA_SHAKE_256", mu, MessageType="EXTERNAL_MU")["Signature"]
    assert is_good(spki, "ML_DSA_SHAKE_256", MESSAGE, signature)
    assert verify(kms, key, "ML_DSA_SHAKE_256", signature)["SignatureValid"]
    raw = kms.sign(key, "ML_DSA_SHAKE_256", MESSAGE)["Signature"]
    assert verify(kms, key, "ML_DSA_SHAKE_256", raw, mu, MessageType="EXTERNAL_MU")


@pytest.mark.parametrize(
    "spec", ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"]
)
def test_an_ecdsa_signature_is_der(kms, spec):
    algorithm = dict(PAIRS)[spec]
    for _ in range(3):
        r, s = decode_dss_signature(kms.sign(kms.key(spec), algorithm)["Signature"])
        assert r > 0
        assert s > 0


@pairs
def test_a_bad_signature_is_an_error_with_no_message(kms, refused, spec, algorithm):
    key = kms.key(spec)
    signature = bytearray(kms.sign(key, algorithm, MESSAGE)["Signature"])
    signature[-1] ^= 1
    with refused("KMSInvalidSignatureException") as error:
        verify(kms, key, algorithm, bytes(signature))
    assert error.message == ""


@pytest.mark.parametrize(
    "spec", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "ML_DSA_44"]
)
@pytest.mark.parametrize("length", [1, 63, 65, 6144])
def test_a_signature_of_another_length_is_a_bad_one(kms, refused, spec, length):
    with refused("KMSInvalidSignatureException"):
        verify(kms, kms.key(spec), dict(PAIRS)[spec], b"\x00" * length)


def test_another_keys_signature_is_a_bad_one(kms, refused):
    signature = kms.sign(kms.key("ECC_NIST_P256"), "ECDSA_SHA_256", MESSAGE)["Signature"]
    with refused("KMSInvalidSignatureException"):
        verify(kms, kms.new_key(), "ECDSA_SHA_256", signature)


@pytest.mark.parametrize(
    ("spec", "algorithm"), [("RSA_2048", "RSASSA_PSS_SHA_256"), ("ECC_NIST_P256", "ECDSA_SHA_256")]
)
@pytest.mark.parametrize("length", [0x1F, 0x21, 64])
def test_a_digest_of_another_length_is_refused(kms, refused, spec, algorithm, length):
    with refused("ValidationException") as error:
        kms.sign(kms.key(spec), algorithm, b"d" * length, MessageType="DIGEST")
    assert error.message == f"Digest is invalid length for algorithm {algorithm}."


@pytest.mark.parametrize(
    ("spec", "algorithm", "message_type", "length"),
    [
        ("ECC_NIST_P256", "ECDSA_SHA_256", "EXTERNAL_MU", 64),
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "DIGEST", 64),
        ("ML_DSA_44", "ML_DSA_SHAKE_256", "DIGEST", 64),
        ("ML_DSA_44", "ML_DSA_SHAKE_256", "EXTERNAL_MU", 63),
        ("ECC_NIST_P256", "ECDSA_SHA_256", "HASHED", 32),
    ],
)
def test_a_message_type_that_does_not_fit_is_refused(
    kms, refused, spec, algorithm, message_type, length
):
    with refused("ValidationException"):
        kms.sign(kms.key(spec), algorithm, b"d" * length, MessageType=message_type)


def test_a_raw_message_has_4096_bytes_at_most(kms, refused):
    key = kms.key("ECC_NIST_EDWARDS25519")
    assert kms.sign(key, "ED25519_SHA_512", b"m" * 4096)["Signature"]
    with refused("ValidationException") as error:
        kms.sign(key, "ED25519_SHA_512", b"m" * 4097)
    assert error.message == (
        "1 validation error detected: Value at 'message' failed to satisfy constraint: "
        "Member must have length less than or equal to 4096"
    )


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        ("ECC_NIST_P256", "ECDSA_SHA_384"),
        ("ECC_SECG_P256K1", "ECDSA_SHA_512"),
        ("RSA_2048", "ECDSA_SHA_256"),
        ("ECC_NIST_P256", "RSASSA_PSS_SHA_256"),
        ("ECC_NIST_EDWARDS25519", "ECDSA_SHA_512"),
        ("ML_DSA_44", "ED25519_SHA_512"),
    ],
)
def test_an_algorithm_that_the_key_lacks_is_refused(kms, refused, spec, algorithm):
    key = kms.key(spec)
    with refused("InvalidKeyUsageException") as error:
        kms.sign(key, algorithm)
    assert error.message == f"Algorithm {algorithm} is incompatible with key spec {spec}."
    with refused("InvalidKeyUsageException"):
        verify(kms, key, algorithm, b"s")


@pytest.mark.parametrize(
    ("spec", "usage"),
    [
        ("HMAC_256", "GENERATE_VERIFY_MAC"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
        ("RSA_2048", "ENCRYPT_DECRYPT"),
        ("ECC_NIST_P256", "KEY_AGREEMENT"),
    ],
)
def test_a_key_of_another_usage_neither_signs_nor_verifies(kms, refused, spec, usage):
    key = kms.key(spec, usage)
    text = f"{key} key usage is {usage} which is not valid for"
    with refused("InvalidKeyUsageException") as error:
        kms.sign(key, "RSASSA_PSS_SHA_256")
    assert error.message == f"{text} Sign."
    with refused("InvalidKeyUsageException") as error:
        verify(kms, key, "RSASSA_PSS_SHA_256", b"s")
    assert error.message == f"{text} Verify."


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "HMAC_256"])
def test_a_key_that_signs_does_not_encrypt(kms: Any, refused: Any, spec: str) -> None:
    key = kms.key(spec)
    usage = kms.client.describe_key(KeyId=key)["KeyMetadata"]["KeyUsage"]
    with refused("InvalidKeyUsageException") as error:
        kms.client.encrypt(KeyId=key, Plaintext=b"p")
    assert error.message == f"{key} key usage is {usage} which is not valid for Encrypt."


@pytest.mark.parametrize("given", ["id", "arn", "alias", "alias arn"])
def test_a_key_signs_under_each_of_its_names(kms, alias, given):
    key = kms.key("ECC_NIST_P256")
    kms.client.create_alias(AliasName=alias, TargetKeyId=key)
    names = {
        "id": key.rpartition("/")[2],
        "arn": key,
        "alias": alias,
        "alias arn": key.rpartition(":")[0] + ":" + alias,
    }
    answer = kms.sign(names[given], "ECDSA_SHA_256", MESSAGE)
    assert answer["KeyId"] == key
    assert is_good(public_key(kms, key), "ECDSA_SHA_256", MESSAGE, answer["Signature"])


def test_a_dry_run_ends_where_the_signature_would_begin(kms, refused):
    key = kms.key("ECC_NIST_P256")
    with refused("DryRunOperationException") as error:
        kms.sign(key, "ECDSA_SHA_256", DryRun=True)
    assert error.message == "The request would have succeeded, but the DryRun option is set."
    with refused("DryRunOperationException"):
        verify(kms, key, "ECDSA_SHA_256", b"s", DryRun=True)
    with refused("InvalidKeyUsageException"):
        kms.sign(key, "ECDSA_SHA_384", DryRun=True)
    assert kms.sign(key, "ECDSA_SHA_256", DryRun=False)["Signature"]


def test_each_answer_has_its_own_request_id_and_a_date(kms):
    answers = [kms.sign(kms.key("ECC_NIST_P256"), "ECDSA_SHA_256") for _ in range(3)]
    metadata = [answer["ResponseMetadata"] for answer in answers]
    assert len({one["RequestId"] for one in metadata}) == 3
    for one in metadata:
        assert one["HTTPStatusCode"] == 200
        assert one["HTTPHeaders"]["date"].endswith(" GMT")
        assert one["HTTPHeaders"]["x-amzn-requestid"] == one["RequestId"]
