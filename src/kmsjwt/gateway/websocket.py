"""WebSocket APIs: the ``$connect`` route, the only one an authorizer may guard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.gateway.front_door import FrontDoor
from kmsjwt.gateway.iam import iam_answer
from kmsjwt.gateway.request import AuthRequest, staged

if TYPE_CHECKING:
    from kmsjwt.gateway.decision import Decision
    from kmsjwt.gateway.event import Event
    from kmsjwt.gateway.places import TokenPlace


def is_connect(event: Event) -> bool:
    """Tell whether the ARN is of ``$connect``: it has no HTTP method, and ends there."""
    arn = event.get("methodArn")
    return isinstance(arn, str) and arn.endswith("/$connect") and arn.count("/") == 2


class WebSocketConnect(FrontDoor):
    """Like a REST REQUEST event, without a path; decided once, when the client connects."""

    __slots__ = ()
    kind = "websocket"
    raises_unauthorized = True

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        return event.get("type") == "REQUEST" and "version" not in event and is_connect(event)

    def read(self, event: Event, place: TokenPlace) -> AuthRequest:
        """Return the request in the event."""
        api, arn = staged(event.get("methodArn"))
        return AuthRequest(api, place.read(event), arn)

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what API Gateway wants to be told."""
        return iam_answer(request, decision)
