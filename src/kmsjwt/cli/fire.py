"""The demo's fourth scene: a key rotates while requests come in, and all sorts of things fail.

Two days go by on a clock of its own; the functions, the gateway simulator, the documents and the
HTTP that the authorizer reads them by are real.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

from kmsjwt.cli.stage import Counting, Scene
from kmsjwt.errors import KmsJwtError
from kmsjwt.handlers import authorizer, issue, rotate
from kmsjwt.kms.ring.create import create_ring
from kmsjwt.local import LocalKms
from kmsjwt.publish import Publisher, place
from kmsjwt.testing import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

ISSUER, AUDIENCE, RING = "https://id.example", "orders", "fire"
_HOUR, _DAY = 3_600, 86_400
_EVERY = 1_800  # seconds between two rounds of requests
_REQUESTS = 50  # in each of them


class Killed(BaseException):
    """The process is gone, between two calls to KMS."""


class Mortal:
    """A KMS client whose process can be killed right after an operation."""

    def __init__(self, kms: LocalKms) -> None:
        self.meta = kms.meta
        self.killed_after = ""
        self._kms = kms

    def __getattr__(self, name: str) -> Any:
        def call(**parameters: Any) -> Any:
            answer = getattr(self._kms, name)(**parameters)
            if name == self.killed_after:
                self.killed_after = ""
                raise Killed
            return answer

        return call


class Fire:
    """A ring that rotates, and the clients that must not notice."""

    def __init__(self, folder: str, jwks_url: str) -> None:
        self._now = time.time()
        self._kms = LocalKms(clock=self._clock, environ={})
        self._mortal = Mortal(self._kms)
        self._verifying = Counting(self._kms)
        create_ring(RING, client=self._kms)
        self._rotate = rotate.build(
            client=self._mortal,
            publisher=Publisher(place(folder), issuer=ISSUER),
            environ={"KMSJWT_RING": RING},
            log=_quiet,
            clock=self._clock,
        )
        self._rotate({})
        self._issue = issue.build(
            client=self._kms,
            environ={"KMSJWT_KEY": f"alias/{RING}", "KMSJWT_ISSUER": ISSUER},
            log=_quiet,
            clock=self._clock,
        )
        function = authorizer.build(
            client=self._verifying,
            environ={
                "KMSJWT_JWKS": jwks_url,
                "KMSJWT_ISSUER": ISSUER,
                "KMSJWT_AUDIENCE": AUDIENCE,
            },
            log=_quiet,
            clock=self._clock,
        )
        self._gateway = Gateway(function, ttl=0, clock=self._clock)
        self._tokens: list[tuple[float, str]] = []
        self.statuses: dict[int, int] = {}

    def scenes(self) -> Iterator[Scene]:
        """Let the period end, and the key be replaced."""
        self._go_on(30 * _DAY + _HOUR, requests=False)
        yield from self._killed()
        yield self._until("published", "2 keys in the JWKS, none signs but the old one")
        self._kms.faults.add("UpdateAlias", kind="throttle")
        self._go_on(24 * _HOUR)
        yield from self._throttled()
        yield self._until("signing", "caches of the JWKS had a day to learn of it")
        yield self._until("retired", "no token of the old key is left", old=True)
        total = sum(self.statuses.values())
        yield Scene(
            what=f"{total:,} requests meanwhile",
            outcome="ok" if set(self.statuses) == {200} else "no",
            told=", ".join(f"{count:,} x {status}" for status, count in self.statuses.items()),
        )
        yield Scene(
            what="calls to KMS to check all these",
            outcome="no" if self._verifying.calls else "ok",
            told=str(sum(self._verifying.calls.values())),
        )

    def close(self) -> None:
        """Forget the keys."""
        self._kms.close()

    def _clock(self) -> float:
        return self._now

    def _killed(self) -> Iterator[Scene]:
        self._mortal.killed_after = "create_key"
        try:
            self._rotate({})
            outcome = "no"
        except Killed:
            outcome = "ok"
        told = "killed right after kms:CreateKey"
        yield Scene(what="day 30: a second key", outcome=outcome, told=told)
        self._go_on(_HOUR)

    def _throttled(self) -> Iterator[Scene]:
        self._go_on(_HOUR)
        try:
            self._rotate({})
            outcome = "no"
        except KmsJwtError as error:
            outcome = "ok" if error.code == "kms_throttled" else error.code
        yield Scene(what="day 31: it is to sign", outcome=outcome, told="KMS throttles UpdateAlias")

    def _until(self, stage: str, told: str, *, old: bool = False) -> Scene:
        """Run the function every hour until a key has come to a stage."""
        for hours in range(72):
            generations = self._rotate({})["generations"]
            wanted = generations[0 if old else -1]
            if wanted["stage"] == stage and (old or wanted["generation"] > 1):
                which = "the old key" if old else "the new key"
                later = f"{hours} h later: " if hours else "run again: "
                return Scene(what=f"{later}{which} is {stage}", told=told)
            self._go_on(_HOUR)
        return Scene(what=f"the key is never {stage}", outcome="no")

    def _go_on(self, seconds: float, *, requests: bool = True) -> None:
        """Let time pass, and with it tokens be issued and requests come in."""
        ends = self._now + seconds
        while requests and self._now + _EVERY <= ends:
            self._now += _EVERY
            self._requests()
        self._now = ends

    def _requests(self) -> None:
        asked = {"sub": "ala", "aud": AUDIENCE, "lifetime": _DAY}
        self._tokens.append((self._now + _DAY, self._issue(asked)["access_token"]))
        self._tokens = [(ends, token) for ends, token in self._tokens if ends > self._now]
        for number in range(_REQUESTS):
            token = self._tokens[number % len(self._tokens)][1]
            path = f"/orders/{number}"
            headers = {"Authorization": f"Bearer {token}"}
            status = self._gateway.request("GET", path, headers=headers).status
            self.statuses[status] = self.statuses.get(status, 0) + 1


def rotate_keys() -> Iterator[Scene]:
    """Rotate a key under fire: requests come in, and calls to KMS fail."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="kmsjwt-demo-"))
        fire = Fire(folder, stack.enter_context(_served(folder)))
        stack.callback(fire.close)
        yield from fire.scenes()


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as it is called there
        del format, args


@contextmanager
def _served(folder: str) -> Iterator[str]:
    """Serve a folder on this machine and yield the URL of its JWKS."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=folder))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/.well-known/jwks.json"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _quiet(level: str, event: str, **fields: object) -> None:
    del level, event, fields
