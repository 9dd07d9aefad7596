"""What was decided about a request, before a front door puts it into its gateway's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable

if TYPE_CHECKING:
    from collections.abc import Mapping

ALLOW = "allow"
DENY = "deny"
INVALID = "invalid"


class Decision(Immutable):
    """One decision.

    Attributes:
        verdict: ``allow``; ``deny``, a good token that may not; ``invalid``, no token or a bad one.
        reason: a stable code: ``ok`` or the error's.
        message: what is, what was expected; free of token text.
        principal: who asks, as the token's claims name them; empty if unknown.
        context: what the backend is told: flat, of str, bool, int and float.
        kid: the key that signed the token.
        jti: the token's id.
        claimed_kid: what a refused token says its ``kid`` is. Not verified.
        claimed_jti: what a refused token says its ``jti`` is. Not verified.
    """

    __slots__ = (
        "claimed_jti",
        "claimed_kid",
        "context",
        "jti",
        "kid",
        "message",
        "principal",
        "reason",
        "verdict",
    )

    verdict: str
    reason: str
    message: str | None
    principal: str
    context: Mapping[str, Any]
    kid: str | None
    jti: str | None
    claimed_kid: str | None
    claimed_jti: str | None

    def __init__(
        self,
        *,
        verdict: str,
        reason: str,
        message: str | None = None,
        principal: str = "",
        context: Mapping[str, Any] | None = None,
        kid: str | None = None,
        jti: str | None = None,
        claimed_kid: str | None = None,
        claimed_jti: str | None = None,
    ) -> None:
        self._fill(
            verdict=verdict,
            reason=reason,
            message=message,
            principal=principal,
            context=context or {},
            kid=kid,
            jti=jti,
            claimed_kid=claimed_kid,
            claimed_jti=claimed_jti,
        )

    @property
    def allowed(self) -> bool:
        """Whether the request may pass."""
        return self.verdict == ALLOW
