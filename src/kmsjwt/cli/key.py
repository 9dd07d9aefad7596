"""``kmsjwt key create`` and ``kmsjwt key list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.options import KEY_SPECS, add_command, key_spec
from kmsjwt.key_names import key_id

if TYPE_CHECKING:
    from argparse import Namespace

    from kmsjwt.kms.rings import Generation


def add(commands: Any) -> None:
    """Add ``key`` and its own commands."""
    parser = add_command(
        commands,
        "key",
        lambda args: args.parser.error("expected create or list"),
        help="make and list the KMS keys that sign",
        example="kmsjwt key create auth\nkmsjwt key list auth",
    )
    its_commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_create(its_commands)
    _add_list(its_commands)


def _add_create(commands: Any) -> None:
    parser = add_command(
        commands,
        "create",
        _create,
        help="make a key with its aliases alias/NAME/1 and alias/NAME; safe to run again",
        example="kmsjwt key create auth\n"
        "kmsjwt local run -- kmsjwt key create auth     without an AWS account",
    )
    parser.add_argument("name", metavar="NAME", help="auth and alias/auth are the same")
    specs = ", ".join(KEY_SPECS)
    parser.add_argument("--spec", type=key_spec, metavar="SPEC", help=f"{specs} (default RSA_2048)")
    _add_common(parser)


def _add_list(commands: Any) -> None:
    parser = add_command(
        commands,
        "list",
        _list,
        help="show the keys of each ring, newest first",
        example="kmsjwt key list auth",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="rings, such as auth")
    parser.add_argument(
        "--all",
        action="store_true",
        help="find every ring by listing all aliases of the account and Region"
        " (the default on a local KMS)",
    )
    _add_common(parser)


def _add_common(parser: Any) -> None:
    parser.add_argument("--region", metavar="REGION", help="AWS Region")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _create(args: Namespace) -> int:
    from kmsjwt.kms.create import create_key

    key = create_key(args.name, spec=args.spec, region=args.region)
    terminal.say(f"{key.alias} is {'new' if key.created else 'there already'}")
    if args.json:
        terminal.answer_json({"arn": key.arn, "alias": key.alias, "kid": key.kid})
        return 0
    for line in terminal.table([["arn", key.arn], ["alias", key.alias], ["kid", key.kid]]):
        terminal.answer(line)
    return 0


def _list(args: Namespace) -> int:
    from kmsjwt.kms import rings

    generations = rings.read(args.names, region=args.region, everything=args.all)
    if args.json:
        terminal.answer_json([_as_json(generation) for generation in generations])
        return 0
    if not generations:
        terminal.say("no ring found; make one with: kmsjwt key create NAME")
        return 0
    rows = [["alias", "state", "spec", "signs", "born", "kid", "key"]]
    rows += [_as_row(generation) for generation in generations]
    for line in terminal.table(rows):
        terminal.answer(line)
    return 0


def _as_json(generation: Generation) -> dict[str, Any]:
    return {
        "ring": generation.ring,
        "alias": generation.alias,
        "arn": generation.arn,
        "kid": generation.kid,
        "spec": generation.spec,
        "state": generation.state,
        "signing": generation.is_signing,
        "created": generation.created,
    }


def _as_row(generation: Generation) -> list[str]:
    return [
        generation.alias,
        generation.state,
        generation.spec,
        "yes" if generation.is_signing else "-",
        generation.created[:10],
        generation.kid or "-",
        key_id(generation.arn),
    ]
