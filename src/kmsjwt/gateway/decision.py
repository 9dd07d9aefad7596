"""What was decided about a request, before a front door puts it into its gateway's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable, set_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.verifier import VerifiedToken

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
        context: what the backend is told: flat, of str, bool, int and float, as JSON can hold.
        verified: the token, where it is a good one.
        refused: the text of a token that was refused. Not verified, and for no log.
    """

    __slots__ = ("context", "message", "principal", "reason", "refused", "verdict", "verified")

    verdict: str
    reason: str
    message: str | None
    principal: str
    context: Mapping[str, Any]
    verified: VerifiedToken | None
    refused: str | None

    def __init__(
        self,
        *,
        verdict: str,
        reason: str,
        message: str | None = None,
        principal: str = "",
        context: Mapping[str, Any] | None = None,
        verified: VerifiedToken | None = None,
        refused: str | None = None,
    ) -> None:
        set_once(self, "verdict", verdict)
        set_once(self, "reason", reason)
        set_once(self, "message", message)
        set_once(self, "principal", principal)
        set_once(self, "context", context or {})
        set_once(self, "verified", verified)
        set_once(self, "refused", refused)

    def __repr__(self) -> str:
        return f"Decision(verdict={self.verdict!r}, reason={self.reason!r})"
