"""REST APIs: TOKEN and REQUEST authorizers (developer guide, Lambda authorizer input)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.gateway.iam import iam_answer
from kmsjwt.gateway.request import AuthRequest, Event, header_values
from kmsjwt.gateway.websocket import is_connect

if TYPE_CHECKING:
    from kmsjwt.gateway.decision import Decision


class RestToken:
    """The event has three members: type, authorizationToken (the whole header), methodArn."""

    __slots__ = ()
    kind = "rest_token"
    raises_unauthorized = True

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        return event.get("type") == "TOKEN" and "methodArn" in event

    def read(self, event: Event) -> AuthRequest:
        """Return the request in the event."""
        credentials = event.get("authorizationToken")
        return AuthRequest(
            kind=self.kind,
            arn=event.get("methodArn"),
            credentials=() if credentials in (None, "") else (credentials,),
        )

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what API Gateway wants to be told."""
        return iam_answer(request, decision)


class RestRequest:
    """The event tells the whole request, header names as the client wrote them."""

    __slots__ = ()
    kind = "rest_request"
    raises_unauthorized = True

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        return (
            event.get("type") == "REQUEST"
            and "version" not in event
            and "methodArn" in event
            and not is_connect(event)
        )

    def read(self, event: Event) -> AuthRequest:
        """Return the request in the event."""
        return AuthRequest(
            kind=self.kind,
            arn=event.get("methodArn"),
            credentials=header_values(event, "authorization"),
        )

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what API Gateway wants to be told."""
        return iam_answer(request, decision)
