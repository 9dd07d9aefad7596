"""The authorizer: an event in, a decision out, in the words of the gateway that asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from kmsjwt._log import log_line, loggable
from kmsjwt.errors import CannotKnow, ConfigError, TokenError, shown
from kmsjwt.gateway.arn import WHOLE_STAGE_UNNAMED
from kmsjwt.gateway.caller import DEFAULT_CONTEXT, context_of, principal_of
from kmsjwt.gateway.decision import ALLOW, DENY, INVALID, Decision
from kmsjwt.gateway.doors import DOORS, read_event
from kmsjwt.gateway.front_door import FrontDoor
from kmsjwt.gateway.logged import record, route_of
from kmsjwt.gateway.places import DEFAULT_PLACE
from kmsjwt.gateway.refusals import UNAUTHORIZED, Unauthorized, refused
from kmsjwt.gateway.request import AuthRequest, UnknownEvent
from kmsjwt.gateway.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Self

    from kmsjwt._log import Log
    from kmsjwt.rules import Rules
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

    __slots__ = ("_doors", "_log", "_settings", "_verifier")

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
        clock: Callable[[], float] = time.time,
        log: Log | None = log_line,
        doors: Sequence[Callable[[Settings], FrontDoor]] = DOORS,
    ) -> None:
        """Set up an authorizer.

        Args:
            verifier: checks tokens.
            rules: which routes a token may use; None lets any valid token use all of them.
            token_from: the one place of the token: ``header:NAME``, ``query:NAME``,
                ``cookie:NAME`` or ``subprotocol:NAME``.
            on_invalid: what becomes of no token or a bad one: ``401`` where an exception says so,
                or ``deny``.
            response: what HTTP APIs of payload format 2.0 want: ``iam`` or ``simple``.
            cache_ttl: seconds, 0 to 3,600, that the gateway keeps an answer, if you know it.
            principal_claim: the claim that becomes ``principalId``.
            context: names of the claims that the backend is told.
            usage_claim: the claim that becomes ``usageIdentifierKey``, if any.
            clock: seconds since 1970.
            log: takes one line per decision; None for no log.
            doors: the kinds of events that are answered, asked in this order:
                ``(*DOORS, MyDoor)`` adds a `kmsjwt.gateway.FrontDoor` of your own.

        `kmsjwt.gateway.Settings` has those from ``rules`` to ``clock`` too, and says more of each.

        Raises:
            ConfigError: an argument makes no sense; the message names each that does not.
        """
        faults: list[str] = []
        try:
            settings = Settings(
                rules=rules,
                token_from=token_from,
                on_invalid=on_invalid,
                response=response,
                cache_ttl=cache_ttl,
                principal_claim=principal_claim,
                context=context,
                usage_claim=usage_claim,
                clock=clock,
            )
        except ConfigError as error:
            faults += error.faults
        faults += _faults(verifier, log, doors)
        if faults:
            raise ConfigError("; ".join(faults), code="authorizer", faults=faults)
        self._set_up(verifier, settings, log, doors)

    @classmethod
    def with_settings(
        cls,
        verifier: TokenVerifier,
        settings: Settings,
        *,
        log: Log | None = log_line,
        doors: Sequence[Callable[[Settings], FrontDoor]] = DOORS,
    ) -> Self:
        """Set up an authorizer by settings that were checked before.

        Args:
            verifier: checks tokens.
            settings: all that is not named here.
            log: takes one line per decision; None for no log.
            doors: the kinds of events that are answered, asked in this order.

        Raises:
            ConfigError: naming each of them that is none.
        """
        faults = _faults(verifier, log, doors)
        if not isinstance(settings, Settings):
            faults.append(f"settings is {shown(settings)}, expected Settings(...)")
        if faults:
            raise ConfigError("; ".join(faults), code="authorizer", faults=faults)
        made = cls.__new__(cls)
        cls._set_up(made, verifier, settings, log, doors)
        return made

    def _set_up(
        self,
        verifier: TokenVerifier,
        settings: Settings,
        log: Log | None,
        doors: Sequence[Callable[[Settings], FrontDoor]],
    ) -> None:
        self._verifier = verifier
        self._settings = settings
        self._log = log
        self._doors = tuple(door(settings) for door in doors)
        for door in self._doors:
            if not isinstance(door, FrontDoor):
                raise ConfigError(
                    f"one of doors made {shown(door)}, expected a FrontDoor", code="authorizer"
                )

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
        settings = self._settings
        started = 0.0
        door: FrontDoor | None = None
        request: AuthRequest | None = None
        answer: dict[str, Any] | None = None
        outcome: Decision | Exception
        try:
            if self._log is not None:
                started = settings.clock()
            try:
                door, request = read_event(event, self._doors, settings.place)
            except UnknownEvent as unknown:
                outcome = decision = Decision(
                    verdict=INVALID, reason=unknown.code, message=str(unknown)
                )
            else:
                outcome = decision = self._decide(request, door)
                if (
                    decision.verdict != INVALID
                    or settings.on_invalid == "deny"
                    or not door.raises_unauthorized
                ):
                    answer = door.answer(request, decision)
                    _require_told(door, answer)
        except Exception as error:
            if self._log is not None:
                self._record(self._log, error, door, request, answer, started, context)
            if _reads_unauthorized(error):
                raise _disguised(error) from error
            raise
        if self._log is not None:
            self._record(self._log, outcome, door, request, answer, started, context)
        # Raised here, outside every handler, so that it carries no other exception along.
        if answer is None:
            raise Unauthorized(decision.reason, decision.message)
        return answer

    def _decide(self, request: AuthRequest, door: FrontDoor) -> Decision:
        settings = self._settings
        token = None
        try:
            token = settings.place.token(request.credentials, request.identity)
            verified = self._verifier.verify(token)
        except TokenError as refusal:
            return refused(refusal, token, settings.principal_claim)
        if request.api.stage == WHOLE_STAGE_UNNAMED:
            return _stage_unnamed(verified)
        claims = verified.claims
        principal = principal_of(claims, settings.principal_claim)
        if settings.rules is None:
            context = context_of(claims, settings.context)
            return Decision(ALLOW, "ok", principal, context, verified)
        ruling, grant = door.judge(settings.rules, claims, request)
        verdict = ALLOW if ruling.allowed else DENY
        context = context_of(claims, settings.context) if grant is None or grant.allow else {}
        return Decision(verdict, ruling.reason, principal, context, verified, grant, ruling.message)

    def _record(
        self,
        log: Log,
        outcome: Decision | Exception,
        door: FrontDoor | None,
        request: AuthRequest | None,
        answer: dict[str, Any] | None,
        started: float,
        context: object,
    ) -> None:
        decision = "unauthorized"
        if answer is not None and isinstance(outcome, Decision):
            decision = ALLOW if outcome.verdict == ALLOW else DENY
        try:
            record(
                log,
                "authorizer",
                outcome,
                decision=decision,
                seconds=self._settings.clock() - started,
                level="ERROR" if request is None else "INFO",
                **(route_of(door.kind, request) if door and request else {}),
                request_id=loggable(getattr(context, "aws_request_id", None)),
            )
        except Exception as error:  # a log of the user's own
            if _reads_unauthorized(error):
                raise _disguised(error) from error
            raise


def _faults(verifier: object, log: object, doors: object) -> list[str]:
    faults = []
    if not callable(getattr(verifier, "verify", None)):
        faults.append(f"verifier is {shown(verifier)}, expected one with verify(token)")
    if not (log is None or callable(log)):
        faults.append(f"log is {shown(log)}, expected log(level, event, **fields), or None")
    if not isinstance(doors, (tuple, list)) or not doors or not all(map(callable, doors)):
        faults.append(f"doors is {shown(doors)}, expected such as (*DOORS, MyDoor)")
    return faults


def _stage_unnamed(verified: VerifiedToken) -> Decision:
    return Decision(
        verdict=DENY,
        reason="stage_unnamed",
        message="the ARN's stage is '*', as in AWS's sample event, and no policy is made of it; "
        "put the name of a deployed stage there",
        verified=verified,
    )


def _require_told(door: FrontDoor, answer: object) -> None:
    """Refuse what a door of the user's own takes for an answer: None would read as a refusal."""
    if not answer or not isinstance(answer, dict):
        what = "{}" if type(answer) is dict else f"a value of type {type(answer).__name__}"
        if isinstance(answer, dict) and type(answer) is not dict:
            what += ", which counts as false"
        raise ConfigError(
            f"the door {door.kind!r} answered {what}, expected a dict that tells its gateway",
            code="authorizer",
        )


def _reads_unauthorized(error: Exception) -> bool:
    """Tell whether a gateway could take it for a refusal: so it could, if nobody can read it."""
    try:
        return str(error) == UNAUTHORIZED
    except Exception:  # noqa: BLE001  its own, whatever it is
        return True


def _disguised(error: Exception) -> CannotKnow:
    return CannotKnow(
        f"{type(error).__name__} reads 'Unauthorized', or cannot be read, and API Gateway would"
        " answer 401 to it",
        code="disguised_error",
        fix="raise kmsjwt.errors.Forbidden to refuse a token",
    )
