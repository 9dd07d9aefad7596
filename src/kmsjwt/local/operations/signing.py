"""Sign and Verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.local.errors import Refusal
from kmsjwt.local.operations._use import end_dry_run, key_for, record
from kmsjwt.local.specs import SIGNING_ALGORITHMS

if TYPE_CHECKING:
    from kmsjwt.local.call import Call
    from kmsjwt.local.state import Key

__all__ = ["sign", "verify"]


def sign(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Sign a message, a digest or ML-DSA's mu. The crypto runs outside the account's lock."""
    key = key_for(call, request, "SIGN_VERIFY", request["SigningAlgorithm"])
    message_type = _checked_message_type(request)
    end_dry_run(request)
    signature = key.material.sign(request["SigningAlgorithm"], message_type, request["Message"])
    record(call, key)
    return _answer(key, request, Signature=signature)


def verify(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Check a signature: an answer means that it is good, a bad one is an error."""
    key = key_for(call, request, "SIGN_VERIFY", request["SigningAlgorithm"])
    message_type = _checked_message_type(request)
    end_dry_run(request)
    if not key.material.is_signature(
        request["SigningAlgorithm"], message_type, request["Message"], request["Signature"]
    ):
        raise Refusal("KMSInvalidSignatureException")
    record(call, key)
    return _answer(key, request, SignatureValid=True)


def _answer(key: Key, request: dict[str, Any], **result: Any) -> dict[str, Any]:
    return {"KeyId": key.arn, **result, "SigningAlgorithm": request["SigningAlgorithm"]}


def _checked_message_type(request: dict[str, Any]) -> str:
    name = request["SigningAlgorithm"]
    message_type: str = request.get("MessageType", "RAW")
    if name not in SIGNING_ALGORITHMS:
        raise Refusal(
            "UnsupportedOperationException",
            f"The local KMS does not sign with {name}: no JSON Web Signature uses it.",
        )
    allowed = SIGNING_ALGORITHMS[name].message_types
    if message_type not in allowed:
        raise Refusal(
            "ValidationException",
            f"MessageType {message_type} is not compatible with algorithm {name}.",
        )
    length = allowed[message_type]
    if length is not None and len(request["Message"]) != length:
        raise Refusal("ValidationException", f"Digest is invalid length for algorithm {name}.")
    return message_type
