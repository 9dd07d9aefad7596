"""From the words on the command line to a command, and from what went wrong to an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, cast

from kmsjwt.cli import (
    bundle,
    compat,
    demo,
    doctor,
    iam,
    init,
    inspect,
    invoke,
    issue,
    jwks,
    key,
    local,
    publish,
    rules,
    terminal,
    verify,
)
from kmsjwt.cli.options import Parser, fill_from_environment, warn_of_misspellings
from kmsjwt.cli.terminal import CANNOT_KNOW, GOOD, WRONG_USAGE, exit_code
from kmsjwt.errors import ConfigError, KmsJwtError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_PIPE_CLOSED = 141  # 128 + SIGPIPE
_COMMANDS = (
    demo,
    key,
    issue,
    verify,
    inspect,
    jwks,
    publish,
    compat,
    doctor,
    iam,
    invoke,
    rules,
    init,
    bundle,
    local,
)
_EPILOG = """\
begin with:  kmsjwt demo
             kmsjwt local run -- kmsjwt key create auth
             pbpaste | kmsjwt inspect -      or just kmsjwt inspect -, and paste

Every option has an environment variable of the same name: --issuer is KMSJWT_ISSUER.
Exit codes: 0 good, 1 the token or check failed, 2 wrong usage or configuration, 3 try again."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after ``kmsjwt``; those of this process if None.

    Returns:
        The exit code. No exception leaves but those of the interpreter's own end.
    """
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except BrokenPipeError:
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED


def parser() -> Parser:
    """Return the parser of all commands."""
    top = Parser(
        prog="kmsjwt",
        description="Issue, publish, check and inspect JWTs whose private key stays in AWS KMS.",
        epilog=_EPILOG,
    )
    top.add_argument("--version", action="store_true", help="print the version and stop")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for module in _COMMANDS:
        module.add(commands)
    return top


def _run(argv: Sequence[str]) -> int:
    try:
        top = parser()
        words, command = local.split(argv)
        args = top.parse_args(words)
        args.words_after_dashes = command
        if args.version:
            return _print_version()
        if args.command is None:
            top.print_help(sys.stderr)
            return WRONG_USAGE
        return _run_command(args)
    except SystemExit as stop:  # argparse has said what is wrong, or printed the help
        return stop.code if isinstance(stop.code, int) else WRONG_USAGE
    except KmsJwtError as error:
        terminal.print_error(error)
        return exit_code(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        terminal.print_error(_of_the_system(error))
        return WRONG_USAGE
    except Exception as error:
        if os.environ.get("KMSJWT_DEBUG"):
            raise
        terminal.print_error(_unexpected(error))
        return CANNOT_KNOW


def _run_command(args: Namespace) -> int:
    if not getattr(args, "functions_refuse_misspellings", False):
        warn_of_misspellings(os.environ)
    fill_from_environment(args, os.environ)
    run = cast("Callable[[Namespace], int]", args.run)
    return run(args)


def _print_version() -> int:
    from importlib.metadata import version

    terminal.answer(version("kmsjwt"))
    return GOOD


def _of_the_system(error: OSError) -> ConfigError:
    where = f" {error.filename!r}" if error.filename else ""
    return ConfigError(f"{error.strerror or type(error).__name__}:{where or ' no file named'}")


def _unexpected(error: Exception) -> KmsJwtError:
    # Its text may hold anything, a token too: the type alone is named.
    return KmsJwtError(
        f"{type(error).__name__} was raised, which should not have happened",
        code="unexpected",
        fix="set KMSJWT_DEBUG=1 to see where, and report it without the token",
    )
