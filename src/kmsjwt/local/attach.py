"""A genuine boto3 client whose requests are answered in this process.

botocore offers a hook between making a request and sending it: whoever answers there is taken for
the network. Nothing is imported from botocore: whoever hands over a client has loaded it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

from kmsjwt.errors import ConfigError
from kmsjwt.local.faults import Dropped
from kmsjwt.local.wire import answer_bytes

if TYPE_CHECKING:
    from kmsjwt.local.service import Service

__all__ = ["attach"]

Client = TypeVar("Client")


def attach(client: Client, service: Service, *, reader: str) -> Client:
    """Let ``service`` answer the client's requests, unsigned.

    Raises:
        ConfigError: it is no boto3 KMS client.
    """
    meta: Any = getattr(client, "meta", None)
    botocore = sys.modules.get("botocore")
    service_name = getattr(getattr(meta, "service_model", None), "service_name", None)
    if botocore is None or service_name != "kms":
        raise ConfigError(
            f"the client is of type {type(client).__name__}, expected a boto3 client for KMS",
            fix='make it with boto3.client("kms", region_name=…)',
        )
    region = meta.region_name

    def before_send(request: Any, **_: Any) -> Any:
        target = request.headers["X-Amz-Target"]
        name = target.decode("ascii") if isinstance(target, bytes) else target
        try:
            answer = answer_bytes(service, name, request.body, region=region, reader=reader)
        except Dropped:
            closed = sys.modules["botocore.exceptions"].ConnectionClosedError
            raise closed(endpoint_url=request.url) from None
        return _response(request.url, *answer)

    def choose_signer(**_: Any) -> Any:
        return botocore.UNSIGNED

    meta.events.register("before-send.kms", before_send)
    meta.events.register("choose-signer.kms", choose_signer)
    return client


def _response(url: str, status: int, headers: dict[str, str], body: bytes) -> Any:
    awsrequest = sys.modules["botocore.awsrequest"]
    response = awsrequest.AWSResponse(url, status, awsrequest.HeadersDict(headers), None)
    response._content = body  # noqa: SLF001 - as if it had been read from the socket
    return response
