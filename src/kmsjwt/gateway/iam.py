"""IAM answers: ``{"principalId", "policyDocument", "context"}``, checked before AWS does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any

from kmsjwt.errors import ConfigError, shown
from kmsjwt.gateway.arn import Api, route_of_arn
from kmsjwt.gateway.decision import ALLOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.gateway.decision import Decision
    from kmsjwt.gateway.request import AuthRequest
    from kmsjwt.rules import Grant

MAX_ANSWER = 8_192
"""Bytes of an authorizer's answer (Service Quotas L-20859C74, not adjustable)."""

MAX_RESOURCE = 512
"""Characters of a policy's resource ARN (API Gateway developer guide, Lambda authorizers)."""

RESERVED_CONTEXT = "claims"
"""The context key that API Gateway keeps for itself (developer guide, HTTP API 1.0)."""

ANONYMOUS = "anonymous"
"""The principal of a decision about nobody in particular: an answer without one is malformed."""

_REST_OF_ANSWER = 1_024
_AROUND = 4
_FORM = "arn:<partition>:execute-api:<region>:<account>:<api id>/<stage>/<method>/<path>"
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~@:/|+=,!"


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
            the stage, for all methods and paths, and, last, for the rest of a path; nowhere else.
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
    named = _checked_resources(resources)
    statements = [_statement(effect, named)]
    return bounded(_answer(principal_id, statements, context and _checked_context(context)))


def iam_answer(request: AuthRequest, decision: Decision) -> dict[str, Any]:
    """Put a decision into an IAM policy for the whole API and stage of the request.

    Raises:
        ConfigError: it is too large.
    """
    principal = printable(decision.principal) or ANONYMOUS
    resource = request.api.resource
    if decision.grant is None:
        effect = "Allow" if decision.verdict == ALLOW else "Deny"
        answer = _answer(principal, [_statement(effect, [resource])], decision.context)
        room = len(resource)
    else:
        statements = _statements(request.api, decision.grant)
        answer = _answer(principal, statements, decision.context)
        room = _room(statements)
    return answer if _is_small(decision.context, len(principal), room) else bounded(answer)


def with_usage_key(answer: dict[str, Any], decision: Decision, claim: str) -> dict[str, Any]:
    """Add the API key that a REST API is to count the request for, if the token has it as text.

    Raises:
        ConfigError: the answer is too large with it.
    """
    key = decision.verified.claims.get(claim) if decision.verified else None
    if not isinstance(key, str) or not key:
        return answer
    return bounded({**answer, "usageIdentifierKey": key})


def _statements(api: Api, grant: Grant) -> list[dict[str, Any]]:
    """Return what rules grant, all or nothing of it among that."""
    if not grant.allow:
        return [_statement("Deny", [api.resource])]
    return _sides(grant, partial(_below, api))


def _sides(grant: Grant, resource_of: Callable[[str], str]) -> list[dict[str, Any]]:
    sides = (("Allow", grant.allow), ("Deny", grant.deny))
    return [
        _statement(effect, list(map(resource_of, routes))) for effect, routes in sides if routes
    ]


def _statement(effect: str, resources: list[str]) -> dict[str, Any]:
    return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resources}


def _room(statements: list[dict[str, Any]]) -> int:
    """Return the bytes of all resources: nothing of them is escaped in JSON."""
    room = 0
    for statement in statements:
        for resource in statement["Resource"]:
            room += len(resource) + _AROUND
    return room


def _below(api: Api, route: str) -> str:
    resource = api.below(route)
    if len(resource) > MAX_RESOURCE:
        raise _resource_error(
            resource, f"{len(resource)} characters, API Gateway takes {MAX_RESOURCE}"
        )
    return resource


