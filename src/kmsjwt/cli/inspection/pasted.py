"""From what people paste to the token in it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from kmsjwt.cli.inspection.catalogue import Finding, finding

_QUOTES = "\"'`“”‘’"  # word processors turn quotes
_INVISIBLE = re.compile("[\ufeff\u200b-\u200f\u2060\u00ad]")
_HEADER = re.compile(r"(?:proxy-)?authorization\s*:\s*", re.IGNORECASE)
_BEARER = re.compile(r"bearer[\s:]+", re.IGNORECASE)
_MEMBERS = ("access_token", "id_token", "token", "jwt", "authorizationToken", "body")
_IN_URL = re.compile(r"[?#&](?:access_token|id_token|token|jwt)=([^&#\s]+)")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ROUNDS = 6  # of wrappings within each other


def token_in(text: str) -> tuple[str, dict[str, Any] | None, list[Finding]]:
    """Return the bare token, or the members of a JWS in its JSON form, and what was around it."""
    found: list[Finding] = []
    for _ in range(_ROUNDS):
        unwrapped, json_form = _unwrapped(text, found)
        if json_form is not None:
            return "", json_form, _once(found)
        if unwrapped == text:
            break
        text = unwrapped
    together = "".join(text.split())
    if together != text:
        found.append(finding("white_space", "white space or line breaks inside the token"))
    return together, None, _once(found)


def _unwrapped(text: str, found: list[Finding]) -> tuple[str, dict[str, Any] | None]:
    bare = _INVISIBLE.sub("", text)
    if bare != text:
        found.append(finding("white_space", "invisible characters in the text"))
    bare = bare.strip()
    if bare[:1] == "{":
        return _from_object(bare, found)
    for pattern, code, fact in (
        (_HEADER, "authorization_header", "it begins with the header's name, Authorization:"),
        (_BEARER, "bearer_prefix", "it begins with Bearer"),
    ):
        matched = pattern.match(bare)
        if matched:
            found.append(finding(code, fact))
            return bare[matched.end() :], None
    if bare[:1] in _QUOTES or bare[-1:] in _QUOTES:
        unquoted = bare.strip(_QUOTES + "\\")
        if unquoted != bare:
            found.append(finding("quotes", "quotes around it"))
            return unquoted, None
    in_url = _IN_URL.search(bare)
    if in_url:
        found.append(finding("wrapped", "a URL with a token in it"))
        return in_url[1], None
    if _PERCENT.search(bare) and "." in unquote(bare):
        found.append(finding("percent_encoded", "characters written as %XX"))
        return unquote(bare), None
    return bare, None


def _from_object(text: str, found: list[Finding]) -> tuple[str, dict[str, Any] | None]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text, None
    if not isinstance(value, dict):
        return text, None
    if isinstance(value.get("payload"), str) and ("signature" in value or "signatures" in value):
        return "", value
    for name in _MEMBERS:
        if isinstance(value.get(name), str):
            found.append(finding("wrapped", f"a JSON object with a token in its member {name}"))
            return value[name], None
    return text, None


def _once(found: list[Finding]) -> list[Finding]:
    return list({each.code: each for each in reversed(found)}.values())[::-1]
