"""Keys through time and across Regions."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from kmsjwt.errors import ConfigError
from kmsjwt.local import NOTICE, LocalKms

DAY = 86_400


def state(kms: Any, key: Any) -> Any:
    return kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]


def test_a_key_goes_with_its_aliases_when_its_time_is_over(kms, clock, new_key):
    key, other = new_key(kms), new_key(kms)
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    kms.create_alias(AliasName="alias/b", TargetKeyId=other)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    clock.forward(7 * DAY - 1)
    assert state(kms, key) == "PendingDeletion"
    clock.forward(1)
    for name in (key, "alias/a"):
        with pytest.raises(kms.exceptions.NotFoundException):
            kms.describe_key(KeyId=name)
    assert [alias["AliasName"] for alias in kms.list_aliases()["Aliases"]] == ["alias/b"]


def test_the_waiting_period_is_30_days_by_default(kms, clock, new_key):
    answer = kms.schedule_key_deletion(KeyId=new_key(kms))
    assert answer["PendingWindowInDays"] == 30
    assert answer["DeletionDate"].timestamp() == clock.now + 30 * DAY


def test_an_alias_moves_away_from_a_key_that_is_leaving(kms, new_key):
    old, new = new_key(kms), new_key(kms)
    kms.create_alias(AliasName="alias/a", TargetKeyId=old)
    kms.schedule_key_deletion(KeyId=old)
    kms.update_alias(AliasName="alias/a", TargetKeyId=new)
    with pytest.raises(kms.exceptions.KMSInvalidStateException):
        kms.update_alias(AliasName="alias/a", TargetKeyId=old)
    kms.delete_alias(AliasName="alias/a")


def test_a_key_has_fifty_aliases_at_most(kms, new_key):
    key = new_key(kms)
    for number in range(50):
        kms.create_alias(AliasName=f"alias/a{number}", TargetKeyId=key)
    with pytest.raises(kms.exceptions.LimitExceededException):
        kms.create_alias(AliasName="alias/more", TargetKeyId=key)


# --- multi-Region keys


def replicate(kms: Any, key: Any, region: Any = "ap-southeast-1", **more: Any) -> Any:
    return kms.replicate_key(KeyId=key, ReplicaRegion=region, **more)


def test_a_replica_has_the_same_id_and_material_and_another_arn(kms, new_key, sign):
    key = new_key(kms, MultiRegion=True, Description="primary")
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    answer = replicate(kms, key, Tags=[{"TagKey": "a", "TagValue": "1"}])
    metadata = answer["ReplicaKeyMetadata"]
    assert metadata["KeyId"] == key.rpartition("/")[2]
    assert metadata["KeyId"].startswith("mrk-")
    assert metadata["Arn"] == key.replace("eu-central-1", "ap-southeast-1")
    assert (metadata["KeyState"], metadata["Enabled"], metadata["Description"]) == (
        "Creating",
        False,
        "",
    )
    assert answer["ReplicaTags"] == [{"TagKey": "a", "TagValue": "1"}]
    there = kms.in_region("ap-southeast-1")
    signature = sign(there, metadata["Arn"])["Signature"]
    assert kms.verify(
        KeyId=key, Message=b"m", Signature=signature, SigningAlgorithm="ECDSA_SHA_256"
    )["SignatureValid"]
    for client, arn, kind in ((kms, key, "PRIMARY"), (there, metadata["Arn"], "REPLICA")):
        described = client.describe_key(KeyId=arn)["KeyMetadata"]
        assert described["KeyState"] == "Enabled"
        assert described["MultiRegionConfiguration"] == {
            "MultiRegionKeyType": kind,
            "PrimaryKey": {"Arn": key, "Region": "eu-central-1"},
            "ReplicaKeys": [{"Arn": metadata["Arn"], "Region": "ap-southeast-1"}],
        }
    with pytest.raises(there.exceptions.NotFoundException):
        there.describe_key(KeyId="alias/a")


def test_only_a_primary_is_replicated_and_once_a_region(kms, new_key):
    single = new_key(kms)
    with pytest.raises(kms.exceptions.UnsupportedOperationException):
        replicate(kms, single)
    key = new_key(kms, MultiRegion=True)
    replica = replicate(kms, key)["ReplicaKeyMetadata"]["Arn"]
    with pytest.raises(kms.exceptions.AlreadyExistsException):
        replicate(kms, key)
    there = kms.in_region("ap-southeast-1")
    with pytest.raises(there.exceptions.UnsupportedOperationException) as error:
        replicate(there, replica, "eu-west-1")
    assert error.value.response["Error"]["Message"] == (
        f"{replica} is not a multi-region primary key."
    )
    with pytest.raises(kms.exceptions.ClientError, match="partition"):
        replicate(kms, key, "cn-north-1")


def test_replicas_have_a_life_of_their_own(kms, new_key, sign):
    key = new_key(kms, MultiRegion=True)
    replica = replicate(kms, key)["ReplicaKeyMetadata"]["Arn"]
    there = kms.in_region("ap-southeast-1")
    kms.disable_key(KeyId=key)
    assert sign(there, replica)
    with pytest.raises(kms.exceptions.DisabledException):
        replicate(kms, key, "eu-west-1")


def test_a_primary_waits_for_its_replicas_to_go_first(kms, clock, new_key):
    key = new_key(kms, MultiRegion=True)
    replica = replicate(kms, key)["ReplicaKeyMetadata"]["Arn"]
    there = kms.in_region("ap-southeast-1")
    answer = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingReplicaDeletion"
    assert "DeletionDate" not in answer
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["PendingDeletionWindowInDays"] == 7
    clock.forward(40 * DAY)
    assert state(kms, key) == "PendingReplicaDeletion"
    there.schedule_key_deletion(KeyId=replica, PendingWindowInDays=7)
    clock.forward(7 * DAY)
    assert state(kms, key) == "PendingDeletion"
    clock.forward(7 * DAY)
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId=key)


def test_the_partition_follows_the_region(new_key):
    kms = LocalKms(region="cn-north-1")
    assert new_key(kms).startswith("arn:aws-cn:kms:cn-north-1:111122223333:key/")
    assert new_key(kms.in_region("us-gov-west-1")).startswith("arn:aws-us-gov:")


def test_the_arn_of_another_account_is_denied(kms, new_key):
    foreign = new_key(kms).replace("111122223333", "444455556666")
    with pytest.raises(kms.exceptions.ClientError, match="AccessDenied"):
        kms.describe_key(KeyId=foreign)


# --- what it refuses to make or do


def test_a_pss_signature_without_its_leading_zero_is_a_bad_one(kms: LocalKms, new_key: Any) -> None:
    """RFC 8017 8.1.2: the length is the modulus's. OpenSSL is less strict, KMS is not."""
    request = {
        "KeyId": new_key(kms, "RSA_2048"),
        "Message": b"m",
        "SigningAlgorithm": "RSASSA_PSS_SHA_256",
    }
    signatures = (kms.sign(**request)["Signature"] for _ in range(10_000))
    signature = next(one for one in signatures if one[0] == 0)
    assert kms.verify(Signature=signature, **request)["SignatureValid"]
    with pytest.raises(kms.exceptions.KMSInvalidSignatureException):
        kms.verify(Signature=signature[1:], **request)


