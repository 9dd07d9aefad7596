"""Base64url and JSON: read exactly as a second, plain reading does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fuzz import reference
from fuzz.draw import ODD, Draw
from fuzz.promises import broken, promise
from kmsjwt import _encoding

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODES = ("utf8", "json", "duplicate_member", "depth", "not_object")
_KNOWN: tuple[object, ...] = ("a", "", "\u00e9", [], {}, 1.5, "\ud83d\udd11")


def one_input(data: bytes) -> None:
    """Read the bytes as base64url, as JSON, or as choices that make JSON."""
    draw = Draw(data)
    mode = draw.below(3)
    if mode == 0:
        _base64url(draw.rest())
    elif mode == 1:
        _json(draw.rest())
    else:
        _json(draw.json_object({"a": 1, "b": ["x", {"c": None}]}, _KNOWN))


def seeds() -> Iterator[bytes]:
    """Return inputs to begin with."""
    for text in (
        b"",
        b"A",
        b"AA",
        b"AAA",
        b"AAAA",
        b"AB",
        b"AAB",
        b"A-_w",
        b"A+/=",
        b"AA==",
        b"A A",
    ):
        yield b"\0" + text
    for odd in ODD:
        yield b"\1" + f'{{"a":{odd},"b":[{{}}]}}'.encode()
    for raw in (b"{}", b'{"a":"\\u0061"}', b"[]", b"\xef\xbb\xbf{}", b"{} x", b'{"a":' * 33 + b"}"):
        yield b"\1" + raw
    for change in range(5):
        yield bytes((2, 1, 0, change, change))


def _base64url(text: bytes) -> None:
    try:
        expected = reference.unb64(text.decode("latin-1"))
    except reference.No:
        expected = None
    try:
        decoded = _encoding.b64url_decode(text)
    except _encoding.Undecodable as error:
        promise(expected is None, f"refused good base64url: {error}")
        promise(error.code == "base64", f"the code is {error.code}")
        return
    promise(decoded == expected, "decoded what is not the one spelling of these bytes")
    promise(_encoding.b64url_encode(decoded).encode() == text, "encoded it otherwise")


def _json(raw: bytes) -> None:
    try:
        expected = reference.json_object(raw)
    except reference.No:
        expected = None
    try:
        value = _encoding.read_json_object(raw)
    except _encoding.Undecodable as error:
        promise(expected is None, f"refused good JSON: {error}")
        promise(error.code in _CODES, f"the code is {error.code}")
        return
    if expected is None:
        broken("read what is not strict JSON")
    # As text: 1, 1.0 and True are equal in Python, and -0.0 is 0.0.
    plain = _encoding.plain(value)
    promise(json.dumps(plain) == json.dumps(expected), "read another value")
    again = _encoding.read_json_object(_encoding.to_json(plain))
    promise(json.dumps(_encoding.plain(again)) == json.dumps(expected), "wrote another value")
