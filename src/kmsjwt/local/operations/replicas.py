"""ReplicateKey: the same key in another Region."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kmsjwt.local.arns import partition_of
from kmsjwt.local.errors import Refusal
from kmsjwt.local.operations._metadata import metadata
from kmsjwt.local.operations._states import must_be_usable
from kmsjwt.local.operations.policies import checked_policy, default_policy
from kmsjwt.local.operations.tags import read_tags

if TYPE_CHECKING:
    from kmsjwt.local.call import Call
    from kmsjwt.local.state import Key

__all__ = ["replicate_key"]


def replicate_key(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Make a replica: same id and material, everything else its own."""
    tags = read_tags(request.get("Tags", ()))
    policy = checked_policy(request["Policy"]) if "Policy" in request else default_policy(call)
    with call.account.lock:
        primary = call.key_to_change(request["KeyId"])
        if not primary.multi_region or primary.is_replica:
            raise Refusal(
                "UnsupportedOperationException",
                f"{primary.arn} is not a multi-region primary key.",
            )
        must_be_usable(call, primary)
        replica = replace(
            primary,
            region=_free_region(call, primary, request["ReplicaRegion"]),
            created=call.now,
            description=request.get("Description", ""),
            policy=policy,
            enabled=True,
            ready_at=call.now + call.ready_delay,
        )
        call.account.region(replica.region).put_key(call.now, replica, tags)
        answer: dict[str, Any] = {
            "ReplicaKeyMetadata": metadata(call, replica, state="Creating"),
            "ReplicaPolicy": policy,
        }
    if tags:
        answer["ReplicaTags"] = [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
    return answer


def _free_region(call: Call, primary: Key, region: str) -> str:
    if partition_of(region) != partition_of(primary.region):
        raise Refusal(
            "ValidationException",
            f"{region} is not in the partition {partition_of(primary.region)} of the primary key.",
        )
    existing = call.account.region(region).key(primary.key_id)
    if existing is not None:
        raise Refusal("AlreadyExistsException", f"{existing.arn} already exists.")
    return region
