"""Whether a consumer will take a token whose signature and times are good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.authority.compat.limits import LIMITS
from kmsjwt.authority.compat.strain import strained
from kmsjwt.claims import audiences
from kmsjwt.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.authority.compat.facts import TokenFacts
    from kmsjwt.authority.compat.verdicts import Finding

    Rule = Callable[[TokenFacts, Any], str | None]

_HEADER_NAME = len("Authorization: Bearer \r\n")


def judged(name: str, token: TokenFacts) -> list[Finding]:
    """Return what speaks against a token at one consumer.

    Args:
        name: the consumer's short name.
        token: a token that was verified with the published keys.
    """
    found: list[Finding] = []
    for what, rule in _RULES.items():
        limit = LIMITS.get((name, what))
        strain = rule(token, limit.value if limit else None)
        if strain:
            found += strained(name, what, strain)
    return found


def _kid(token: TokenFacts, _demanded: object) -> str | None:
    return None if token.has_kid else "the token has no kid"


def _claims(token: TokenFacts, demanded: tuple[Any, ...] | None) -> str | None:
    missing = []
    for each in demanded or ():
        names = each if isinstance(each, tuple) else (each,)
        if not any(_has(token, name) for name in names):
            missing.append(" or ".join(names))
    return f"the token lacks {', '.join(missing)}" if missing else None


def _has(token: TokenFacts, name: str) -> bool:
    # Its types were checked when it was verified.
    return bool(audiences(token.claims)) if name == "aud" else name in token.claims


def _iat(token: TokenFacts, _demanded: object) -> str | None:
    return None if "iat" in token.claims else "the token has no iat"


def _typ(token: TokenFacts, _demanded: object) -> str | None:
    if token.typ is None or token.typ.upper() == "JWT":
        return None
    return f"the token's typ is {shown(token.typ)}"


def _header(token: TokenFacts, most: int | None) -> str | None:
    size = len(token.text) + _HEADER_NAME
    if most is None or size <= most:
        return None
    return f"the Authorization header has {size} bytes, expected at most {most} of all headers"


_RULES: dict[str, Rule] = {
    "kid": _kid,
    "claims": _claims,
    "iat": _iat,
    "typ": _typ,
    "header_bytes": _header,
}
