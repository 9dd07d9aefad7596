"""Every front door, and which of them an event came through.

A new front door is a module with a class of this shape, and its line in `front_doors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from kmsjwt.gateway.appsync import AppSync
from kmsjwt.gateway.http_api import HttpApi1, HttpApi2
from kmsjwt.gateway.request import UnknownEvent
from kmsjwt.gateway.rest import RestRequest, RestToken
from kmsjwt.gateway.websocket import WebSocketConnect

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.gateway.decision import Decision
    from kmsjwt.gateway.event import Event
    from kmsjwt.gateway.judging import Judge
    from kmsjwt.gateway.places import TokenPlace
    from kmsjwt.gateway.request import AuthRequest

_MEMBERS_NAMED = 20
_NAME_LENGTH = 40


class FrontDoor(Protocol):
    """One kind of event and the answer its gateway wants."""

    @property
    def kind(self) -> str:
        """Its stable name, for logs."""

    @property
    def raises_unauthorized(self) -> bool:
        """Whether this gateway turns an exception that reads ``Unauthorized`` into a 401."""

    @property
    def judge(self) -> Judge:
        """What rules may decide through its answer."""

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door. No event is another door's too."""

    def read(self, event: Event, place: TokenPlace) -> AuthRequest:
        """Return the request in the event, with what it has in the token's place.

        Raises:
            UnknownEvent: the event names no API and stage that a policy can be built from.
        """

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what the gateway wants to be told.

        Raises:
            ConfigError: the gateway would refuse the answer.
        """


def front_doors(
    *, simple: bool, ttl: int | None, usage_claim: str | None, clock: Callable[[], float]
) -> tuple[FrontDoor, ...]:
    """Return every door there is, the quickest to be told first."""
    return (
        HttpApi2(simple=simple, is_cached=ttl != 0),
        RestToken(usage_claim=usage_claim),
        RestRequest(usage_claim=usage_claim),
        HttpApi1(),
        WebSocketConnect(),
        AppSync(ttl=ttl, clock=clock),
    )


def read_event(
    event: object, doors: tuple[FrontDoor, ...], place: TokenPlace
) -> tuple[FrontDoor, AuthRequest]:
    """Return the door an event came through, and the request in it.

    Raises:
        UnknownEvent: no door knows it. The message names its members and their types, never
            their values.
    """
    if isinstance(event, (dict, Mapping)):
        for door in doors:
            if door.recognises(event):
                return door, door.read(event, place)
    kinds = ", ".join(door.kind for door in doors)
    raise UnknownEvent(
        f"the event is {_described(event)}, expected one of {kinds}",
        fix="attach this function as a Lambda authorizer, and invoke it as nothing else",
    )


def _described(event: object) -> str:
    if not isinstance(event, Mapping):
        return f"of type {type(event).__name__}"
    members = [
        f"{_name(name)}: {type(value).__name__}"
        for name, value in islice(event.items(), _MEMBERS_NAMED)
    ]
    more = ", …" if len(event) > _MEMBERS_NAMED else ""
    return "{" + ", ".join(members) + more + "}"


def _name(name: object) -> str:
    # An event that a client wrote may hold anything in a member's name, a token too.
    if isinstance(name, str) and len(name) <= _NAME_LENGTH and name.isidentifier():
        return name if "eyJ" not in name else "…"
    return "…"
