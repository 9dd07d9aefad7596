"""Limit, Marker, NextMarker, Truncated: one page of a listing."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any

from kmsjwt.local.errors import Refusal

if TYPE_CHECKING:
    from kmsjwt.local.call import Call

__all__ = ["page"]


def page(
    call: Call,
    request: dict[str, Any],
    entries: dict[str, Any],
    *,
    field: str,
    default: int,
) -> dict[str, Any]:
    """Return the page that the request asks for.

    Args:
        call: decides the order: by name, or shuffled with short pages in the strict mode.
        request: its ``Limit`` and ``Marker`` are read.
        entries: every entry, each under a name that stays the same between pages.
        field: the member that holds the entries, ``"Keys"``.
        default: entries on a page if the request doesn't say.

    Raises:
        Refusal: InvalidMarkerException for a marker that no page of this operation gave.
    """
    after = _read_marker(call, request.get("Marker"))
    names = sorted(entries, key=lambda name: _rank(call, name))
    rest = [name for name in names if after is None or _rank(call, name) > _rank(call, after)]
    limit = request.get("Limit", default)
    if call.shuffle_seed is not None:
        limit = (limit + 1) // 2  # "might return fewer", says the API reference
    shown = rest[:limit]
    answer: dict[str, Any] = {
        field: [entries[name] for name in shown],
        "Truncated": len(rest) > limit,
    }
    if answer["Truncated"]:
        answer["NextMarker"] = _marker(call, shown[-1])
    return answer


def _rank(call: Call, name: str) -> str:
    if call.shuffle_seed is None:
        return name
    return hashlib.sha256(f"{call.shuffle_seed} {name}".encode()).hexdigest()


def _marker(call: Call, last: str) -> str:
    return base64.urlsafe_b64encode(f"{call.operation} {last}".encode()).decode("ascii")


def _read_marker(call: Call, marker: str | None) -> str | None:
    if marker is None:
        return None
    try:
        operation, _, last = base64.b64decode(marker, b"-_", validate=True).decode().partition(" ")
    except (binascii.Error, ValueError):
        operation, last = "", ""
    if operation != call.operation or not last:
        raise Refusal("InvalidMarkerException", "The marker is not valid.")
    return last
