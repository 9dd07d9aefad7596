"""What every front door turns its event into, before anything is decided."""

from __future__ import annotations

from kmsjwt._immutable import Immutable, slot_setters
from kmsjwt.errors import KmsJwtError
from kmsjwt.gateway.arn import Api


class UnknownEvent(KmsJwtError):
    """The event is none that a front door here knows, or names no API and stage."""

    code = "unknown_event"


class AuthRequest(Immutable):
    """One request that waits for a decision.

    Attributes:
        api: the API, and its stage if it has any.
        credentials: every value found where the token is to be, of whatever type.
        arn: what is asked for: the stage's ARN with method and path, the client's own text; empty
            where there are no routes.
        identity: values the gateway itself took for the identity sources, where it says so.
        route_key: the route's own name, where the event says it, such as ``GET /orders/{id}``.
    """

    __slots__ = ("api", "arn", "credentials", "identity", "route_key")

    api: Api
    credentials: tuple[object, ...]
    arn: str
    identity: tuple[object, ...]
    route_key: object

    # By position too: with every request, keywords alone cost a twentieth of what a decision
    # about a token that was seen before takes.
    def __init__(
        self,
        api: Api,
        credentials: tuple[object, ...],
        arn: str = "",
        identity: tuple[object, ...] = (),
        route_key: object = None,
    ) -> None:
        _set_api(self, api)
        _set_arn(self, arn)
        _set_credentials(self, credentials)
        _set_identity(self, identity)
        _set_route_key(self, route_key)

    def __repr__(self) -> str:
        return f"AuthRequest(api={self.api.api_id!r}, stage={self.api.stage!r})"


(_set_api, _set_arn, _set_credentials, _set_identity, _set_route_key) = slot_setters(
    AuthRequest, "api", "arn", "credentials", "identity", "route_key"
)


def staged(arn: object) -> tuple[Api, str]:
    """Return the API and stage that an event's ARN names, and the ARN.

    Raises:
        UnknownEvent: it names no API and stage that a policy may be built for.
    """
    if isinstance(arn, str):
        api = Api.of_arn(arn)
        if api is not None:
            return api, arn
    raise UnknownEvent(
        "the event has no ARN of an API and a plainly named stage, expected "
        "'arn:<partition>:execute-api:<region>:<account>:<api id>/<stage>/<method>/<path>'"
    )
