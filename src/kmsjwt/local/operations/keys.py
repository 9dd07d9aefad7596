"""CreateKey, DescribeKey, ListKeys, GetPublicKey, UpdateKeyDescription, GetKeyLastUsage."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kmsjwt.local import crypto
from kmsjwt.local.arns import new_key_id
from kmsjwt.local.errors import Refusal
from kmsjwt.local.operations._metadata import algorithms_of, metadata, moment
from kmsjwt.local.operations._paging import page
from kmsjwt.local.operations._states import must_be_usable, must_not_be_leaving
from kmsjwt.local.operations.policies import checked_policy, default_policy
from kmsjwt.local.operations.tags import read_tags
from kmsjwt.local.specs import KEY_SPECS, REFUSED_SPECS, KeySpec
from kmsjwt.local.state import Key

if TYPE_CHECKING:
    from kmsjwt.local.call import Call

__all__ = [
    "create_key",
    "describe_key",
    "get_key_last_usage",
    "get_public_key",
    "list_keys",
    "update_key_description",
]


def create_key(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Make a key. Its material is made before the account is locked: RSA takes its time."""
    spec = _spec(request)
    usage = _usage(request, spec)
    _refuse_foreign_material(request)
    tags = read_tags(request.get("Tags", ()))
    policy = checked_policy(request["Policy"]) if "Policy" in request else default_policy(call)
    multi_region = bool(request.get("MultiRegion"))
    key = Key(
        key_id=new_key_id(multi_region=multi_region),
        region=call.region.name,
        account_id=call.account.account_id,
        spec=spec,
        usage=usage,
        material=crypto.generate(spec),
        created=call.now,
        description=request.get("Description", ""),
        policy=policy,
        multi_region=multi_region,
        primary_region=call.region.name,
    )
    with call.account.lock:
        call.region.put_key(call.now, key, tags)
        return {"KeyMetadata": metadata(call, key)}


def describe_key(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Tell everything about a key but its policy, tags and aliases."""
    with call.account.lock:
        return {"KeyMetadata": metadata(call, call.key(request["KeyId"]))}


def list_keys(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List the keys of the account and Region, replicas among them."""
    with call.account.lock:
        keys = {
            key.key_id: {"KeyId": key.key_id, "KeyArn": key.arn} for key in call.view.all_keys()
        }
    return page(call, request, keys, field="Keys", default=100)


def get_public_key(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Return the public key as DER SubjectPublicKeyInfo; a disabled key's is refused."""
    with call.account.lock:
        key = call.key(request["KeyId"])
    must_be_usable(call, key)
    if not key.spec.is_asymmetric:
        raise Refusal(
            "UnsupportedOperationException",
            f"{key.arn} key spec is {key.spec.name} which is not valid for GetPublicKey.",
        )
    return {
        "KeyId": key.arn,
        "PublicKey": key.material.spki,
        "CustomerMasterKeySpec": key.spec.name,
        "KeySpec": key.spec.name,
        "KeyUsage": key.usage,
        **algorithms_of(key),
    }


def update_key_description(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Describe the key anew."""
    with call.account.lock:
        key = call.key_to_change(request["KeyId"])
        must_not_be_leaving(call, key)
        call.region.put_key(call.now, replace(key, description=request["Description"]))
    return {}


def get_key_last_usage(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Tell the last successful cryptographic operation; DryRun and refusals don't count."""
    with call.account.lock:
        key = call.key_by_id(request["KeyId"])
        usage = call.region.usages.get(key.key_id)
    last = {}
    if usage is not None:
        last = {
            "Operation": usage.operation,
            "Timestamp": moment(usage.time),
            "CloudTrailEventId": usage.event_id,
            "KmsRequestId": usage.request_id,
        }
    return {
        "KeyId": key.arn,
        "KeyLastUsage": last,
        "TrackingStartDate": moment(key.created),
        "KeyCreationDate": moment(key.created),
    }


def _spec(request: dict[str, Any]) -> KeySpec:
    new, old = request.get("KeySpec"), request.get("CustomerMasterKeySpec")
    if new and old and new != old:
        raise Refusal(
            "ValidationException",
            "KeySpec and CustomerMasterKeySpec are both given and differ; give KeySpec alone.",
        )
    name = new or old or "SYMMETRIC_DEFAULT"
    if name in REFUSED_SPECS:
        raise Refusal(
            "UnsupportedOperationException",
            f"The local KMS makes no {name} keys: {REFUSED_SPECS[name]}.",
        )
    return KEY_SPECS[name]


def _usage(request: dict[str, Any], spec: KeySpec) -> str:
    usage = request.get("KeyUsage")
    if usage is None:
        if spec.family != "symmetric":
            raise Refusal(
                "ValidationException",
                "You must specify a KeyUsage value for all KMS keys except for symmetric "
                "encryption keys.",
            )
        return "ENCRYPT_DECRYPT"
    if usage not in spec.usages:
        raise Refusal(
            "ValidationException",
            f"KeyUsage {usage} is not compatible with KeySpec {spec.name}",
        )
    return str(usage)


def _refuse_foreign_material(request: dict[str, Any]) -> None:
    if request.get("Origin", "AWS_KMS") != "AWS_KMS":
        raise Refusal(
            "UnsupportedOperationException",
            f"The local KMS makes keys of Origin AWS_KMS only, not {request['Origin']}.",
        )
    if "CustomKeyStoreId" in request or "XksKeyId" in request:
        raise Refusal("UnsupportedOperationException", "The local KMS has no custom key stores.")
