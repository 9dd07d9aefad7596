"""What of a request may stand in a log line: bounded, printable, and no token in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kmsjwt.gateway.request import AuthRequest

_TEXT = 128
_MESSAGE = 500
_SEGMENT = 40
_SECRET = 16
_CUT = "…"
# A JWS begins with base64url of '{"'. Clients do put tokens into paths, kids and jtis.
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}[A-Za-z0-9._~+/=-]*")


def loggable(text: object) -> str | None:
    """Return text in ASCII without control characters, at most 128 of them; None if it is none."""
    if not isinstance(text, str):
        return None
    return _bounded(ascii(text[: 2 * _TEXT])[1:-1])


def message_of(error: object, token: str | None = None) -> str:
    """Return an error's text, bounded. Ours holds no token; a stranger's must not either."""
    text = str(error).encode("utf-8", "backslashreplace").decode("utf-8")
    if token and len(token) >= _SECRET:
        text = text.replace(token, _CUT)
    text = _TOKEN.sub(_CUT, text[: 2 * _MESSAGE])
    return text if len(text) <= _MESSAGE else text[:_MESSAGE] + _CUT


def route_of(request: AuthRequest | None) -> dict[str, object]:
    """Return kind, API, stage, method and path as log fields."""
    if request is None:
        return {}
    arn = request.arn
    return {
        "kind": request.kind,
        "api_id": arn.api_id,
        "stage": arn.stage,
        "method": loggable(arn.method),
        "path": _path(arn.path, request.credentials) or None,
    }


def _path(path: str, credentials: tuple[object, ...]) -> str:
    for value in credentials:
        secret = value.rpartition(" ")[2] if isinstance(value, str) else ""
        if len(secret) >= _SECRET and secret in path:
            return _CUT
    segments = ascii(path[: 8 * _TEXT])[1:-1].split("/")
    return _bounded("/".join(part if len(part) <= _SEGMENT else _CUT for part in segments))


def _bounded(plain: str) -> str:
    if "eyJ" in plain:
        plain = _TOKEN.sub(_CUT, plain)
    return plain if len(plain) <= _TEXT else plain[:_TEXT] + _CUT
