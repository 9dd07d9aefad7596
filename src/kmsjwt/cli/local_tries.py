"""What `local gateway` says to type: for a token that is let in where these settings let one in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kmsjwt.rules import Rules

_SUB = "ala"
_BELOW = "42"
_HEADER = '-H "Authorization: Bearer $token"'
_NONE_HERE = "token=...   # one of your issuer's: no key signs here, KMSJWT_KEY names none"
_MORE = "# put into claims what your rules ask for besides"


def tries(
    url: str, *, token_from: str = "", rules: Rules | None = None, has_tokens: bool = True
) -> str:
    """Return what to type for a token and an answer.

    Args:
        url: the API's.
        token_from: the place of the token, as ``KMSJWT_TOKEN_FROM`` names it.
        rules: what the authorizer goes by.
        has_tokens: whether ``POST /token`` has any.
    """
    method, path, scopes, is_enough = _let_in(rules)
    asked: dict[str, Any] = {"sub": _SUB}
    if scopes:
        asked["claims"] = {"scope": " ".join(scopes)}
    token = (
        f"token=$(curl -s {url}/token -H 'Accept: text/plain' -d '{json.dumps(asked)}')"
        if has_tokens
        else _NONE_HERE
    )
    query, option = _placed(token_from)
    method = "" if method == "GET" else f"-X {method} "
    target = f'"{url}{path}{query}"' if query else f"{url}{path}"
    request = f"curl -i {method}{target} {option}".rstrip()
    return "\n".join([token, request] if is_enough else [_MORE, token, request])


def _let_in(rules: Rules | None) -> tuple[str, str, tuple[str, ...], bool]:
    """Return a request that some scopes alone let in, those scopes, and whether they do."""
    if rules is None:
        return "GET", f"/orders/{_BELOW}", (), True
    everywhere = rules.decide_token({}).scopes
    found = []
    for route, needs in rules.ordered:
        scopes = tuple(dict.fromkeys((*everywhere, *(needs.scopes if needs else ()))))
        claims = {"sub": _SUB, "scope": " ".join(scopes)}
        pattern = route.pattern(claims)
        if pattern:
            method = "GET" if "GET" in route.methods else route.methods[0]
            path = pattern.removesuffix("*") + _BELOW * route.is_open
            is_enough = rules.decide(claims, method, path).allowed
            found.append((is_enough, method == "GET", (method, path, scopes, is_enough)))
    if not found:
        return "GET", f"/orders/{_BELOW}", everywhere, not rules.has_routes
    return max(found, key=lambda each: each[:2])[2]


def _placed(token_from: str) -> tuple[str, str]:
    """Return the query and curl's option that put the token where it is looked for."""
    kind, _, name = token_from.partition(":")
    if kind == "query":
        return f"?{name}=$token", ""
    if kind == "cookie":
        return "", f'-b "{name}=$token"'
    if kind == "subprotocol":
        return "", f'-H "Sec-WebSocket-Protocol: {name}, $token"'
    if kind == "header" and name.lower() != "authorization":
        return "", f'-H "{name}: $token"'
    return "", _HEADER
