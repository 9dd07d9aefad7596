"""``kmsjwt iam``: the IAM policy of one role, and what each of its statements is for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.options import KEY_SPECS, add_command, key_spec, names, require
from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from kmsjwt.authority.iam import Statement
    from kmsjwt.authority.iam_names import Keys, Ring

_KEYS = ("key", "region", "account")
# What each role is made of; any other option is refused.
_OPTIONS = {
    "issue": (*_KEYS, "alg", "message_type"),
    "authorizer": (*_KEYS, "keys_from"),
    "verify-with-kms": (*_KEYS, "alg"),
    "jwks": _KEYS,
    "publish": (*_KEYS, "to", "issuer"),
    "rotate": (*_KEYS, "spec", "to", "issuer", "cdn"),
    "confirm": _KEYS,
    "retire": _KEYS,
    "doctor": _KEYS,
    "guard": (*_KEYS, "may_change"),
    "key-policy": ("region", "account", "alg", "may_sign", "may_change"),
}
_WHY = {
    "SignDigests": "has KMS sign a token's digest, with these algorithms alone",
    "SignMessages": "has KMS sign a token that KMS sees whole, with these algorithms alone",
    "SignMu": "has KMS sign ML-DSA's mu",
    "VerifyDigests": "has KMS check a signature over a token's digest",
    "VerifyMessages": "has KMS check a signature over a whole token",
    "VerifyMu": "has KMS check an ML-DSA signature",
    "ReadKeys": "reads the public keys; apart, since GetPublicKey never matches the conditions"
    " on signing",
    "ReadRing": "finds the ring's keys and reads them; their generation's alias says that they"
    " are the ring's",
    "FollowRing": "reads the key that signs, and from its tags what the ring asks of a signer",
    "ReadOwnKeys": "reads the ring's keys by their tag, which a key has before its alias",
    "List": "learns when the pointer moved; with kms:ListKeys, which a rotator does without, also"
    " which keys a killed run left; KMS knows no narrower resource for listing",
    "MakeGenerations": "makes signing keys of these specs, tagged as the ring's",
    "TagNewGenerations": "tags them in CreateKey, which asks for this right as well",
    "WriteFacts": "notes on a key of the ring where it is in its life; never whose it is",
    "NameGenerations": "gives a key its number, and the ring its pointer",
    "MovePointer": "moves the pointer; the numbers' aliases stay where they are",
    "AliasRingKeys": "the same rights on the keys, which KMS asks for beside those on the aliases",
    "PublishDocuments": "reads and writes the three published documents, nothing beside them",
    "TellMissing": "lets S3 say of a document that it is missing, which is else denied; needed"
    " until all three are published once",
    "InvalidateCache": "empties the CDN, when a key is compromised",
    "Confirm": "notes that every bundled copy of the JWKS has the next key",
    "SeeLastUse": "sees when a key was used last",
    "DisableKeys": "disables a key",
    "MarkWithdrawn": "notes that a key was withdrawn, and that it was us who disabled it",
    "DeleteRetiredKeys": "schedules the deletion of keys that are tagged as retired",
    "KeepAliases": "nobody else names a key into the ring, or moves what names one",
    "KeepTags": "nobody else changes what the ring's tags say",
    "KeepOut": "nobody else makes or tags a key as the ring's",
    "Administer": "IAM policies decide who administers the key, which is no use of it",
    "ReadAndCheck": "IAM policies decide who reads the public key",
    "Sign": "who may sign: the roles named, or whom IAM policies let",
    "ReadToSign": "the same roles read the public key, which a signer does first; an IAM policy of"
    " their own is needed too where they are of another account",
    "KeepKey": "nobody else changes the key's aliases and tags",
}
_NOTHING = (
    "no statement: an authorizer that reads the published JWKS over https asks KMS nothing, so its"
    " role needs no KMS permission; attach no policy. With --keys-from kms it reads KMS"
)


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "iam",
        _iam,
        help="print the IAM policy that a role needs, and not a right more",
        example="kmsjwt iam issue --key ring:auth --region eu-central-1 --account 111122223333\n"
        "kmsjwt iam rotate --key ring:auth --to s3://my-issuer \\\n"
        "    --region '${AWS::Region}' --account '${AWS::AccountId}'",
    )
    parser.add_argument("role", metavar="ROLE", choices=tuple(_OPTIONS), help=", ".join(_OPTIONS))
    parser.add_argument(
        "--key",
        action="append",
        metavar="KEY",
        help="ring:NAME, alias/NAME, or a key's ARN or id; may be repeated",
    )
    parser.add_argument("--region", metavar="REGION", help="AWS Region, or '${AWS::Region}'")
    parser.add_argument("--account", metavar="ID", help="AWS account, or '${AWS::AccountId}'")
    parser.add_argument(
        "--alg", action="append", metavar="ALG", help="may be repeated (default RS256)"
    )
    parser.add_argument(
        "--message-type",
        choices=("DIGEST", "RAW", "EXTERNAL_MU"),
        metavar="TYPE",
        help="RAW, where the signer is told so (default: each algorithm's own)",
    )
    parser.add_argument(
        "--keys-from",
        choices=("jwks", "kms"),
        metavar="WHERE",
        help="where an authorizer has its keys from: jwks or kms (default jwks)",
    )
    parser.add_argument(
        "--spec",
        action="append",
        metavar="SPEC",
        help=f"of new keys, may be repeated: {', '.join(KEY_SPECS)} (default RSA_2048)",
    )
    parser.add_argument("--to", metavar="PLACE", help="where it publishes: s3://bucket/prefix")
    parser.add_argument("--issuer", metavar="URL", help="the iss, if it has a path")
    parser.add_argument("--cdn", metavar="ID", help="the CloudFront distribution before it")
    parser.add_argument(
        "--may-change",
        action="append",
        metavar="ARN",
        help="a role that may change the ring; may be repeated",
    )
    parser.add_argument(
        "--may-sign", action="append", metavar="ARN", help="a role that may sign; may be repeated"
    )


def _iam(args: Namespace) -> int:
    from kmsjwt.authority import iam

    require(args, "role")
    _refuse_others(args)
    statements = _statements(args)
    for statement in statements:
        sid = str(statement["Sid"])
        terminal.say(f"{sid}: {_WHY[sid.rstrip('0123456789')]}")
    if not statements:
        terminal.say(_NOTHING)
    terminal.answer_json(iam.policy(statements))
    return 0


def _refuse_others(args: Namespace) -> None:
    """Refuse an option that the role is not made of, lest somebody trust in it."""
    others = sorted(args.given - {*_OPTIONS[args.role], "role"})
    if others:
        raise ConfigError(
            f"--{others[0].replace('_', '-')} says nothing about the role {args.role}",
            code="iam_option",
            fix="leave it out; the role takes "
            + ", ".join(f"--{name.replace('_', '-')}" for name in _OPTIONS[args.role]),
        )


def _statements(args: Namespace) -> list[Statement]:
    from kmsjwt.authority import iam

    of_keys = {"jwks": iam.jwks, "doctor": iam.doctor}
    of_ring = {"confirm": iam.confirm, "retire": iam.retire}
    if args.role in of_keys:
        return of_keys[args.role](_keys(args))
    if args.role in of_ring:
        return of_ring[args.role](_ring(args))
    return _RENDER[args.role](args)


def _issue(args: Namespace) -> list[Statement]:
    from kmsjwt.authority import iam

    return iam.issue(_keys(args), algs=_algs(args), message_type=args.message_type)


def _verify_with_kms(args: Namespace) -> list[Statement]:
    from kmsjwt.authority import iam

    return iam.verify_with_kms(_keys(args), algs=_algs(args))


def _authorizer(args: Namespace) -> list[Statement]:
    from kmsjwt.authority import iam

    if args.keys_from != "kms":
        return iam.authorizer()
    return iam.authorizer(_keys(args), keys_from="kms")


def _publish(args: Namespace) -> list[Statement]:
    from kmsjwt.authority import iam

    require(args, "key", "to")
    return iam.publish(_keys(args), where=args.to, issuer=args.issuer)


def _rotate(args: Namespace) -> list[Statement]:
    from kmsjwt.authority import iam
    from kmsjwt.kms.ring.create import DEFAULT_SPEC

    return iam.rotate(
        _ring(args),
        specs=[_spec(name) for name in names(args.spec)] or [DEFAULT_SPEC],
        where=args.to,
        issuer=args.issuer,
        distribution=args.cdn,
    )


def _guard(args: Namespace) -> list[Statement]:
    from kmsjwt.authority.iam_guard import guard

    return guard(_ring(args), may_change=names(args.may_change))


def _key_policy(args: Namespace) -> list[Statement]:
    from kmsjwt.authority.iam_guard import key_policy
    from kmsjwt.authority.iam_names import Place

    args.region = _region(args)
    require(args, "region", "account")
    return key_policy(
        Place(args.region, args.account),
        algs=_algs(args),
        may_sign=names(args.may_sign),
        may_change=names(args.may_change),
    )


_RENDER = {
    "issue": _issue,
    "verify-with-kms": _verify_with_kms,
    "authorizer": _authorizer,
    "publish": _publish,
    "rotate": _rotate,
    "guard": _guard,
    "key-policy": _key_policy,
}


def _algs(args: Namespace) -> Sequence[str]:
    from kmsjwt.authority.iam import DEFAULT_ALGS

    return names(args.alg) or DEFAULT_ALGS


def _spec(name: str) -> str:
    from argparse import ArgumentTypeError

    try:
        return key_spec(name)
    except ArgumentTypeError as error:
        raise ConfigError(f"--spec {error}", code="iam_keys") from None


def _region(args: Namespace) -> str | None:
    region: str | None = (
        args.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    )
    return region


def _keys(args: Namespace) -> list[Keys]:
    from kmsjwt.authority.iam_names import read_keys

    require(args, "key")
    return read_keys(names(args.key), region=_region(args), account=args.account)


def _ring(args: Namespace) -> Ring:
    from kmsjwt.authority.iam_names import Ring

    keys = _keys(args)
    if len(keys) != 1 or not isinstance(keys[0], Ring):
        raise ConfigError(
            f"the role {args.role} is of one ring, and --key names something else",
            code="iam_keys",
            fix="name the ring: --key ring:auth",
        )
    return keys[0]
