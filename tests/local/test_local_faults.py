"""Faults on demand, in process and through boto3."""

from __future__ import annotations

from typing import Any

import pytest

from kmsjwt.local import ConnectionClosedError, LocalKms


def code_of(error: Any) -> Any:
    return error.value.response["Error"]["Code"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "error_before"}, "KMSInternalException"),
        (
            {"kind": "error_before", "code": "DependencyTimeoutException"},
            "DependencyTimeoutException",
        ),
        ({"kind": "error_after", "code": "KeyUnavailableException"}, "KeyUnavailableException"),
        ({"kind": "throttle"}, "ThrottlingException"),
        ({"kind": "access_denied"}, "AccessDeniedException"),
    ],
    ids=["before", "before with a code", "after", "throttle", "access denied"],
)
def test_a_fault_meets_as_many_requests_as_it_was_given(kms, new_key, sign, fault, code):
    key = new_key(kms)
    added = kms.faults.add("Sign", times=2, **fault)
    for _ in range(2):
        with pytest.raises(kms.exceptions.ClientError) as error:
            sign(kms, key)
        assert code_of(error) == code
    assert sign(kms, key)["Signature"]
    assert added.hits == 2


@pytest.mark.parametrize(
    ("kind", "keys"), [("error_before", 0), ("error_after", 1), ("drop", 0), ("drop_after", 1)]
)
def test_a_fault_comes_before_or_after_the_effect(kms, new_key, kind, keys):
    kms.faults.add("CreateKey", kind=kind)
    with pytest.raises((kms.exceptions.ClientError, ConnectionClosedError)):
        new_key(kms)
    assert len(kms.list_keys()["Keys"]) == keys


@pytest.mark.parametrize("name", ["id", "arn", "alias", "alias arn"])
def test_a_fault_for_one_key_knows_all_its_names(kms, new_key, sign, name):
    key, other = new_key(kms), new_key(kms)
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    names = {
        "id": key.rpartition("/")[2],
        "arn": key,
        "alias": "alias/a",
        "alias arn": key.rpartition(":")[0] + ":alias/a",
    }
    kms.faults.add(kind="throttle", key=names[name], times=None)
    for called in names.values():
        with pytest.raises(kms.exceptions.ClientError, match="Throttling"):
            sign(kms, called)
    assert sign(kms, other)


def test_a_fault_can_be_for_one_reader_region_or_operation(kms, new_key, sign):
    key = new_key(kms)
    kms.faults.add("Sign", kind="throttle", reader="issuer", times=None)
    kms.faults.add(kind="throttle", region="eu-west-1", times=None)
    assert sign(kms, key)
    assert kms.reader("issuer").describe_key(KeyId=key)
    with pytest.raises(kms.exceptions.ClientError):
        sign(kms.reader("issuer"), key)
    with pytest.raises(kms.exceptions.ClientError):
        kms.in_region("eu-west-1").list_keys()


def test_a_fault_ends_with_its_block_and_with_clear(kms, new_key, sign):
    key = new_key(kms)
    with (
        kms.faults.add("Sign", kind="throttle", times=None),
        pytest.raises(Exception, match="rate"),
    ):
        sign(kms, key)
    assert sign(kms, key)
    kms.faults.add("Sign", kind="throttle", times=None)
    kms.faults.clear()
    assert sign(kms, key)


@pytest.mark.parametrize(
    ("operation", "request_", "resource"),
    [
        ("Sign", {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}, "{key}"),
        ("GetPublicKey", {}, "{key}"),
        ("ListKeys", None, "*"),
    ],
)
def test_access_denied_reads_as_on_aws(kms, new_key, operation, request_, resource):
    key = new_key(kms)
    kms.faults.add(operation, kind="access_denied")
    method = {"Sign": kms.sign, "GetPublicKey": kms.get_public_key, "ListKeys": kms.list_keys}
    given = {} if request_ is None else {"KeyId": key, **request_}
    with pytest.raises(kms.exceptions.ClientError) as error:
        method[operation](**given)
    assert error.value.response["Error"]["Message"] == (
        f"User: arn:aws:iam::111122223333:user/local is not authorized to perform: "
        f"kms:{operation} on resource: {resource.format(key=key)} because no identity-based "
        f"policy allows the kms:{operation} action"
    )


def test_latency_waits_and_then_answers(clock, new_key, sign):
    kms = LocalKms(clock=clock, sleep=clock.forward)
    key = new_key(kms)
    kms.faults.add("Sign", kind="latency", seconds=2.5)
    before = clock.now
    assert sign(kms, key)["Signature"]
    assert clock.now == before + 2.5


def test_boto3_retries_a_throttled_request_and_a_lost_one(kms, boto3_client, new_key, sign):
    """KMS's default retries meet our faults: the request is sent again and succeeds."""
    client = kms.attach(boto3_client(attempts=3))
    key = new_key(kms)
    lost = kms.faults.add("Sign", kind="drop", times=1)
    assert sign(client, key)["ResponseMetadata"]["RetryAttempts"] == 1
    assert lost.hits == 1


def test_a_lost_answer_makes_boto3_create_two_keys(kms, boto3_client, new_key):
    """Why CreateKey must be sent with retries off."""
    client = kms.attach(boto3_client(attempts=3))
    kms.faults.add("CreateKey", kind="drop_after", times=1)
    new_key(client)
    assert len(kms.list_keys()["Keys"]) == 2


@pytest.mark.parametrize("wrong", [{"kind": "explode"}, {"operation": "sign", "kind": "drop"}])
def test_a_fault_that_cannot_be_is_refused(kms, wrong):
    with pytest.raises(ValueError, match="expected one of"):
        kms.faults.add(**wrong)


def test_no_error_or_repr_shows_a_private_key(kms, new_key):
    key = new_key(kms)
    fault = kms.faults.add(kind="drop", key=key)
    assert "PRIVATE" not in repr(
        [kms, fault, kms.service.account.region("eu-central-1").all_keys()]
    )
