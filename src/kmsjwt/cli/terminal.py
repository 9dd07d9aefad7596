"""What is written where: answers to standard output, everything for people to standard error."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from kmsjwt.errors import ConfigError, KmsJwtError, TokenError

if TYPE_CHECKING:
    from collections.abc import Sequence

GOOD, FAILED, WRONG_USAGE, CANNOT_KNOW = 0, 1, 2, 3
"""The exit codes."""

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1"}
# Base64url of '{"' begins nearly every JWS and JWE; else three long segments give one away.
# Quotes go along: what was cut short has lost its second one.
_TOKEN = re.compile(
    r"['\"]?(?:eyJ[A-Za-z0-9_+/=-]{5,}(?:\.[A-Za-z0-9_+/=-]*)*…?"
    r"|[A-Za-z0-9_+/=-]{16,}(?:\.[A-Za-z0-9_+/=-]{16,}){2,})['\"]?"
)
_A_JWKS = 'a JWKS is {"keys": [...]}; write one with: kmsjwt jwks --key KEY'
# By code: the command line's fix where the library's is for those who program,
_FIXES_INSTEAD = {
    "alias_to_verify": "name its key by ARN: kmsjwt key list NAME --json shows it",
    "no_region": "set --region or AWS_REGION; without an account: kmsjwt local run -- COMMAND",
}
# and where the library has none.
_FIXES_BESIDES = {
    "jwks_connection": "see that the URL is right and its server runs, or give --jwks a file",
    "jwks_malformed": _A_JWKS,
    "jwks_no_usable_key": _A_JWKS,
    "lifetime": "shorten --lifetime, or raise --max-lifetime, which is 24h at most",
}
_LINE = 1_000


def exit_code(error: KmsJwtError) -> int:
    """Return the exit code that an error of ours means."""
    if isinstance(error, TokenError):
        return FAILED
    return CANNOT_KNOW if error.retryable else WRONG_USAGE


def answer(text: str) -> None:
    """Write the answer, one line, to standard output.

    Raises:
        ConfigError: standard output is closed or full.
        BrokenPipeError: whoever read it is gone.
    """
    if sys.stdout is None:
        raise ConfigError("standard output is closed", fix="leave it open, or send it to a file")
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ConfigError(f"standard output takes no more: {error.strerror}") from error


def answer_json(value: object) -> None:
    """Write the answer as JSON: indented for people, on one line for pipes."""
    indent = 2 if _is_terminal(sys.stdout) else None
    lines = json.dumps(value, indent=indent, ensure_ascii=False).split("\n")
    text = "\n".join(map(printable, lines))  # JSON's own escapes, for what commands a terminal
    answer(text if _can_say(sys.stdout, text) else json.dumps(value, indent=indent))


def say(text: str) -> None:
    """Write a line for people to standard error; if it takes none, nobody is there to tell."""
    if sys.stderr is not None:
        with suppress(OSError):
            _write(sys.stderr, text)


def warn(text: str) -> None:
    """Tell what is not as it should be, and hinders nothing."""
    say(f"{paint('warning:', 'yellow', sys.stderr)} {without_tokens(text)}")


def print_error(error: KmsJwtError) -> None:
    """Tell an error in at most three lines, or several with a line for each, free of token text."""
    faults = error.faults if isinstance(error, ConfigError) else ()
    told = f"{len(faults)} things are wrong" if len(faults) > 1 else error.message
    say(f"{paint('error:', 'red', sys.stderr)} {without_tokens(told)}")
    for fault in faults if len(faults) > 1 else ():
        say(f"  {without_tokens(fault)}")
    fix = fix_of(error)
    if fix:
        say(f"  fix: {without_tokens(fix)}")


def fix_of(error: KmsJwtError) -> str | None:
    """Return what to do next, as the command line says it."""
    return _FIXES_INSTEAD.get(error.code) or error.fix or _FIXES_BESIDES.get(error.code)


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
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not _is_terminal(stream):
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines whose columns are aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def silence(stream: TextIO) -> None:
    """Point a stream at nothing: whoever read it is gone."""
    with suppress(OSError, ValueError):  # a test's replacement has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _write(stream: TextIO, text: str) -> None:
    if not _can_say(stream, text):
        encoding = stream.encoding or "ascii"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    try:
        stream.write(text + "\n")
        stream.flush()
    except OSError:
        silence(stream)  # what is left in its buffer would fail again at exit
        raise


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _can_say(stream: TextIO | None, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True
