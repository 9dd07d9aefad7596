"""The local KMS over HTTP, on loopback only: for boto3, every AWS SDK and the aws command line.

::

    with running(LocalKms()) as server:
        boto3.client("kms", endpoint_url=server.endpoint_url, region_name="eu-central-1")
"""

from __future__ import annotations

import ipaddress
import signal
import socket
import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kmsjwt.errors import ConfigError
from kmsjwt.local.asgi import Asgi, application

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Mapping

    from kmsjwt.local.client import LocalKms

__all__ = ["Running", "application", "running", "serve"]

_WAITING = 128  # connections; 64 clients arriving at once must not be turned away
_STOP = 5  # seconds given to requests under way


@dataclass(frozen=True, slots=True)
class Running:
    """A server at work."""

    host: str
    port: int

    @property
    def endpoint_url(self) -> str:
        """What ``AWS_ENDPOINT_URL_KMS`` or ``endpoint_url=`` is to be."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def serve(
    kms: LocalKms,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    mounts: Mapping[str, Asgi] | None = None,
    announce: Callable[[Running], object] | None = None,
) -> None:
    """Serve until interrupted or terminated, and then return.

    Args:
        kms: who answers.
        host: a loopback address; nothing else is bound.
        port: 0 for any free one.
        mounts: other applications by path prefix.
        announce: called with the ``Running`` server once the port is open.

    Raises:
        ConfigError: the host is not loopback, the port is taken, or the extra ``local`` is
            missing.
    """
    with closing(_listen(host, port)) as listener:
        server = _server(application(kms, mounts=mounts))
        if announce is not None:
            announce(_running(listener))
        with suppress(KeyboardInterrupt), _terminated_as_interrupted():
            server.run(sockets=[listener])


@contextmanager
def running(
    kms: LocalKms,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    mounts: Mapping[str, Asgi] | None = None,
) -> Iterator[Running]:
    """Serve in a thread as long as the block lasts.

    Raises:
        ConfigError: as ``serve``.
    """
    with closing(_listen(host, port)) as listener:
        server = _server(application(kms, mounts=mounts))
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="kmsjwt-local", daemon=True
        )
        thread.start()
        try:
            yield _running(listener)
        finally:
            server.should_exit = True
            thread.join(_STOP + 1)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end the server as Ctrl-C does, so that the caller's clean-up runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _listen(host: str, port: int) -> socket.socket:
    """Open the port at once: whoever connects before the server runs waits in line."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ConfigError(
            f"host is {host!r}, expected a loopback address: the local KMS lets anyone sign",
            code="not_loopback",
            fix="use 127.0.0.1",
        )
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is spelled out: 44 ms a request.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_WAITING)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"port {port} on {host} can't be opened: {error.strerror}",
            code="port_unusable",
            fix="choose another port, or 0 for any free one",
        ) from error
    return listener


def _running(listener: socket.socket) -> Running:
    host, port = listener.getsockname()[:2]
    return Running(host, port)


def _server(app: Asgi) -> Any:
    try:
        import uvicorn
        from uvicorn.protocols.http.h11_impl import H11Protocol
    except ImportError as error:
        raise ConfigError(
            "serving over HTTP needs uvicorn, which isn't installed",
            code="extra_missing",
            fix="pip install 'kmsjwt[local]'",
        ) from error

    class Protocol(H11Protocol):
        """Puts each connection's transport into the scope, so that a fault can drop it."""

        # asyncio hands out a Transport, and uvicorn's own class says so as well.
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # it serves TCP alone
            super().connection_made(transport)
            self.app_state = {**self.app_state, "transport": transport}

    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            # The Date and Server headers are KMS's own.
            date_header=False,
            server_header=False,
            backlog=_WAITING,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=_STOP,
        )
    )
