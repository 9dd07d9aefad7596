"""AWS JSON 1.1: requests read from bytes, answers written to bytes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from kmsjwt.local.errors import Refusal
from kmsjwt.local.shapes import OPERATIONS

if TYPE_CHECKING:
    from kmsjwt.local.service import Answer, Service

__all__ = ["TARGET_PREFIX", "answer_bytes", "read_target"]

TARGET_PREFIX = "TrentService."
"""What stands before the operation in X-Amz-Target; Trent is KMS's first name."""

_CONTENT_TYPE = "application/x-amz-json-1.1"


def answer_bytes(
    service: Service, target: str, body: bytes, *, region: str, reader: str
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the answer to one request.

    Args:
        service: who answers.
        target: the X-Amz-Target header, ``"TrentService.Sign"``.
        body: a JSON object.
        region: the Region that is asked.
        reader: who asks.

    Raises:
        Dropped: a fault wants the connection closed without an answer.
    """
    operation = read_target(target)
    try:
        request = _read(operation, body)
    except Refusal as refusal:
        answer = service.refuse(refusal)
    else:
        answer = service.answer(operation, request, region=region, reader=reader)
    return _written(answer)


def read_target(target: str) -> str:
    """Return the operation's name, empty if the target is not KMS's."""
    return target.removeprefix(TARGET_PREFIX) if target.startswith(TARGET_PREFIX) else ""


def _read(operation: str, body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict):
        raise Refusal("SerializationException", "The body is not a JSON object.")
    for name, member in OPERATIONS.get(operation, {}).items():
        if member.kind == "blob" and request.get(name) is not None:
            request[name] = _blob(name, request[name])
    return request


def _blob(name: str, value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise Refusal("SerializationException", f"{name} is not base64.") from None


def _written(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    if answer.refusal is None:
        status, content = 200, _plain(answer.result or {})
    else:
        status, content = answer.refusal.status, {"__type": answer.refusal.code}
        if answer.refusal.message is not None:
            content["message"] = answer.refusal.message
    # An operation without output sends an empty body, as AWS does.
    empty = answer.refusal is None and not content
    body = b"" if empty else json.dumps(content, separators=(",", ":")).encode()
    headers = {
        "x-amzn-requestid": answer.request_id,
        "cache-control": "no-cache, no-store, must-revalidate, private",
        "content-type": _CONTENT_TYPE,
        "date": formatdate(answer.date, usegmt=True),
        "content-length": str(len(body)),
    }
    return status, headers, body


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value
