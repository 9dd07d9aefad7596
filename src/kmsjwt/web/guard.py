"""The guard: a request in, a verified token out, or the refusal to answer with."""

from __future__ import annotations

import re
import time
from itertools import product
from typing import TYPE_CHECKING, Any

from kmsjwt._log import log_line, loggable
from kmsjwt.errors import CannotKnow, ConfigError, Forbidden, TokenError, shown
from kmsjwt.gateway.decision import ALLOW, DENY, INVALID, Decision
from kmsjwt.gateway.logged import path_shown, record
from kmsjwt.gateway.places import DEFAULT_PLACE, token_place
from kmsjwt.gateway.refusals import refused
from kmsjwt.web._paths import is_plain, readings
from kmsjwt.web.refused import QUOTABLE, Refused, forbidden, holds_all, invalid, unknowable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from kmsjwt._log import Log
    from kmsjwt.gateway import TokenVerifier
    from kmsjwt.gateway.event import Event
    from kmsjwt.rules import Rules, Ruling
    from kmsjwt.verifier import VerifiedToken

_UNCLEAR = (
    "the path is unclear ('.', '..', '//', a backslash, unprintable, or served by a route that"
    " does not say it): no rule allows it"
)
_WORDS = {ALLOW: "allow", DENY: "deny", INVALID: "unauthorized"}


