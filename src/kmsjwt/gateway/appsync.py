"""AppSync: a GraphQL API that asks about a request before its operation is known to be allowed.

There is no ARN, no method and no path, so rules may ask for claims, not for routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Any

from kmsjwt.gateway.arn import Api
from kmsjwt.gateway.decision import ALLOW
from kmsjwt.gateway.front_door import FrontDoor
from kmsjwt.gateway.judging import by_token
from kmsjwt.gateway.request import AuthRequest

if TYPE_CHECKING:
    from kmsjwt.gateway.decision import Decision
    from kmsjwt.gateway.event import Event
    from kmsjwt.gateway.judging import Judge
    from kmsjwt.gateway.places import TokenPlace

_LONGEST_ID = 64


class AppSync(FrontDoor):
    """An AppSync API with Lambda authorization (AppSync developer guide, AWS_LAMBDA)."""

    __slots__ = ()
    kind = "appsync"
    judge: Judge = staticmethod(by_token)

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        context = event.get("requestContext")
        return (
            "authorizationToken" in event
            and "type" not in event
            and "methodArn" not in event
            and isinstance(context, Mapping)
            and _is_id(context.get("apiId"))
        )

    def read(self, event: Event, place: TokenPlace) -> AuthRequest:
        """Return the request in the event."""
        value = event.get("authorizationToken")
        return AuthRequest(
            Api(event["requestContext"]["apiId"]),
            place.read_header(_with_scheme(value) if place.has_scheme else value),
        )

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what AppSync wants to be told. It answers 401 to every denial.

        A denial is not kept, and an Allow, where the TTL is known, no longer than the token lives.
        """
        del request
        if decision.verdict != ALLOW:
            return {"isAuthorized": False, "ttlOverride": 0}
        answer: dict[str, Any] = {"isAuthorized": True}
        if decision.context:
            answer["resolverContext"] = decision.context
        ttl = self._settings.cache_ttl
        if ttl is not None and decision.verified:
            now = self._settings.clock()
            answer["ttlOverride"] = _seconds_left(decision.verified.claims, now, most=ttl)
        return answer


def _seconds_left(claims: Mapping[str, Any], now: float, *, most: int) -> int:
    exp = claims.get("exp")  # a verifier of the user's own may let anything through
    if not isinstance(exp, (int, float)) or not now < exp < inf:
        return 0
    return most if exp >= now + most else int(exp - now)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and value.isalnum() and len(value) <= _LONGEST_ID


def _with_scheme(value: object) -> object:
    """Return the header with its scheme: AppSync's clients send the token alone, too."""
    if isinstance(value, str) and value and " " not in value:
        return f"Bearer {value}"
    return value
