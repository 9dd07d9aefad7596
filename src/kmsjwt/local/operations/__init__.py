"""What each operation does, one file per group. ``HANDLERS`` maps the API's names to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsjwt.local.call import Call
from kmsjwt.local.operations import (
    aliases,
    elsewhere,
    keys,
    lifecycle,
    macs,
    policies,
    replicas,
    signing,
    tags,
)

__all__ = ["HANDLERS", "Handler"]

Handler = Callable[[Call, dict[str, Any]], dict[str, Any]]

HANDLERS: dict[str, Handler] = {
    "CreateKey": keys.create_key,
    "DescribeKey": keys.describe_key,
    "ListKeys": keys.list_keys,
    "GetPublicKey": keys.get_public_key,
    "UpdateKeyDescription": keys.update_key_description,
    "GetKeyLastUsage": keys.get_key_last_usage,
    "Sign": signing.sign,
    "Verify": signing.verify,
    "GenerateMac": macs.generate_mac,
    "VerifyMac": macs.verify_mac,
    "CreateAlias": aliases.create_alias,
    "UpdateAlias": aliases.update_alias,
    "DeleteAlias": aliases.delete_alias,
    "ListAliases": aliases.list_aliases,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListResourceTags": tags.list_resource_tags,
    "EnableKey": lifecycle.enable_key,
    "DisableKey": lifecycle.disable_key,
    "ScheduleKeyDeletion": lifecycle.schedule_key_deletion,
    "CancelKeyDeletion": lifecycle.cancel_key_deletion,
    "ReplicateKey": replicas.replicate_key,
    "GetKeyPolicy": policies.get_key_policy,
    "PutKeyPolicy": policies.put_key_policy,
    "ListKeyPolicies": policies.list_key_policies,
    "Encrypt": elsewhere.encrypt,
    "EnableKeyRotation": elsewhere.enable_key_rotation,
}
