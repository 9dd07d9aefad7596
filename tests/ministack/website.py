"""Where key sets and discovery documents are read: loopback servers that ministack trusts."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING, Any

from tests.jwks.servers import Handler, Server, body

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.jwks.servers import Answer
    from tests.ministack.certificate import Certificate


class TlsServer(Server):
    """A loopback server of our own that the functions and ministack trust."""

    scheme = "https"

    def __init__(self, certificate: Certificate) -> None:
        super().__init__()
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate.server, certificate.key)

    def finish_request(self, request: Any, client_address: Any) -> None:
        with self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


class Cdn(TlsServer):
    """A bucket to the world, each object kept for as long as its Cache-Control allows.

    So consumers see what is published as late as they may see it on AWS: a path that was asked
    for just before it changed is answered in the old way until its time is over.
    """

    def __init__(
        self, certificate: Certificate, s3: Any, bucket: str, clock: Callable[[], float]
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._clock = clock
        self._kept: dict[str, tuple[float, Answer]] = {}
        super().__init__(certificate)
        self.answer = self._answer_from_bucket

    def _answer_from_bucket(self, handler: Handler) -> None:
        until, answer = self._kept.get(handler.path, (0.0, None))
        if answer is None or self._clock() >= until:
            max_age, answer = self._read(handler.path)
            self._kept[handler.path] = self._clock() + max_age, answer
        answer(handler)

    def _read(self, path: str) -> tuple[int, Answer]:
        try:
            found = self._s3.get_object(Bucket=self._bucket, Key=path.removeprefix("/"))
        except self._s3.exceptions.NoSuchKey:
            return 0, body(b"", status=404)
        cache_control = found["CacheControl"]
        headers = {"Content_Type": found["ContentType"], "Cache_Control": cache_control}
        [max_age] = re.findall("max-age=([0-9]+)", cache_control)
        return int(max_age), body(found["Body"].read(), **headers)