class Guard:
    """Lets verified tokens pass where the rules say so. Safe to share between threads.

    Every request is decided afresh and logged in one line, as an authorizer's decisions are.
    """

    __slots__ = ("_clock", "_log", "_place", "_realm", "_rules", "_verifier")

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        rules: Rules | None = None,
        token_from: str = DEFAULT_PLACE,
        realm: str = "api",
        log: Log | None = log_line,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set up a guard.

        Args:
            verifier: checks tokens.
            rules: which routes a token may use; None lets any valid token use all of them.
            token_from: the one place of the token, as with `kmsjwt.gateway.Authorizer`.
            realm: what ``WWW-Authenticate`` calls the API, printable ASCII without ``"`` and
                backslash. RFC 6750 section 3 wants at least one parameter, so it is never empty.
            log: takes one line per decision; None for no log.
            clock: seconds since 1970.

        Raises:
            ConfigError: naming every setting that makes no sense.
        """
        faults = _faults(verifier, rules, realm, log, clock)
        try:
            self._place = token_place(token_from)
        except ConfigError as error:
            faults.append(error.message)
        if faults:
            raise ConfigError("; ".join(faults), code="guard")
        self._verifier = verifier
        self._rules = rules
        self._realm = realm
        self._log = log
        self._clock = clock

    @property
    def token_from(self) -> str:
        """The place of the token, such as ``header:Authorization``."""
        return self._place.text

    def check(
        self,
        method: str,
        path: str,
        event: Event,
        *,
        also: Collection[str] = (),
        request_id: object = None,
    ) -> VerifiedToken:
        """Decide about one request.

        Args:
            method: the HTTP method. HEAD must be allowed as GET too, which frameworks answer it by.
            path: the path, in the very form that the code behind routes by. Where rules name
                routes, an escaped path must be allowed both as it stands and decoded, and one
                with ``.``, ``..``, ``//``, a backslash or unprintable characters by none.
            event: what has the token: a mapping with ``headers`` or ``multiValueHeaders``, and
                ``queryStringParameters`` or ``cookies`` if it may be there, as Lambda's events.
            also: other paths by which the code behind may know the same request; rules must allow
                each of them as well.
            request_id: for the log.

        Returns:
            The verified token of a request that may pass.

        Raises:
            Refused: the answer to give instead.
            ConfigError: ``also`` is one text, which would be taken for its characters.
            Exception: what your verifier or its ``check`` raised, if it is no `KmsJwtError` for
                which there is an answer.
        """
        if isinstance(also, (str, bytes)):
            raise ConfigError(
                f"also is {shown(also)}, expected a list of paths", code="guard", fix="pass [path]"
            )
        started = self._clock()
        credentials = self._place.read(event)
        common: dict[str, Any] = {
            "method": loggable(method),
            "path": path_shown(path, credentials) or None,
            "request_id": loggable(request_id),
        }
        try:
            decision, outcome = self._decide(method, (path, *also), credentials)
        except Exception as error:
            answer = unknowable(error) if isinstance(error, CannotKnow) else None
            self._record(error, answer, started, common)
            if answer is None:
                raise
            raise answer from error
        # Raised here, outside every handler, so that it carries no other exception along.
        if isinstance(outcome, Refused):
            self._record(decision, outcome, started, common)
            raise outcome
        self._record(decision, None, started, common)
        return outcome

    def require_scopes(self, token: VerifiedToken, scopes: Collection[str]) -> None:
        """Ask a verified token for scopes, all of them, besides what the rules ask.

        Raises:
            Refused: 403, ``insufficient_scope``.
        """
        granted = token.claims.get("scope")
        if not holds_all(granted, scopes):
            raise forbidden(self._realm, scopes, granted)

    def _decide(
        self, method: str, paths: tuple[str, ...], credentials: tuple[object, ...]
    ) -> tuple[Decision, VerifiedToken | Refused]:
        token = None
        try:
            token = self._place.token(credentials, ())
            verified = self._verifier.verify(token)
        except Forbidden as refusal:
            return refused(refusal, token), forbidden(self._realm)
        except TokenError as refusal:
            return refused(refusal, token), invalid(self._realm, refusal)
        ruling = self._ruling(verified, method, paths)
        if ruling is None or ruling.allowed:
            return Decision(verdict=ALLOW, reason="ok", verified=verified), verified
        decision = Decision(
            verdict=DENY, reason=ruling.reason, message=ruling.message, verified=verified
        )
        return decision, forbidden(self._realm, ruling.scopes, verified.claims.get("scope"))

    def _ruling(
        self, verified: VerifiedToken, method: str, named: tuple[str, ...]
    ) -> Ruling | None:
        """Return what the rules say, the first refusal among the readings of the request."""
        if self._rules is None:
            return None
        methods = ("GET", "HEAD") if method == "HEAD" else (method,)
        paths = tuple(way for path in named for way in readings(path))
        if self._rules.has_routes and not all(map(is_plain, paths)):
            return _unclear()
        rulings = [
            self._rules.decide(verified.claims, each, way) for each, way in product(methods, paths)
        ]
        return next((ruling for ruling in rulings if not ruling.allowed), rulings[0])

    def _record(
        self,
        outcome: Decision | Exception,
        refused: Refused | None,
        started: float,
        common: dict[str, Any],
    ) -> None:
        if self._log is not None:
            record(
                self._log,
                "guard",
                outcome,
                decision=_WORDS[outcome.verdict] if isinstance(outcome, Decision) else "error",
                seconds=self._clock() - started,
                status=None if refused is None else refused.status,
                **common,
            )


def required(guard: object) -> Guard:
    """Return a guard, for an adapter to stand before something.

    Raises:
        ConfigError: it is none, such as a verifier, or a function that was to be decorated.
    """
    if not isinstance(guard, Guard):
        raise ConfigError(
            f"guard is {shown(guard)}, expected a Guard", code="guard", fix="pass Guard(verifier)"
        )
    return guard


def _unclear() -> Ruling:
    from kmsjwt.rules import Ruling

    return Ruling(allowed=False, reason="no_rule", message=_UNCLEAR)


def _faults(
    verifier: object, rules: object, realm: object, log: object, clock: object
) -> list[str]:
    faults = []
    if not callable(getattr(verifier, "verify", None)):
        faults.append(f"verifier is {shown(verifier)}, expected one with verify(token)")
    if not isinstance(realm, str) or not re.fullmatch(QUOTABLE, realm):
        faults.append(
            f"realm is {shown(realm)}, expected 1 to 128 printable ASCII characters,"
            " without '\"' and backslash"
        )
    if not (log is None or callable(log)):
        faults.append(f"log is {shown(log)}, expected log(level, event, **fields), or None")
    if not callable(clock):
        faults.append(f"clock is {shown(clock)}, expected what returns seconds since 1970")
    if rules is not None:
        from kmsjwt.rules import Rules  # who has no rules has none of this to pay for

        if not isinstance(rules, Rules):
            faults.append(f"rules is {shown(rules)}, expected Rules(Rule(...), ...)")
    return faults
