"""Encrypt and EnableKeyRotation: refused, for the reason that AWS would have on such a key.

What the local KMS is for is signing. Both are here so that a wrong call meets AWS's error; on a
symmetric encryption key, where AWS would comply, the refusal says that the local KMS doesn't.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.local.errors import Refusal
from kmsjwt.local.operations._states import must_be_usable

if TYPE_CHECKING:
    from kmsjwt.local.call import Call

__all__ = ["enable_key_rotation", "encrypt"]


def encrypt(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Refuse: a signing key can't, and the local KMS doesn't."""
    with call.account.lock:
        key = call.key(request["KeyId"])
    must_be_usable(call, key)
    if key.usage != "ENCRYPT_DECRYPT":
        raise Refusal(
            "InvalidKeyUsageException",
            f"{key.arn} key usage is {key.usage} which is not valid for Encrypt.",
        )
    raise Refusal("UnsupportedOperationException", "The local KMS encrypts nothing.")


def enable_key_rotation(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Refuse: AWS rotates symmetric encryption keys alone, the local KMS rotates none."""
    with call.account.lock:
        key = call.key_by_id(request["KeyId"])
    must_be_usable(call, key)
    if key.spec.family != "symmetric":
        raise Refusal("UnsupportedOperationException")
    raise Refusal("UnsupportedOperationException", "The local KMS rotates no key material.")
