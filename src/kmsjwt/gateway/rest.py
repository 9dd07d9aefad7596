"""REST APIs: TOKEN and REQUEST authorizers (developer guide, Lambda authorizer input)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.gateway.front_door import FrontDoor
from kmsjwt.gateway.iam import iam_answer, with_usage_key
from kmsjwt.gateway.request import AuthRequest, staged
from kmsjwt.gateway.websocket import is_connect

if TYPE_CHECKING:
    from kmsjwt.gateway.decision import Decision
    from kmsjwt.gateway.event import Event
    from kmsjwt.gateway.places import TokenPlace


class _RestApi(FrontDoor):
    __slots__ = ()
    raises_unauthorized = True

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        answer = iam_answer(request, decision)
        claim = self._settings.usage_claim
        return with_usage_key(answer, decision, claim) if claim else answer


class RestToken(_RestApi):
    """The event has three members: type, authorizationToken (the whole header), methodArn."""

    __slots__ = ()
    kind = "rest_token"

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        return event.get("type") == "TOKEN" and "methodArn" in event

    def read(self, event: Event, place: TokenPlace) -> AuthRequest:
        """Return the request in the event."""
        api, arn = staged(event.get("methodArn"))
        return AuthRequest(api, place.read_header(event.get("authorizationToken")), arn)


class RestRequest(_RestApi):
    """The event tells the whole request, header names as the client wrote them."""

    __slots__ = ()
    kind = "rest_request"

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        return (
            event.get("type") == "REQUEST"
            and "version" not in event
            and "methodArn" in event
            and not is_connect(event)
        )

    def read(self, event: Event, place: TokenPlace) -> AuthRequest:
        """Return the request in the event."""
        api, arn = staged(event.get("methodArn"))
        return AuthRequest(api, place.read(event), arn)
