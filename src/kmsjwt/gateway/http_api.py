"""HTTP APIs: payload formats 1.0 and 2.0, IAM and simple answers.

A refusal is an answer here, never a raised ``Unauthorized``: what an HTTP API makes of the
exception is not verified against AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kmsjwt.gateway.iam import iam_answer, simple_answer
from kmsjwt.gateway.judging import by_policy, by_request, by_route_key
from kmsjwt.gateway.request import AuthRequest, stage_of

if TYPE_CHECKING:
    from kmsjwt.gateway.decision import Decision
    from kmsjwt.gateway.event import Event
    from kmsjwt.gateway.judging import Judge
    from kmsjwt.gateway.places import TokenPlace


class HttpApi1:
    """Payload format 1.0: a REST REQUEST event with ``version`` and joined identity sources."""

    __slots__ = ()
    kind = "http_api_v1"
    raises_unauthorized = False
    judge: Judge = staticmethod(by_policy)

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        return (
            event.get("type") == "REQUEST"
            and event.get("version") == "1.0"
            and "methodArn" in event
        )

    def read(self, event: Event, place: TokenPlace) -> AuthRequest:
        """Return the request in the event."""
        stage, arn = stage_of(event.get("methodArn"))
        joined = event.get("identitySource")
        return AuthRequest(
            kind=self.kind,
            stage=stage,
            arn=arn,
            credentials=place.read(event),
            identity=tuple(joined.split(",")) if isinstance(joined, str) else (),
        )

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what API Gateway wants to be told."""
        return iam_answer(request, decision)


class HttpApi2:
    """Payload format 2.0. No event says whether the authorizer has simple responses on."""

    __slots__ = ("_simple", "judge")
    kind = "http_api_v2"
    raises_unauthorized = False

    def __init__(self, *, simple: bool = False, is_cached: bool = True) -> None:
        """Set up the door.

        Args:
            simple: whether the authorizer's ``EnableSimpleResponses`` is on.
            is_cached: whether the gateway may keep an answer.
        """
        self._simple = simple
        self.judge: Judge = by_policy
        if simple:
            self.judge = by_route_key if is_cached else by_request

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        return (
            event.get("version") == "2.0" and event.get("type") == "REQUEST" and "routeArn" in event
        )

    def read(self, event: Event, place: TokenPlace) -> AuthRequest:
        """Return the request in the event."""
        stage, arn = stage_of(event.get("routeArn"))
        identity = event.get("identitySource")
        return AuthRequest(
            kind=self.kind,
            stage=stage,
            arn=arn,
            credentials=place.read(event),
            identity=tuple(identity) if isinstance(identity, (list, tuple)) else (),
            route_key=_route_key(event, identity) if self._simple else None,
        )

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what API Gateway wants to be told."""
        return simple_answer(decision) if self._simple else iam_answer(request, decision)


def _route_key(event: Event, identity: object) -> object:
    """Return the route key, unless it is among the identity sources by the client's words alone."""
    key = event.get("routeKey")
    sources = identity if isinstance(identity, (list, tuple)) else ()
    if key in sources:
        said = [
            value
            for member in ("headers", "queryStringParameters")
            if isinstance(values := event.get(member), Mapping)
            for value in values.values()
        ]
        if sources.count(key) <= said.count(key):
            return None
    return key
