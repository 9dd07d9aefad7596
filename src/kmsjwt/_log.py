"""One JSON line per event on standard output, where Lambda picks it up; no token in it.

No ``logging``: importing it costs a cold start more than the verifier's own work, and Lambda
turns each line of standard output into a log event by itself.
"""

from __future__ import annotations

import re
import sys
from json import dumps
from typing import Protocol

CUT = "…"
"""Stands for what was left out of a line."""

_TEXT = 128
_MESSAGE = 500
_SECRET = 16
# A JWS begins with base64url of '{"'. Clients do put tokens into paths, kids and jtis. A text, as
# patterns elsewhere: `re` compiles each at its first use, and a cold start has no use for most.
_COMPACT_JWS = r"eyJ[A-Za-z0-9_-]{8,}[A-Za-z0-9._~+/=-]*"


class Log(Protocol):
    """Takes one event: a level (``INFO``, ``WARN``, ``ERROR``), a short name, flat fields."""

    def __call__(self, level: str, event: str, **fields: object) -> None:
        """Record the event."""


def log_line(level: str, event: str, **fields: object) -> None:
    """Write ``{"level": …, "event": …, …}``. Fields that are None are left out."""
    present = {name: value for name, value in fields.items() if value is not None}
    # In ASCII: control characters, bidi marks and halves of surrogate pairs stay escaped.
    line = dumps({"level": level, "event": event, **present}, separators=(",", ":"))
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def loggable(text: object) -> str | None:
    """Return text in ASCII without control characters, at most 128 of them; None if it is none."""
    if not isinstance(text, str):
        return None
    return bounded(ascii(text[: 2 * _TEXT])[1:-1])


def message_of(error: object, token: str | None = None) -> str:
    """Return an error's text, bounded. Ours holds no token; a stranger's must not either."""
    text = str(error).encode("utf-8", "backslashreplace").decode("utf-8")
    if token and len(token) >= _SECRET:
        text = text.replace(token, CUT)
    text = re.sub(_COMPACT_JWS, CUT, text[: 2 * _MESSAGE])
    return text if len(text) <= _MESSAGE else text[:_MESSAGE] + CUT


def bounded(plain: str) -> str:
    """Return at most 128 characters of printable text, without what looks like a token."""
    if "eyJ" in plain:
        plain = re.sub(_COMPACT_JWS, CUT, plain)
    return plain if len(plain) <= _TEXT else plain[:_TEXT] + CUT
