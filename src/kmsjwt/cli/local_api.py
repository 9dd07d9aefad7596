"""The gateway simulator behind HTTP: every path is the API's, but for two that hand out tokens.

``POST /token`` is the issue function, called directly, or gives a token in the state that is
named; ``/.well-known/jwks.json`` is the jwks function. Whoever reaches this may have any
token, so it is served on loopback alone.
"""

from __future__ import annotations

import asyncio
import json
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from kmsjwt.cli import terminal
from kmsjwt.errors import KmsJwtError
from kmsjwt.rules.routes import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt.local.asgi import Receive, Scope, Send
    from kmsjwt.testing import BackendRequest, Gateway, GatewayResponse

    Function = Callable[..., dict[str, Any]]
    Headers = dict[str, list[str]]
    Answer = tuple[int, dict[str, str], str]

TOKEN, JWKS = "/token", "/.well-known/jwks.json"
_SUBJECT = "ala"
_LONGEST_BODY = 16_384
_JSON = {"content-type": "application/json"}


class Decisions:
    """Takes an authorizer's log lines, and shows the answers it gave."""

    def __init__(self) -> None:
        self._last: Mapping[str, object] = {}

    def __call__(self, level: str, event: str, **fields: object) -> None:
        """Take one log line."""
        if "decision" in fields:
            self._last = fields
        elif event == "start":
            warnings = fields.get("warnings")
            for warning in warnings if isinstance(warnings, list) else ():
                terminal.warn(warning)
        elif level != "INFO":
            terminal.say(json.dumps({"level": level, "event": event, **fields}, default=str))

    def of(self, authorizer: Function) -> Function:
        """Return the authorizer, whose answers are shown."""

        def asked(event: object, context: object) -> dict[str, Any]:
            self._last = {}
            answer = authorizer(event, context)
            terminal.say(f"  the authorizer answers: {_policy(answer)}")
            return answer

        return asked

    def why(self, response: GatewayResponse) -> str:
        """Return how an answer came about: who decided, and by what."""
        if response.cached:
            return f"{response.reason}, by its answer of {response.age:.0f} s ago"
        if not response.invoked:
            return f"{response.reason}, by the gateway itself"
        told = f"{response.reason}, by the authorizer just now"
        if self.reason:
            return f"{told}: {self.reason}"
        return f"{told}: {response.detail}" if response.detail else told

    @property
    def reason(self) -> str:
        """What the authorizer wrote of its last decision: code and message; empty if nothing."""
        reason, message = self._last.get("reason"), self._last.get("message")
        return f"{reason}: {message}" if reason and message else str(reason or "")


