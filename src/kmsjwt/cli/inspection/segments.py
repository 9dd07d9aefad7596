"""A token's segments, read as leniently as can be, with everything that strictness would refuse."""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64
from math import isfinite
from typing import Any

from kmsjwt._encoding import Undecodable, b64url_decode, plain, read_json_object
from kmsjwt.cli.inspection.catalogue import Finding, finding

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_JSON_CODES = {
    "utf8": "not_utf8",
    "json": "not_json",
    "not_object": "not_object",
    "duplicate_member": "duplicate_member",
    "depth": "json_depth",
}


def decoded(name: str, text: bytes) -> tuple[bytes | None, list[Finding]]:
    """Return a segment's bytes, if there is any way to read them, and what is wrong with it."""
    try:
        return b64url_decode(text), []
    except Undecodable:
        pass
    found = _faults(name, text)
    try:
        body = text.translate(_TO_STANDARD).rstrip(b"=")
        return a2b_base64(body + b"=" * (-len(body) % 4), strict_mode=True), found
    except (Base64Error, ValueError):
        return None, found or [finding("base64_characters", f"the {name} cannot be decoded")]


def normalized(segment: bytes) -> bytes:
    """Return base64url without padding for whatever spelling."""
    return segment.translate(_TO_URL_SAFE).rstrip(b"=")


def json_object(name: str, raw: bytes) -> tuple[dict[str, Any] | None, list[Finding]]:
    """Return a segment's JSON object, if there is any way to read it, and what is wrong."""
    try:
        read: dict[str, Any] = plain(read_json_object(raw))
    except Undecodable as error:
        code = _JSON_CODES.get(error.code, "not_json")
        return _leniently(raw, code), [finding(code, f"the {name}: {error}")]
    return read, []


def _faults(name: str, text: bytes) -> list[Finding]:
    foreign = text.translate(None, _URL_SAFE)
    body = text.rstrip(b"=")
    standard = [chr(character) for character in b"+/" if character in body]
    if foreign.translate(None, b"+/="):
        return [
            finding("base64_characters", f"the {name} holds characters outside A-Z a-z 0-9 - _")
        ]
    if standard:
        signs = ", ".join(f'"{sign}"' for sign in [*standard, *(["="] if b"=" in text else [])])
        return [finding("base64_standard", f"the {name} is standard base64 ({signs})")]
    if len(body) % 4 == 1:
        return [finding("base64_length", f"the {name} has {len(body)} characters")]
    if b"=" in text:
        return [finding("base64_padding", f'the {name} has padding ("=")')]
    return [finding("base64_unused_bits", f"the {name}'s last character has unused bits set")]


_URL_SAFE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _leniently(raw: bytes, code: str) -> dict[str, Any] | None:
    if code == "json_depth":
        return None
    try:
        value = json.loads(
            raw.decode("utf-8", "replace"),
            parse_constant=lambda name: name,
            parse_float=lambda digits: float(digits) if isfinite(float(digits)) else digits,
        )
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
