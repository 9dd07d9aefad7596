"""The one log line of a decision: bounded, printable, and no token in it.

An authorizer and a guard within a function write the same line, so that one query, and one set of
metrics, tells of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt._log import CUT, bounded, loggable, message_of
from kmsjwt.compact import UnverifiedToken
from kmsjwt.errors import KmsJwtError, TokenError
from kmsjwt.gateway.arn import route_of_arn
from kmsjwt.gateway.decision import Decision

if TYPE_CHECKING:
    from kmsjwt._log import Log
    from kmsjwt.gateway.request import AuthRequest

_PATH = 1024
_SEGMENT = 40
_SECRET = 16
_MANY = 8  # more are refused anyway, and each would be looked for


def record(
    log: Log,
    event: str,
    outcome: Decision | Exception,
    *,
    decision: str,
    seconds: float,
    level: str = "INFO",
    **fields: object,
) -> None:
    """Write the line.

    Args:
        log: takes it.
        event: who decided: ``authorizer`` or ``guard``.
        outcome: what was decided, or what was raised instead.
        decision: ``allow``, ``deny`` or ``unauthorized``; of what was raised it is ``error``.
        seconds: how long it took.
        level: ``INFO``, or ``ERROR`` where nothing could be asked; what was raised is one.
        **fields: of the request.
    """
    if isinstance(outcome, Decision):
        why = {"reason": outcome.reason, "message": outcome.message, **_token_of(outcome)}
    else:
        level, decision, why = "ERROR", "error", _trouble(outcome)
    log(level, event, decision=decision, **why, **fields, duration_ms=round(seconds * 1000, 3))


def route_of(kind: str, request: AuthRequest) -> dict[str, object]:
    """Return kind, API, stage, method and path as log fields."""
    method, path = route_of_arn(request.arn)
    return {
        "kind": kind,
        "api_id": request.api.api_id,
        "stage": request.api.stage or None,
        "method": loggable(method) or None,
        "path": path_shown(path, request.credentials) or None,
    }


def _trouble(error: Exception) -> dict[str, object]:
    if not isinstance(error, KmsJwtError):
        # Whatever else was raised may hold anything: its type alone is named.
        message = f"{type(error).__name__} was raised"
        return {"reason": "unexpected_error", "message": message, "retryable": None}
    return {"reason": error.code, "message": message_of(error), "retryable": error.retryable}


def _token_of(decision: Decision) -> dict[str, object]:
    """Return ``kid`` and ``jti`` as log fields; a refused token only claims its own."""
    kid = jti = claimed_kid = claimed_jti = None
    if decision.verified is not None:
        kid, jti = decision.verified.kid, decision.verified.claims.get("jti")
    elif decision.refused is not None:
        claimed_kid, claimed_jti = _claimed(decision.refused)
    return {
        "kid": loggable(kid),
        "jti": loggable(jti),
        "claimed_kid": loggable(claimed_kid),
        "claimed_jti": loggable(claimed_jti),
    }


def _claimed(token: str) -> tuple[object, object]:
    try:
        unverified = UnverifiedToken.parse(token)
        return unverified.kid, unverified.unverified_claims().get("jti")
    except TokenError:
        return None, None


def path_shown(path: str, credentials: tuple[object, ...]) -> str:
    """Return a path that may stand in a log: bounded, and cut where it holds a credential."""
    if len(credentials) > _MANY:
        return CUT
    for value in credentials:
        secret = value.rpartition(" ")[2] if isinstance(value, str) else ""
        if len(secret) >= _SECRET and secret in path:
            return CUT
    segments = ascii(path[:_PATH])[1:-1].split("/")
    return bounded("/".join(part if len(part) <= _SEGMENT else CUT for part in segments))
