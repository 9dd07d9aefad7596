"""Whether the policies that rules make fit what API Gateway takes; known before deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.errors import shown
from kmsjwt.gateway.iam import MAX_ANSWER, MAX_RESOURCE
from kmsjwt.rules.routes import Route
from kmsjwt.rules.supposed import barest, fullest

if TYPE_CHECKING:
    from kmsjwt.rules import Grant, Rules

    Granted = tuple[Grant, str]

# The shortest ARN of any stage, an ordinary one, and the longest name of one that AWS could give.
_SHORTEST = len("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/x/")
_ORDINARY = len("arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/")
_LONGEST = len("arn:aws-us-gov:execute-api:ap-southeast-7:123456789012:a1b2c3d4e5/") + 129
_LONGEST_CLAIM = 128
_ORDINARY_CLAIM = 36  # a UUID
_NEAR = MAX_ANSWER * 3 // 4
_AROUND = len('{"principalId":"x","policyDocument":{"Version":"2012-10-17","Statement":[]}}')
_STATEMENTS = (
    len('{"Action":"execute-api:Invoke","Effect":"Allow","Resource":[]}'),
    len('{"Action":"execute-api:Invoke","Effect":"Deny","Resource":[]},'),
)
_AROUND_RESOURCE = len('"",')
_BAREST = "meets no requirement"
_TOLD = 3  # claims of a token that no message needs more of
_LESS = "name methods, since a route without one counts for seven, and join paths by '/*'"
_CHARACTERS = "xyzabcdefghijklmnopqrstuvwABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def unfit(rules: Rules) -> list[str]:
    """Return what cannot work: resources too long for some token and API, or a policy for all."""
    faults = []
    for route, needs in rules.ordered:
        length = max(map(len, route.methods)) + route.length(_LONGEST_CLAIM)
        if needs is not None and _may_be_denied_with_a_slash(rules, route):
            length += 1
        if length + _LONGEST > MAX_RESOURCE:
            faults.append(
                f"route {route.text!r} makes resources of up to {length + _LONGEST} characters,"
                f" {length} of them behind the ARN of a stage, and API Gateway takes {MAX_RESOURCE}"
            )
    for grant, token in _differing(least_allowed(rules), (least_denied(rules), _BAREST)):
        least = policy_bytes(grant)
        if least > MAX_ANSWER:
            faults.append(
                f"rules make a policy of at least {least:,} bytes for a token that {token}, API"
                f" Gateway takes {MAX_ANSWER:,}: {_LESS}"
            )
    return faults


def tight(rules: Rules) -> list[str]:
    """Return where a policy of ordinary claims comes near the limit: of UUIDs, say."""
    warnings = []
    unmet = rules.grant(barest(rules, _claims(rules, _ORDINARY_CLAIM)))
    for grant, token in _differing(_allowed(rules, _ORDINARY_CLAIM), (unmet, _BAREST)):
        likely = policy_bytes(grant, _ORDINARY)
        if likely > _NEAR:
            warnings.append(
                f"where claims in paths have {_ORDINARY_CLAIM} characters, a token that {token}"
                f" gets a policy of some {likely:,} bytes, and API Gateway takes {MAX_ANSWER:,},"
                f" context and all; above, it answers 500: {_LESS}"
            )
    return warnings


def _differing(*granted: Granted) -> tuple[Granted, ...]:
    """Return which token is granted what, and once what every token is granted."""
    sizes = {policy_bytes(grant) for grant, _ in granted}
    return granted[:1] if len(sizes) == 1 else granted


def policy_bytes(grant: Grant, stage: int = _SHORTEST) -> int:
    """Return the least bytes of a policy that grants this, below a stage's ARN so long."""
    if not grant.allow:
        return 0  # one Deny of everything
    size = _AROUND
    for resources, around in zip((grant.allow, grant.deny), _STATEMENTS, strict=True):
        if resources:
            size += around + sum(stage + _AROUND_RESOURCE + len(each) for each in resources) - 1
    return size


def least_allowed(rules: Rules) -> Granted:
    """Return what a token is granted that meets much and has the shortest claims; and which one.

    They may all be the same, and then one route may lie within another.
    """
    names_claims = any(route.names_claims for route, _ in rules.ordered)
    granted = [_allowed(rules, 1, alike=alike) for alike in (False, True)[: 1 + names_claims]]
    return min(granted, key=lambda each: policy_bytes(each[0]))


def _allowed(rules: Rules, length: int, *, alike: bool = False) -> Granted:
    """Return what a token with claims of this length is granted, and what it meets."""
    claims, chosen = fullest(rules, _claims(rules, length, alike=alike), policy_bytes)
    grant = rules.grant(claims)
    if all(needs is None or needs.is_met(claims) for _, needs in rules.ordered):
        return grant, "meets them all"
    told = " and ".join(f"{name} {shown(value)}" for name, value in list(chosen.items())[:_TOLD])
    return grant, f"meets all it can{' with ' * bool(told)}{told}"


def least_denied(rules: Rules) -> Grant:
    """Return what a token is granted that has nothing but the scopes that ``require`` asks for.

    Nothing, if ``require`` asks for more: no such token is known.
    """
    return rules.grant({"scope": " ".join(rules.decide_token({}).scopes)})


def _claims(rules: Rules, length: int, *, alike: bool = False) -> dict[str, str]:
    """Return the claims that paths name, each of so many characters and no literal's text."""
    segments = {segment for route, _ in rules.ordered for segment in route.segments}
    free = [each * length for each in _CHARACTERS if each * length not in segments] or ["x"]
    names = sorted(segment[1:-1] for segment in segments if segment.startswith("{"))
    return {name: free[0 if alike else number % len(free)] for number, name in enumerate(names)}


def _may_be_denied_with_a_slash(rules: Rules, route: Route) -> bool:
    slashed = Route(route.text, route.methods, (*route.segments, ""), is_open=False)
    return not route.is_open and any(each.may_hold(slashed) for each, _ in rules.ordered)
