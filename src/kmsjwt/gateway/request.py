"""What every front door turns its event into, before anything is decided."""

from __future__ import annotations

from kmsjwt._immutable import Immutable, slot_setters
from kmsjwt.errors import KmsJwtError
from kmsjwt.gateway.arn import ApiStage


class UnknownEvent(KmsJwtError):
    """The event is none that a front door here knows, or names no API and stage."""

    code = "unknown_event"


class AuthRequest(Immutable):
    """One request that waits for a decision.

    Attributes:
        kind: the front door, such as ``rest_token``.
        stage: the API and its stage.
        arn: what is asked for: the stage's ARN with method and path, the client's own text; empty
            where there are no routes.
        credentials: every value found where the token is to be, of whatever type.
        identity: values the gateway itself took for the identity sources, where it says so.
        route_key: the route's own name, where the event says it, such as ``GET /orders/{id}``.
    """

    __slots__ = ("arn", "credentials", "identity", "kind", "route_key", "stage")

    kind: str
    stage: ApiStage
    arn: str
    credentials: tuple[object, ...]
    identity: tuple[object, ...]
    route_key: object

    def __init__(
        self,
        *,
        kind: str,
        stage: ApiStage,
        arn: str = "",
        credentials: tuple[object, ...],
        identity: tuple[object, ...] = (),
        route_key: object = None,
    ) -> None:
        _set_arn(self, arn)
        _set_credentials(self, credentials)
        _set_identity(self, identity)
        _set_kind(self, kind)
        _set_route_key(self, route_key)
        _set_stage(self, stage)

    def __repr__(self) -> str:
        stage = self.stage
        return f"AuthRequest(kind={self.kind!r}, api={stage.api_id!r}, stage={stage.name!r})"


(_set_arn, _set_credentials, _set_identity, _set_kind, _set_route_key, _set_stage) = slot_setters(
    AuthRequest, "arn", "credentials", "identity", "kind", "route_key", "stage"
)


def stage_of(arn: object) -> tuple[ApiStage, str]:
    """Return the stage that an event's ARN names, and the ARN.

    Raises:
        UnknownEvent: it names no API and stage that a policy may be built for.
    """
    stage = ApiStage.of_arn(arn)
    if stage is None or not isinstance(arn, str):
        raise UnknownEvent(
            "the event has no ARN of an API and a plainly named stage, expected "
            "'arn:<partition>:execute-api:<region>:<account>:<api id>/<stage>/<method>/<path>'"
        )
    return stage, arn
