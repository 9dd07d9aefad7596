"""A user's own say about a token: the handler in the bundle is built with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.handlers import authorizer

if TYPE_CHECKING:
    from collections.abc import Mapping


def check(header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    if claims.get("tenant") == "closed":
        raise authorizer.Forbidden("tenant closed")


def __getattr__(name: str) -> Any:  # built when Lambda asks for it, not when a test imports it
    if name == "handler":
        return authorizer.build(check=check)
    raise AttributeError(name)
