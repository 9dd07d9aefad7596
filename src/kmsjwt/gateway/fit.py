"""Whether the policies that rules make fit what API Gateway takes; known before deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.gateway.iam import MAX_ANSWER, MAX_RESOURCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kmsjwt.rules import Rules
    from kmsjwt.rules.routes import Route

# The shortest ARN of any stage, an ordinary one, and the longest name of one that AWS could give.
_SHORTEST = len("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/x/")
_ORDINARY = len("arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/")
_LONGEST = len("arn:aws-us-gov:execute-api:ap-southeast-7:123456789012:a1b2c3d4e5/") + 129
_LONGEST_CLAIM = 128
_ORDINARY_CLAIM = 36  # a UUID
_NEAR = MAX_ANSWER * 3 // 4
_AROUND = len('{"principalId":"x","policyDocument":{"Version":"2012-10-17","Statement":[]}}') + len(
    '{"Action":"execute-api:Invoke","Effect":"Allow","Resource":[]}'
)
_AROUND_RESOURCE = len('"",')
_TOKENS = ("meets them all", "meets no requirement")
_LESS = "name methods, since a route without one counts for seven, and join paths by '/*'"


def unfit(rules: Rules) -> list[str]:
    """Return what cannot work: resources too long for some token and API, or a policy for all."""
    faults = []
    for route, _ in rules.ordered:
        length = max(map(len, route.methods)) + route.length(_LONGEST_CLAIM)
        length += _may_be_denied_with_a_slash(rules, route)
        if length + _LONGEST > MAX_RESOURCE:
            faults.append(
                f"route {route.text!r} makes resources of up to {length + _LONGEST} characters,"
                f" {length} of them behind the ARN of a stage, and API Gateway takes {MAX_RESOURCE}"
            )
    for lengths, token in zip(
        (least_allowed(rules, 1), least_denied(rules, None)), _TOKENS, strict=True
    ):
        least = policy_bytes(lengths)
        if least > MAX_ANSWER:
            faults.append(
                f"rules make a policy of at least {least:,} bytes for a token that {token}, API"
                f" Gateway takes {MAX_ANSWER:,}: {_LESS}"
            )
    return faults


def tight(rules: Rules) -> list[str]:
    """Return where a policy of ordinary claims comes near the limit: of UUIDs, say."""
    warnings = []
    for lengths, token in zip(
        (least_allowed(rules, _ORDINARY_CLAIM), least_denied(rules, _ORDINARY_CLAIM)),
        _TOKENS,
        strict=True,
    ):
        likely = policy_bytes(lengths, _ORDINARY)
        if likely > _NEAR:
            warnings.append(
                f"where claims in paths have {_ORDINARY_CLAIM} characters, a token that {token}"
                f" gets a policy of some {likely:,} bytes, and API Gateway takes {MAX_ANSWER:,},"
                f" context and all; above, it answers 500: {_LESS}"
            )
    return warnings


def policy_bytes(lengths: Iterable[int], stage: int = _SHORTEST) -> int:
    """Return the least bytes of a policy with resources of these lengths below a stage's ARN."""
    return _AROUND + sum(stage + _AROUND_RESOURCE + each for each in lengths)


def least_allowed(rules: Rules, claim: int) -> Iterator[int]:
    """Return the length of each resource for a token that meets every rule.

    As if each claim had so many characters, and routes within others were left out.
    """
    routes = [route for route, _ in rules.ordered]
    counted = set()
    for route in routes:
        for method in route.methods:
            resource = (method, route.segments, route.is_open)
            if resource not in counted and not _is_within(routes, route, method):
                counted.add(resource)
                yield len(method) + route.length(claim)


def least_denied(rules: Rules, claim: int | None) -> Iterator[int]:
    """Return the length of each resource taken out for a token that meets no requirement.

    Args:
        rules: the rules.
        claim: how many characters a claim has; None if a token has none of them.
    """
    there = [
        (route, needs)
        for route, needs in rules.ordered
        if claim is not None or not route.names_claims
    ]
    free = [route for route, needs in there if needs is None]
    for route, needs in there:
        length = route.length(claim or 1)
        for method in route.methods if needs is not None else ():
            if _is_within(free, route, method):
                yield len(method) + length
                if not route.is_open:
                    yield len(method) + length + 1  # the same with "/" at its end


def _is_within(routes: list[Route], inner: Route, method: str) -> bool:
    return any(
        each is not inner and method in each.methods and each.may_hold(inner) for each in routes
    )


def _may_be_denied_with_a_slash(rules: Rules, route: Route) -> bool:
    return not route.is_open and any(
        each.is_open and (each.segments == route.segments or each.may_hold(route))
        for each, _ in rules.ordered
    )
