"""Whether the policies that rules make fit what API Gateway takes; known before deployment."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from kmsjwt.errors import shown
from kmsjwt.gateway.iam import MAX_ANSWER, MAX_RESOURCE, least_bytes
from kmsjwt.rules.nesting import OpenRoutes
from kmsjwt.rules.routes import Route
from kmsjwt.rules.supposed import barest, fullest, with_one_alone, with_one_left_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kmsjwt.rules import Grant, Rules
    from kmsjwt.rules.requirements import Requirement

    Entry = tuple[Route, Requirement | None]
    Granted = tuple[Grant, str]
    Sized = tuple[int, str]

# The shortest ARN of any stage, an ordinary one, and the longest name of one that AWS could give.
_SHORTEST = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/x/"
_ORDINARY = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/"
_LONGEST = len("arn:aws-us-gov:execute-api:ap-southeast-7:123456789012:a1b2c3d4e5/") + 129
_LONGEST_CLAIM = 128
_ORDINARY_CLAIM = 36  # a UUID
_NEAR = MAX_ANSWER * 3 // 4
_BAREST = "meets no requirement"
_NEEDS = 16  # different needs of routes around others, those that the most of them have
_TOLD = 3  # claims of a token, or routes, that no message needs more of
_LESS = "name methods, since a route without one counts for seven, and join paths by '/*'"
_CHARACTERS = "xyzabcdefghijklmnopqrstuvwABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def unfit(rules: Rules) -> list[str]:
    """Return what cannot work: resources too long for some token and API, or a policy for all."""
    faults = []
    open_ones = OpenRoutes([route for route, _ in rules.ordered])
    for route, needs in rules.ordered:
        length = max(map(len, route.methods)) + route.length(_LONGEST_CLAIM)
        if needs is not None and _may_be_denied_with_a_slash(route, open_ones):
            length += 1
        if length + _LONGEST > MAX_RESOURCE:
            faults.append(
                f"route {route.text!r} makes resources of up to {length + _LONGEST} characters,"
                f" {length} of them behind the ARN of a stage, and API Gateway takes {MAX_RESOURCE}"
            )
    tokens = _shortest(rules)
    ends = _differing(_least(tokens), (least_denied(rules), _BAREST))
    large = list(_above(MAX_ANSWER, _SHORTEST, ends)) or _least_between(rules, tokens)
    faults += [
        f"rules make a policy of at least {least:,} bytes for a token that {token}, API"
        f" Gateway takes {MAX_ANSWER:,}: {_LESS}"
        for least, token in large
    ]
    return faults


def tight(rules: Rules) -> list[str]:
    """Return where a policy of ordinary claims comes near the limit: of UUIDs, say."""
    unmet = rules.grant(barest(rules, _claims(rules, _ORDINARY_CLAIM)))
    most = _Most(rules, _ORDINARY_CLAIM)
    ends = _differing(most.granted(), (unmet, _BAREST))
    large = list(_above(_NEAR, _ORDINARY, ends))
    largest = max([_NEAR, *(likely for likely, _ in large)])
    large += islice(_above(largest, _ORDINARY, _between(rules, most, together=True)), 1)
    return [
        f"where claims in paths have {_ORDINARY_CLAIM} characters, a token that {token}"
        f" gets a policy of some {likely:,} bytes, and API Gateway takes {MAX_ANSWER:,},"
        f" context and all; above, it answers 500: {_LESS}"
        for likely, token in large
    ]


def _above(limit: int, stage: str, granted: Iterable[Granted]) -> Iterator[Sized]:
    """Return which policies are larger, by their tokens, and how large below such a stage."""
    for grant, token in granted:
        size = policy_bytes(grant, stage)
        if size > limit:
            yield size, token


def _differing(*granted: Granted) -> tuple[Granted, ...]:
    """Return which token is granted what, and once what every token is granted."""
    sizes = {policy_bytes(grant) for grant, _ in granted}
    return granted[:1] if len(sizes) == 1 else granted


def policy_bytes(grant: Grant, stage: str = _SHORTEST) -> int:
    """Return the least bytes of a policy that grants this, below a stage of this ARN."""
    return least_bytes(grant, stage) if grant.allow else 0  # nothing: one Deny of everything


class _Most:
    """A token that meets as much as it can."""

    def __init__(self, rules: Rules, length: int, *, alike: bool = False) -> None:
        """Suppose one whose claims in paths have so many characters, and the same or not."""
        self.in_paths = _claims(rules, length, alike=alike)
        self.claims, self._chosen = fullest(rules, self.in_paths, policy_bytes)
        self.grant = rules.grant(self.claims)
        self._rules = rules

    def granted(self) -> Granted:
        """Return what it is granted, and what it meets."""
        if all(needs is None or needs.is_met(self.claims) for _, needs in self._rules.ordered):
            return self.grant, "meets them all"
        chosen = list(self._chosen.items())[:_TOLD]
        told = " and ".join(f"{name} {shown(value)}" for name, value in chosen)
        return self.grant, f"meets all it can{' with ' * bool(told)}{told}"


def least_allowed(rules: Rules) -> Granted:
    """Return what a token is granted that meets much and has the shortest claims; and which one.

    They may all be the same, and then one route may lie within another.
    """
    return _least(_shortest(rules))


def _shortest(rules: Rules) -> list[_Most]:
    """Return such tokens: one whose claims in paths differ and, if any are there, one of alike."""
    names_claims = any(route.names_claims for route, _ in rules.ordered)
    return [_Most(rules, 1, alike=alike) for alike in (False, True)[: 1 + names_claims]]


def _least(tokens: Iterable[_Most]) -> Granted:
    return min((each.granted() for each in tokens), key=lambda each: policy_bytes(each[0]))


def _least_between(rules: Rules, tokens: list[_Most]) -> list[Sized]:
    """Return a token that meets part of what rules ask for and surely gets too much, if any."""
    found: list[Sized] = []
    for most in tokens:
        between = _between(rules, most, together=False)
        found += islice(_above(MAX_ANSWER, _SHORTEST, between), 1)
    return [min(found)] if len(found) == len(tokens) else []


def _between(rules: Rules, most: _Most, *, together: bool) -> Iterator[Granted]:
    """Return what tokens are granted that meet something, not all: what is denied is most there.

    Some have one thing that rules ask for, or meet what one route around others needs, and
    nothing within it: somebody surely does. Others meet ``together`` what all such routes need, or
    all but one thing; nobody may have that much, such as the scopes of several teams.
    """
    holders = OpenRoutes([route for route, _ in rules.ordered]).holders()
    outer = [rules.ordered[number] for number in sorted(holders)]
    alike: dict[str, list[Entry]] = {}
    for route, needs in outer:
        alike.setdefault(str(needs and sorted(map(repr, needs.asked()))), []).append((route, needs))
    for each in [outer] * together + sorted(alike.values(), key=len, reverse=True)[:_NEEDS]:
        claims, _ = fullest(rules, most.in_paths, policy_bytes, each)
        told = ", ".join(repr(route.text) for route, _ in each[:_TOLD])
        more = f" and {len(each) - _TOLD} more" if len(each) > _TOLD else ""
        yield rules.grant(claims), f"meets the needs of {told}{more} alone"
    for claims, alone in with_one_alone(rules, most.in_paths):
        yield rules.grant(claims), f"has {alone} alone"
    for claims, left_out in with_one_left_out(most.claims) if together and most.grant.allow else ():
        yield rules.grant(claims), f"meets all it can but {left_out}"


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


def _may_be_denied_with_a_slash(route: Route, open_ones: OpenRoutes) -> bool:
    if route.is_open:
        return False
    slashed = Route(route.text, route.methods, (*route.segments, ""), is_open=False)
    return any(True for _ in open_ones.around(slashed))
