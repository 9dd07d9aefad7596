"""The demo's scenes: real functions, a real gateway simulator, and what came of each step.

Nothing is told that did not happen: each scene carries the outcome it had and the one it should
have had.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from kmsjwt.cli import others
from kmsjwt.cli.inspection.spans import span
from kmsjwt.compact import UnverifiedToken
from kmsjwt.handlers import authorizer, issue, jwks
from kmsjwt.kms.ring.create import create_ring
from kmsjwt.local import LocalKms
from kmsjwt.rules import Rule, Rules, scope
from kmsjwt.testing import Gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kmsjwt.testing import GatewayResponse

ISSUER, AUDIENCE, SUBJECT, SCOPE = "https://id.example", "orders", "ala", "orders:read"
SKIPPED = "skip"
"""The outcome of what could not be tried."""
_RULES = Rules(
    Rule("GET /orders/*", scope(SCOPE)),
    Rule("DELETE /orders/*", scope("orders:write")),
    Rule("/users/{sub}/*"),
)
_RULED = (
    ("DELETE /orders/42", "403", "that takes orders:write"),
    ("GET /users/ala/me", "200", "a path of one's own"),
    ("GET /users/bob/me", "403", "a path of somebody else"),
)
_TTL = 300
_MINUTE = 60
_SHORT = 10  # characters of a token or kid that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One line of the demo.

    Attributes:
        what: what was tried.
        outcome: what came of it.
        expected: what should have.
        told: what more there is to say.
        aside: a line of its own instead of all that.
    """

    what: str = ""
    outcome: str = "ok"
    expected: str = "ok"
    told: str = ""
    aside: str = ""

    @property
    def good(self) -> bool:
        """Whether it is as it should be."""
        return self.outcome == self.expected


class Stage:
    """A KMS, the functions and gateways, and a clock that can be moved."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._kms = LocalKms(clock=self._now, environ={})
        self._key = ""
        self._alias = ""
        self._kid = ""
        self._token = ""
        self._log: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kms.close()

    def make_a_key(self) -> Iterator[Scene]:
        """Create the ring's first key with its aliases."""
        made = create_ring("demo", client=self._kms)
        self._key, self._alias, self._kid = made.arn, made.alias, made.kid
        about = self._kms.describe_key(KeyId=f"{made.alias}/1")["KeyMetadata"]
        yield Scene(
            what=f"kms:CreateKey {about['KeySpec']} {about['KeyUsage']}",
            told=f"{made.alias}/1   kid {_short(made.kid)}",
        )

    def ask_for_a_token(self) -> Iterator[Scene]:
        """Call the issue function."""
        asked = {"sub": SUBJECT, "aud": AUDIENCE, "claims": {"scope": SCOPE}}
        answer = self._issue(asked)
        self._token = answer["access_token"]
        yield Scene(
            what=f"issue {_compact(asked, 'sub', 'aud')}",
            told=f"expires in {span(answer['expires_in'])}",
        )
        parsed = UnverifiedToken.parse(self._token)
        claims = _compact(parsed.unverified_claims(), "iss", "sub", "aud")
        length = len(parsed.signature)
        header = _compact({**parsed.header, "kid": _short(str(parsed.kid))}, "alg", "kid", "typ")
        yield Scene(aside=f"{header} .")
        yield Scene(aside=f"{claims} . {length}-byte signature")

    def knock(self) -> Iterator[Scene]:
        """Send requests to API Gateway, whose authorizer is ours."""
        counting = Counting(self._kms)
        gateway = self._gateway(client=counting)
        good, changed = self._token, _bit_flipped(self._token)
        shown = f"Bearer {_short(good)}"
        yield self._asked(gateway, "GET /orders/42", shown, good, "200", _allowed)
        yield self._asked(gateway, "GET /orders/99", "the same", good, "200", _cached)
        for request, expected, why in _RULED:
            judge = partial(_by_policy, why)
            yield self._asked(gateway, request, "the same", good, expected, judge)
        yield self._asked(gateway, "GET /orders/42", "no token", None, "401", _unasked)
        yield self._asked(gateway, "GET /orders/42", "expired", self._expired(), "401", self._why)
        yield self._asked(gateway, "GET /orders/42", "one bit changed", changed, "401", self._code)
        yield _counted(counting)
        yield from self._outage()

    def ask_others(self) -> Iterator[Scene]:
        """Let libraries that are not ours check the same token with the published keys."""
        function = jwks.build(client=self._kms, environ=self._environ(), log=_quiet)
        published = json.loads(function({}, None)["body"])
        changed = _bit_flipped(self._token)
        found = others.installed()
        if not found:
            yield Scene(
                what="PyJWT is not installed",
                outcome=SKIPPED,
                expected=SKIPPED,
                told="pip install pyjwt, and run this again",
            )
        for library in found:
            yield _opinion(library, published, self._token, changed)

    def _now(self) -> float:
        return time.time() + self._ahead

    def _record(self, level: str, event: str, **fields: object) -> None:
        self._log.append({"level": level, "event": event, **fields})

    def _environ(self) -> dict[str, str]:
        return {"KMSJWT_KEYS": self._key, "KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": AUDIENCE}

    def _issue(self, asked: Mapping[str, Any], *, ago: float = 0.0) -> dict[str, Any]:
        function = issue.build(
            client=self._kms,
            environ={"KMSJWT_KEY": self._alias, "KMSJWT_ISSUER": ISSUER},
            log=_quiet,
            clock=lambda: self._now() - ago,
        )
        return function(dict(asked))

    def _gateway(self, *, client: Any = None) -> Gateway:
        function = authorizer.build(
            rules=_RULES,
            client=client or self._kms,
            environ=self._environ(),
            log=self._record,
            clock=self._now,
        )
        return Gateway(function, ttl=_TTL, stage="demo", clock=self._now)

    def _asked(
        self,
        gateway: Gateway,
        request: str,
        credentials: str,
        token: str | None,
        expected: str,
        judge: Callable[[GatewayResponse], tuple[bool, str]],
    ) -> Scene:
        self._log.clear()
        method, path = request.split(" ")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = gateway.request(method, path, headers=headers)
        good, told = judge(response)
        return Scene(
            what=f"{request:<18} {credentials}",
            outcome=str(response.status) if good else "no",
            expected=expected,
            told=told,
        )

    def _outage(self) -> Iterator[Scene]:
        """Take KMS away from an authorizer that has no key yet, and give it back."""
        gateway = self._gateway()
        down = self._kms.faults.add("GetPublicKey", kind="error_before", times=None)
        yield self._asked(gateway, "GET /orders/42", "KMS down", self._token, "500", self._fault)
        down.remove()
        self._ahead += _MINUTE
        yield self._asked(gateway, "GET /orders/42", "KMS back", self._token, "200", _not_cached)

    def _expired(self) -> str:
        token: str = self._issue(
            {"sub": SUBJECT, "aud": AUDIENCE, "lifetime": _MINUTE}, ago=2 * _MINUTE + 1
        )["access_token"]
        return token

    def _why(self, response: GatewayResponse) -> tuple[bool, str]:
        good, message = self._message(response)
        return good, f"{self._logged('reason')}: {message}"

    def _code(self, response: GatewayResponse) -> tuple[bool, str]:
        return self._message(response)[0], self._logged("reason")

    def _message(self, response: GatewayResponse) -> tuple[bool, str]:
        """Tell what the operator's log says; the client is told nothing of it."""
        message = self._logged("message")
        return message not in json.dumps(response.body), message

    def _fault(self, response: GatewayResponse) -> tuple[bool, str]:
        is_fault = self._logged("decision") == "error" and response.reason == "authorizer_error"
        return is_fault, f"{self._logged('reason')}, which is no denial"

    def _logged(self, field: str) -> str:
        return str(self._log[-1].get(field)) if self._log else "nothing was logged"


