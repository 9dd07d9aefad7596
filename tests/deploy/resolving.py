"""What CloudFormation makes of a value: a small reading of its functions, for tests alone."""

from __future__ import annotations

import re
from typing import Any


def resolved(value: Any, names: dict[str, str]) -> Any:
    """Return a value with each Ref, Fn::Sub and Fn::GetAtt replaced.

    Args:
        value: of a template.
        names: what stands for each name, such as ``RingName``, ``Documents`` or ``Logs.Arn``.
    """
    if isinstance(value, list):
        return [resolved(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Ref"}:
        return names[value["Ref"]]
    if value.keys() == {"Fn::GetAtt"}:
        return names[".".join(value["Fn::GetAtt"])]
    if value.keys() == {"Fn::Sub"}:
        return re.sub(r"\$\{([^}]+)\}", lambda match: names[match[1]], value["Fn::Sub"])
    return {name: resolved(member, names) for name, member in value.items()}
