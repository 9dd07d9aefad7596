"""HTTP APIs: payload formats 1.0 and 2.0, IAM and simple answers.

A refusal is an answer here, never a raised ``Unauthorized``: what an HTTP API makes of the
exception is not verified against AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.gateway.iam import iam_answer, simple_answer
from kmsjwt.gateway.request import AuthRequest, Event, header_values

if TYPE_CHECKING:
    from kmsjwt.gateway.decision import Decision


class HttpApi1:
    """Payload format 1.0: a REST REQUEST event with ``version`` and joined identity sources."""

    __slots__ = ()
    kind = "http_api_v1"
    raises_unauthorized = False

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        return (
            event.get("type") == "REQUEST"
            and event.get("version") == "1.0"
            and "methodArn" in event
        )

    def read(self, event: Event) -> AuthRequest:
        """Return the request in the event."""
        joined = event.get("identitySource")
        return AuthRequest(
            kind=self.kind,
            arn=event.get("methodArn"),
            credentials=header_values(event, "authorization"),
            identity=tuple(joined.split(",")) if isinstance(joined, str) else (),
        )

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what API Gateway wants to be told."""
        return iam_answer(request, decision)


class HttpApi2:
    """Payload format 2.0. No event says whether the authorizer has simple responses on."""

    __slots__ = ("_simple",)
    kind = "http_api_v2"
    raises_unauthorized = False

    def __init__(self, *, simple: bool = False) -> None:
        """Set up the door.

        Args:
            simple: whether the authorizer's ``EnableSimpleResponses`` is on.
        """
        self._simple = simple

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        return (
            event.get("version") == "2.0" and event.get("type") == "REQUEST" and "routeArn" in event
        )

    def read(self, event: Event) -> AuthRequest:
        """Return the request in the event."""
        identity = event.get("identitySource")
        return AuthRequest(
            kind=self.kind,
            arn=event.get("routeArn"),
            credentials=header_values(event, "authorization"),
            identity=tuple(identity) if isinstance(identity, (list, tuple)) else (),
        )

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what API Gateway wants to be told."""
        return simple_answer(decision) if self._simple else iam_answer(request, decision)