class Counting:
    """A KMS client that counts what it is asked."""

    def __init__(self, kms: LocalKms) -> None:
        self.meta = kms.meta
        self._kms = kms
        self.calls: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        operation = "".join(map(str.capitalize, name.split("_")))

        def counted(**parameters: Any) -> Any:
            self.calls[operation] = self.calls.get(operation, 0) + 1
            return getattr(self._kms, name)(**parameters)

        return counted


def _allowed(response: GatewayResponse) -> tuple[bool, str]:
    principal = response.context.get("principalId")
    return principal == SUBJECT, f"allowed as {principal}, cached for {_TTL} s"


def _cached(response: GatewayResponse) -> tuple[bool, str]:
    return response.cached, "the cached answer: right for every route"


def _by_policy(why: str, response: GatewayResponse) -> tuple[bool, str]:
    return response.cached and not response.invoked, f"the cached answer: {why}"


def _not_cached(response: GatewayResponse) -> tuple[bool, str]:
    return not response.cached, "and the fault was not cached"


def _unasked(response: GatewayResponse) -> tuple[bool, str]:
    return not response.invoked, "by the gateway itself, no function ran"


def _counted(client: Counting) -> Scene:
    calls = ", ".join(f"{count} x {name}" for name, count in client.calls.items())
    return Scene(
        what="calls to KMS to check all these",
        outcome="ok" if client.calls == {"GetPublicKey": 1} else "no",
        told=f"{calls}, none per request",
    )


def _opinion(library: others.Library, published: dict[str, Any], token: str, changed: str) -> Scene:
    try:
        claims = library.claims(token, published, ISSUER, AUDIENCE)
        accepted = claims.get("sub") == SUBJECT
    except Exception as error:  # noqa: BLE001  whatever it raises, it did not accept the token
        return Scene(what=library.name, outcome="no", told=f"raised {type(error).__name__}")
    try:
        library.claims(changed, published, ISSUER, AUDIENCE)
    except Exception:  # noqa: BLE001  the same call took the unchanged token a moment ago
        told = "accepts it by our JWKS, refuses the changed one"
        return Scene(what=library.name, outcome="ok" if accepted else "no", told=told)
    return Scene(what=library.name, outcome="no", told="accepts a changed token")


def _bit_flipped(token: str) -> str:
    """Return the token with one bit of its signature changed."""
    signed, _, signature = token.rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return f"{signed}.{alphabet[alphabet.index(signature[0]) ^ 1]}{signature[1:]}"


def _compact(values: Mapping[str, Any], *names: str) -> str:
    some = {name: values[name] for name in names}
    shown = json.dumps(some, separators=(",", ":"), ensure_ascii=False)
    return shown[:-1] + ",…}" if len(values) > len(names) else shown


def _short(text: str) -> str:
    return text[:_SHORT] + "…"


def _quiet(level: str, event: str, **fields: object) -> None:
    del level, event, fields
