"""How much work something is, in lines of Python: what no machine's mood changes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def lines_run(work: Callable[[], object]) -> int:
    """Return how many lines of Python a call runs."""
    lines = 0

    def count(frame, event, argument) -> Any:
        del frame, argument
        nonlocal lines
        lines += event == "line"
        return count

    former = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(former)
    return lines
