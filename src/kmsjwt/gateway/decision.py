"""What was decided about a request, before a front door puts it into its gateway's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable, slot_setters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.rules import Grant
    from kmsjwt.verifier import VerifiedToken

ALLOW = "allow"
DENY = "deny"
INVALID = "invalid"


class Decision(Immutable):
    """One decision, about one request; ``grant`` is what a policy says of all others as well.

    Attributes:
        verdict: ``allow``; ``deny``, a good token that may not; ``invalid``, no token or a bad one.
        reason: a stable code: ``ok`` or the error's.
        message: what is, what was expected; free of token text.
        principal: who asks, as the token's claims name them; empty if unknown.
        context: what the backend is told: flat, of str, bool, int and float, as JSON can hold.
        grant: what the token may do on the whole API, where rules say so; None is all or nothing.
        verified: the token, where it is a good one.
        refused: the text of a token that was refused. Not verified, and for no log.
    """

    __slots__ = (
        "context",
        "grant",
        "message",
        "principal",
        "reason",
        "refused",
        "verdict",
        "verified",
    )

    verdict: str
    reason: str
    message: str | None
    principal: str
    context: Mapping[str, Any]
    grant: Grant | None
    verified: VerifiedToken | None
    refused: str | None

    # By position too: with every request, keywords alone cost a twentieth of what a decision
    # about a token that was seen before takes.
    def __init__(
        self,
        verdict: str,
        reason: str,
        principal: str = "",
        context: Mapping[str, Any] | None = None,
        verified: VerifiedToken | None = None,
        grant: Grant | None = None,
        message: str | None = None,
        refused: str | None = None,
    ) -> None:
        _set_context(self, context or {})
        _set_grant(self, grant)
        _set_message(self, message)
        _set_principal(self, principal)
        _set_reason(self, reason)
        _set_refused(self, refused)
        _set_verdict(self, verdict)
        _set_verified(self, verified)

    def __repr__(self) -> str:
        return f"Decision(verdict={self.verdict!r}, reason={self.reason!r})"


(
    _set_context,
    _set_grant,
    _set_message,
    _set_principal,
    _set_reason,
    _set_refused,
    _set_verdict,
    _set_verified,
) = slot_setters(
    Decision, "context", "grant", "message", "principal", "reason", "refused", "verdict", "verified"
)
