"""A small judge of IAM policies, written from the IAM user guide and not from what it judges.

Sources: IAM user guide, "policy evaluation logic", "condition operators" and "multivalued context
keys": an explicit Deny wins, no Allow is a denial; operators and keys of one condition all have to
hold, of a key's several values one; a key that is missing makes a plain operator fail and a
negated one hold; ForAllValues holds of no values, ForAnyValue does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One authorization: KMS asks for several where a call touches several resources."""

    action: str
    resource: str
    context: dict[str, Any] = field(default_factory=dict)


def like(pattern: str, text: str) -> bool:
    """Match ``*`` and ``?`` and nothing else; case counts."""
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def many(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


PLAIN = {
    "StringEquals": lambda wanted, got: wanted == got,
    "StringLike": like,
    "ArnLike": like,
    "ArnNotLike": like,
}


def holds(operator: str, key: str, wanted: list[str], context: dict[str, Any]) -> bool:
    there = key in context
    if operator == "Null":
        return wanted == [str(not there).lower()]
    quantifier, _, plain = operator.rpartition(":")
    matches = PLAIN[plain]
    if quantifier:
        values = many(context.get(key, []))
        each = [any(matches(one, value) for one in wanted) for value in values]
        return all(each) if quantifier == "ForAllValues" else any(each)
    if not there:
        return plain == "ArnNotLike"
    (value,) = many(context[key])
    return any(matches(one, value) for one in wanted) is not (plain == "ArnNotLike")


def applies(statement: dict[str, Any], request: Request) -> bool:
    return (
        any(like(one.lower(), request.action.lower()) for one in many(statement["Action"]))
        and any(like(one, request.resource) for one in many(statement["Resource"]))
        and all(
            holds(operator, key, many(wanted), request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def deciding(statements: list[dict[str, Any]], request: Request) -> dict[str, Any] | None:
    """Return the statement that decides: a Deny, else an Allow, else None, which is a denial."""
    found = [statement for statement in statements if applies(statement, request)]
    return next(iter(sorted(found, key=lambda one: one["Effect"] != "Deny")), None)


def allowed(statements: list[dict[str, Any]], request: Request) -> bool:
    found = deciding(statements, request)
    return found is not None and found["Effect"] == "Allow"
