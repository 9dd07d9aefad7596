"""Which key states an operation allows (KMS guide, "Key states of KMS keys")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.local.errors import Refusal

if TYPE_CHECKING:
    from kmsjwt.local.call import Call
    from kmsjwt.local.state import Key

__all__ = ["must_be_usable", "must_not_be_leaving"]

_WORDS = {
    "PendingDeletion": "is pending deletion.",
    "PendingReplicaDeletion": "is pending replica deletion.",
    "Creating": "is creating.",
}


def must_be_usable(call: Call, key: Key) -> None:
    """Refuse unless the key is enabled, as every use of it and GetPublicKey do."""
    state = key.state(call.now)
    if state == "Disabled":
        raise Refusal("DisabledException", f"{key.arn} is disabled.")
    if state != "Enabled":
        raise _invalid(key, state)


def must_not_be_leaving(call: Call, key: Key) -> None:
    """Refuse if the key's deletion is scheduled."""
    state = key.state(call.now)
    if state.startswith("Pending"):
        raise _invalid(key, state)


def _invalid(key: Key, state: str) -> Refusal:
    return Refusal("KMSInvalidStateException", f"{key.arn} {_WORDS[state]}")
