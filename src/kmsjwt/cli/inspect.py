"""``kmsjwt inspect``: what a token is, and why libraries refuse it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import inputs, terminal
from kmsjwt.cli.keys import add_key_options, key_set, settle
from kmsjwt.cli.options import add_command
from kmsjwt.cli.terminal import exit_code
from kmsjwt.errors import KmsJwtError

if TYPE_CHECKING:
    from argparse import Namespace

    from kmsjwt.keys import KeySet


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "inspect",
        _inspect,
        help="say what a token is and why libraries refuse it; needs no configuration",
        example="pbpaste | kmsjwt inspect -          or just kmsjwt inspect -, and paste\n"
        "kmsjwt inspect event.json           the token in it is found\n"
        "kmsjwt inspect --jwks https://id.example/.well-known/jwks.json - < token.txt",
    )
    parser.add_argument(
        "token", metavar="TOKEN", help="anything with a token in it, a file, or - for stdin"
    )
    add_key_options(parser, jwks=True)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _inspect(args: Namespace) -> int:
    from kmsjwt.cli.inspection import diagnose
    from kmsjwt.cli.inspection.render import as_json, as_text

    settle(args)
    token = inputs.text(args.token, "the token")
    keys, trouble = _keys(args)
    now = time.time()
    diagnosis = diagnose(token, now=now, keys=keys)
    if trouble is not None:
        diagnosis.reason = "the keys could not be had"
    if args.json:
        terminal.answer_json(as_json(diagnosis))
    else:
        for line in as_text(diagnosis, now):
            terminal.answer(line)
    if diagnosis.failed:
        return 1
    return exit_code(trouble) if trouble else 0


def _keys(args: Namespace) -> tuple[KeySet | None, KmsJwtError | None]:
    """Return the keys, or why there are none: most of a diagnosis needs none."""
    if not (args.key or args.jwks):
        return None, None
    try:
        return key_set(args), None
    except KmsJwtError as error:
        terminal.print_error(error)
        return None, error
