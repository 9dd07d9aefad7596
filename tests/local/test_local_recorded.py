"""Answers recorded from real AWS KMS: the local KMS gives the same codes, messages and members.

The recordings lie beside the repository, in shared/vectors/kms-recorded (LocalStack's project made
them, Apache-2.0). On a machine without them the tests skip, in CI they fail.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.giving_up import give_up

from kmsjwt.local import LocalKms

FILE = Path(__file__).parents[3] / "shared/vectors/kms-recorded/kms_responses.json"
UNKNOWN = "1234abcd-12ab-34cd-56ef-1234567890ab"
ACCOUNT = "111111111111"
REGION = "eu-central-1"
# What AWS has added to KeySpec and KeyUsage since the recording.
ADDED = re.compile(
    r", (?:SM2|ML_DSA_\d+|ECC_NIST_EDWARDS25519|ML_KEM_\d+|KEY_AGREEMENT|ENCAPSULATE_DECAPSULATE)"
)


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    if not FILE.exists():
        give_up(f"{FILE} is missing, expected in CI")
    cases = json.loads(FILE.read_text())
    return {name.split("::")[-1]: case["recorded-content"] for name, case in cases.items()}


@pytest.fixture(scope="module")
def kms() -> LocalKms:
    return LocalKms(account_id=ACCOUNT, region=REGION)


@pytest.fixture(scope="module")
def key(kms: LocalKms) -> Any:
    made: dict[tuple[str, str], str] = {}

    def get(spec: str, usage: str = "SIGN_VERIFY") -> str:
        if (spec, usage) not in made:
            answer = kms.create_key(KeySpec=spec, KeyUsage=usage)
            made[spec, usage] = answer["KeyMetadata"]["Arn"]
        return made[spec, usage]

    return get


def refusal(kms: LocalKms, use: Any) -> dict[str, Any]:
    """The error answer, without what differs from call to call."""
    with pytest.raises(kms.exceptions.ClientError) as error:
        use()
    answer = dict(error.value.response)
    answer["ResponseMetadata"] = {
        "HTTPHeaders": {},
        "HTTPStatusCode": answer["ResponseMetadata"]["HTTPStatusCode"],
    }
    return answer


def filled(recording: dict[str, Any], **names: str) -> Any:
    """A recording with its placeholders replaced by what they stand for here."""
    text = json.dumps(recording)
    for name, value in {"partition": "aws", "region": REGION, **names}.items():
        text = text.replace(f"<{name}>", value)
    return json.loads(text)


def hmac(kms: LocalKms, spec: str, algorithm: str) -> Any:
    answer = kms.create_key(KeySpec=spec, KeyUsage="GENERATE_VERIFY_MAC")
    request = {"KeyId": answer["KeyMetadata"]["KeyId"], "MacAlgorithm": algorithm}
    return lambda: kms.generate_mac(Message=b"m", **request)


def test_keys_that_are_not_found(kms: LocalKms, recorded: dict[str, Any]) -> None:
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"
    mrk = "mrk-" + "1234567890abcdef" * 2
    case = filled(
        recorded["test_get_key_does_not_exist"],
        **{"key-arn": arn + UNKNOWN, "mrk-key-arn": arn + mrk},
    )
    asked = {
        "describe-nonexistent-key-with-id": UNKNOWN,
        "describe-nonexistent-with-arn": arn + UNKNOWN,
        "describe-key-with-valid-id-mrk": mrk,
    }
    invalid = recorded["test_get_key_invalid_uuid"]
    asked |= {
        "describe-key-with-invalid-uuid": "fake-key-id",
        "describe-key-with-invalid-uuid-2": "134f2428cec14b25a1ae9048164dba47",
        "describe-key-with-invalid-uuid-mrk": "mrk-fake-key-id",
    }
    wanted = case | invalid
    assert wanted.keys() == asked.keys()
    for name, given in asked.items():
        got = refusal(kms, lambda given=given: kms.describe_key(KeyId=given))
        assert got == wanted[name], name


def test_a_key_of_another_region(kms: LocalKms, key: Any, recorded: dict[str, Any]) -> None:
    arn = key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    key_id = arn.rpartition("/")[2]
    case = filled(
        recorded["test_get_key_in_different_region"],
        **{"key-id:1": key_id, "secondary-region": REGION, "region": "eu-west-1"},
    )
    there = kms.in_region("eu-west-1")
    got = refusal(there, lambda: there.describe_key(KeyId=key_id))
    assert got == case["describe-key-diff-region-with-id"]
    got = refusal(there, lambda: there.describe_key(KeyId=arn))
    assert got == case["describe-key-diff-region-with-arn"]


SIGNED = [
    ("RSA_2048", "RSASSA_PSS_SHA_256"),
    ("RSA_2048", "RSASSA_PSS_SHA_384"),
    ("RSA_2048", "RSASSA_PSS_SHA_512"),
    ("RSA_4096", "RSASSA_PKCS1_V1_5_SHA_256"),
    ("RSA_4096", "RSASSA_PKCS1_V1_5_SHA_512"),
    ("ECC_NIST_P256", "ECDSA_SHA_256"),
    ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
    ("ECC_NIST_P384", "ECDSA_SHA_384"),
]


@pytest.mark.parametrize(("spec", "algorithm"), SIGNED)
def test_signatures_and_their_refusals(
    kms: LocalKms, key: Any, recorded: dict[str, Any], spec: str, algorithm: str
) -> None:
    arn = key(spec)
    case = recorded[f"test_sign_verify[{spec}-{algorithm}]"]
    request = {"KeyId": arn, "SigningAlgorithm": algorithm, "Message": b"m"}
    signed = kms.sign(**request)
    assert signed.keys() == case["signature"].keys()
    verified = kms.verify(Signature=signed["Signature"], **request)
    assert verified.keys() == case["verification"].keys()
    assert verified["SignatureValid"] is True
    got = refusal(kms, lambda: kms.sign(MessageType="DIGEST", **request))
    assert got == case["bad-digest"]
    got = refusal(kms, lambda: kms.verify(Signature=b"bad", **request))
    assert got == case["bad-signature"]


@pytest.mark.parametrize(
    ("name", "spec", "algorithm"),
    [
        ("test_invalid_generate_mac[HMAC_224-HMAC_SHA_256]", "HMAC_224", "HMAC_SHA_256"),
        ("test_invalid_generate_mac[HMAC_256-INVALID]", "HMAC_256", "INVALID"),
    ],
)
def test_macs_refused(
    kms: LocalKms, recorded: dict[str, Any], name: str, spec: str, algorithm: str
) -> None:
    assert refusal(kms, hmac(kms, spec, algorithm)) == recorded[name]["generate-mac"]


@pytest.mark.parametrize(
    ("algorithm", "message"),
    [
        ("HMAC_SHA_256", "some different important message"),
        ("HMAC_SHA_512", "some important message"),
        ("INVALID", "some important message"),
    ],
)
def test_macs_not_verified(
    kms: LocalKms, key: Any, recorded: dict[str, Any], algorithm: str, message: str
) -> None:
    arn = key("HMAC_256", "GENERATE_VERIFY_MAC")
    mac = kms.generate_mac(
        KeyId=arn, MacAlgorithm="HMAC_SHA_256", Message=b"some important message"
    )["Mac"]
    got = refusal(
        kms,
        lambda: kms.verify_mac(
            KeyId=arn, MacAlgorithm=algorithm, Message=message.encode(), Mac=mac
        ),
    )
    assert got == recorded[f"test_invalid_verify_mac[HMAC_256-{algorithm}-{message}]"]["verify-mac"]


def test_keys_of_another_usage(kms: LocalKms, key: Any, recorded: dict[str, Any]) -> None:
    case = recorded["test_error_messaging_for_invalid_keys"]
    symmetric = key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    mac = key("HMAC_224", "GENERATE_VERIFY_MAC")
    request = {"Message": b"m", "SigningAlgorithm": "RSASSA_PSS_SHA_256"}
    asked = {
        "generate-mac-invalid-key-id": (
            symmetric,
            lambda: kms.generate_mac(KeyId=symmetric, MacAlgorithm="HMAC_SHA_256", Message=b"m"),
        ),
        "sign-invalid-key-id": (mac, lambda: kms.sign(KeyId=mac, **request)),
        "verify-invalid-key-id": (
            symmetric,
            lambda: kms.verify(KeyId=symmetric, Signature=b"s", **request),
        ),
    }
    ecc = key("ECC_NIST_P256")
    asked["encrypt-invalid-key-id"] = (ecc, lambda: kms.encrypt(KeyId=ecc, Plaintext=b"p"))
    for name, (arn, use) in asked.items():
        assert refusal(kms, use) == filled(case[name], **{"key-arn": arn}), name


def test_keys_not_made(kms: LocalKms, recorded: dict[str, Any]) -> None:
    case = recorded["test_hmac_create_key_invalid_operations"]
    asked: dict[str, Any] = {
        "create-hmac-key-without-key-usage": {"KeySpec": "HMAC_256"},
        "create-hmac-key-invalid-spec": {
            "KeySpec": "HMAC_random",
            "KeyUsage": "GENERATE_VERIFY_MAC",
        },
        "create-hmac-key-invalid-key-usage": {"KeySpec": "HMAC_256", "KeyUsage": "RANDOM"},
    }
    for name, request in asked.items():
        got = refusal(kms, lambda request=request: kms.create_key(**request))
        got["Error"]["Message"] = ADDED.sub("", got["Error"]["Message"])
        assert got == case[name], name
    got = refusal(kms, lambda: kms.create_key(KeySpec="RSA_2048", KeyUsage="KEY_AGREEMENT"))
    assert got == recorded["test_derive_shared_secret"]["response-invalid-key-spec"]


TAGGED = {
    "test_tag_key_with_duplicate_tag_keys_raises_error": [("a", "1"), ("a", "2")],
    "test_create_key_with_too_many_tags_raises_error": [(f"k{n}", "v") for n in range(51)],
    "test_tag_existing_key_with_invalid_tag_key": [("aws:a", "v")],
    "test_key_with_long_tag_value_raises_error": [("a", "v" * 257)],
    "test_create_key_with_invalid_tag_key[lowercase_prefix]": [("aws:a", "v")],
    "test_create_key_with_invalid_tag_key[uppercase_prefix]": [("AWS:a", "v")],
    "test_create_key_with_invalid_tag_key[too_long_key]": [("a" * 129, "v")],
}


@pytest.mark.parametrize("name", TAGGED)
def test_tags_refused(kms: LocalKms, recorded: dict[str, Any], name: str) -> None:
    (wanted,) = recorded[name].values()
    # Of the long values, AWS's recording shows one character more or less: compare the words.
    shorten = re.compile(r"'(a+|v+)'")
    tags = [{"TagKey": key, "TagValue": value} for key, value in TAGGED[name]]
    got = refusal(kms, lambda: kms.create_key(Tags=tags))
    assert shorten.sub("", json.dumps(got)) == shorten.sub("", json.dumps(wanted)) or (
        json.loads(shorten.sub("''", json.dumps(got)))
        == json.loads(shorten.sub("''", json.dumps(wanted)))
    )


def test_an_alias_without_its_prefix(kms: LocalKms, key: Any, recorded: dict[str, Any]) -> None:
    got = refusal(kms, lambda: kms.create_alias(AliasName="a", TargetKeyId=key("ECC_NIST_P256")))
    assert got == recorded["test_create_alias"]["create_alias"]


def test_a_disabled_key(kms: LocalKms, recorded: dict[str, Any]) -> None:
    arn = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=arn)
    got = refusal(kms, lambda: kms.sign(KeyId=arn, Message=b"m", SigningAlgorithm="ECDSA_SHA_256"))
    case = recorded["test_rotate_key_on_demand_raises_error_given_key_is_disabled"]
    assert got == filled(case["error-response"], **{"key-arn": arn})


def test_a_dry_run(kms: LocalKms, key: Any, recorded: dict[str, Any]) -> None:
    got = refusal(
        kms,
        lambda: kms.sign(
            KeyId=key("ECC_NIST_P256"),
            Message=b"m",
            SigningAlgorithm="ECDSA_SHA_256",
            DryRun=True,
        ),
    )
    case = recorded["test_generate_data_key_pair_dry_run"]["dryrun_exception"]
    assert got == case


def test_a_replica_and_the_replica_of_a_replica(kms: LocalKms, recorded: dict[str, Any]) -> None:
    made = kms.create_key(MultiRegion=True, Description="test replicated key")["KeyMetadata"]
    case = filled(recorded["test_replicate_key"], **{"key-id:1": made["KeyId"]})
    there = kms.in_region("ap-southeast-1")
    got = refusal(there, lambda: there.describe_key(KeyId=made["KeyId"]))
    assert got == case["describe-key-from-different-region"]
    answer = kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion="ap-southeast-1")
    policy = json.loads(answer["ReplicaPolicy"])
    assert policy == case["replicate-key"]["ReplicaPolicy"]
    pairs = (
        (answer["ReplicaKeyMetadata"], case["replicate-key"]["ReplicaKeyMetadata"]),
        (
            kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"],
            case["describe-key-from-region"]["KeyMetadata"],
        ),
        (
            there.describe_key(KeyId=made["KeyId"])["KeyMetadata"],
            case["describe-replicated-key"]["KeyMetadata"],
        ),
    )
    for ours, theirs in pairs:
        # The recorder dropped the id of symmetric key material from these three.
        assert alike(ours) == alike(theirs)
    replica = answer["ReplicaKeyMetadata"]["Arn"]
    got = refusal(there, lambda: there.replicate_key(KeyId=replica, ReplicaRegion="eu-west-1"))
    case = recorded["test_replicate_replica_key_should_fail"]["fail-replicate-non-primary-key"]
    assert got == filled(case, **{"mrk-key-arn": replica})


def alike(metadata: dict[str, Any]) -> dict[str, Any]:
    aside = ("CreationDate", "CurrentKeyMaterialId")
    return {name: value for name, value in metadata.items() if name not in aside}


@pytest.mark.parametrize(
    ("name", "part", "request_"),
    [
        ("test_create_key", "describe-key", {"Description": "test key 123"}),
        (
            "test_hmac_create_key",
            "create-hmac-key",
            {
                "KeySpec": "HMAC_256",
                "KeyUsage": "GENERATE_VERIFY_MAC",
                "Description": "test key",
            },
        ),
        (
            "test_create_multi_region_key",
            "create_multi_region_key",
            {"MultiRegion": True, "Description": "test multi region key"},
        ),
        (
            "test_non_multi_region_keys_should_not_have_multi_region_properties",
            "non_multi_region_keys_should_not_have_multi_region_properties",
            {"MultiRegion": False, "Description": "test non multi region key"},
        ),
    ],
)
def test_metadata_of_a_new_key(
    kms: LocalKms, recorded: dict[str, Any], name: str, part: str, request_: dict[str, Any]
) -> None:
    metadata = kms.create_key(**request_)["KeyMetadata"]
    wanted = filled(recorded[name][part], **{"key-id:1": metadata["KeyId"]})
    assert metadata.keys() == wanted.keys()
    assert alike(metadata) == alike(wanted)
