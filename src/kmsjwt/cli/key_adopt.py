"""``kmsjwt key adopt``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.options import add_command, duration
from kmsjwt.cli.ring_options import add_settings, settings_of

if TYPE_CHECKING:
    from argparse import Namespace

    from kmsjwt.authority.adopt import Adoption

_TOLD = ("ring", "alias", "arn", "spec", "alg", "max_lifetime")


def add(commands: Any) -> None:
    """Add ``key adopt``."""
    parser = add_command(
        commands,
        "adopt",
        _adopt,
        help="make a KMS key that is there already the first of a ring; safe to run again",
        example="kmsjwt key adopt auth arn:aws:kms:eu-central-1:111122223333:key/ID --dry-run",
    )
    parser.add_argument("name", metavar="NAME", help="the ring, such as auth")
    parser.add_argument("key", metavar="KEY", help="the key: its ARN, or its id")
    parser.add_argument("--dry-run", action="store_true", help="check, and change nothing")
    parser.add_argument(
        "--before",
        type=duration,
        metavar="TIME",
        help="the longest lifetime of the tokens that it has signed so far (24h)",
    )
    add_settings(parser)
    parser.add_argument("--region", metavar="REGION", help="AWS Region of a key not named by ARN")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _adopt(args: Namespace) -> int:
    from kmsjwt.authority.adopt import adopt

    adoption = adopt(
        args.name,
        args.key,
        region=args.region,
        changes=settings_of(args),
        alg=args.alg,
        **({} if args.before is None else {"before": args.before}),
        dry_run=args.dry_run,
    )
    kid = _kid(adoption, args.region)
    if args.json:
        told = {name: getattr(adoption, name) for name in _TOLD}
        terminal.answer_json({**told, "kid": kid, "new": adoption.is_new, "dry_run": args.dry_run})
        return terminal.GOOD
    terminal.say(f"{adoption.alias} {_what(adoption, dry_run=args.dry_run)}")
    rows = [
        ["arn", adoption.arn],
        ["alias", adoption.alias],
        ["alg", adoption.alg],
        ["kid", kid],
        ["lifetime", _longest(adoption)],
    ]
    for line in terminal.table(rows):
        terminal.answer(line)
    terminal.say("its live tokens stay good where they name it by this kid; its key policy stays")
    if not args.dry_run:
        terminal.say(f"next: kmsjwt key rotate {adoption.ring} --issuer URL --to PLACE")
    return terminal.GOOD


def _what(adoption: Adoption, *, dry_run: bool) -> str:
    if not adoption.is_new:
        return "is there already"
    return "would be new" if dry_run else "is new"


def _longest(adoption: Adoption) -> str:
    if adoption.max_lifetime is None:
        return "its tags do not say, or cannot be seen yet"
    return f"{adoption.max_lifetime} s at most"


def _kid(adoption: Adoption, region: str | None) -> str:
    """Return what tokens of a ring call the key."""
    from kmsjwt.key_names import KeyReference
    from kmsjwt.kms.client import client_for
    from kmsjwt.kms.public import fetch

    key = KeyReference.parse(adoption.arn)
    return fetch(client_for(key, None, region), key, adoption.alg, "thumbprint").public.kid
