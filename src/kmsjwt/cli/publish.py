"""``kmsjwt publish``: JWKS and discovery documents, to a folder or to S3."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.keys import add_key_options, key_set, settle
from kmsjwt.cli.options import add_command, duration, names, require
from kmsjwt.errors import ConfigError, PublishError, shown
from kmsjwt.key_names import is_ring, tells_account

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    from kmsjwt.keys import PublicKey
    from kmsjwt.publish import Place, Published, Publisher


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "publish",
        _publish,
        help="write the JWKS and the discovery documents to where consumers read them",
        example="kmsjwt publish --key alias/auth --issuer https://id.example --to ./site\n"
        "kmsjwt publish --key ring:auth --issuer https://id.example --to s3://bucket --dry-run",
    )
    add_key_options(parser, jwks=True)
    parser.add_argument("--issuer", metavar="URL", help="the iss of the tokens")
    parser.add_argument("--to", metavar="PLACE", help="a folder, or s3://BUCKET/PREFIX")
    parser.add_argument(
        "--document-max-age",
        type=duration,
        metavar="TIME",
        help="how long anybody may keep the documents (5m)",
    )
    parser.add_argument(
        "--remove",
        action="append",
        metavar="KID",
        help="take this key out: your own decision, its live tokens are refused; may be repeated",
    )
    parser.add_argument(
        "--public", action="store_true", help="read back from the issuer's URL as well"
    )
    parser.add_argument(
        "--cdn", metavar="ID", help="the CloudFront distribution that --public reads through"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be written, and write nothing"
    )


def _publish(args: Namespace) -> int:
    from kmsjwt.publish import Publisher, place

    settle(args)
    require(args, ("key", "jwks"), "issuer", "to")
    its_place = place(args.to, region=args.region)
    publisher = Publisher(
        its_place,
        issuer=args.issuer,
        read_from="issuer" if args.public else None,
        cdn=args.cdn,
    )
    retired, its_max_age = _of_rings(args)
    # A ring is read twice, and a key may have retired in between.
    live = [key for key in key_set(args) if key.kid not in retired]
    removed = frozenset(args.remove or ())
    _refuse_unknown(removed, publisher, live, retired)
    act = publisher.preview if args.dry_run else publisher.publish
    max_age = args.document_max_age or its_max_age
    done = act(live, retired | removed, max_age=max_age)
    _tell(done, publisher, its_place, dry_run=args.dry_run)
    if not args.dry_run:
        _read_back(publisher, live)
    return terminal.GOOD


def _of_rings(args: Namespace) -> tuple[frozenset[str], int | None]:
    """Return what the rings named by ``--key`` say: the retired kids, the shortest max-age."""
    rings = [] if args.jwks else [name for name in names(args.key) if is_ring(name)]
    if not rings:
        return frozenset(), None
    from kmsjwt import aws
    from kmsjwt.kms.ring.reading import read

    client = aws.kms_client(args.region)
    read_rings = [read(client, name, since=False).ring for name in dict.fromkeys(rings)]
    ages = [age for ring in read_rings if (age := ring.document_max_age) is not None]
    retired: frozenset[str] = frozenset().union(*(ring.retired_kids for ring in read_rings))
    return retired, min(ages, default=None)


def _refuse_unknown(
    removed: frozenset[str], publisher: Publisher, live: list[PublicKey], retired: frozenset[str]
) -> None:
    """Refuse to remove what is not there: a name may be misspelt, and its key stay."""
    if not removed:
        return
    there = publisher.preview(live, retired | removed)
    unknown = sorted(removed - set(there.removed))
    if unknown:
        raise ConfigError(
            f"--remove names {shown(unknown[0])}, which is not in the published JWKS",
            code="publish_remove",
            fix=f"it has: {', '.join(map(shown, there.kept)) or 'no key but those to publish'}",
        )


def _tell(done: Published, publisher: Publisher, place: Place, *, dry_run: bool) -> None:
    jwks = place.where(publisher.documents.jwks)
    for document in map(place.where, publisher.documents.all):
        what = "unchanged"
        if document in done.written:
            what = "would be written" if dry_run else "written"
        said = [f"{what:9}  {document}"]
        if document == jwks:
            said.append(f"kids {', '.join(done.kids)}")
            said += [f"removed {', '.join(done.removed)}"] if done.removed else []
        terminal.answer(terminal.printable(" · ".join(said)))
    for kid in done.kept:
        terminal.say(
            f"kept {shown(kid)}: it was published before, and nothing says that it is retired;"
            f" once no token of it lives: --remove {terminal.printable(quote(kid))}"
        )
        if tells_account(kid):
            terminal.warn(f"{shown(kid)} names an AWS account, an ARN or an alias, in public")


def _read_back(publisher: Publisher, live: Iterable[PublicKey]) -> None:
    missing = sorted({key.kid for key in live} - publisher.kids())
    if missing:
        raise PublishError(
            f"the kid {shown(missing[0])} is written and cannot be read back yet",
            where=publisher.documents.issuer,
            code="not_read_back",
            fix="sign nothing with it before it can: caches in between may have to run out",
            retryable=True,
        )
    terminal.say("read back: consumers that look now find every key")
