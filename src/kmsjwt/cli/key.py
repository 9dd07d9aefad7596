"""``kmsjwt key create`` and ``kmsjwt key list``; the other commands of keys are beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.cli import key_adopt, key_delete, key_rotate, terminal
from kmsjwt.cli.key_policy import add_key_policy, key_policy_of
from kmsjwt.cli.options import KEY_SPECS, add_command, key_spec
from kmsjwt.cli.ring_options import add_settings, settings_of
from kmsjwt.errors import ConfigError
from kmsjwt.key_names import key_id

if TYPE_CHECKING:
    from argparse import Namespace

    from kmsjwt.rotation import Generation, Ring


def add(commands: Any) -> None:
    """Add ``key`` and its own commands."""
    parser = add_command(
        commands,
        "key",
        lambda args: args.parser.error("expected create, adopt, list, rotate, confirm or delete"),
        help="make, adopt, list, rotate and delete the KMS keys that sign",
        example="kmsjwt key create auth\nkmsjwt key rotate auth --dry-run --issuer URL --to PLACE",
    )
    its_commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_create(its_commands)
    key_adopt.add(its_commands)
    _add_list(its_commands)
    key_rotate.add(its_commands)
    key_delete.add(its_commands)


def _add_create(commands: Any) -> None:
    parser = add_command(
        commands,
        "create",
        _create,
        help="make a key with its aliases alias/NAME/1 and alias/NAME; safe to run again",
        example="kmsjwt key create auth\n"
        "kmsjwt local run -- kmsjwt key create auth     without an AWS account",
    )
    parser.add_argument("name", metavar="NAME", help="auth, alias/auth and ring:auth are the same")
    specs = ", ".join(KEY_SPECS)
    parser.add_argument("--spec", type=key_spec, metavar="SPEC", help=f"{specs} (default RSA_2048)")
    parser.add_argument(
        "--multi-region",
        action="store_true",
        help="make a multi-Region key, which may be replicated; its successors will be such too",
    )
    add_key_policy(parser)
    add_settings(parser)
    _add_common(parser)


def _add_list(commands: Any) -> None:
    parser = add_command(
        commands,
        "list",
        _list,
        help="show the keys of each ring, newest first, and where each is in its life",
        example="kmsjwt key list auth",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="rings, such as auth")
    parser.add_argument(
        "--all",
        action="store_true",
        help="find every ring by listing all aliases of the account and Region"
        " (the default on a local KMS)",
    )
    parser.add_argument(
        "--orphans",
        action="store_true",
        help="list keys instead that were made for a ring and never got its alias,"
        " by listing all keys of the account and Region",
    )
    _add_common(parser)


def _add_common(parser: Any) -> None:
    parser.add_argument("--region", metavar="REGION", help="AWS Region")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _create(args: Namespace) -> int:
    from kmsjwt.kms.ring.create import DEFAULT_SPEC, create_ring

    policy = key_policy_of(args, spec=args.spec or DEFAULT_SPEC)
    key = create_ring(
        args.name,
        spec=args.spec,
        settings=settings_of(args),
        multi_region=args.multi_region,
        policy=policy,
        region=args.region,
    )
    terminal.say(f"{key.alias} is {'new' if key.created else 'there already'}")
    if policy is not None and not key.created:
        terminal.warn(
            "its key policy stays as it is; another one:"
            f" aws kms put-key-policy --key-id {key.arn} --policy file://FILE"
        )
    if args.json:
        terminal.answer_json({"arn": key.arn, "alias": key.alias, "kid": key.kid})
        return 0
    for line in terminal.table([["arn", key.arn], ["alias", key.alias], ["kid", key.kid]]):
        terminal.answer(line)
    return 0


def _list(args: Namespace) -> int:
    from kmsjwt import aws
    from kmsjwt.key_names import ring_name

    names = [ring_name(name) for name in args.names]
    client = aws.kms_client(args.region)
    return _list_orphans(args, client, names) if args.orphans else _list_rings(args, client, names)


def _list_rings(args: Namespace, client: Any, names: list[str]) -> int:
    from kmsjwt.kms.ring.reading import read

    rings = [read(client, name, since=False).ring for name in _wanted(args, client, names)]
    for ring in rings:
        for doubt in (ring.doubt, *(each.doubt for each in ring.generations)):
            if doubt:
                terminal.warn(doubt)
    newest_first = [(ring, each) for ring in rings for each in reversed(ring.generations)]
    if args.json:
        terminal.answer_json([_as_json(ring, generation) for ring, generation in newest_first])
        return 0
    if not newest_first:
        terminal.say("no ring found; make one with: kmsjwt key create NAME")
        return 0
    rows = [["alias", "stage", "state", "spec", "born", "kid", "key"]]
    rows += [_as_row(ring, generation) for ring, generation in newest_first]
    for line in terminal.table(rows):
        terminal.answer(line)
    return 0


def _wanted(args: Namespace, client: Any, names: list[str]) -> list[str]:
    from kmsjwt.aws import is_local
    from kmsjwt.kms.ring.finding import ring_names

    if names:
        return names
    if args.all or is_local(client):
        return ring_names(client)
    raise ConfigError(
        "no ring is named, expected names such as auth",
        code="missing_option",
        fix="kmsjwt key list auth, or --all to list every alias of the account",
    )


def _list_orphans(args: Namespace, client: Any, names: list[str]) -> int:
    from kmsjwt.kms.ring.finding import orphans

    found = list(orphans(client, frozenset(names)))
    if args.json:
        terminal.answer_json(
            [{name: getattr(each, name) for name in sorted(each.__slots__)} for each in found]
        )
        return 0
    if not found:
        terminal.say("no key without an alias was found")
        return 0
    rows = [["ring", "made as", "state", "born", "key"]]
    rows += [
        [each.ring, each.generation, each.state, each.created[:10], each.arn] for each in found
    ]
    for line in terminal.table(rows):
        terminal.answer(line)
    for each in found:
        name = f"alias/{each.ring}/{each.generation}"
        told = "was never published, and may go: aws kms schedule-key-deletion --key-id"
        if each.published:
            told = f"lost {name}, name it anew: aws kms create-alias --alias-name {name}"
            told += " --target-key-id"
        terminal.say(f"{told} {each.arn}")
    return 0


def _as_json(ring: Ring, generation: Generation) -> dict[str, Any]:
    from kmsjwt.kms.ring.names import generation_alias
    from kmsjwt.kms.ring.tags import moment

    marks = {
        name: moment(getattr(generation.marks, name))
        for name in ("published", "draining", "retired", "compromised", "disabled")
        if getattr(generation.marks, name) is not None
    }
    return {
        "ring": ring.name,
        "generation": generation.number,
        "alias": generation_alias(ring.name, generation.number),
        "arn": generation.arn,
        "kid": generation.kid,
        "spec": generation.spec,
        "state": generation.state,
        "stage": ring.stage(generation),
        "signing": generation.number == ring.signing,
        "created": moment(generation.born),
        **marks,
    }


def _as_row(ring: Ring, generation: Generation) -> list[str]:
    told = _as_json(ring, generation)
    return [
        told["alias"],
        told["stage"],
        told["state"],
        told["spec"],
        told["created"][:10],
        told["kid"] or "-",
        key_id(told["arn"]),
    ]
