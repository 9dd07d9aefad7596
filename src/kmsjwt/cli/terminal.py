"""What is written where: answers to standard output, everything for people to standard error."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, TextIO

from kmsjwt.errors import KmsJwtError, TokenError

if TYPE_CHECKING:
    from collections.abc import Sequence

GOOD, FAILED, WRONG_USAGE, CANNOT_KNOW = 0, 1, 2, 3
"""The exit codes."""

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1"}
# Base64url of '{"' begins nearly every JWS and JWE; else three long segments give one away.
_TOKEN = re.compile(
    r"eyJ[A-Za-z0-9_+/=-]{5,}(?:\.[A-Za-z0-9_+/=-]*)*…?"
    r"|[A-Za-z0-9_+/=-]{16,}(?:\.[A-Za-z0-9_+/=-]{16,}){2,}"
)
_LINE = 1_000


def exit_code(error: KmsJwtError) -> int:
    """Return the exit code that an error of ours means."""
    if isinstance(error, TokenError):
        return FAILED
    return CANNOT_KNOW if error.retryable else WRONG_USAGE


def answer(text: str) -> None:
    """Write the answer, one line, to standard output."""
    _write(sys.stdout, text)


def answer_json(value: object) -> None:
    """Write the answer as JSON: indented for people, on one line for pipes."""
    indent = 2 if sys.stdout.isatty() else None
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    answer(text if _can_say(sys.stdout, text) else json.dumps(value, indent=indent))


def say(text: str) -> None:
    """Write a line for people to standard error."""
    _write(sys.stderr, text)


def print_error(error: KmsJwtError) -> None:
    """Tell an error in at most three lines, free of token text."""
    say(f"{paint('error:', 'red', sys.stderr)} {without_tokens(error.message)}")
    if error.fix:
        say(f"  fix: {without_tokens(error.fix)}")


def without_tokens(text: str) -> str:
    """Return text on one bounded line, printable, with ``<token>`` where a token stood."""
    line = printable(" ".join(_TOKEN.sub("<token>", text).split()))
    return line if len(line) <= _LINE else line[:_LINE] + "…"


def printable(text: str) -> str:
    r"""Return text in which nothing commands a terminal: such characters become ``\\u001b``."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else json.dumps(character)[1:-1] for character in text
    )


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Return text in a colour, if the stream is a terminal and NO_COLOR is not set."""
    stream = sys.stdout if stream is None else stream
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines whose columns are aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def silence_stdout() -> None:
    """Point standard output at nothing: whoever read it is gone."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # a test's replacement has no descriptor
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def _write(stream: TextIO, text: str) -> None:
    if not _can_say(stream, text):
        encoding = stream.encoding or "ascii"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text + "\n")
    stream.flush()


def _can_say(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
