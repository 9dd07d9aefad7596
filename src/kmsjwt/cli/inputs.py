"""What a word of the command line stands for: itself, a file, or standard input."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

from kmsjwt.cli import terminal
from kmsjwt.errors import ConfigError

_LONGEST = 1_000_000  # bytes; anything longer is no token and no event


def text(named: str, what: str) -> str:
    """Return what ``named`` stands for, without white space around.

    ``-`` is standard input, and the name of a file that is there is the file; a token, which is
    longer than names of files and has no reason to be one, is itself.

    Args:
        named: the word.
        what: what it is to be, for messages: ``the token``.

    Raises:
        ConfigError: it is empty or endless.
        OSError: the file cannot be read.
    """
    if named == "-":
        return _checked(_standard_input(what), "standard input", what)
    if os.path.lexists(named):
        with open(named, "rb") as file:  # noqa: PTH123  a pipe such as /dev/fd/63 will do, too
            contents = _decoded(file)
        terminal.say(f"read from {terminal.printable(named)}")
        return _checked(contents, named, what)
    return _checked(named, "the argument", what)


def _standard_input(what: str) -> str:
    if sys.stdin is None:
        raise ConfigError(f"there is no standard input, expected {what}", code="no_stdin")
    if sys.stdin.isatty():
        terminal.say(f"paste {what}, then press Ctrl-D")
    return _decoded(sys.stdin.buffer)


def _decoded(stream: BinaryIO) -> str:
    # Any bytes will do: whoever reads on says what is wrong with them.
    return stream.read(_LONGEST + 1).decode("utf-8", "replace")


def _checked(contents: str, where: str, what: str) -> str:
    if len(contents) > _LONGEST:
        raise ConfigError(
            f"{where} has more than {_LONGEST} characters, expected {what}", code="stdin_too_long"
        )
    if not contents.strip():
        raise ConfigError(
            f"{where} is empty, expected {what}",
            code="stdin_empty",
            fix=f"give {what} itself, a file, or - for standard input",
        )
    return contents.strip()
