"""Whether every policy that rules can make fits what API Gateway takes; known before deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.gateway.iam import MAX_ANSWER, MAX_RESOURCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kmsjwt.rules import Rules

# The shortest ARN of any stage, and the longest name of one that AWS could give out.
_SHORTEST = len("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/x/")
_LONGEST = len("arn:aws-us-gov:execute-api:ap-southeast-7:123456789012:a1b2c3d4e5/") + 129
_LONGEST_CLAIM = 128
_AROUND = len('{"principalId":"x","policyDocument":{"Version":"2012-10-17","Statement":[]}}') + len(
    '{"Action":"execute-api:Invoke","Effect":"Allow","Resource":[]}'
)
_AROUND_RESOURCE = len('"",')


def unfit(rules: Rules) -> list[str]:
    """Return what cannot work: resources too long for some token and API, or a policy for all."""
    faults = [
        f"route {route!r} makes resources of up to {length + _LONGEST} characters, {length} of them"
        f" behind the ARN of a stage, and API Gateway takes {MAX_RESOURCE}"
        for route, length in rules.longest(_LONGEST_CLAIM)
        if length + _LONGEST > MAX_RESOURCE
    ]
    for lengths, token in (
        (rules.least_allowed(), "meets them all"),
        (rules.least_denied(), "meets no requirement"),
    ):
        least = policy_bytes(lengths)
        if least > MAX_ANSWER:
            faults.append(
                f"rules make a policy of at least {least:,} bytes for a token that {token}, API"
                f" Gateway takes {MAX_ANSWER:,}: name methods, since a route without one counts for"
                " seven, and join paths by '/*'"
            )
    return faults


def policy_bytes(lengths: Iterable[int]) -> int:
    """Return the least bytes of a policy with resources of these lengths below the stage."""
    return _AROUND + sum(_SHORTEST + _AROUND_RESOURCE + each for each in lengths)
