"""GenerateMac and VerifyMac, for completeness: kmsjwt itself signs no HMAC tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.local.errors import Refusal
from kmsjwt.local.operations._use import end_dry_run, key_for, record

if TYPE_CHECKING:
    from kmsjwt.local.call import Call

__all__ = ["generate_mac", "verify_mac"]


def generate_mac(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Return the HMAC of a message."""
    algorithm = request["MacAlgorithm"]
    key = key_for(call, request, "GENERATE_VERIFY_MAC", algorithm)
    end_dry_run(request)
    mac = key.material.mac(algorithm, request["Message"])
    record(call, key)
    return {"Mac": mac, "MacAlgorithm": algorithm, "KeyId": key.arn}


def verify_mac(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Check an HMAC: an answer means that it is good, a bad one is an error."""
    algorithm = request["MacAlgorithm"]
    key = key_for(call, request, "GENERATE_VERIFY_MAC", algorithm)
    end_dry_run(request)
    if not key.material.is_mac(algorithm, request["Message"], request["Mac"]):
        raise Refusal("KMSInvalidMacException")
    record(call, key)
    return {"KeyId": key.arn, "MacValid": True, "MacAlgorithm": algorithm}