@pytest.mark.parametrize(
    "request_",
    [
        {"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"},
        {"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"},
        {"Origin": "EXTERNAL"},
        {"CustomKeyStoreId": "cks-1"},
    ],
)
def test_what_the_local_kms_lacks_is_refused_by_name(kms, request_):
    with pytest.raises(kms.exceptions.UnsupportedOperationException, match="The local KMS"):
        kms.create_key(**request_)


def test_ed25519ph_is_refused_by_name(kms, new_key):
    key = new_key(kms, "ECC_NIST_EDWARDS25519")
    with pytest.raises(kms.exceptions.UnsupportedOperationException, match="ED25519_PH_SHA_512"):
        kms.sign(
            KeyId=key,
            Message=b"d" * 64,
            MessageType="DIGEST",
            SigningAlgorithm="ED25519_PH_SHA_512",
        )


def test_a_misspelt_parameter_is_a_type_error(kms):
    with pytest.raises(TypeError, match="CreateKey takes no KeySpecs"):
        kms.create_key(KeySpecs="RSA_2048")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"KeyId": "a", "SigningAlgorithm": "X"}, "ValidationException"),
        ({"KeyId": 7, "SigningAlgorithm": "X", "Message": b"m"}, "SerializationException"),
        (
            {"KeyId": "a", "SigningAlgorithm": "X", "Message": b"m", "DryRun": 1},
            "SerializationException",
        ),
    ],
)
def test_a_request_that_botocore_would_not_send_is_refused(kms, request_, code):
    with pytest.raises(kms.exceptions.ClientError) as error:
        kms.sign(**request_)
    assert error.value.response["Error"]["Code"] == code


def test_every_fault_of_a_request_is_named_at_once(kms):
    with pytest.raises(kms.exceptions.ClientError) as error:
        kms.sign(KeyId="", SigningAlgorithm="X")
    message = error.value.response["Error"]["Message"]
    assert message.startswith("3 validation errors detected: ")
    assert (
        "Value null at 'message' failed to satisfy constraint: Member must not be null" in message
    )


@pytest.mark.parametrize(
    "environ",
    [
        {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"},
        {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"},
        {"AWS_LAMBDA_FUNCTION_NAME": "f", "LAMBDA_TASK_ROOT": "/var/task"},
    ],
)
def test_it_refuses_to_start_inside_lambda(environ):
    with pytest.raises(ConfigError, match="Lambda") as error:
        LocalKms(environ=environ)
    assert error.value.code == "local_kms_in_lambda"


@pytest.mark.parametrize(
    "environ", [{}, {"AWS_LAMBDA_FUNCTION_NAME": "f"}, {"AWS_EXECUTION_ENV": "CloudShell"}]
)
def test_it_starts_elsewhere(environ):
    assert LocalKms(environ=environ).list_keys()["Keys"] == []


@pytest.mark.parametrize("wrong", [{"region": "Frankfurt"}, {"account_id": "1"}])
def test_a_place_that_cannot_be_is_a_config_error(wrong):
    with pytest.raises(ConfigError, match="expected"):
        LocalKms(**wrong)


def test_it_needs_neither_boto3_nor_a_server_to_be_imported() -> None:
    heavy = ("boto3", "botocore", "uvicorn", "http.client")
    script = f"import sys, kmsjwt.local; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_full_page_with_nothing_behind_it_is_the_last(kms: LocalKms, new_key: Any) -> None:
    for _ in range(3):
        new_key(kms)
    answer = kms.list_keys(Limit=3)
    assert (len(answer["Keys"]), answer["Truncated"]) == (3, False)


def test_the_notice_is_one_line():
    assert "development only" in NOTICE
    assert "\n" not in NOTICE
