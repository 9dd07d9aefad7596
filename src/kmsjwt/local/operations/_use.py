"""What every use of a key has in common: may it, dry runs, and the record of the last use."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from kmsjwt.local.errors import Refusal
from kmsjwt.local.operations._states import must_be_usable
from kmsjwt.local.state import Key, Usage

if TYPE_CHECKING:
    from kmsjwt.local.call import Call

__all__ = ["end_dry_run", "key_for", "record"]


def key_for(call: Call, request: dict[str, Any], usage: str, algorithm: str) -> Key:
    """Return the key of the request if its state, usage and spec allow the operation."""
    with call.account.lock:
        key = call.key(request["KeyId"])
    must_be_usable(call, key)
    if key.usage != usage:
        raise Refusal(
            "InvalidKeyUsageException",
            f"{key.arn} key usage is {key.usage} which is not valid for {call.operation}.",
        )
    if algorithm not in key.algorithms:
        raise Refusal(
            "InvalidKeyUsageException",
            f"Algorithm {algorithm} is incompatible with key spec {key.spec.name}.",
        )
    return key


def end_dry_run(request: dict[str, Any]) -> None:
    """End a dry run here, where nothing stands in the way any more."""
    if request.get("DryRun"):
        raise Refusal(
            "DryRunOperationException",
            "The request would have succeeded, but the DryRun option is set.",
        )


def record(call: Call, key: Key) -> None:
    """Remember the last successful use, for GetKeyLastUsage."""
    usage = Usage(
        operation=call.operation,
        time=call.now,
        event_id=str(uuid.uuid4()),
        request_id=call.request_id,
    )
    with call.account.lock:
        call.region.usages[key.key_id] = usage
