"""What a refused token comes to, wherever it is refused: at a gateway or within a function."""

from __future__ import annotations

from kmsjwt._log import loggable, message_of
from kmsjwt.errors import Forbidden, TokenError
from kmsjwt.gateway.caller import principal_of
from kmsjwt.gateway.decision import DENY, INVALID, Decision

UNAUTHORIZED = "Unauthorized"
"""The one exception text that API Gateway answers with 401; any other is a 500."""


class Unauthorized(TokenError):
    """Its text is exactly ``Unauthorized``, which API Gateway answers with 401.

    Attributes:
        reason: the stable code of the fault, for logs and tests; no gateway sees it.
        detail: what was wrong, free of token text; no gateway sees it.
    """

    code = "unauthorized"

    def __init__(self, reason: str = "unauthorized", detail: str | None = None) -> None:
        super().__init__(UNAUTHORIZED)
        self.reason = reason
        self.detail = detail


def refused(refusal: TokenError, token: str | None, principal_claim: str = "sub") -> Decision:
    """Return the decision about a token that a verifier refused.

    Args:
        refusal: what it raised; a user's own may have any code.
        token: the token's text, if one was found.
        principal_claim: the claim that names who asks, where the token is good.
    """
    reason, detail = refusal.code, None
    if isinstance(refusal, Unauthorized):
        reason, detail = refusal.reason, refusal.detail
    verified = refusal.verified if isinstance(refusal, Forbidden) else None
    return Decision(
        verdict=DENY if isinstance(refusal, Forbidden) else INVALID,
        reason=loggable(reason) or "unnamed",
        message=message_of(detail or refusal, token),
        principal=principal_of(verified.claims, principal_claim) if verified else "",
        verified=verified,
        refused=None if verified else token,
    )
