"""Every front door there is, and which of them an event came through."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from kmsjwt.gateway.appsync import AppSync
from kmsjwt.gateway.http_api import HttpApi1, HttpApi2
from kmsjwt.gateway.request import UnknownEvent
from kmsjwt.gateway.rest import RestRequest, RestToken
from kmsjwt.gateway.websocket import WebSocketConnect

if TYPE_CHECKING:
    from kmsjwt.gateway.front_door import FrontDoor
    from kmsjwt.gateway.places import TokenPlace
    from kmsjwt.gateway.request import AuthRequest

_MEMBERS_NAMED = 20
_NAME_LENGTH = 40


DOORS: tuple[type[FrontDoor], ...] = (
    HttpApi2,
    RestToken,
    RestRequest,
    HttpApi1,
    WebSocketConnect,
    AppSync,
)
"""Those that are quickest recognised first."""


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
