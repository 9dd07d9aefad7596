"""What arrives on standard input: a token, an event."""

from __future__ import annotations

import sys

from kmsjwt.cli import terminal
from kmsjwt.errors import ConfigError

_LONGEST = 1_000_000  # characters; anything longer is no token and no event


def text(named: str, what: str) -> str:
    """Return ``named``, or standard input if it is ``-``, without white space around.

    Raises:
        ConfigError: standard input is empty or endless.
    """
    if named != "-":
        return named.strip()
    if sys.stdin is None:
        raise ConfigError(f"there is no standard input, expected {what}", code="no_stdin")
    if sys.stdin.isatty():
        terminal.say(f"paste {what}, then press Ctrl-D")
    buffer = getattr(sys.stdin, "buffer", None)
    # Any bytes will do: whoever reads on says what is wrong with them.
    read = buffer.read(_LONGEST + 1).decode("utf-8", "replace") if buffer else sys.stdin.read()
    if len(read) > _LONGEST:
        raise ConfigError(
            f"standard input has more than {_LONGEST} characters, expected {what}",
            code="stdin_too_long",
        )
    if not read.strip():
        raise ConfigError(f"standard input is empty, expected {what}", code="stdin_empty")
    return read.strip()
