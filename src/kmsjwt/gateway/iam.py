"""IAM answers: ``{"principalId", "policyDocument", "context"}``, checked before AWS does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from kmsjwt.errors import ConfigError, shown
from kmsjwt.gateway.arn import InvokeArn

if TYPE_CHECKING:
    from kmsjwt.gateway.decision import Decision
    from kmsjwt.gateway.request import AuthRequest

MAX_ANSWER = 8_192
"""Bytes of an authorizer's answer (Service Quotas L-20859C74, not adjustable)."""

MAX_RESOURCE = 512
"""Characters of a policy's resource ARN (API Gateway developer guide, Lambda authorizers)."""

RESERVED_CONTEXT = "claims"
"""The context key that API Gateway keeps for itself (developer guide, HTTP API 1.0)."""

ANONYMOUS = "anonymous"
"""The principal of a decision about nobody in particular: an answer without one is malformed."""

_FORM = "arn:<partition>:execute-api:<region>:<account>:<api id>/<stage>/<method>/<path>"
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~@:/|+=,!")


def policy(
    principal_id: str,
    effect: str,
    resources: str | Iterable[str],
    context: Mapping[str, str | bool | float] | None = None,
) -> dict[str, Any]:
    """Build an authorizer's IAM answer for a REST, HTTP or WebSocket API.

    API Gateway caches the answer and applies it to other routes, so name what the *token* may do
    on the whole API, never the one ARN of the request.

    Args:
        principal_id: who asks; not empty.
        effect: ``Allow`` or ``Deny``.
        resources: one or more execute-api ARNs of at most 512 characters. ``*`` may stand for
            the stage, for the method and, last, for the rest of the path; nowhere else.
        context: what the backend is told: str, bool, int or float by name; not ``claims``.

    Returns:
        The answer, a plain dict, at most 8,192 bytes of JSON.

    Raises:
        ConfigError: API Gateway would refuse the answer or read it as wider than it looks. The
            code is ``policy_principal``, ``policy_effect``, ``policy_resource``,
            ``policy_context`` or ``answer_too_large``.
    """
    if not _is_principal(principal_id):
        raise ConfigError(
            f"principal_id is {shown(principal_id)}, expected printable text, not empty",
            code="policy_principal",
        )
    if effect not in ("Allow", "Deny"):
        raise ConfigError(
            f"effect is {shown(effect)}, expected 'Allow' or 'Deny'", code="policy_effect"
        )
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": effect,
        "Resource": _checked_resources(resources),
    }
    answer: dict[str, Any] = {
        "principalId": principal_id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
    if context:
        answer["context"] = _checked_context(context)
    return bounded(answer)


def iam_answer(request: AuthRequest, decision: Decision) -> dict[str, Any]:
    """Put a decision into an IAM policy for the whole API and stage of the request."""
    return policy(
        printable(decision.principal) or ANONYMOUS,
        "Allow" if decision.allowed else "Deny",
        request.arn.stage_resource,
        decision.context,
    )


def printable(principal: str) -> str:
    """Return a principal in plain ASCII: other characters as %XX of UTF-8, so none collide."""
    if _PLAIN.issuperset(principal):
        return principal
    return "".join(
        character
        if character in _PLAIN
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
        for character in principal
    )


def bounded(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer if API Gateway would take it; never cut it short.

    Raises:
        ConfigError: it is too large.
    """
    size = len(json.dumps(answer))
    if size > MAX_ANSWER:
        raise ConfigError(
            f"the answer is {size} bytes, API Gateway takes {MAX_ANSWER}",
            code="answer_too_large",
            fix="pass fewer or smaller claims on in the context",
        )
    return answer


def _is_principal(value: object) -> bool:
    return isinstance(value, str) and value != "" and value.isprintable()


def _checked_resources(resources: object) -> list[str]:
    named = [resources] if isinstance(resources, str) else resources
    if not isinstance(named, Iterable):
        raise _resource_error(resources, f"expected {_FORM}")
    checked = list(named)
    if not checked:
        raise ConfigError("resources is empty, expected at least one ARN", code="policy_resource")
    for resource in checked:
        fault = _resource_fault(resource)
        if fault:
            raise _resource_error(resource, fault)
    return checked


def _resource_error(resource: object, fault: str) -> ConfigError:
    return ConfigError(f"resource is {shown(resource)}, {fault}", code="policy_resource")


def _resource_fault(resource: object) -> str | None:
    if not isinstance(resource, str):
        return f"expected {_FORM}"
    if len(resource) > MAX_RESOURCE:
        return f"{len(resource)} characters, API Gateway takes {MAX_RESOURCE}"
    if not (resource.isascii() and resource.isprintable()) or " " in resource:
        return "expected visible ASCII characters only"
    if "?" in resource or "${" in resource:
        return "expected neither '?' nor '${': IAM reads them as more than they say"
    arn = InvokeArn.parse(resource)
    if arn is None or not arn.method:
        return f"expected {_FORM}"
    if "*" in arn.method and arn.method != "*":
        return "expected a method or '*' in its place"
    if "*" in (arn.path[:-1] if arn.path.endswith("/*") else arn.path):
        return "expected '*' in a path only as its last '/*': it matches '/' too"
    return None


def _checked_context(context: object) -> dict[str, object]:
    if not isinstance(context, Mapping):
        raise _context_error(f"context is {shown(context)}, expected a mapping")
    for name, value in context.items():
        if not (isinstance(name, str) and name != "" and _encodable(name)):
            raise _context_error(f"a context name is {shown(name)}, expected text, not empty")
        if name == RESERVED_CONTEXT:
            raise _context_error(f"context has {name!r}, a name API Gateway keeps for itself")
        if not _is_flat(value):
            raise _context_error(
                f"context {shown(name)} is of type {type(value).__name__}, "
                "expected str, bool, int or a finite float"
            )
    return dict(context)


def _context_error(message: str) -> ConfigError:
    return ConfigError(message, code="policy_context")


def _is_flat(value: object) -> bool:
    if isinstance(value, str):
        return _encodable(value)
    return isinstance(value, int) or (isinstance(value, float) and isfinite(value))


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
