"""botocore's service model must accept every answer of the local KMS, and know every operation."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import botocore.session
import pytest

from kmsjwt.local import LocalKms
from kmsjwt.local.errors import MODELLED
from kmsjwt.local.shapes import OPERATIONS, Member

MODEL = botocore.session.get_session().get_service_model("kms")
# Newer than the old member's enum: KMS sends the same value in both ("have the same value").
ENUM_ASIDE = "CustomerMasterKeySpec"
PYTHON = {
    "string": str,
    "blob": bytes,
    "boolean": bool,
    "integer": int,
    "timestamp": datetime,
    "list": list,
    "structure": dict,
}


def complaints(shape: Any, value: Any, path: str) -> list[str]:
    """What the model has against a value."""
    kind: Any = PYTHON[shape.type_name]
    if type(value) is not kind:
        return [f"{path}: {type(value).__name__} instead of {kind.__name__}"]
    found = []
    if shape.type_name == "structure":
        found += [f"{path}.{name}: unknown" for name in value.keys() - shape.members.keys()]
        found += [f"{path}.{name}: missing" for name in set(shape.required_members) - value.keys()]
        for name in value.keys() & shape.members.keys():
            found += complaints(shape.members[name], value[name], f"{path}.{name}")
    if shape.type_name == "list":
        for number, entry in enumerate(value):
            found += complaints(shape.member, entry, f"{path}[{number}]")
    if shape.type_name == "timestamp" and value.tzinfo is None:
        found.append(f"{path}: no time zone")
    return found + bounds(shape, value, path)


def enum_of(shape: Any) -> list[str]:
    return list(shape.metadata.get("enum", []))


def bounds(shape: Any, value: Any, path: str) -> list[str]:
    found = []
    if enum_of(shape) and value not in enum_of(shape) and shape.name != ENUM_ASIDE:
        found.append(f"{path}: {value} is not in the enum")
    size = value if shape.type_name == "integer" else len(value) if hasattr(value, "__len__") else 0
    if "min" in shape.metadata and size < shape.metadata["min"]:
        found.append(f"{path}: {size} is below {shape.metadata['min']}")
    if "max" in shape.metadata and size > shape.metadata["max"]:
        found.append(f"{path}: {size} is above {shape.metadata['max']}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        found.append(f"{path}: does not match {pattern}")
    return found


class Recorder(LocalKms):
    """A local KMS that remembers what it answered."""

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        answer = super()._call(operation, request)
        self.__dict__.setdefault("answers", []).append((operation, answer))
        return answer


def everything() -> list[tuple[str, dict[str, Any]]]:
    """Run every operation at least once, with answers of every form."""
    kms = Recorder()
    made = {}
    for spec, usage in (
        ("RSA_2048", "SIGN_VERIFY"),
        ("ECC_NIST_P256", "SIGN_VERIFY"),
        ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
        ("ML_DSA_87", "SIGN_VERIFY"),
        ("HMAC_256", "GENERATE_VERIFY_MAC"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
        ("ECC_NIST_P384", "KEY_AGREEMENT"),
        ("RSA_2048", "ENCRYPT_DECRYPT"),
    ):
        tags = [{"TagKey": "a", "TagValue": ""}, {"TagKey": "b", "TagValue": "c"}]
        made[spec, usage] = kms.create_key(
            KeySpec=spec, KeyUsage=usage, MultiRegion=True, Tags=tags
        )["KeyMetadata"]["KeyId"]
    for (spec, usage), key in made.items():
        kms.describe_key(KeyId=key)
        if usage != "GENERATE_VERIFY_MAC" and spec != "SYMMETRIC_DEFAULT":
            kms.get_public_key(KeyId=key)
        if usage == "SIGN_VERIFY":
            sign_and_verify(kms, key)
    key = made["ECC_NIST_P256", "SIGN_VERIFY"]
    mac = {"KeyId": made["HMAC_256", "GENERATE_VERIFY_MAC"], "MacAlgorithm": "HMAC_SHA_256"}
    answer = kms.generate_mac(Message=b"m", **mac)
    kms.verify_mac(Message=b"m", Mac=answer["Mac"], **mac)
    for listing in (kms.list_keys, kms.list_aliases):
        listing(Limit=1)
        listing()
    the_rest(kms, key)
    answers: list[tuple[str, dict[str, Any]]] = kms.__dict__["answers"]
    return answers


def sign_and_verify(kms: LocalKms, key: str) -> None:
    for algorithm in kms.get_public_key(KeyId=key)["SigningAlgorithms"]:
        if algorithm != "ED25519_PH_SHA_512":
            request = {"KeyId": key, "SigningAlgorithm": algorithm, "Message": b"m"}
            kms.verify(Signature=kms.sign(**request)["Signature"], **request)


def the_rest(kms: LocalKms, key: str) -> None:
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    kms.update_alias(AliasName="alias/a", TargetKeyId=key)
    kms.list_aliases(KeyId=key)
    kms.delete_alias(AliasName="alias/a")
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "x", "TagValue": "y"}])
    kms.list_resource_tags(KeyId=key, Limit=2)
    kms.untag_resource(KeyId=key, TagKeys=["x"])
    kms.list_resource_tags(KeyId=key)
    kms.update_key_description(KeyId=key, Description="d")
    kms.put_key_policy(KeyId=key, Policy=kms.get_key_policy(KeyId=key)["Policy"])
    kms.list_key_policies(KeyId=key)
    kms.get_key_last_usage(KeyId=key)
    kms.disable_key(KeyId=key)
    kms.enable_key(KeyId=key)
    kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1", Tags=[{"TagKey": "r", "TagValue": ""}])
    kms.schedule_key_deletion(KeyId=key)
    kms.describe_key(KeyId=key)
    kms.cancel_key_deletion(KeyId=key)
    lone = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.get_key_last_usage(KeyId=lone)
    kms.schedule_key_deletion(KeyId=lone, PendingWindowInDays=7)
    kms.describe_key(KeyId=lone)


def test_the_model_accepts_every_answer() -> None:
    answers = everything()
    refused = {"Encrypt", "EnableKeyRotation"}
    assert {operation for operation, _ in answers} == OPERATIONS.keys() - refused
    found = []
    for operation, answer in answers:
        result = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
        shape = MODEL.operation_model(operation).output_shape
        if shape is None:
            found += [operation] if result else []
        else:
            found += complaints(shape, result, operation)
    assert found == []


def disagreements(member: Member, shape: Any, path: str) -> list[str]:
    """Where our shape of a request and the model's differ."""
    kinds = {"text": "string", "flag": "boolean", "number": "integer"}
    found: list[str] = []
    if shape.type_name == "map":  # EncryptionContext, which is read by nobody
        return found
    if kinds.get(member.kind, member.kind) != shape.type_name:
        found.append(f"{path}: {member.kind}, {shape.type_name}")
    if set(member.choices) != set(enum_of(shape)):
        found.append(f"{path}: enum {set(member.choices) ^ set(enum_of(shape))}")
    if member.item is not None:
        found += disagreements(member.item, shape.member, f"{path}[]")
    if member.kind == "structure":
        found += members_disagree(member.members, shape, path)
    if path.endswith("Limit"):  # the reference's text is narrower than the shape
        return found
    ours = {"min": member.minimum, "max": member.maximum, "pattern": member.pattern}
    theirs = {name: shape.metadata.get(name) for name in ours}
    if member.kind == "list":
        theirs["min"] = None  # 0, or 1 for a list that nobody reads
    return found + [f"{path}: {n} {ours[n]!r}, {theirs[n]!r}" for n in ours if ours[n] != theirs[n]]


