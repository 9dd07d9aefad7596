"""The article's authorizer on kmsjwt. Handler string: ``authorizer_function.handler``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.handlers import authorizer

if TYPE_CHECKING:
    from collections.abc import Mapping


def check(_header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Validate header and payload as you wish; everything else has been checked before."""
    if not claims.get("user_name"):
        raise authorizer.Forbidden("the token names no user")


handler = authorizer.build(check=check)
