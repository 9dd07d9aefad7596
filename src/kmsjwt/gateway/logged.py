"""What of a request may stand in a log line: bounded, printable, and no token in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt._log import CUT, bounded, loggable
from kmsjwt.compact import UnverifiedToken
from kmsjwt.errors import TokenError
from kmsjwt.gateway.arn import route_of_arn

if TYPE_CHECKING:
    from kmsjwt.gateway.decision import Decision
    from kmsjwt.gateway.request import AuthRequest

_PATH = 1024
_SEGMENT = 40
_SECRET = 16
_MANY = 8  # more are refused anyway, and each would be looked for


def route_of(request: AuthRequest | None) -> dict[str, object]:
    """Return kind, API, stage, method and path as log fields."""
    if request is None:
        return {}
    method, path = route_of_arn(request.arn)
    return {
        "kind": request.kind,
        "api_id": request.stage.api_id,
        "stage": request.stage.name or None,
        "method": loggable(method) or None,
        "path": path_shown(path, request.credentials) or None,
    }


def token_of(decision: Decision) -> dict[str, object]:
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
