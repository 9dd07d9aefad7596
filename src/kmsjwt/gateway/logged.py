"""What of a request may stand in a log line: bounded, printable, and no token in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt._log import CUT, bounded, loggable

if TYPE_CHECKING:
    from kmsjwt.gateway.request import AuthRequest

_PATH = 1024
_SEGMENT = 40
_SECRET = 16


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
            return CUT
    segments = ascii(path[:_PATH])[1:-1].split("/")
    return bounded("/".join(part if len(part) <= _SEGMENT else CUT for part in segments))
