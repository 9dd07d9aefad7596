"""Settings of an authorizer that make no sense, each or together, told all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.errors import ConfigError, shown
from kmsjwt.gateway.iam import RESERVED_CONTEXT
from kmsjwt.gateway.places import token_place

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TTL = 3_600
"""Most seconds that a gateway keeps an answer (API Gateway and AppSync alike)."""

_TOO_FINE = (
    "rules are finer than route keys, and a simple answer that is kept would be given to other"
    " paths of the same route: take response 'iam', name routes such as 'GET /orders' alone, or"
    " cache nothing and say so: cache_ttl 0"
)


def setting_faults(
    *,
    rules: object,
    token_from: object,
    on_invalid: object,
    response: object,
    cache_ttl: object,
    principal_claim: object,
    context: object,
    usage_claim: object,
) -> list[str]:
    """Return what is wrong with the arguments of `kmsjwt.gateway.Authorizer` of these names."""
    faults: list[str] = []
    if on_invalid not in ("401", "deny"):
        faults.append(f"on_invalid is {shown(on_invalid)}, expected '401' or 'deny'")
    if response not in ("iam", "simple"):
        faults.append(f"response is {shown(response)}, expected 'iam' or 'simple'")
    if cache_ttl is not None and (type(cache_ttl) is not int or not 0 <= cache_ttl <= MAX_TTL):
        faults.append(f"cache_ttl is {shown(cache_ttl)}, expected 0 to {MAX_TTL} seconds")
    if rules is not None:
        faults += _rule_faults(rules, is_kept=cache_ttl != 0, is_simple=response == "simple")
    try:
        token_place(token_from)
    except ConfigError as error:
        faults.append(error.message)
    return [*faults, *_claim_faults(principal_claim, context, usage_claim)]


def _claim_faults(principal_claim: object, context: object, usage_claim: object) -> Iterator[str]:
    if not _is_name(principal_claim):
        yield f"principal_claim is {shown(principal_claim)}, expected the name of a claim"
    if usage_claim is not None and not _is_name(usage_claim):
        yield f"usage_claim is {shown(usage_claim)}, expected the name of a claim"
    if not isinstance(context, (tuple, list, set, frozenset)):
        yield f"context is {shown(context)}, expected a tuple of names of claims"
        return
    for name in context:
        if not _is_name(name):
            yield f"context names {shown(name)}, expected the name of a claim"
        elif name == RESERVED_CONTEXT:
            yield f"context names {name!r}, which API Gateway keeps for itself"


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _rule_faults(rules: object, *, is_kept: bool, is_simple: bool) -> list[str]:
    from kmsjwt.gateway.fit import unfit  # who has no rules has none of this to pay for
    from kmsjwt.rules import Rules

    if not isinstance(rules, Rules):
        return [f"rules is {shown(rules)}, expected Rules(Rule(...), ...)"]
    if not is_simple:
        return unfit(rules)
    return [_TOO_FINE] if rules.name_routes and is_kept and not rules.are_route_keys else []
