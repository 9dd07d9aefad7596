"""``kmsjwt key delete``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.options import add_command, duration, number

if TYPE_CHECKING:
    from argparse import Namespace


def add(commands: Any) -> None:
    """Add ``key delete``."""
    parser = add_command(
        commands,
        "delete",
        _delete,
        help="disable a retired key and have KMS delete it after its waiting period",
        example="kmsjwt key delete auth 3 --dry-run\nkmsjwt key delete auth 3",
    )
    parser.add_argument("name", metavar="NAME", help="the ring, such as auth")
    parser.add_argument(
        "generation", metavar="N", type=number(1, 999_999_999), help="the generation's number"
    )
    parser.add_argument(
        "--retired-for",
        type=duration,
        metavar="TIME",
        help="how long it must have been retired (7d)",
    )
    parser.add_argument(
        "--window", type=number(7, 30), metavar="DAYS", help="how long KMS waits, 7 to 30 (30)"
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="also if KMS cannot say when it was last used, or somebody else disabled it",
    )
    parser.add_argument("--dry-run", action="store_true", help="check, and change nothing")
    parser.add_argument("--region", metavar="REGION", help="AWS Region")


def _delete(args: Namespace) -> int:
    from kmsjwt.authority.delete import RETIRED_FOR, WINDOW, delete

    deletion = delete(
        args.name,
        args.generation,
        region=args.region,
        retired_for=args.retired_for or RETIRED_FOR,
        window=args.window or WINDOW,
        force=args.force,
        dry_run=args.dry_run,
    )
    used = "never" if deletion.last_use is None else deletion.last_use.isoformat()
    what = f"{deletion.generation.arn} (last used: {used})"
    if deletion.date is None:
        terminal.answer(f"{what} may be deleted")
        return 0
    terminal.answer(f"{what} is deleted on {deletion.date.date().isoformat()}")
    terminal.say(
        f"until then: aws kms cancel-key-deletion --key-id {deletion.generation.arn} rescues it"
    )
    return 0
