"""The authorizer: an event in, a decision out, in the words of the gateway that asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from kmsjwt._log import log_line, loggable, message_of
from kmsjwt.errors import CannotKnow, ConfigError, KmsJwtError, TokenError, shown
from kmsjwt.gateway.arn import WHOLE_STAGE_UNNAMED
from kmsjwt.gateway.caller import DEFAULT_CONTEXT, context_of, principal_of
from kmsjwt.gateway.decision import ALLOW, DENY, INVALID, Decision
from kmsjwt.gateway.doors import front_doors, read_event
from kmsjwt.gateway.logged import route_of, token_of
from kmsjwt.gateway.places import DEFAULT_PLACE, token_place
from kmsjwt.gateway.refusals import UNAUTHORIZED, Unauthorized, refused
from kmsjwt.gateway.request import AuthRequest, UnknownEvent
from kmsjwt.gateway.settings import setting_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from kmsjwt._log import Log
    from kmsjwt.gateway.doors import FrontDoor
    from kmsjwt.rules import Grant, Rules, Ruling
    from kmsjwt.verifier import VerifiedToken


class TokenVerifier(Protocol):
    """What an authorizer asks: `kmsjwt.Verifier`, `kmsjwt.AnyOf`, or one of your own."""

    def verify(self, token: str) -> VerifiedToken:
        """Return the verified token, or raise TokenError, Forbidden or CannotKnow."""


class Authorizer:
    """A Lambda authorizer for REST, HTTP, WebSocket and AppSync APIs; call it as the handler.

    It tells the gateways apart by their events. Its policies are for the whole API and stage and
    depend on the token and the rules alone, so a cached answer is right for every route.
    """

    __slots__ = (
        "_clock",
        "_context",
        "_deny_invalid",
        "_doors",
        "_log",
        "_place",
        "_principal_claim",
        "_rules",
        "_verifier",
    )

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        rules: Rules | None = None,
        token_from: str = DEFAULT_PLACE,
        on_invalid: str = "401",
        response: str = "iam",
        cache_ttl: int | None = None,
        principal_claim: str = "sub",
        context: Collection[str] = DEFAULT_CONTEXT,
        usage_claim: str | None = None,
        log: Log | None = log_line,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set up an authorizer.

        Args:
            verifier: checks tokens.
            rules: which routes a token may use; None lets any valid token use all of them.
            token_from: the one place of the token: ``header:NAME``, ``query:NAME``,
                ``cookie:NAME`` or ``subprotocol:NAME``. The Authorization header holds
                ``Bearer <token>``, any other place the token alone.
            on_invalid: what becomes of no token or a bad one. ``401``: REST and WebSocket APIs
                are told ``Unauthorized`` by an exception, which Lambda counts as an error; HTTP
                APIs get a denial (403), since raising there is not verified against AWS.
                ``deny``: a denial everywhere.
            response: what HTTP APIs of payload format 2.0 want: ``iam``, or ``simple`` if the
                authorizer's ``EnableSimpleResponses`` is on.
            cache_ttl: seconds that the gateway keeps an answer, if you know it; 0 if it keeps none.
                Simple answers may follow rules finer than a route key only if it is 0; AppSync is
                told to keep an answer no longer than its token lives.
            principal_claim: the claim that becomes ``principalId``; without it ``client_id``.
            context: names of the claims that the backend is told.
            usage_claim: the claim with the API key of a REST API's usage plan, which becomes
                ``usageIdentifierKey``.
            log: takes one line per decision; None for no log.
            clock: seconds since 1970.

        Raises:
            ConfigError: a setting makes no sense; the message names each that does not.
        """
        faults = setting_faults(
            rules=rules,
            token_from=token_from,
            on_invalid=on_invalid,
            response=response,
            cache_ttl=cache_ttl,
            principal_claim=principal_claim,
            context=context,
            usage_claim=usage_claim,
        )
        if not callable(getattr(verifier, "verify", None)):
            faults.append(f"verifier is {shown(verifier)}, expected one with verify(token)")
        if faults:
            raise ConfigError("; ".join(faults), code="authorizer")
        self._place = token_place(token_from)
        self._verifier = verifier
        self._rules = rules
        self._deny_invalid = on_invalid == "deny"
        self._doors = front_doors(
            simple=response == "simple", ttl=cache_ttl, usage_claim=usage_claim, clock=clock
        )
        self._principal_claim = principal_claim
        self._context = tuple(context)
        self._log = log
        self._clock = clock

    def __call__(self, event: object, context: object = None) -> dict[str, Any]:
        """Answer one event.

        Args:
            event: what API Gateway sent.
            context: Lambda's context; its request id goes into the log.

        Returns:
            The answer, as the gateway that asked wants it.

        Raises:
            Unauthorized: no token, a bad one, or an event of no known kind.
            CannotKnow: the keys could not be had; the gateway answers 500 and caches nothing.
        """
        started = self._clock()
        request: AuthRequest | None = None
        answer: dict[str, Any] | None = None
        try:
            door, request = read_event(event, self._doors, self._place)
            decision = self._decide(request, door)
            if decision.verdict != INVALID or self._deny_invalid or not door.raises_unauthorized:
                answer = door.answer(request, decision)
        except UnknownEvent as unknown:
            decision = Decision(verdict=INVALID, reason=unknown.code, message=str(unknown))
        except Exception as error:
            if self._log is not None:
                self._record_fault(self._log, error, request, started, context)
            if str(error) == UNAUTHORIZED:
                raise _disguised(error) from error
            raise
        if self._log is not None:
            self._record(self._log, decision, request, answer, started, context)
        # Raised here, outside every handler, so that it carries no other exception along.
        if answer is None:
            raise Unauthorized(decision.reason, decision.message)
        return answer

    def _decide(self, request: AuthRequest, door: FrontDoor) -> Decision:
        token = None
        try:
            token = self._place.token(request.credentials, request.identity)
            verified = self._verifier.verify(token)
        except TokenError as refusal:
            return refused(refusal, token, self._principal_claim)
        if request.stage.name == WHOLE_STAGE_UNNAMED:
            return _stage_unnamed(verified)
        ruling: Ruling | None = None
        grant: Grant | None = None
        if self._rules is not None:
            ruling, grant = door.judge(self._rules, verified.claims, request)
        claims = verified.claims
        return Decision(
            verdict=ALLOW if ruling is None or ruling.allowed else DENY,
            reason="ok" if ruling is None else ruling.reason,
            message=None if ruling is None else ruling.message,
            principal=principal_of(claims, self._principal_claim),
            context=context_of(claims, self._context) if grant is None or grant.allow else None,
            grant=grant,
            verified=verified,
        )

    def _record(
        self,
        log: Log,
        decision: Decision,
        request: AuthRequest | None,
        answer: dict[str, Any] | None,
        started: float,
        context: object,
    ) -> None:
        outcome = decision.verdict if decision.verdict != INVALID else DENY
        log(
            "ERROR" if request is None else "INFO",
            "authorizer",
            decision="unauthorized" if answer is None else outcome,
            reason=decision.reason,
            message=decision.message,
            **token_of(decision),
            **self._common(request, started, context),
        )

    def _record_fault(
        self,
        log: Log,
        error: Exception,
        request: AuthRequest | None,
        started: float,
        context: object,
    ) -> None:
        ours = error if isinstance(error, KmsJwtError) else None
        log(
            "ERROR",
            "authorizer",
            decision="error",
            reason=ours.code if ours else "unexpected_error",
            # Whatever else was raised may hold anything: its type alone is named.
            message=message_of(ours) if ours else f"{type(error).__name__} was raised",
            retryable=ours.retryable if ours else None,
            **self._common(request, started, context),
        )

    def _common(
        self, request: AuthRequest | None, started: float, context: object
    ) -> dict[str, object]:
        return {
            **route_of(request),
            "duration_ms": round((self._clock() - started) * 1000, 3),
            "request_id": loggable(getattr(context, "aws_request_id", None)),
        }


def _stage_unnamed(verified: VerifiedToken) -> Decision:
    return Decision(
        verdict=DENY,
        reason="stage_unnamed",
        message="the ARN's stage is '*', as in AWS's sample event, and no policy is made of it; "
        "put the name of a deployed stage there",
        verified=verified,
    )


def _disguised(error: Exception) -> CannotKnow:
    return CannotKnow(
        f"{type(error).__name__} reads 'Unauthorized', and API Gateway would answer 401 to it",
        code="disguised_error",
        fix="raise kmsjwt.errors.Forbidden to refuse a token",
    )
