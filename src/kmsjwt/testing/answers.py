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
from typing import Any

MAX_ANSWER = 8_192
MAX_RESOURCE = 512
_ACTION = "execute-api:Invoke"
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
        authorized: a simple answer's verdict; None in an IAM answer.
    """

    principal: str = ""
    context: dict[str, Any]
    statements: tuple[tuple[str, list[str], list[str]], ...] = ()
    authorized: bool | None = None

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
    try:
        text = json.dumps(returned, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedAnswer("the answer is no JSON") from error
    if len(text) > MAX_ANSWER:
        raise MalformedAnswer(f"the answer is {len(text)} bytes, API Gateway takes {MAX_ANSWER}")
    answer = json.loads(text)
    if not isinstance(answer, dict):
        raise MalformedAnswer(f"the answer is of type {type(answer).__name__}, expected an object")
    context = _context(answer.get("context", {}), flat=flat_context)
    return _simple(answer, context) if simple else _iam(answer, context)


def _simple(answer: dict[str, Any], context: dict[str, Any]) -> Answer:
    authorized = answer.get("isAuthorized")
    if not isinstance(authorized, bool):
        raise MalformedAnswer("isAuthorized is missing or no boolean")
    return Answer(context=context, authorized=authorized)


def _iam(answer: dict[str, Any], context: dict[str, Any]) -> Answer:
    principal = answer.get("principalId")
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
    """Match ``*`` (any characters, ``/`` and ``:`` too) and ``?`` (any one character)."""
    regex = "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in pattern)
    return re.fullmatch(regex, text, re.DOTALL) is not None
