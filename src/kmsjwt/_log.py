"""One JSON line per event on standard output, where Lambda picks it up.

No ``logging``: importing it costs a cold start more than the verifier's own work, and Lambda
turns each line of standard output into a log event by itself.
"""

from __future__ import annotations

import sys
from typing import Protocol

from kmsjwt._encoding import to_json


class Log(Protocol):
    """Takes one event: a level (``INFO``, ``WARN``, ``ERROR``), a short name, flat fields."""

    def __call__(self, level: str, event: str, **fields: object) -> None:
        """Record the event."""


def log_line(level: str, event: str, **fields: object) -> None:
    """Write ``{"level": …, "event": …, …}``. Fields that are None are left out."""
    present = {name: value for name, value in fields.items() if value is not None}
    line = to_json({"level": level, "event": event, **present})
    sys.stdout.write(line.decode("utf-8") + "\n")
    sys.stdout.flush()
