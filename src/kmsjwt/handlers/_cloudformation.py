"""A custom resource's request, and the answer that CloudFormation waits for.

It is told by a PUT to a URL that the request names, signed for that one answer (CloudFormation
user guide, "Custom resource request objects" and "response objects"). Whoever knows that URL may
answer, so it gets into no log and no error.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from kmsjwt._encoding import to_json
from kmsjwt._immutable import Immutable
from kmsjwt.errors import CannotKnow, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_KINDS = ("Create", "Update", "Delete")
_TIMEOUT = 10.0
_ATTEMPTS = 3
_PAUSE = 2.0
# A response object has 4,096 bytes at most; what is not the reason is far shorter than the rest.
_LONGEST_REASON = 1_500


class NotAnswered(CannotKnow):
    """CloudFormation could not be told. It waits, and the invocation is repeated."""

    code = "not_answered"
    retryable = True


class Send(Protocol):
    """Sends an answer to a URL."""

    def __call__(self, url: str, body: bytes) -> int:
        """Return the status of the HTTP response. Raises OSError if there is none."""


class Request(Immutable):
    """What CloudFormation asks.

    Attributes:
        kind: ``Create``, ``Update`` or ``Delete``.
        physical_id: what the resource was called before; None for Create.
        properties: of the resource, as the template has them; each scalar as text.
    """

    __slots__ = ("_ids", "_url", "kind", "physical_id", "properties")

    kind: str
    physical_id: str | None
    properties: Mapping[str, Any]
    _ids: dict[str, str]
    _url: str

    def __init__(self, event: Mapping[str, Any]) -> None:
        """Read the event.

        Raises:
            ConfigError: it is none that could be answered.
        """
        kind, url = event.get("RequestType"), event.get("ResponseURL")
        ids = {name: event.get(name) for name in ("StackId", "RequestId", "LogicalResourceId")}
        if kind not in _KINDS or not isinstance(url, str) or not url.startswith("https://"):
            raise ConfigError(
                "the event has a RequestType, and is no custom resource's: expected Create, Update"
                " or Delete and a ResponseURL that begins with https://",
                code="custom_resource",
            )
        properties = event.get("ResourceProperties")
        physical_id = event.get("PhysicalResourceId")
        self._fill(
            kind=kind,
            physical_id=physical_id if isinstance(physical_id, str) else None,
            properties=properties if isinstance(properties, dict) else {},
            _ids={name: str(value) for name, value in ids.items()},
            _url=url,
        )

    def answer(
        self,
        physical_id: str,
        *,
        failure: str | None = None,
        data: Mapping[str, str] | None = None,
        send: Send | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Tell CloudFormation what came of it.

        Args:
            physical_id: what the resource is called. Another than before has CloudFormation
                delete that of the former name.
            failure: why it failed; None if it did not.
            data: what ``Fn::GetAtt`` returns.
            send: sends it; over https if None.
            pause: waits so many seconds between two attempts.

        Raises:
            NotAnswered: CloudFormation did not take it.
        """
        answer: dict[str, object] = {
            **self._ids,
            "Status": "SUCCESS" if failure is None else "FAILED",
            "PhysicalResourceId": physical_id,
            "Data": dict(data or {}),
        }
        if failure is not None:
            answer["Reason"] = failure[:_LONGEST_REASON]
        _sent(self._url, to_json(answer), send or put, pause)

    def __repr__(self) -> str:
        return f"Request({self.kind!r}, {self.physical_id!r})"


def is_request(event: object) -> bool:
    """Tell whether an event is meant as a custom resource's."""
    return isinstance(event, dict) and "RequestType" in event


def put(url: str, body: bytes) -> int:
    """Send an answer; see `Send`. No redirect is followed."""
    import ssl
    from http.client import HTTPException, HTTPSConnection
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection = HTTPSConnection(
        str(parts.hostname), parts.port, timeout=_TIMEOUT, context=ssl.create_default_context()
    )
    try:
        # The URL is signed for no Content-Type.
        connection.request("PUT", target, body=body, headers={"Content-Type": ""})
        return connection.getresponse().status
    except HTTPException as error:
        raise OSError(type(error).__name__) from None
    finally:
        connection.close()


def _sent(url: str, body: bytes, send: Send, pause: Callable[[float], None]) -> None:
    told = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            pause(_PAUSE)
        try:
            status = send(url, body)
        except (OSError, ValueError) as error:
            told = type(error).__name__  # its text may name the URL
            continue
        if 200 <= status < 300:
            return
        told = f"HTTP status {status}"
        if status < 500:
            break
    raise NotAnswered(
        f"CloudFormation did not take the answer: {told}",
        fix="it waits for as long as ServiceTimeout says, and then the stack goes on without it",
    )
