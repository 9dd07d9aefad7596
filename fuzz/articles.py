"""The AWS article's tokens: read by their own reader alone, and exactly as a second one reads."""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from fuzz import keys, reference, tokens
from fuzz.draw import Draw, any_text
from fuzz.promises import broken, promise
from fuzz.reference import No, b64, demand
from kmsjwt import TokenError
from kmsjwt.compact import UnverifiedToken
from kmsjwt.handlers.recipe import RecipeVerifier, StrictOrRecipe
from kmsjwt.jwks import StaticKeys
from kmsjwt.recipe import RecipeToken, check_claims

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOW = tokens.NOW
_UNTIL = _NOW + 20
_KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
_HEADER = {"alg": "RS256", "typ": "JWT", "kid": _KEY_ID}
_CLAIMS = {"user": "ala", "iat": _NOW - 60, "exp": _NOW - 60 + 86_400}
_HEADER_KNOWN = ("alg", "typ", "kid", "x", "RS256", "JWT", "none", "jwt", _KEY_ID, 1)
_CLAIMS_KNOWN = (
    *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "client_id", "orders"),
    *(_NOW, _UNTIL, _UNTIL - 1, _NOW + 30, _NOW + 31, _NOW - 30, _NOW - 29, _NOW + 86_400),
    *(0, 1, 2**53, True, None, _NOW - 60.5, ""),
)
_SCRAPS = (".", "=", "==", "+", "/", "-", "_", "A", "B", " ", "\n", "\u0661")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)


def one_input(data: bytes) -> None:
    """Read what the bytes spell or choose; the good token, edited, is verified as well."""
    draw = Draw(data)
    mode = draw.below(4)
    if mode == 0:
        _check(any_text(draw.rest()))
    elif mode == 1:
        _verify(draw.edited(_good(), _SCRAPS))
    else:
        header, payload = json.dumps(_HEADER).encode(), json.dumps(_CLAIMS).encode()
        if mode == 2:
            header = draw.json_object(_HEADER, _HEADER_KNOWN)
        else:
            payload = draw.json_object(_CLAIMS, _CLAIMS_KNOWN)
        signature = base64.b64encode(draw.take(256).rjust(256, b"\xff")).decode()
        _check(draw.edited(f"{b64(header)}.{b64(payload)}.{signature}", _SCRAPS))


def seeds() -> Iterator[bytes]:
    """Return inputs to begin with."""
    yield b"\0" + _good().encode()
    yield b"\1"
    yield b"\1\2\0\6\1\2\1"
    for change in range(6):
        yield bytes((2, change, 0, change, 0, change))
        yield bytes((3, change, 0, change, 0, change))


@cache
def _good() -> str:
    signing_input = f"{b64(json.dumps(_HEADER).encode())}.{b64(json.dumps(_CLAIMS).encode())}"
    signature = keys.sign("RS256", signing_input.encode())
    return f"{signing_input}.{base64.b64encode(signature).decode()}"


@cache
def _verifiers() -> tuple[RecipeVerifier, StrictOrRecipe]:
    source = StaticKeys({"keys": [{**keys.jwk("RS256"), "kid": _KEY_ID}]})
    article = RecipeVerifier(source, key_id=_KEY_ID, until=_UNTIL, clock=lambda: _NOW)
    return article, StrictOrRecipe(tokens.cases()[0].fresh, article)


def _check(token: str) -> None:
    """Compare the reading of everything but the signature."""
    try:
        expected = _claims(token)
    except No:
        expected = None
    try:
        parsed = RecipeToken.parse(token, (_KEY_ID,))
        claims = parsed.unverified_claims()
        check_claims(claims, until=_UNTIL, now=_NOW, leeway=30)
    except TokenError as error:
        promise(expected is None, f"refused a good token: {error}")
        promise(error.code.startswith("recipe_"), f"the code is {error.code}")
        return
    promise(expected is not None, f"accepted {token!r}")
    promise(dict(claims).keys() == (expected or {}).keys(), "read other claims")
    promise(not _is_strict(token), "both readers take it")


def _verify(token: str) -> None:
    """Verify an edited token: nothing but the good one is accepted, by either verifier."""
    for verifier in _verifiers():
        try:
            verified = verifier.verify(token)
        except TokenError as error:
            promise(token != _good(), f"refused the good token: {error}")
        else:
            if token != _good():
                broken(f"accepted {token!r}")
            promise(verified.claims["user"] == "ala", "read other claims")
    _check(token)


def _is_strict(token: str) -> bool:
    try:
        UnverifiedToken.parse(token)
    except TokenError:
        return False
    return True


def _claims(token: str) -> dict[str, Any]:
    demand(len(token) <= 4096 + 1 + 684 and token.isascii() and token.count(".") == 2)
    first, second, third = token.split(".")
    demand(second and len(first) + 1 + len(second) <= 4096)
    header = reference.json_object(reference.unb64(first))
    demand(header == _HEADER and all(map(isinstance, header.values(), (str,) * 3)))
    demand(_BASE64.fullmatch(third) and set(third) & set("+/="))
    demand(base64.b64encode(base64.b64decode(third)).decode() == third)
    claims = reference.json_object(reference.unb64(second))
    demand(not {"iss", "aud", "sub"} & set(claims))
    for name in ("jti", "client_id"):
        demand(name not in claims or (isinstance(claims[name], str) and claims[name]))
    demand(isinstance(claims.get("scope", ""), str))
    demand("iat" in claims and "exp" in claims)
    iat, exp, nbf = claims["iat"], claims["exp"], claims.get("nbf", 0)
    for date in (iat, exp, nbf):
        demand(isinstance(date, (int, float)) and not isinstance(date, bool))
        demand(0 <= date < 2**53)
    demand(iat and exp and iat < _UNTIL and iat < exp <= iat + 86_400)
    demand(exp > _NOW - 30 and max(iat, nbf) <= _NOW + 30)
    return claims
