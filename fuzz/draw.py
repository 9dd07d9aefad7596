"""Choices made by the fuzzer's bytes, so that few of them reach far into the code.

When the bytes are used up, every choice is the first one: any input is a whole input.
"""

from __future__ import annotations

import json
import struct
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    T = TypeVar("T")

# JSON that is none, or that parsers read differently.
ODD = (
    "NaN",
    "-Infinity",
    "1e400",
    "1e-400",
    "-0",
    "-0.0",
    "01",
    "1.",
    "+1",
    "'x'",
    "tru",
    '"\\ud800"',
    '"\\udd11\\ud83d"',
    '"\\ud83d\\udd11"',
    '"\\u0000"',
    '"\\u00e9"',
    '"\t"',
    '"\\x"',
    '{"\\ud800":1}',
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":1}',
    "1.8e9",
    "1800000000.5",
    "18446744073709551617",
)


class Draw:
    """Takes the fuzzer's bytes from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes, fewer at the end."""
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def rest(self) -> bytes:
        """Return all bytes that are left."""
        return self.take(len(self._data))

    def below(self, bound: int) -> int:
        """Return a number from 0 to ``bound - 1``."""
        return int.from_bytes(self.take(1 if bound <= 256 else 2), "big") % bound

    def choose(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.below(len(options))]

    def chunk(self) -> bytes:
        """Return up to 255 bytes."""
        return self.take(self.below(256))

    def text(self) -> str:
        """Return any text, halves of surrogate pairs among it."""
        return any_text(self.chunk())

    def value(self, known: Sequence[Any], depth: int = 3) -> Any:
        """Return a JSON value: one of ``known``, or any other."""
        kind = self.below(9 if depth else 7)
        if kind == 0:
            return self.choose(known)
        if kind == 1:
            return self.choose((None, True, False, 0, 1, -1, "", 2**53, 10**30))
        if kind == 2:
            return self.text()
        if kind == 3:
            return int.from_bytes(self.take(4), "big", signed=True)
        if kind == 4:
            return self._number()
        if kind in (5, 6):
            return self.choose(known)
        if kind == 7:
            return [self.value(known, depth - 1) for _ in range(self.below(4))]
        return {self.name(known): self.value(known, depth - 1) for _ in range(self.below(4))}

    def name(self, known: Sequence[Any]) -> str:
        """Return the name of a member: a known text, or any other."""
        chosen = self.choose(known) if self.below(2) else self.text()
        return chosen if isinstance(chosen, str) else self.text()

    def spelled(self, known: Sequence[Any]) -> str:
        """Return a JSON value as text; one time in two, text that is nearly JSON."""
        kind = self.below(8)
        if kind < 4:
            return json.dumps(self.value(known), ensure_ascii=kind % 2 == 0)
        if kind == 4:
            depth = self.choose((1, 15, 16, 30, 31, 32, 33, 100))
            return self.choose(("[", '{"a":[')) * depth + self.choose(("", "]")) * depth
        if kind == 5:
            count = self.choose((1, 3, 16, 17, 18, 19, 309, 4300, 4301))
            return (
                self.choose(("", "-")) + self.choose("19") * count + self.choose(("", ".5", "e9"))
            )
        return self.text() if kind == 6 else self.choose(ODD)

    def json_object(self, members: Mapping[str, Any], known: Sequence[Any]) -> bytes:
        """Return an object with these members, some exchanged, as JSON or nearly so."""
        pairs = [(json.dumps(name), json.dumps(value)) for name, value in members.items()]
        for _ in range(self.choose((0, 1, 1, 2, 4))):
            at = self.below(len(pairs)) if pairs else 0
            change = self.below(5)
            if change == 0 and pairs:
                pairs[at] = (pairs[at][0], self.spelled(known))
            elif change == 1 and pairs:
                del pairs[at]
            elif change == 2 and pairs:
                pairs.append(pairs[at])
            elif change == 3:
                pairs.insert(at, (json.dumps(self.name(known)), self.spelled(known)))
            elif pairs:
                pairs[at] = (self.choose(ODD), pairs[at][1])
        if self.below(8) < 7:  # else most would be no JSON, and nothing behind be reached
            return _object(pairs, ",").encode("utf-8", "surrogatepass")
        text = _object(pairs, self.choose((",", ", ", "\r\n,\t", ",,", "\u00a0,")))
        around = self.choose(("", " ", "\n", "x", "\ufeff", "[", "\x00"))
        text = self.choose((around + text, text + around, text + text))
        encoding = self.choose(("utf-8", "utf-8", "utf-16", "utf-32-be", "latin-1"))
        return text.encode(encoding, "replace" if encoding == "latin-1" else "surrogatepass")

    def edited(self, text: str, scraps: Sequence[str]) -> str:
        """Return text with up to four places written over."""
        for _ in range(self.below(5)):
            at = self.below(len(text) + 1)
            scrap = self.choose(scraps) if self.below(2) else any_text(self.take(1))
            text = text[:at] + scrap + text[at + self.below(4) :]
        return text

    def _number(self) -> float:
        number = float(struct.unpack(">d", self.take(8).ljust(8, b"\0"))[0])
        return number if isfinite(number) else 0.5


def _object(pairs: Sequence[tuple[str, str]], comma: str) -> str:
    return "{" + comma.join(f"{name}:{value}" for name, value in pairs) + "}"


def any_text(data: bytes) -> str:
    """Return text for any bytes: UTF-8 that may hold surrogates, else Latin-1."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")
