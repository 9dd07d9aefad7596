"""What every front door turns its event into, before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsjwt._immutable import Immutable
from kmsjwt.errors import KmsJwtError
from kmsjwt.gateway.arn import InvokeArn

Event = Mapping[Any, Any]
"""A Lambda event: JSON from outside, of which nothing is taken for granted."""


class UnknownEvent(KmsJwtError):
    """The event is none that a front door here knows, or names no API and stage."""

    code = "unknown_event"


class AuthRequest(Immutable):
    """One request that waits for a decision.

    Attributes:
        kind: the front door, such as ``rest_token``.
        arn: the API, stage, method and path that are asked for.
        credentials: every value found for the Authorization header, of whatever type.
        identity: values the gateway itself took for the identity source, where it says so.
    """

    __slots__ = ("arn", "credentials", "identity", "kind")

    kind: str
    arn: InvokeArn
    credentials: tuple[object, ...]
    identity: tuple[object, ...]

    def __init__(
        self,
        *,
        kind: str,
        arn: InvokeArn,
        credentials: tuple[object, ...],
        identity: tuple[object, ...] = (),
    ) -> None:
        self._fill(kind=kind, arn=arn, credentials=credentials, identity=identity)

    def __repr__(self) -> str:
        return f"AuthRequest(kind={self.kind!r}, api={self.arn.api_id!r}, stage={self.arn.stage!r})"


def arn_of(event: Event, member: str) -> InvokeArn:
    """Return the parts of the ARN in ``member``.

    Raises:
        UnknownEvent: there is none, or none that a policy may be built from.
    """
    arn = InvokeArn.parse(event.get(member))
    if arn is None:
        raise UnknownEvent(
            f"{member} is no ARN of an API and a plainly named stage, expected "
            "'arn:<partition>:execute-api:<region>:<account>:<api id>/<stage>/<method>/<path>'"
        )
    return arn


def header_values(event: Event, name: str) -> tuple[object, ...]:
    """Return every value of a header, its name in any case, of single and multi-value headers.

    Args:
        event: the event.
        name: the header's name in lower case.
    """
    found: list[object] = []
    for headers in (event.get("headers"), event.get("multiValueHeaders")):
        if isinstance(headers, Mapping):
            for key, value in headers.items():
                if isinstance(key, str) and key.lower() == name:
                    found.extend(value if isinstance(value, (list, tuple)) else (value,))
    return tuple(value for value in found if value is not None)
