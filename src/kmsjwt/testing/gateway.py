"""THE gateway simulator: asks an authorizer, caches its answer and judges by it as AWS does.

It holds no HTTP server: requests are method calls, and time is the clock it is given.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from kmsjwt.errors import ConfigError
from kmsjwt.testing import events
from kmsjwt.testing.answers import (
    MAX_TTL,
    Answer,
    MalformedAnswer,
    read_answer,
    read_appsync_answer,
)
from kmsjwt.testing.cache import AnswerCache
from kmsjwt.testing.identity import IdentitySource
from kmsjwt.testing.kinds import KINDS, Kind
from kmsjwt.testing.messages import Asked, BackendRequest, GatewayResponse, GraphqlRequest
from kmsjwt.testing.routes import Route, Routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Values = Mapping[str, str | Sequence[str]]
    Handler = Callable[[Any, Any], Any]

MAX_ARN = 1_600
_UNAUTHORIZED = "Unauthorized"
_APPSYNC_NAMES = {"api_id", "account"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaContext:
    """As much of Lambda's context object as authorizers use."""

    aws_request_id: str = "9f0c5a6e-1b2d-4c3e-8f4a-000000000000"
    function_name: str = "authorizer"


class Gateway:
    """One API and stage whose routes all use one authorizer, with one cache."""

    def __init__(
        self,
        authorizer: Handler,
        *,
        kind: str = "rest_token",
        response: str = "iam",
        ttl: float = 300,
        identity_source: str | Iterable[str] | None = None,
        identity_validation: str | None = None,
        routes: Iterable[str] | None = None,
        backend: Callable[[BackendRequest], tuple[int, Any]] | None = None,
        clock: Callable[[], float] = time.time,
        **api: str,
    ) -> None:
        """Set up the API.

        Args:
            authorizer: the Lambda handler, called as ``authorizer(event, context)``.
            kind: ``rest_token``, ``rest_request``, ``http_api_v1``, ``http_api_v2``,
                ``websocket`` or ``appsync``.
            response: ``simple`` if an HTTP API of format 2.0 has simple responses on.
            ttl: seconds an answer is cached, 0 to 3,600; 0 is off. WebSocket APIs never cache,
                and AppSync's authorizers may name another time in each answer.
            identity_source: one or several, in API Gateway's spelling; the Authorization header
                if None. AppSync knows that header only.
            identity_validation: a TOKEN or AppSync authorizer's regular expression; a header that
                does not match in full is a 401 without a call. That AppSync answers 401 then, and
                that its expression must match in full, is not verified against AWS.
            routes: such as ``GET /orders/{id}``; every path is a route if None.
            backend: answers what was let in, as ``(status, body)``.
            clock: seconds since 1970.
            **api: stage, api_id, region, account, partition; AppSync's: api_id, account.

        Raises:
            ConfigError: the API could not be made so on AWS.
            NotSimulated: an identity source that is not simulated.
        """
        if kind not in KINDS:
            raise ConfigError(
                f"kind is {kind!r}, expected one of {', '.join(KINDS)}", code="gateway_setting"
            )
        self._kind: Kind = KINDS[kind]
        if response not in ("iam", "simple") or (response == "simple" and kind != "http_api_v2"):
            raise ConfigError(
                f"response is {response!r}, only http_api_v2 may have 'simple'",
                code="gateway_setting",
            )
        if not 0 <= ttl <= MAX_TTL:
            raise ConfigError(
                f"ttl is {ttl}, expected 0 to {MAX_TTL} seconds", code="gateway_setting"
            )
        if identity_validation is not None and not self._kind.validates:
            raise ConfigError(
                "identity_validation is for rest_token and appsync only", code="gateway_setting"
            )
        if kind == "appsync" and (routes is not None or not _APPSYNC_NAMES.issuperset(api)):
            raise ConfigError(
                "an AppSync API has no routes, stage or ARN here, expected api_id and account only",
                code="gateway_setting",
            )
        self._sources = self._read_sources(identity_source)
        self._ttl = ttl if self._kind.caches else 0
        if not self._sources and self._ttl:
            raise ConfigError(
                "caching needs an identity source: name one or set ttl=0", code="gateway_setting"
            )
        self._authorizer = authorizer
        self._simple = response == "simple"
        self._validation = identity_validation
        self._routes = None if routes is None else Routes(routes)
        self._backend = backend
        self._clock = clock
        self._api = {"stage": self._kind.stage, **api}
        self._cache = AnswerCache(self._ttl, clock)

    def flush(self) -> None:
        """Forget every cached answer, as FlushStageAuthorizersCache does."""
        self._cache.clear()

    def connect(
        self, *, headers: Values | None = None, query: Values | None = None
    ) -> GatewayResponse:
        """Open a WebSocket. Arguments as for `request`."""
        self._expect_door("connect")
        return self._serve(Asked("$connect", "", headers or {}, query or {}))

    def graphql(
        self,
        query: str,
        *,
        operation: str | None = None,
        variables: Mapping[str, Any] | None = None,
        headers: Values | None = None,
    ) -> GatewayResponse:
        """Send one GraphQL request to an AppSync API. The document itself is not run.

        Args:
            query: the GraphQL document.
            operation: the name of the operation to run.
            variables: the operation's variables.
            headers: values by name; a list where a header repeats.

        Returns:
            What the client would see; ``denied_fields`` are those that would be null.
        """
        self._expect_door("graphql")
        asked = GraphqlRequest(query=query, operation=operation, variables=variables or {})
        return self._serve(Asked("POST", "/graphql", headers or {}, {}, asked))

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Values | None = None,
        query: Values | None = None,
    ) -> GatewayResponse:
        """Send one request.

        Args:
            method: HTTP method.
            path: the path without the stage; a query may follow after ``?``.
            headers: values by name; a list where a header repeats.
            query: values by name, instead of the ``?`` in the path.

        Returns:
            What the client would see.

        Raises:
            NotSimulated: the authorizer's answer holds what is not simulated.
        """
        self._expect_door("request")
        if not path.startswith("/"):
            raise ConfigError(
                f"path is {path!r}, expected it to begin with '/'", code="gateway_setting"
            )
        if query is None:
            path, _, text = path.partition("?")
            query = parse_qs(text, keep_blank_values=True)
        return self._serve(Asked(method, path, headers or {}, query))

    def _expect_door(self, door: str) -> None:
        if self._kind.door != door:
            raise ConfigError(
                f"an API of kind {self._kind.name} has no {door}(), expected {self._kind.door}()",
                code="gateway_setting",
            )

    def _read_sources(self, named: str | Iterable[str] | None) -> list[IdentitySource]:
        if named is None:
            return [IdentitySource(name) for name in self._kind.identity]
        if not self._kind.spelling:
            raise ConfigError(
                "AppSync takes the token of the Authorization header, expected no identity source",
                code="gateway_setting",
            )
        names = (named,) if isinstance(named, str) else tuple(named)
        for name in names:
            if not name.startswith(self._kind.spelling):
                spelled = " or ".join(self._kind.spelling)
                raise ConfigError(
                    f"identity source is {name!r}, expected it to begin with {spelled}",
                    code="gateway_setting",
                )
        sources = [IdentitySource(name) for name in names]
        if self._kind.name == "rest_token" and not (len(sources) == 1 and sources[0].is_header):
            raise ConfigError(
                "a TOKEN authorizer has exactly one identity source, a header",
                code="gateway_setting",
            )
        return sources

    def _serve(self, asked: Asked) -> GatewayResponse:
        method, path = asked.method, asked.path
        route = (
            Route(f"{method} {path}", path)
            if self._routes is None
            else self._routes.find(method, path)
        )
        if route is None:
            return self._kind.refusal("no_route")
        arn = events.arn(method, path, **self._api)
        if self._kind.family == "rest" and len(arn.encode()) > MAX_ARN:
            return self._kind.refusal("arn_too_long")
        key = tuple(source.value(asked.headers, asked.query, route.key) for source in self._sources)
        refused = self._refused_unasked(key)
        if refused:
            named = ", ".join(source.text for source in self._sources)
            return self._kind.refusal(refused, detail=f"the identity sources are {named}")
        cached = self._cache.find(key)
        if cached is not None:
            answer, age = cached
            return self._judge(answer, arn, asked, age=age)
        event = self._kind.event(asked, route, key, self._clock(), self._api)
        return self._ask(event, key, arn, asked)

    def _refused_unasked(self, key: tuple[str, ...]) -> str | None:
        # A REST REQUEST authorizer without a cache is asked even if a source is missing.
        if not all(key) and (self._kind.name != "rest_request" or self._ttl):
            return "missing_identity"
        if self._validation is not None and not re.fullmatch(self._validation, key[0]):
            return "identity_mismatch"
        return None

    def _ask(
        self, event: dict[str, Any], key: tuple[str, ...], arn: str, asked: Asked
    ) -> GatewayResponse:
        try:
            returned = self._authorizer(event, LambdaContext())
        except Exception as error:  # noqa: BLE001  whatever it is, Lambda reports its text
            return self._failed(error)
        try:
            answer = self._read(returned)
        except MalformedAnswer as error:
            return self._kind.refusal("malformed_answer", detail=str(error), invoked=True)
        self._cache.keep(key, answer)
        return self._judge(answer, arn, asked, age=None)

    def _read(self, returned: object) -> Answer:
        if self._kind.family == "appsync":
            return read_appsync_answer(returned)
        return read_answer(returned, simple=self._simple, flat_context=self._kind.flat_context)

    def _failed(self, error: Exception) -> GatewayResponse:
        text = _text_of(error)
        unauthorized = text == _UNAUTHORIZED and self._kind.answers_unauthorized
        detail = f"{type(error).__name__}: {text}"
        if unauthorized and hasattr(error, "reason"):  # kmsjwt's own says more than the client sees
            detail = f"{error.reason}: {getattr(error, 'detail', None)}"
        return self._kind.refusal(
            "unauthorized" if unauthorized else "authorizer_error", detail=detail, invoked=True
        )

    def _judge(
        self, answer: Answer, arn: str, asked: Asked, *, age: float | None
    ) -> GatewayResponse:
        verdict = answer.verdict(arn)
        if verdict != "allowed":
            asked_for = f"{verdict}: asked for {arn}"
            return self._kind.refusal(verdict, detail=asked_for, age=age, invoked=age is None)
        context = self._kind.delivered(answer)
        status, body = self._kind.success
        if self._backend is not None:
            status, body = self._backend(
                BackendRequest(
                    method=asked.method,
                    path=asked.path,
                    headers=asked.headers,
                    query=asked.query,
                    authorizer=context,
                    graphql=asked.graphql,
                )
            )
        return GatewayResponse(
            status=status,
            body=body,
            reason=verdict,
            cached=age is not None,
            invoked=age is None,
            age=age,
            context=context,
            denied_fields=answer.denied_fields,
        )


def _text_of(error: Exception) -> str:
    """Return an exception's text: that one without any is a failure is not verified against AWS."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  its own, whatever it is
        return "it has no text that can be read"
