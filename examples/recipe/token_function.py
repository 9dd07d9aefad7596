"""The article's token function on kmsjwt. Handler string: ``token_function.handler``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.handlers import issue

if TYPE_CHECKING:
    from collections.abc import Mapping


def claims(principal: issue.Principal) -> Mapping[str, Any]:
    """Return your custom claims; iss, sub, aud, iat, exp and jti are set for you."""
    return {"user_name": principal.sub}


handler = issue.build(claims=claims)
