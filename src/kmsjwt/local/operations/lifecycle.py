"""EnableKey, DisableKey, ScheduleKeyDeletion, CancelKeyDeletion."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kmsjwt.local.errors import Refusal
from kmsjwt.local.operations._metadata import moment
from kmsjwt.local.operations._states import must_not_be_leaving

if TYPE_CHECKING:
    from kmsjwt.local.call import Call
    from kmsjwt.local.state import Key

__all__ = ["cancel_key_deletion", "disable_key", "enable_key", "schedule_key_deletion"]

_DAY = 86_400


def enable_key(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Let the key be used; no error if it could be."""
    return _switch(call, request, enabled=True)


def disable_key(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Let the key not be used, nor its public key be fetched."""
    return _switch(call, request, enabled=False)


def schedule_key_deletion(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Start the waiting period: 30 days, or as many as asked from 7 to 30."""
    days = request.get("PendingWindowInDays", 30)
    if not 7 <= days <= 30:
        bound = "greater than or equal to 7" if days < 7 else "less than or equal to 30"
        raise Refusal(
            "ValidationException",
            f"1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to "
            f"satisfy constraint: Member must have value {bound}",
        )
    with call.account.lock:
        key = call.key_to_change(request["KeyId"])
        must_not_be_leaving(call, key)
        date = None if _has_replicas(call, key) else call.now + days * _DAY
        leaving = replace(key, enabled=False, window_days=days, deletion_date=date)
        call.region.put_key(call.now, leaving)
    answer = {
        "KeyId": key.arn,
        "KeyState": leaving.state(call.now),
        "PendingWindowInDays": days,
    }
    return answer if date is None else {**answer, "DeletionDate": moment(date)}


def cancel_key_deletion(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Keep the key after all; it comes back disabled."""
    with call.account.lock:
        key = call.key_to_change(request["KeyId"])
        if key.window_days is None:
            raise Refusal("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
        kept = replace(key, enabled=False, window_days=None, deletion_date=None)
        call.region.put_key(call.now, kept)
    return {"KeyId": key.arn}


def _switch(call: Call, request: dict[str, Any], *, enabled: bool) -> dict[str, Any]:
    with call.account.lock:
        key = call.key_to_change(request["KeyId"])
        must_not_be_leaving(call, key)
        call.region.put_key(call.now, replace(key, enabled=enabled))
    return {}


def _has_replicas(call: Call, key: Key) -> bool:
    return not key.is_replica and len(call.account.related(key)) > 1
