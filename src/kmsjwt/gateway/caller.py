"""What a gateway and the backend behind it are told of a verified token: little, and flat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._encoding import plain, to_json
from kmsjwt.gateway.iam import require_flat

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_CONTEXT = ("sub", "client_id", "scope", "jti")
"""The claims passed on unless others are named."""


def principal_of(claims: Mapping[str, Any], claim: str) -> str:
    """Return the value of ``claim``, else ``client_id``; empty if the token has neither."""
    for name in (claim, "client_id"):
        value = claims.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""


def context_of(claims: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the named claims as str, bool, int and float.

    Arrays and objects become JSON text: REST and WebSocket APIs refuse them as they are, and one
    token should look the same behind every gateway. A claim that is null or absent is left out.

    Raises:
        ConfigError: a verifier of the user's own let through what no JSON can hold.
    """
    context: dict[str, Any] = {}
    for name in names:
        value = claims.get(name)
        if type(value) is str and value.isascii():
            context[name] = value
        elif value is not None:
            flat = isinstance(value, (str, int, float))
            context[name] = value if flat else to_json(plain(value)).decode("utf-8")
            require_flat(name, context[name])
    return context
