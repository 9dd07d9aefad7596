"""``KeyMetadata`` and the times in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kmsjwt.local.call import Call
    from kmsjwt.local.state import Key

__all__ = ["algorithms_of", "metadata", "moment"]

_ALGORITHM_LISTS = {
    "SIGN_VERIFY": "SigningAlgorithms",
    "GENERATE_VERIFY_MAC": "MacAlgorithms",
    "ENCRYPT_DECRYPT": "EncryptionAlgorithms",
    "KEY_AGREEMENT": "KeyAgreementAlgorithms",
}


def moment(seconds: float) -> datetime:
    """Return a time as boto3 does, to the millisecond that KMS sends."""
    return datetime.fromtimestamp(round(seconds, 3), tz=UTC)


def algorithms_of(key: Key) -> dict[str, list[str]]:
    """Return the one list of algorithms that the key's usage calls for."""
    return {_ALGORITHM_LISTS[key.usage]: list(key.algorithms)}


def metadata(call: Call, key: Key, *, state: str | None = None) -> dict[str, Any]:
    """Return the key's ``KeyMetadata``, in the given state if it isn't the one of now."""
    state = state or key.state(call.now)
    answer = {
        "AWSAccountId": key.account_id,
        "KeyId": key.key_id,
        "Arn": key.arn,
        "CreationDate": moment(key.created),
        "Enabled": state == "Enabled",
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": state,
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": key.spec.name,
        "KeySpec": key.spec.name,
        **algorithms_of(key),
        "MultiRegion": key.multi_region,
    }
    if key.deletion_date is not None:
        answer["DeletionDate"] = moment(key.deletion_date)
    elif key.window_days is not None:
        answer["PendingDeletionWindowInDays"] = key.window_days
    if key.multi_region:
        answer["MultiRegionConfiguration"] = _configuration(call, key)
    if key.spec.family == "symmetric":
        answer["CurrentKeyMaterialId"] = key.material.material_id()
    return answer


def _configuration(call: Call, key: Key) -> dict[str, Any]:
    related = sorted(call.account.related(key), key=lambda one: one.region)
    entries = [({"Arn": one.arn, "Region": one.region}, one.is_replica) for one in related]
    return {
        "MultiRegionKeyType": "REPLICA" if key.is_replica else "PRIMARY",
        "PrimaryKey": next((entry for entry, replica in entries if not replica), {}),
        "ReplicaKeys": [entry for entry, replica in entries if replica],
    }
