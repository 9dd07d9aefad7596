"""HTTP APIs: payload formats 1.0 and 2.0, IAM and simple answers.

A refusal is an answer here, never a raised ``Unauthorized``: what an HTTP API makes of the
exception is not verified against AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kmsjwt.gateway.front_door import FrontDoor
from kmsjwt.gateway.iam import iam_answer, simple_answer
from kmsjwt.gateway.judging import by_policy, by_request, by_route_key
from kmsjwt.gateway.request import AuthRequest, staged

if TYPE_CHECKING:
    from kmsjwt.gateway.decision import Decision
    from kmsjwt.gateway.event import Event
    from kmsjwt.gateway.judging import Judge
    from kmsjwt.gateway.places import TokenPlace
    from kmsjwt.gateway.settings import Settings


class HttpApi1(FrontDoor):
    """Payload format 1.0: a REST REQUEST event with ``version`` and joined identity sources."""

    __slots__ = ()
    kind = "http_api_v1"

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        return (
            event.get("type") == "REQUEST"
            and event.get("version") == "1.0"
            and "methodArn" in event
        )

    def read(self, event: Event, place: TokenPlace) -> AuthRequest:
        """Return the request in the event."""
        api, arn = staged(event.get("methodArn"))
        joined = event.get("identitySource")
        identity = tuple(joined.split(",")) if isinstance(joined, str) else ()
        return AuthRequest(api, place.read(event), arn, identity)

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what API Gateway wants to be told."""
        return iam_answer(request, decision)


class HttpApi2(FrontDoor):
    """Payload format 2.0. No event says whether the authorizer has simple responses on."""

    __slots__ = ("_simple", "judge")
    kind = "http_api_v2"

    def __init__(self, settings: Settings) -> None:
        """Set up the door."""
        super().__init__(settings)
        self._simple = settings.is_simple
        self.judge: Judge = by_policy
        if settings.is_simple:
            self.judge = by_route_key if settings.is_cached else by_request

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        return (
            event.get("version") == "2.0" and event.get("type") == "REQUEST" and "routeArn" in event
        )

    def read(self, event: Event, place: TokenPlace) -> AuthRequest:
        """Return the request in the event."""
        api, arn = staged(event.get("routeArn"))
        sources = event.get("identitySource")
        return AuthRequest(
            api,
            place.read(event),
            arn,
            tuple(sources) if isinstance(sources, (list, tuple)) else (),
            _route_key(event, sources) if self._simple else None,
        )

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what API Gateway wants to be told."""
        return simple_answer(decision) if self._simple else iam_answer(request, decision)


def _route_key(event: Event, identity: object) -> object:
    """Return the route key, unless it is among the identity sources by the client's words alone."""
    key = event.get("routeKey")
    sources = identity if isinstance(identity, (list, tuple)) else ()
    if key in sources and sources.count(key) <= _said(event).count(key):
        return None
    return key


def _said(event: Event) -> list[object]:
    """Return what a client wrote that may be an identity source: headers, query, cookies."""
    said = [
        value
        for member in ("headers", "queryStringParameters")
        if isinstance(values := event.get(member), Mapping)
        for value in values.values()
    ]
    cookies = event.get("cookies")
    if isinstance(cookies, (list, tuple)):  # the Cookie header, which the event has in parts
        texts = [each for each in cookies if isinstance(each, str)]
        said += [*texts, ";".join(texts), "; ".join(texts)]
    return said
