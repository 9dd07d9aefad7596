"""One front door, twice: on ministack, and on the simulator of `kmsjwt.testing`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tests.ministack import deployed
from tests.ministack.cloud import Cloud, Reply

from kmsjwt.testing import Gateway

if TYPE_CHECKING:
    from collections.abc import Callable


class Door(Protocol):
    """Where requests are sent."""

    def get(self, path: str, *authorization: str) -> Reply:
        """Send a request with as many Authorization headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of API and authorizer, as each of the two wants to be told.

    Attributes:
        name: as the simulator calls it.
        response: ``simple`` if simple responses are on.
    """

    name: str
    response: str = "iam"

    @property
    def is_rest(self) -> bool:
        return self.name.startswith("rest")

    @property
    def environ(self) -> dict[str, str]:
        """What an authorizer behind it is told besides."""
        return {"KMSJWT_RESPONSE": self.response}

    def on_ministack(self, cloud: Cloud, authorizer: str, backend: str, **settings: Any) -> Door:
        """Make it, with answers cached for 300 s."""
        if self.is_rest:
            type_ = "TOKEN" if self.name == "rest_token" else "REQUEST"
            return deployed.rest_api(cloud, authorizer, backend, type_=type_, **settings)
        simple = {"EnableSimpleResponses": self.response == "simple"}
        return deployed.http_api(cloud, authorizer, backend, **simple, **settings)

    def simulated(self, authorizer: Callable[[Any, Any], Any], **settings: Any) -> Door:
        """Make the same with the simulator."""
        return _Simulated(
            Gateway(
                authorizer,
                kind=self.name,
                response=self.response,
                routes=[f"GET {route}" for route in deployed.ROUTES],
                backend=lambda request: (200, dict(request.authorizer)),
                **{"ttl": 300, **settings},
            )
        )


class _Simulated:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def get(self, path: str, *authorization: str) -> Reply:
        headers = {"Authorization": list(authorization)} if authorization else {}
        seen = self._gateway.request("GET", path, headers=headers)
        context = seen.context if seen.status == 200 else None
        return Reply(status=seen.status, body=seen.body, context=context)


KINDS = {
    "REST TOKEN": Kind(name="rest_token"),
    "REST REQUEST": Kind(name="rest_request"),
    "HTTP API IAM": Kind(name="http_api_v2"),
    "HTTP API simple": Kind(name="http_api_v2", response="simple"),
}