class Api:
    """The ASGI application."""

    def __init__(
        self,
        gateway: Gateway,
        decisions: Decisions,
        *,
        uncached: Gateway | None,
        issue: Function | None,
        in_state: Callable[[Mapping[str, Any]], str],
        jwks: Function,
    ) -> None:
        """Serve a gateway.

        Args:
            gateway: what every other path goes through.
            decisions: tells why.
            uncached: the same without a cache, asked why what was kept denies a request; None if
                the authorizer is not ours to ask once more.
            issue: gives tokens, None if no key signs here.
            in_state: gives a token in a state that is named, where a key signs.
            jwks: gives the public keys.
        """
        self._gateway = gateway
        self._decisions = decisions
        self._uncached = uncached
        self._issue = issue
        self._in_state = in_state
        self._jwks = jwks
        self._one_at_a_time = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        body = await _body(receive)
        # In a thread: an authorizer may fetch its keys, from this very server too.
        status, headers, text = await asyncio.to_thread(self._answer, scope, body)
        raw = [
            (name.lower().encode("ascii"), value.encode("latin-1", "backslashreplace"))
            for name, value in {**headers, "content-length": str(len(text.encode()))}.items()
        ]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": text.encode()})

    def _answer(self, scope: Scope, body: bytes) -> Answer:
        headers: Headers = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        # As it was written: what API Gateway would decode first is not verified against AWS.
        path = scope["raw_path"].decode("latin-1")
        if not path.startswith("/"):
            return _refused(400, "bad_path", "write '/' first, as it is: GET /orders")
        if path == TOKEN and scope["method"] != "POST":
            return _refused(405, "post", "POST it, with such as {}: curl -d '{}'")
        if path == TOKEN:
            return self._token(body, text="text/plain" in headers.get("accept", []))
        if path == JWKS:
            keys = self._jwks({"httpMethod": scope["method"]})
            return keys["statusCode"], keys["headers"], keys["body"]
        return self._asked(scope, path, headers)

    def _asked(self, scope: Scope, path: str, headers: Headers) -> Answer:
        method = scope["method"]
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        with self._one_at_a_time:
            response = self._gateway.request(method, path, headers=headers, query=query)
            why = self._decisions.why(response)
            if (
                response.cached and response.status >= 400 and self._uncached
            ):  # the backend says 200
                afresh = self._uncached.request(method, path, headers=headers, query=query)
                why += f": {self._decisions.reason}" if afresh.status >= 400 else ""
            why = terminal.without_tokens(why)
        terminal.say(terminal.without_tokens(f"{method} {path} {response.status} {why}"))
        told = {**_JSON, **response.headers, "x-kmsjwt-why": why}
        return response.status, told, f"{json.dumps(response.body)}\n"

    def _token(self, body: bytes, *, text: bool) -> Answer:
        if self._issue is None:
            return _refused(404, "no_key", "KMSJWT_KEY is unset: no key signs tokens here")
        try:
            asked = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict) or len(body) > _LONGEST_BODY:
            return _refused(400, "bad_body", 'send such as {"sub": "ala", "claims": {}}')
        wish = {"sub": _SUBJECT, **asked}
        try:
            named = "state" in wish
            issued = {"access_token": self._in_state(wish)} if named else self._issue(wish)
        except KmsJwtError as error:
            return _refused(503 if error.retryable else 400, error.code, str(error))
        if text and "access_token" in issued:
            return 200, {"content-type": "text/plain"}, f"{issued['access_token']}\n"
        return 200, _JSON, f"{json.dumps(issued)}\n"


def backend(request: BackendRequest) -> tuple[int, Any]:
    """Answer, in place of the function behind the gateway, with what it would be told."""
    return 200, dict(request.authorizer)


def _refused(status: int, error: str, message: str) -> Answer:
    told = terminal.without_tokens(message)
    return status, _JSON, f"{json.dumps({'error': error, 'message': told})}\n"


def _policy(answer: object) -> str:
    """Return an answer in short: effects, methods and paths of a policy, without the stage."""
    policy = answer.get("policyDocument") if isinstance(answer, dict) else None
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    if not isinstance(statements, list) or not all(isinstance(each, dict) for each in statements):
        return terminal.without_tokens(json.dumps(answer, default=str))
    told = (f"{each.get('Effect')} {_routes(each.get('Resource'))}" for each in statements)
    return terminal.without_tokens("; ".join(told))


def _routes(resources: object) -> str:
    """Return the routes of a statement: of ``…/prod/GET/orders/*`` only ``GET /orders/*``."""
    methods: dict[str, list[str]] = {}
    for resource in resources if isinstance(resources, list) else [resources]:
        method, slash, path = str(resource).split("/", 2)[-1].partition("/")
        methods.setdefault(slash + path, []).append(method)
    return ", ".join(
        f"{'ANY' if set(METHODS) <= set(named) else '|'.join(named)} {path}".rstrip()
        for path, named in methods.items()
    )


async def _body(receive: Receive) -> bytes:
    parts, length, more = [], 0, True
    while more:
        message = await receive()
        part = message.get("body", b"")
        if length <= _LONGEST_BODY:  # who asks for a token says no more than that
            parts.append(part)
        length += len(part)
        more = message.get("more_body", False)
    return b"".join(parts)
