"""ministack at work: AWS as far as these tests need it, in a process of its own, on loopback.

It serves TLS, and its functions are told to trust its certificate. So what kmsjwt refuses inside
Lambda, endpoints without TLS, is refused here too and needs no exception.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from tests.ministack.certificate import Certificate

REGION = "eu-central-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a client sees.

    Attributes:
        status: HTTP status.
        body: the body as a JSON value.
        context: what the backend was told by the authorizer; None if it was not asked.
    """

    status: int
    body: Any
    context: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A running ministack.

    Attributes:
        pid: its process.
        port: its port on 127.0.0.1.
        certificate: by which it is known.
        clients: boto3's, each made once.
    """

    pid: int
    port: int
    certificate: Certificate
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Return boto3's client of a service."""
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,
                endpoint_url=f"https://127.0.0.1:{self.port}",
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                verify=str(self.certificate.authority),
            )
        return self.clients[service]

    def get(self, path: str, headers: Collection[tuple[str, str]] = ()) -> Reply:
        """Send one GET request on a connection of its own; headers may repeat."""
        trust = ssl.create_default_context(cafile=self.certificate.authority)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=trust)
        with contextlib.closing(connection):
            connection.putrequest("GET", path, skip_host=any(name == "Host" for name, _ in headers))
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            body = json.loads(answer.read() or b"null")
        return Reply(status=answer.status, body=body)


@contextlib.contextmanager
def running(
    python: Path,
    certificate: Certificate,
    folder: Path,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Cloud]:
    """Serve as long as the block lasts.

    Args:
        python: the Python that has ministack.
        certificate: by which it is known.
        folder: takes what ministack writes.
        environ: variables that it and its functions have besides.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        # Opened here and handed over: whoever connects before ministack serves waits in line,
        # so nobody needs to guess a free port or to ask whether it is up.
        port = listener.getsockname()[1]
        listener.set_inheritable(True)
        log = folder / "ministack.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [
                    *(str(python), "-m", "hypercorn", "ministack.app:app", "--workers", "0"),
                    *("--bind", f"fd://{listener.fileno()}"),
                    *("--certfile", str(certificate.server), "--keyfile", str(certificate.key)),
                ],
                env={**_environment(python, certificate, folder, port), **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
    try:
        cloud = Cloud(pid=process.pid, port=port, certificate=certificate)
        health = cloud.get("/_ministack/health")
        assert health.status == 200, log.read_text()
        yield cloud
    finally:
        # It and the functions it started: nothing of them is to be kept.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _environment(python: Path, certificate: Certificate, folder: Path, port: int) -> dict[str, str]:
    return {
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        # Listeners that nothing here wants.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificate.server),
        "MINISTACK_SSL_KEY": str(certificate.key),
        # For ministack itself, which fetches key sets, and for its functions, which inherit it.
        "SSL_CERT_FILE": str(certificate.authority),
        "AWS_CA_BUNDLE": str(certificate.authority),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
