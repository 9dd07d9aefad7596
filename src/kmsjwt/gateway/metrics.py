"""Counters for CloudWatch inside the log line itself: its embedded metric format.

CloudWatch makes metrics of a line that says which of its members they are (CloudWatch user guide,
"Specification: Embedded metric format"). No request is sent, and no library is needed.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from kmsjwt._log import log_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt._log import Log

NAMESPACE = "kmsjwt"
"""The CloudWatch namespace of the metrics."""

_METRICS = [
    {"Name": "decisions", "Unit": "Count"},
    {"Name": "duration_ms", "Unit": "Milliseconds"},
]
_BY = (["decision"], ["decision", "reason"])


def with_metrics(
    log: Log = log_line,
    *,
    function: str | None = None,
    clock: Callable[[], float] = time.time,
) -> Log:
    """Return a log that adds to each decision what makes CloudWatch count it by its reason.

    Args:
        log: takes the lines.
        function: tells several functions apart; the Lambda function's own name if None, and empty
            for no such member.
        clock: seconds since 1970.
    """
    if function is None:
        function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    named = {"function": function} if function else {}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [[*named, *by] for by in _BY],
        "Metrics": _METRICS,
    }

    def logged(level: str, event: str, **fields: object) -> None:
        if "decision" not in fields:
            return log(level, event, **fields)
        aws = {"Timestamp": int(clock() * 1000), "CloudWatchMetrics": [directive]}
        return log(level, event, **fields, **named, decisions=1, _aws=aws)

    return logged
