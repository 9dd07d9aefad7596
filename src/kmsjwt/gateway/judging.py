"""What rules say through each kind of answer: no answer may decide more finely than it is kept.

A gateway keeps an answer and gives it to later requests. A policy is judged anew for each of them,
so it may say which routes; a bare verdict is given as it is, so it may depend only on what the
gateway keeps it by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.errors import ConfigError
from kmsjwt.gateway.arn import route_of_arn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt.gateway.request import AuthRequest
    from kmsjwt.rules import Grant, Rules, Ruling

    Claims = Mapping[str, Any]
    Judge = Callable[[Rules, Claims, AuthRequest], tuple[Ruling, Grant | None]]


def by_policy(rules: Rules, claims: Claims, request: AuthRequest) -> tuple[Ruling, Grant | None]:
    """Decide about the request, and grant what is right for every other one."""
    method, path = route_of_arn(request.arn)
    return rules.decide(claims, method, path), rules.grant(claims)


def by_request(rules: Rules, claims: Claims, request: AuthRequest) -> tuple[Ruling, Grant | None]:
    """Decide about this request alone: for a verdict that is not kept."""
    method, path = route_of_arn(request.arn)
    return rules.decide(claims, method, path), None


def by_route_key(rules: Rules, claims: Claims, request: AuthRequest) -> tuple[Ruling, Grant | None]:
    """Decide by the route key: for a verdict that is kept by it.

    Raises:
        ConfigError: the gateway does not keep it by the route key.
    """
    if not rules.has_routes:
        return rules.decide_token(claims), None
    key = request.route_key
    if not isinstance(key, str) or key not in request.identity:
        raise ConfigError(
            "$context.routeKey is no identity source of the authorizer, so its cache would give one"
            " route's answer to the others",
            code="route_key_not_cached",
            fix="add $context.routeKey to the identity sources, take KMSJWT_RESPONSE=iam, or cache"
            " nothing and say KMSJWT_CACHE_TTL=0",
        )
    return rules.decide_route_key(claims, key), None


def by_token(rules: Rules, claims: Claims, request: AuthRequest) -> tuple[Ruling, Grant | None]:
    """Decide by the token alone: for a gateway that has no routes.

    Raises:
        ConfigError: the rules name routes.
    """
    del request
    if rules.has_routes:
        raise ConfigError(
            "the rules name routes, and this kind of API has none",
            code="rules_without_routes",
            fix="ask with [require] alone, in a function of its own for this API",
        )
    return rules.decide_token(claims), None
