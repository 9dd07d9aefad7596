"""An authorizer's answer as API Gateway reads it: well formed or not, allowing or not.

The evaluator knows what authorizer policies are made of: Effect, Action, Resource, ``*`` and
``?``, explicit denials first. What it does not know it says, instead of guessing.
Its limits are its own, apart from ``kmsjwt.gateway`` on purpose: a judge that took over the
authorizer's numbers would take over its mistakes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MAX_ANSWER = 8_192
MAX_RESOURCE = 512
MAX_RESOLVER_CONTEXT = 5 * 1024 * 1024  # AppSync's documentation: 5 MB
MAX_TTL = 3_600
_ACTION = "execute-api:Invoke"
_FIELD = re.compile(
    r"\w+\.\w+|arn:[\w-]+:appsync:[\w-]+:\d{12}:apis/\w+/types/\w+/fields/\w+", re.ASCII
)
_BOTH = " (KMSJWT_RESPONSE tells the authorizer which)"
_UNKNOWN = ("Condition", "NotAction", "NotResource", "Principal", "NotPrincipal")


class NotSimulated(NotImplementedError):
    """What AWS does here is not known well enough to be simulated."""


class MalformedAnswer(ValueError):
    """API Gateway would answer 500: AuthorizerConfigurationException."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that API Gateway can read.

    Attributes:
        principal: the ``principalId``; empty in a simple answer.
        context: the ``context`` as the authorizer gave it.
        statements: ``(effect, actions, resources)`` of an IAM answer.
        authorized: a simple or an AppSync answer's verdict; None in an IAM answer.
        ttl: seconds that AppSync shall keep the answer; None if it leaves that to the API.
        denied_fields: the fields that AppSync answers with null.
    """

    principal: str = ""
    context: dict[str, Any]
    statements: tuple[tuple[str, list[str], list[str]], ...] = ()
    authorized: bool | None = None
    ttl: int | None = None
    denied_fields: tuple[str, ...] = ()

    def verdict(self, arn: str) -> str:
        """Return ``allowed``, ``explicit_deny``, ``implicit_deny`` or ``not_authorized``."""
        if self.authorized is not None:
            return "allowed" if self.authorized else "not_authorized"
        effects = {
            effect
            for effect, actions, resources in self.statements
            if any(_matches(action.lower(), _ACTION.lower()) for action in actions)
            and any(_matches(resource, arn) for resource in resources)
        }
        if "Deny" in effects:
            return "explicit_deny"
        return "allowed" if "Allow" in effects else "implicit_deny"


def read_answer(returned: object, *, simple: bool, flat_context: bool) -> Answer:
    """Read what an authorizer returned.

    Args:
        returned: the function's return value.
        simple: whether simple responses are on. That an IAM answer is refused then, and None as
            a context value always, is not verified against AWS.
        flat_context: whether the API takes str, number and bool only.

    Raises:
        MalformedAnswer: API Gateway could not use it.
        NotSimulated: it holds what this evaluator does not know.
    """
    answer, size = _json(returned)
    if size > MAX_ANSWER:
        raise MalformedAnswer(f"the answer is {size} bytes, API Gateway takes {MAX_ANSWER}")
    context = _context(answer.get("context", {}), flat=flat_context)
    if simple:
        return Answer(context=context, authorized=_authorized(answer))
    return _iam(answer, context)


def read_appsync_answer(returned: object) -> Answer:
    """Read what an AppSync API's authorizer returned.

    Not verified against AWS: what AppSync makes of a member of the wrong type, of null in the
    context and of denied fields of another form, all refused here, and of members it does not
    know, let be.

    Raises:
        MalformedAnswer: AppSync could not use it, or might not.
    """
    answer, _ = _json(returned)
    context = answer.get("resolverContext", {})
    if not isinstance(context, dict):
        raise MalformedAnswer("resolverContext is no object")
    for name, value in context.items():
        if not isinstance(value, (str, int, float)):  # a bool is an int
            raise MalformedAnswer(f"resolverContext {name!r} is neither text, number nor boolean")
    size = len(json.dumps(context))
    if size > MAX_RESOLVER_CONTEXT:
        raise MalformedAnswer(
            f"resolverContext is {size} bytes, AppSync takes {MAX_RESOLVER_CONTEXT}"
        )
    return Answer(
        context=context,
        authorized=_authorized(answer),
        ttl=_ttl_override(answer),
        denied_fields=_denied_fields(answer),
    )


def _json(returned: object) -> tuple[dict[str, Any], int]:
    """Return what arrives at the gateway, and how long it is."""
    try:
        text = json.dumps(returned, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedAnswer("the answer is no JSON") from error
    answer = json.loads(text)
    if not isinstance(answer, dict):
        raise MalformedAnswer(f"the answer is of type {type(answer).__name__}, expected an object")
    return answer, len(text)


def _authorized(answer: dict[str, Any]) -> bool:
    authorized = answer.get("isAuthorized")
    if not isinstance(authorized, bool) and "policyDocument" in answer:
        raise MalformedAnswer(f"the answer is a policy, and simple responses are on{_BOTH}")
    if not isinstance(authorized, bool):
        raise MalformedAnswer("isAuthorized is missing or no boolean")
    return authorized


def _ttl_override(answer: dict[str, Any]) -> int | None:
    if "ttlOverride" not in answer:
        return None
    ttl = answer["ttlOverride"]
    if not isinstance(ttl, int) or isinstance(ttl, bool) or not 0 <= ttl <= MAX_TTL:
        raise MalformedAnswer(f"ttlOverride is no whole number of 0 to {MAX_TTL} seconds")
    return ttl


def _denied_fields(answer: dict[str, Any]) -> tuple[str, ...]:
    fields = answer.get("deniedFields", [])
    if not isinstance(fields, list):
        raise MalformedAnswer("deniedFields is no list")
    for field in fields:
        if not (isinstance(field, str) and _FIELD.fullmatch(field)):
            raise MalformedAnswer("deniedFields has what is neither Type.field nor a field's ARN")
    return tuple(fields)


def _iam(answer: dict[str, Any], context: dict[str, Any]) -> Answer:
    principal = answer.get("principalId")
    if "isAuthorized" in answer and not {"principalId", "policyDocument"} & answer.keys():
        raise MalformedAnswer(f"the answer is a simple one, and simple responses are off{_BOTH}")
    if not (isinstance(principal, str) and principal):
        raise MalformedAnswer("principalId is missing, empty or no text")
    document = answer.get("policyDocument")
    if not isinstance(document, dict):
        raise MalformedAnswer("policyDocument is missing or no object")
    statements = document.get("Statement")
    listed = [statements] if isinstance(statements, dict) else statements
    if not (isinstance(listed, list) and listed):
        raise MalformedAnswer("policyDocument has no Statement")
    return Answer(
        principal=principal,
        context=context,
        statements=tuple(_statement(statement) for statement in listed),
    )


def _statement(statement: object) -> tuple[str, list[str], list[str]]:
    if not isinstance(statement, dict):
        raise MalformedAnswer("a Statement is no object")
    for member in _UNKNOWN:
        if member in statement:
            raise NotSimulated(f"{member} in an authorizer's policy is not verified against AWS")
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedAnswer("a Statement's Effect is neither Allow nor Deny")
    resources = _texts(statement, "Resource")
    if any(len(resource) > MAX_RESOURCE for resource in resources):
        raise MalformedAnswer(f"a Resource is longer than {MAX_RESOURCE} characters")
    return effect, _texts(statement, "Action"), resources


def _texts(statement: dict[str, Any], member: str) -> list[str]:
    value = statement.get(member)
    texts = [value] if isinstance(value, str) else value
    if not (isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts)):
        raise MalformedAnswer(f"a Statement's {member} is missing or no text")
    if any("${" in text for text in texts):
        raise NotSimulated(f"a variable in {member} is not verified against AWS")
    return texts


def _context(context: object, *, flat: bool) -> dict[str, Any]:
    if not isinstance(context, dict):
        raise MalformedAnswer("context is no object")
    for name, value in context.items():
        if name == "claims":
            raise MalformedAnswer("context has 'claims', which API Gateway keeps for itself")
        if value is None or (flat and isinstance(value, (dict, list))):
            raise MalformedAnswer(f"context {name!r} is neither text, number nor boolean")
    return context


def _matches(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Read ``*`` (any characters, ``/`` and ``:`` too) and ``?`` (any one character)."""
    regex = "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in pattern)
    return re.compile(regex, re.DOTALL)
