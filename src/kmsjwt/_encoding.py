"""Strict base64url and strict JSON: one spelling of each value, bounded work on any input.

Used for everything that arrives from outside: token segments, JWK members, JWKS documents.
"""

from __future__ import annotations

import json
from binascii import Error as _Base64Error
from binascii import a2b_base64, b2a_base64
from itertools import accumulate
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kmsjwt.errors import shown_type

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

MAX_DEPTH = 32
"""Deepest nesting of JSON arrays and objects that is read."""

_JSON_SPACE = " \t\n\r"  # RFC 8259 section 2
# What base64url does not have becomes what base64 does not have either, and is refused.
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_URL_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# The last character of a segment carries 4 or 2 bits that no byte uses. RFC 4648 section 3.5
# lets a decoder ignore them; then one signature would have several spellings. Indexed by the
# length modulo 4; no text has the length 1 modulo 4.
_CANONICAL_LAST = (_URL_ALPHABET, b"", b"AQgw", b"AEIMQUYcgkosw048")
_PADDING = (b"", b"", b"==", b"=")
_STEPS = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_NO_BRACKETS = bytes(set(range(256)).difference(_STEPS))


class Undecodable(ValueError):
    """The text is not what strict decoding accepts. Callers turn it into their own error."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def b64url_encode(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL_SAFE).decode("ascii")


def b64url_decode(text: bytes) -> bytes:
    """Decode base64url; refuse padding, other characters and unused bits that are set.

    Raises:
        Undecodable: ``text`` is not the one canonical spelling of some bytes.
    """
    remainder = len(text) % 4
    if text and text[-1] not in _CANONICAL_LAST[remainder]:
        raise Undecodable(_fault(text), "base64")
    try:
        return a2b_base64(text.translate(_TO_STANDARD) + _PADDING[remainder], strict_mode=True)
    except _Base64Error:
        raise Undecodable(_fault(text), "base64") from None


def _fault(text: bytes) -> str:
    if not text.translate(None, _URL_ALPHABET):
        if len(text) % 4 == 1:
            return f"length is {len(text)}, no base64url text has that length"
        return "the last character has unused bits set"
    if not text.translate(None, _URL_ALPHABET + b"+/="):
        return "it is standard base64 ('+', '/', '='), expected base64url without padding"
    if text.split() != [text]:
        return "it holds white space, expected none"
    return "it holds characters outside A-Z a-z 0-9 - _"


def read_json_object(raw: bytes) -> Mapping[str, Any]:
    """Parse one JSON object: UTF-8, no duplicate names, no NaN, no lone surrogates, bounded depth.

    The result is read-only all the way down: objects are mapping proxies, arrays are tuples.
    The caller has bounded the length.

    Raises:
        Undecodable: its code is ``utf8``, ``json``, ``duplicate_member``, ``depth`` or
            ``not_object``.
    """
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        _refuse_depth(raw)
    try:
        # json.loads(bytes) would guess UTF-16 and UTF-32 too (RFC 8725 section 3.7).
        text = raw.decode("utf-8").strip(_JSON_SPACE)
        value, end = _decoder.raw_decode(text)
    except Undecodable:
        raise
    except UnicodeDecodeError as error:
        raise Undecodable("not UTF-8", "utf8") from error
    except ValueError as error:
        raise Undecodable("not JSON", "json") from error
    if end != len(text):
        raise Undecodable("not JSON: something follows the value", "json")
    if type(value) is not MappingProxyType:
        raise Undecodable("the JSON value is no object", "not_object")
    if "\\" in text and "\\u" in text:  # looking for one character is ten times quicker
        _refuse_lone_surrogates(text)
    return value


def to_json(value: object) -> bytes:
    """Return compact UTF-8 JSON.

    Raises:
        ValueError: a value JSON has no spelling for (NaN, a lone surrogate).
        TypeError: a type JSON does not know.
    """
    return _encoder.encode(value).encode()


def plain(value: Any) -> Any:
    """Return a mutable deep copy made of dict and list alone."""
    if isinstance(value, (MappingProxyType, dict)):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def _object(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Undecodable("a member name occurs twice", "duplicate_member")
    for name, value in pairs:
        if type(value) is list:
            members[name] = _tuple(value)
    return MappingProxyType(members)


def _tuple(items: list[Any]) -> tuple[Any, ...]:
    if list not in map(type, items):
        return tuple(items)
    return tuple([_tuple(item) if type(item) is list else item for item in items])


def _no_constant(name: str) -> float:
    raise Undecodable(f"{name} is no JSON number", "json")


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise Undecodable("a number is too large", "json")
    return number


def _no_json(value: object) -> NoReturn:
    raise TypeError(f"JSON knows nothing {shown_type(value)}")  # the library asks the value itself


_encoder = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_no_json
)
_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite
)


def _refuse_depth(raw: bytes) -> None:
    """Count the brackets outside strings, so that no parser recurses on hostile depth."""
    unescaped = raw.replace(rb"\\", b"").replace(rb"\"", b"")
    outside = b"".join(unescaped.split(b'"')[::2])
    brackets = outside.translate(None, _NO_BRACKETS)
    deepest = max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
    if deepest > MAX_DEPTH:
        raise Undecodable(f"nested {deepest} deep, at most {MAX_DEPTH} is read", "depth")


def _refuse_lone_surrogates(text: str) -> None:
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise Undecodable("a string holds half of a surrogate pair", "json") from error