def members_disagree(members: dict[str, Member], shape: Any, path: str) -> list[str]:
    found = [f"{path}.{name}" for name in members.keys() ^ shape.members.keys()]
    required = {name for name, member in members.items() if member.required}
    found += [f"{path}.{name}: required" for name in required ^ set(shape.required_members)]
    for name in members.keys() & shape.members.keys():
        found += disagreements(members[name], shape.members[name], f"{path}.{name}")
    return found


@pytest.mark.parametrize("operation", OPERATIONS)
def test_requests_have_the_members_of_the_model(operation: str) -> None:
    shape = MODEL.operation_model(operation).input_shape
    assert members_disagree(OPERATIONS[operation], shape, operation) == []


def test_the_exceptions_are_the_models() -> None:
    assert {shape.name for shape in MODEL.error_shapes} >= MODELLED
    kms = LocalKms()
    for code in MODELLED:
        assert getattr(kms.exceptions, code).__name__ == code
    with pytest.raises(AttributeError):
        _ = kms.exceptions.ValidationException


def test_the_methods_are_boto3s() -> None:
    import boto3

    client = boto3.client(
        "kms",
        region_name="eu-central-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    names = dict(client.meta.method_to_api_mapping)
    ours = {name for name, operation in names.items() if operation in OPERATIONS}
    assert len(ours) == len(OPERATIONS)
    assert all(hasattr(LocalKms, name) for name in ours)
    for name in ours:
        assert client.can_paginate(name) == LocalKms().can_paginate(name)