def simple_answer(decision: Decision) -> dict[str, Any]:
    """Put a decision into the simple answer of an HTTP API with payload format 2.0.

    Raises:
        ConfigError: it is too large.
    """
    answer: dict[str, Any] = {"isAuthorized": decision.verdict == ALLOW}
    if decision.context:
        answer["context"] = decision.context
    return answer if _is_small(decision.context, 0, 0) else bounded(answer)


def _answer(
    principal: str, statements: list[dict[str, Any]], context: Mapping[str, object] | None
) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": statements}
    if context:
        return {"principalId": principal, "policyDocument": document, "context": context}
    return {"principalId": principal, "policyDocument": document}


def printable(principal: str) -> str:
    """Return a principal in plain ASCII: other characters as %XX of UTF-8, so none collide."""
    encoded = principal.encode("utf-8", "surrogatepass")
    if not encoded.translate(None, _PLAIN):
        return principal
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in encoded)


def _is_small(context: Mapping[str, object], characters: int, room: int) -> bool:
    """Tell whether an answer needs no measuring: no character takes more than 12 bytes in JSON.

    Nor does what stands around a member and its name.

    Args:
        context: what the backend is told.
        characters: of the answer's other texts.
        room: bytes that are taken already.
    """
    for name, value in context.items():
        characters += len(name) + 1 + len(value if isinstance(value, str) else repr(value))
    return 12 * characters + room < MAX_ANSWER - _REST_OF_ANSWER


def least_bytes(grant: Grant, stage: str) -> int:
    """Return the bytes of the shortest answer that grants something below a stage's ARN."""
    return size_of(_answer("x", _sides(grant, stage.__add__), None))


def size_of(answer: object) -> int:
    """Return the bytes of an answer, or of a part: as Lambda's runtime for Python writes it.

    It puts a space after each comma and colon. Whether API Gateway counts those is not verified
    against AWS.
    """
    return len(json.dumps(answer))


def bounded(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer if API Gateway would take it; never cut it short.

    Raises:
        ConfigError: it would not.
    """
    size = size_of(answer)
    if size > MAX_ANSWER:
        of_policy = size_of(answer.get("policyDocument"))
        of_context = size_of(answer.get("context"))
        raise ConfigError(
            f"the answer is {size} bytes, API Gateway takes {MAX_ANSWER}",
            code="answer_too_large",
            fix="write fewer or shorter rules: the policy is the larger part"
            if of_policy > of_context
            else "pass fewer or smaller claims on in the context",
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
    method, path = route_of_arn(resource)
    if Api.of_arn(resource) is None or not method:
        return f"expected {_FORM}"
    if "*" in method and (method != "*" or path not in ("", "/*")):
        return "expected a method by its name: IAM's '*' matches '/' too, and so longer paths"
    if "*" in (path[:-1] if path.endswith("/*") else path):
        return "expected '*' in a path only as its last '/*': it matches '/' too"
    return None


def _checked_context(context: object) -> dict[str, object]:
    if not isinstance(context, (dict, Mapping)):
        raise _context_error(f"context is {shown(context)}, expected a mapping")
    for name, value in context.items():
        if not (isinstance(name, str) and name != "" and (name.isascii() or _encodable(name))):
            raise _context_error(f"a context name is {shown(name)}, expected text, not empty")
        if name == RESERVED_CONTEXT:
            raise _context_error(f"context has {name!r}, a name API Gateway keeps for itself")
        require_flat(name, value)
    return dict(context)


def require_flat(name: str, value: object) -> None:
    """Refuse what may not stand in a context.

    Raises:
        ConfigError: the value is no text that can be encoded, bool, int or finite float.
    """
    if not _is_flat(value):
        raise _context_error(
            f"context {shown(name)} is of type {type(value).__name__}, "
            "expected str, bool, int or a finite float"
        )


def _context_error(message: str) -> ConfigError:
    return ConfigError(message, code="policy_context")


def _is_flat(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() or _encodable(value)
    return isinstance(value, int) or (isinstance(value, float) and isfinite(value))


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
