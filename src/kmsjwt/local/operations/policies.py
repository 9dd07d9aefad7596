"""GetKeyPolicy, PutKeyPolicy, ListKeyPolicies. Policies are stored and never enforced."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kmsjwt.local.arns import partition_of
from kmsjwt.local.errors import Refusal

if TYPE_CHECKING:
    from kmsjwt.local.call import Call

__all__ = [
    "checked_policy",
    "default_policy",
    "get_key_policy",
    "list_key_policies",
    "put_key_policy",
]

_LONGEST = 32_768  # bytes; KMS guide, resource quotas


def default_policy(call: Call) -> str:
    """Return the policy of a key made without one: IAM policies of the account decide."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {
            "AWS": f"arn:{partition_of(call.region.name)}:iam::{call.account.account_id}:root"
        },
        "Action": "kms:*",
        "Resource": "*",
    }
    document = {"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}
    return json.dumps(document, indent=2)


def checked_policy(policy: str) -> str:
    """Return the policy if it is a JSON object of a size that KMS takes.

    Raises:
        Refusal: MalformedPolicyDocumentException or LimitExceededException. Whether the
            policy would lock everybody out is not checked.
    """
    if len(policy.encode()) > _LONGEST:
        raise Refusal("LimitExceededException", "The policy is longer than 32 KB.")
    try:
        document = json.loads(policy)
    except ValueError:
        document = None
    if not isinstance(document, dict) or "Statement" not in document:
        raise Refusal(
            "MalformedPolicyDocumentException", "Policy is not a JSON object with a Statement."
        )
    return policy


def get_key_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Return the key's policy as it was given."""
    _check_name(request)
    with call.account.lock:
        key = call.key_by_id(request["KeyId"])
    return {"Policy": key.policy, "PolicyName": "default"}


def put_key_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Store another policy."""
    _check_name(request)
    policy = checked_policy(request["Policy"])
    with call.account.lock:
        key = call.key_to_change(request["KeyId"])
        call.region.put_key(call.now, replace(key, policy=policy))
    return {}


def list_key_policies(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List the one policy that a key has."""
    with call.account.lock:
        call.key_by_id(request["KeyId"])
    return {"PolicyNames": ["default"], "Truncated": False}


def _check_name(request: dict[str, Any]) -> None:
    if request.get("PolicyName", "default") != "default":
        raise Refusal("NotFoundException", "No such policy exists; the only name is default.")
