"""What people paste to ``kmsjwt inspect``: any text is told about, and none is vouched for."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from fuzz import keys, tokens
from fuzz.draw import Draw, any_text
from fuzz.promises import promise
from kmsjwt import KeySet, TokenError, Verifier
from kmsjwt.cli.inspection import Diagnosis, diagnose
from kmsjwt.cli.inspection.render import as_json, as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_WRAPS = (
    "{}",
    "Bearer {}",
    "Authorization: Bearer {}",
    '"{}",',
    "https://x.example/cb#access_token={}&x=1",
    '{{"access_token": "{}"}}',
    '{{"body": "{{\\"token\\": \\"{}\\"}}"}}',
    "curl -H 'Authorization: Bearer {}' https://x.example",
    '{{"payload": "{}", "signature": "x"}}',
    "\u201c{}\u201d",
    "{}%2E",
    " \u200b{}\n",
)
_SCRAPS = (".", "=", "+", "/", " ", "\n", "%2E", '"', "\\", "{", "\u200b", "\ud800", "\x1b[2J")


def one_input(data: bytes) -> None:
    """Diagnose the text that the bytes spell, or a token wrapped and changed."""
    draw = Draw(data)
    mode = draw.below(4)
    if mode == 0:
        text = any_text(draw.rest())
    else:
        alg = draw.choose(("Ed25519", "ES256", "RS256"))
        token = tokens.good(alg)
        if mode == 1:
            header = draw.json_object({"alg": alg, "kid": "x"}, ("alg", "typ", "kid", "crit", 5))
            payload = draw.json_object({"exp": 1, "aud": []}, ("exp", "iat", "iss", 1e300, "x"))
            token = tokens.signed("Ed25519", header, payload)
        text = draw.edited(draw.choose(_WRAPS).format(token), _SCRAPS)
        text = draw.choose(_WRAPS).format(text) if mode == 3 else text
    _diagnose(text, with_keys=draw.below(2) == 0)


def seeds() -> Iterator[bytes]:
    """Return inputs to begin with."""
    for at, wrap in enumerate(_WRAPS):
        yield b"\0" + wrap.format(tokens.good("Ed25519")).encode()
        yield bytes((2, at % 3, at, 0, at))
        yield bytes((1, 0, 1, at, 1, 0, 0, at))
    for text in ("", "{", "<html>", "-----BEGIN PUBLIC KEY-----", "arn:aws:kms:x", "[[[["):
        yield b"\0" + text.encode()


@cache
def _keys() -> KeySet:
    return KeySet.from_jwks({"keys": [keys.jwk(alg) for alg in ("Ed25519", "ES256", "RS256")]})


@cache
def _verifier() -> Verifier:
    return tokens.cases()[0].fresh


def _diagnose(text: str, *, with_keys: bool) -> None:
    diagnosis = diagnose(text, now=tokens.NOW, keys=_keys() if with_keys else None)
    lines = as_text(diagnosis, tokens.NOW)
    promise(lines, "nothing is said")
    promise(all(line.isprintable() for line in lines), "a line that commands the terminal")
    told = json.dumps(as_json(diagnosis))
    promise(json.loads(told)["kind"] == diagnosis.kind, "JSON that is none")
    promise(with_keys or diagnosis.verdict != "verified", "verified without a key")
    if _is_good(text):
        _check_good(diagnosis, with_keys=with_keys)


def _is_good(text: str) -> bool:
    try:
        _verifier().verify(text)
    except TokenError:
        return False
    return True


def _check_good(diagnosis: Diagnosis, *, with_keys: bool) -> None:
    promise(diagnosis.verdict == ("verified" if with_keys else "not_checked"), "another verdict")
    promise(not diagnosis.failed, "a good token that is said to fail")
