"""Lambda as a function sees it: AWS's runtime client in a process, and the Runtime API it asks.

Lambda developer guide, "Using the Lambda runtime API": ``/2018-06-01/runtime/`` with
``invocation/next``, ``invocation/<id>/response``, ``invocation/<id>/error`` and ``init/error``.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE = 30  # seconds
_API = "/2018-06-01/runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What the function's process told the Runtime API.

    Attributes:
        what: ``response``, ``error`` or ``init error``.
        body: the JSON it sent.
        text: the same as it came.
    """

    what: str
    body: Any
    text: str

    @property
    def message(self) -> str:
        return str(self.body["errorMessage"])


class RuntimeApi(ThreadingHTTPServer):
    """Hands events out one by one and takes what comes back."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: Queue[tuple[str, str] | None] = Queue()
        self.posted: Queue[Posted] = Queue()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, *_args: object) -> None:
        """A process that is ended hangs up in the middle of its long poll."""

    def stop(self) -> None:
        self.events.put(None)
        self.shutdown()
        self.server_close()
        self._thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    server: RuntimeApi
    protocol_version = "HTTP/1.1"
    # One segment per answer, sent at once: 40 ms a call otherwise.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        assert self.path == f"{_API}/invocation/next", self.path
        waiting = self.server.events.get()
        if waiting is None:
            self.close_connection = True
            return
        request_id, event = waiting
        self._answer(
            200,
            event.encode(),
            {
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 10) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": (
                    "arn:aws:lambda:eu-central-1:123456789012:function:tested"
                ),
            },
        )

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        what = self.path.removeprefix(f"{_API}/")
        told = "init error" if what == "init/error" else what.rpartition("/")[2]
        self._answer(202, b'{"status":"OK"}', {})
        self.server.posted.put(Posted(what=told, body=json.loads(text), text=text))

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


class Function:
    """One execution environment of one function, from its start to its end."""

    def __init__(
        self,
        handler: str,
        *,
        python: Path,
        bundle: Path,
        beside: Path | None = None,
        environ: dict[str, str],
    ) -> None:
        """Start it.

        Args:
            handler: the handler string.
            python: an interpreter whose only package is awslambdaric.
            bundle: the deployed folder, ``/var/task``.
            beside: what Lambda's runtime has for every function, if anything.
            environ: the function's environment.
        """
        self._api = RuntimeApi()
        # Nothing is taken over from this process. AWS_LAMBDA_FUNCTION_NAME makes it "inside
        # Lambda" for kmsjwt, so its refusals of plain http are in force.
        variables = {
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "tested",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "LAMBDA_TASK_ROOT": str(bundle),
            "_HANDLER": handler,
            "PYTHONDONTWRITEBYTECODE": "1",
            **({"PYTHONPATH": str(beside)} if beside else {}),
            **environ,
        }
        self._log: list[str] = []
        self._process = subprocess.Popen(
            [str(python), "-m", "awslambdaric", handler],
            cwd=bundle,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def end(self) -> None:
        """End the process, as Lambda does with an environment it no longer needs."""
        self._process.kill()
        self._process.wait(10)
        self._reader.join(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._api.stop()

    def invoke(self, event: object) -> Posted:
        """Send an event and return what the function made of it."""
        self._api.events.put((str(uuid.uuid4()), json.dumps(event)))
        return self._next_post()

    def failed_start(self) -> Posted:
        """Return the error of a function that did not start, whose process has ended with 1."""
        posted = self._next_post()
        assert self._process.wait(10) == 1
        return posted

    def log(self) -> list[dict[str, Any]]:
        """End the function and return the structured lines it logged."""
        self.end()
        return [json.loads(line) for line in self._log if line.startswith("{")]

    @property
    def output(self) -> str:
        """Everything it wrote, which is all there once it has ended."""
        return "".join(self._log)

    def _read(self) -> None:
        assert self._process.stdout is not None
        self._log.extend(self._process.stdout)

    def _next_post(self) -> Posted:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            try:
                return self._api.posted.get(timeout=0.2)
            except Empty:
                gone = self._process.poll() is not None
                assert not gone or not self._api.posted.empty(), f"it ended: {self.output}"
        raise AssertionError(f"no answer in {_PATIENCE} s: {self.output}")
