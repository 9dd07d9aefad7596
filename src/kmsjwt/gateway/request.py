"""What every front door turns its event into, before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsjwt._immutable import Immutable, slot_setters
from kmsjwt.errors import KmsJwtError
from kmsjwt.gateway.arn import ApiStage

Event = Mapping[Any, Any]
"""A Lambda event: JSON from outside, of which nothing is taken for granted."""


class UnknownEvent(KmsJwtError):
    """The event is none that a front door here knows, or names no API and stage."""

    code = "unknown_event"


class AuthRequest(Immutable):
    """One request that waits for a decision.

    Attributes:
        kind: the front door, such as ``rest_token``.
        stage: the API and its stage.
        arn: what is asked for: the stage's ARN with method and path, the client's own text.
        credentials: every value found for the Authorization header, of whatever type.
        identity: values the gateway itself took for the identity source, where it says so.
    """

    __slots__ = ("arn", "credentials", "identity", "kind", "stage")

    kind: str
    stage: ApiStage
    arn: str
    credentials: tuple[object, ...]
    identity: tuple[object, ...]

    def __init__(
        self,
        *,
        kind: str,
        arn: object,
        credentials: tuple[object, ...],
        identity: tuple[object, ...] = (),
    ) -> None:
        """Hold the parts of an event.

        Raises:
            UnknownEvent: ``arn`` names no API and stage that a policy may be built for.
        """
        stage = ApiStage.of_arn(arn)
        if stage is None:
            raise UnknownEvent(
                "the event has no ARN of an API and a plainly named stage, expected "
                "'arn:<partition>:execute-api:<region>:<account>:<api id>/<stage>/<method>/<path>'"
            )
        _set_arn(self, arn)
        _set_credentials(self, credentials)
        _set_identity(self, identity)
        _set_kind(self, kind)
        _set_stage(self, stage)

    def __repr__(self) -> str:
        stage = self.stage
        return f"AuthRequest(kind={self.kind!r}, api={stage.api_id!r}, stage={stage.name!r})"


_set_arn, _set_credentials, _set_identity, _set_kind, _set_stage = slot_setters(AuthRequest)


def header_values(event: Event, name: str) -> tuple[object, ...]:
    """Return every value of a header but null and empty ones, its name in any case.

    Args:
        event: the event, with single-value headers, multi-value headers or both.
        name: the header's name in lower case.
    """
    found: list[object] = []
    length = len(name)
    for headers in (event.get("headers"), event.get("multiValueHeaders")):
        if headers and isinstance(headers, (dict, Mapping)):
            for key, value in headers.items():
                if isinstance(key, str) and len(key) == length and key.lower() == name:
                    values = value if isinstance(value, (list, tuple)) else (value,)
                    found.extend(filter(_is_filled, values))
    return tuple(found)


def _is_filled(value: object) -> bool:
    return value is not None and value != ""
