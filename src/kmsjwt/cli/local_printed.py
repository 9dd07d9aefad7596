"""What an authorizer of one's own prints: shown on standard error, and read for its decisions."""

from __future__ import annotations

import io
import json
import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kmsjwt._log import Log


@contextmanager
def printed(log: Log) -> Iterator[None]:
    """Send to standard error whatever the block prints, and a decision's line to the log, too.

    Standard output has the URL alone.
    """
    with redirect_stdout(_Printed(log)):
        yield


class _Printed(io.TextIOBase):
    def __init__(self, log: Log) -> None:
        self._log = log
        self._line = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        sys.stderr.write(text)
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._read(line)
        return len(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def _read(self, line: str) -> None:
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            return
        if isinstance(fields, dict) and "decision" in fields:
            rest = {name: each for name, each in fields.items() if name not in ("level", "event")}
            self._log(str(fields.get("level")), str(fields.get("event")), **rest)
