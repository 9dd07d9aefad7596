"""REST APIs: TOKEN and REQUEST authorizers (developer guide, Lambda authorizer input)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.gateway.iam import iam_answer, with_usage_key
from kmsjwt.gateway.judging import by_policy
from kmsjwt.gateway.request import AuthRequest, stage_of
from kmsjwt.gateway.websocket import is_connect

if TYPE_CHECKING:
    from kmsjwt.gateway.decision import Decision
    from kmsjwt.gateway.event import Event
    from kmsjwt.gateway.judging import Judge
    from kmsjwt.gateway.places import TokenPlace


class RestToken:
    """The event has three members: type, authorizationToken (the whole header), methodArn."""

    __slots__ = ("_usage_claim",)
    kind = "rest_token"
    raises_unauthorized = True
    judge: Judge = staticmethod(by_policy)

    def __init__(self, *, usage_claim: str | None = None) -> None:
        """Set up the door.

        Args:
            usage_claim: the claim with the API key of a usage plan, if any has.
        """
        self._usage_claim = usage_claim

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door."""
        return event.get("type") == "TOKEN" and "methodArn" in event

    def read(self, event: Event, place: TokenPlace) -> AuthRequest:
        """Return the request in the event."""
        stage, arn = stage_of(event.get("methodArn"))
        return AuthRequest(
            kind=self.kind,
            stage=stage,
            arn=arn,
            credentials=place.read_header(event.get("authorizationToken")),
        )

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what API Gateway wants to be told."""
        answer = iam_answer(request, decision)
        return with_usage_key(answer, decision, self._usage_claim) if self._usage_claim else answer


class RestRequest:
    """The event tells the whole request, header names as the client wrote them."""

    __slots__ = ("_usage_claim",)
    kind = "rest_request"
    raises_unauthorized = True
    judge: Judge = staticmethod(by_policy)

    def __init__(self, *, usage_claim: str | None = None) -> None:
        """Set up the door. Arguments as for `RestToken`."""
        self._usage_claim = usage_claim

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
        stage, arn = stage_of(event.get("methodArn"))
        return AuthRequest(kind=self.kind, stage=stage, arn=arn, credentials=place.read(event))

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what API Gateway wants to be told."""
        answer = iam_answer(request, decision)
        return with_usage_key(answer, decision, self._usage_claim) if self._usage_claim else answer
