"""Alarms that mean something is broken. A refused token is none: refusing is the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.deploy import names
from kmsjwt.deploy.intrinsics import only_if, ref, sub

if TYPE_CHECKING:
    from kmsjwt.deploy.intrinsics import Json, Resource, Resources

_MINUTES = 60
_HOUR = 3_600
NAMESPACE = "kmsjwt/${AWS::StackName}"


def alarms() -> Resources:
    """Return the alarms, and the metrics that are made of log lines for them."""
    return {
        "AuthorizerFails": _authorizer_fails(),
        "IssueErrors": _count(names.ISSUE, '{ $.level = "ERROR" }', "IssueErrors"),
        "IssueFails": _alarm(
            "No tokens: KMS, the key or the settings are at fault; not the askers",
            _metric(sub(NAMESPACE), "IssueErrors"),
            Threshold=1,
            Period=5 * _MINUTES,
            EvaluationPeriods=2,
        ),
        "IssueBreaks": _alarm(
            "The issue function does not start, or runs out of time",
            _of_lambda(names.ISSUE, "Errors"),
            Threshold=1,
            Period=5 * _MINUTES,
            EvaluationPeriods=2,
        ),
        "RotationFails": _alarm(
            "Each run of the rotate function fails, and what is due waits. Tokens go on, unless"
            " IssueFails rings too",
            _of_lambda(names.ROTATE, "Errors"),
            Threshold=1,
            Period=_HOUR,
            EvaluationPeriods=3,
        ),
        "RotationRuns": _count(
            names.ROTATE,
            # The first comes with the stack, an hour before the schedule's.
            '{ (($.event = "rotate") || ($.event = "ring_resource")) && ($.level = "INFO") }',
            "RotationRuns",
        ),
        "RotationStopped": _rotation_stopped(),
        "RotationsOverdue": _count(
            names.ROTATE, '{ $.event = "rotation_overdue" }', "RotationsOverdue"
        ),
        "RotationOverdue": _alarm(
            "The key that signs is a day past its time, and nothing replaces it",
            _metric(sub(NAMESPACE), "RotationsOverdue"),
            Threshold=1,
            Period=_HOUR,
            EvaluationPeriods=3,
        ),
    }


def _authorizer_fails() -> Resource:
    """Return the alarm on the authorizer's 500s: its errors, less the 401s that it raises.

    A REST API's 401 can only be raised, so Lambda counts it as an error. The function counts its
    own 401s beside; what is left has no decision: wrong settings, no key, out of time.
    """
    unauthorized = [
        {"Name": "function", "Value": ref(names.function(names.AUTHORIZER))},
        {"Name": "decision", "Value": "unauthorized"},
    ]
    own = {"Namespace": "kmsjwt", "MetricName": "decisions", "Dimensions": unauthorized}
    return _alarm(
        "The authorizer answers 500: the JWKS cannot be had, or it does not start",
        {
            "Metrics": [
                {
                    "Id": "failures",
                    "Expression": "errors - FILL(unauthorized, 0)",
                    "Label": "errors that are no 401",
                    "ReturnData": True,
                },
                _measured("errors", _of_lambda(names.AUTHORIZER, "Errors")),
                _measured("unauthorized", own),
            ]
        },
        # One of the two metrics may be counted a moment later, so a single one proves nothing.
        Threshold=3,
        EvaluationPeriods=2,
    )


def _rotation_stopped() -> Resource:
    """Return the alarm on runs that are missing.

    Without an invocation there is no line to count, and so no value, which an alarm would look for
    further and further back. What is missing counts as none.
    """
    runs = _measured("runs", _metric(sub(NAMESPACE), "RotationRuns"), period=_HOUR)
    made = _alarm(
        "The rotate function has finished no run for six hours: look at its schedule",
        {
            "Metrics": [
                {
                    "Id": "counted",
                    "Expression": "FILL(runs, 0)",
                    "Label": "runs in an hour",
                    "ReturnData": True,
                },
                runs,
            ]
        },
        ComparisonOperator="LessThanThreshold",
        Threshold=1,
        EvaluationPeriods=6,
        # Where there is no value at all there is nothing to fill.
        TreatMissingData="breaching",
    )
    # Before the ring is there, nothing has run and nothing is wrong.
    return {**made, "DependsOn": [names.RING]}


def _measured(name: str, metric: dict[str, Json], *, period: int = 5 * _MINUTES) -> dict[str, Json]:
    return {
        "Id": name,
        "ReturnData": False,
        "MetricStat": {
            "Metric": {key: value for key, value in metric.items() if key != "Statistic"},
            "Period": period,
            "Stat": "Sum",
        },
    }


def _of_lambda(function: str, name: str) -> dict[str, Json]:
    dimensions = [{"Name": "FunctionName", "Value": ref(names.function(function))}]
    return {**_metric("AWS/Lambda", name), "Dimensions": dimensions}


def _metric(namespace: Json, name: str) -> dict[str, Json]:
    return {"Namespace": namespace, "MetricName": name, "Statistic": "Sum"}


def _count(function: str, pattern: str, name: str) -> Resource:
    """Return a metric that counts the lines of a function's log that fit."""
    return {
        "Type": "AWS::Logs::MetricFilter",
        "Properties": {
            "LogGroupName": ref(names.logs(function)),
            "FilterPattern": pattern,
            "MetricTransformations": [
                {
                    "MetricNamespace": sub(NAMESPACE),
                    "MetricName": name,
                    "MetricValue": "1",
                    "DefaultValue": 0,
                }
            ],
        },
    }


def _alarm(description: str, metric: dict[str, Json], **more: Any) -> Resource:
    topic = only_if(names.HAS_ALARM_TOPIC, [ref("AlarmTopicArn")])
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": description,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": topic,
            "OKActions": topic,
            **metric,
            **more,
        },
    }
