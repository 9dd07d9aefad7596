"""From what people paste to the token in it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from kmsjwt.cli.inspection.catalogue import Finding, finding
from kmsjwt.cli.inspection.search import is_bare, tokens_in, tokens_in_json

_QUOTES = "\"'`“”‘’"  # word processors turn quotes
_STOPS = ",;"
_INVISIBLE = re.compile("[\ufeff\u200b-\u200f\u2060\u00ad]")
_HEADER = re.compile(r"(?:proxy-)?authorization\s*:\s*", re.IGNORECASE)
_BEARER = re.compile(r"bearer[\s:]+", re.IGNORECASE)
_MEMBERS = ("access_token", "id_token", "token", "jwt", "authorizationToken", "body")
_IN_URL = re.compile(r"[?#&](?:access_token|id_token|token|jwt)=([^&#\s]+)")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ROUNDS = 6  # of wrappings within each other
_PLACES = 3  # that are named


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
    if not is_bare(text):
        text = _chosen(tokens_in(text), "the text", found) or text
    together = "".join(text.split())
    if together != text:
        found.append(finding("white_space", "white space or line breaks inside the token"))
    return together, None, _once(found)


def _unwrapped(text: str, found: list[Finding]) -> tuple[str, dict[str, Any] | None]:
    bare = _INVISIBLE.sub("", text)
    if bare != text:
        found.append(finding("white_space", "invisible characters in the text"))
    bare = bare.strip()
    if bare[:1] in ("{", "["):
        return _from_json(bare, found)
    for pattern, code, fact in (
        (_HEADER, "authorization_header", "it begins with the header's name, Authorization:"),
        (_BEARER, "bearer_prefix", "it begins with Bearer"),
    ):
        matched = pattern.match(bare)
        if matched:
            found.append(finding(code, fact))
            return bare[matched.end() :], None
    unquoted = bare.strip(_QUOTES + _STOPS + "\\")
    if unquoted != bare and (bare[0] in _QUOTES + "\\" or is_bare(unquoted)):
        found.append(finding("quotes", "quotes or a comma around it"))
        return unquoted, None
    return _from_url(bare, found), None


def _from_url(text: str, found: list[Finding]) -> str:
    if len(text.split()) != 1:
        return text
    in_url = _IN_URL.search(text)
    if in_url:
        found.append(finding("wrapped", "a URL with a token in it"))
        return in_url[1]
    if _PERCENT.search(text) and "." in unquote(text):
        found.append(finding("percent_encoded", "characters written as %XX"))
        return unquote(text)
    return text


def _from_json(text: str, found: list[Finding]) -> tuple[str, dict[str, Any] | None]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text, None
    members = value if isinstance(value, dict) else {}
    if isinstance(members.get("payload"), str) and {"signature", "signatures"} & members.keys():
        return "", members
    token = _chosen(tokens_in_json(value), "JSON", found)
    if token:
        return token, None
    for name in _MEMBERS:
        if isinstance(members.get(name), str):
            found.append(finding("wrapped", f"a JSON object with a token in its member {name}"))
            return members[name], None
    return text, None


def _chosen(tokens: dict[str, str], where: str, found: list[Finding]) -> str:
    """Return the first of the tokens found, none if there is none, and say what was done."""
    if not tokens:
        return ""
    places = list(tokens.values())
    if len(tokens) == 1:
        found.append(finding("wrapped", f"found inside other text ({where}, {places[0]})"))
    else:
        more = ", …" if len(places) > _PLACES else ""
        named = ", ".join(places[:_PLACES]) + more
        found.append(finding("several", f"{len(tokens)} tokens in {where}: {named}"))
    return next(iter(tokens))


def _once(found: list[Finding]) -> list[Finding]:
    return list({each.code: each for each in reversed(found)}.values())[::-1]
