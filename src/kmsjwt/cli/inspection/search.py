"""Tokens inside other text: a log line, a command, an HTTP answer, an event."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# How base64url of `{"`, `{ ` and `{` with a line break begin: a header is a JSON object.
_BEGIN = r"e(?:y[AJ]|w[0ok])"
_CHARACTERS = "[A-Za-z0-9_=+/-]"
_SEGMENT, _SEGMENT_OF_PATH = r"[\w+/-]*+={0,2}", r"[\w-]*+={0,2}"
# After a slash it is a part of a path, and the next slash ends it; elsewhere "/" may be base64.
_TOKEN = re.compile(
    rf"(?<=/){_BEGIN}{_SEGMENT_OF_PATH}(?:\.{_SEGMENT_OF_PATH}){{0,3}}\.(?=\w){_SEGMENT_OF_PATH}"
    rf"|(?<![\w./+-]){_BEGIN}{_SEGMENT}(?:\.{_SEGMENT}){{0,3}}\.(?=[\w+/-]){_SEGMENT}",
    re.ASCII,
)
_WHOLE = re.compile(rf"{_CHARACTERS}*(?:\.{_CHARACTERS}*)*")
_STARTED = re.compile(rf"{_BEGIN}[^\s,;&<>()|\[\]{{}}\"'`\\]*")
_LONGEST_PLACE = 60


def is_bare(text: str) -> bool:
    """Tell whether nothing but a token, or what should be one, is there: no other text."""
    if _WHOLE.fullmatch(text) or _STARTED.fullmatch(text):
        return True
    lines = [line.strip() for line in text.splitlines()]
    together = "".join(lines)
    return (
        together.count(".") in (2, 4)
        and _WHOLE.fullmatch(together) is not None
        and _STARTED.match(together) is not None
        and _are_parts(lines)
    )


def _are_parts(lines: list[str]) -> bool:
    """Tell whether lines are one token broken up, not a token and a word or another token."""
    if any(map(_is_signed, lines[1:])):
        return False
    widths = {len(line) for line in lines[:-1]}
    return not _is_signed(lines[0]) or (len(widths) == 1 and len(lines[-1]) <= max(widths))


def _is_signed(line: str) -> bool:
    return line.count(".") >= 2 and _TOKEN.fullmatch(line) is not None


def tokens_in(text: str) -> dict[str, str]:
    """Return the distinct tokens in a text, each with the line it first stands on."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        for token in _TOKEN.findall(line):
            found.setdefault(token, f"line {number}")
    return found


def tokens_in_json(value: Any) -> dict[str, str]:
    """Return the distinct tokens in a JSON value, each with the member it first stands in."""
    found: dict[str, str] = {}
    for place, text in _texts(value):
        for token in tokens_in(text):
            found.setdefault(token, f"member {place[:_LONGEST_PLACE]}")
    return found


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Yield every text in a JSON value with the way to it, such as ``headers.authorization``."""
    left: list[tuple[str, Any]] = [("", value)]  # no recursion: the nesting is anybody's
    while left:
        place, inner = left.pop()
        if isinstance(inner, str):
            yield place, inner
        elif isinstance(inner, dict):
            members = [(f"{place}.{name}".lstrip("."), each) for name, each in inner.items()]
            left += reversed(members)
        elif isinstance(inner, list):
            left += reversed([(f"{place}[{at}]", each) for at, each in enumerate(inner)])
