"""Counters for CloudWatch inside the log line itself: its embedded metric format.

CloudWatch makes metrics of a line that says which of its members they are (CloudWatch user guide,
"Specification: Embedded metric format"). No request is sent, and no library is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def with_metrics(log: Log, function: str | None, clock: Callable[[], float]) -> Log:
    """Return a log that adds to each decision what makes CloudWatch count it by its reason.

    Args:
        log: takes the lines.
        function: the Lambda function's name, which tells several apart; None outside Lambda.
        clock: seconds since 1970.
    """
    named = {} if function is None else {"function": function}
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
