"""The options that say what key policy a new key gets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kmsjwt.cli.options import names
from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_DEFAULT, _SPLIT = "default", "split"


def add_key_policy(parser: ArgumentParser) -> None:
    """Add the options that `key_policy_of` reads."""
    group = parser.add_argument_group("key policy of a new key")
    group.add_argument(
        "--key-policy",
        metavar="POLICY",
        help="a file with what kmsjwt iam key-policy prints; split, to have that made here;"
        " or default, KMS's own (default)",
    )
    group.add_argument("--account", metavar="ID", help="with split: the account of the keys")
    group.add_argument(
        "--may-sign",
        action="append",
        metavar="ARN",
        help="with split: a role that alone may sign; may be repeated",
    )


def key_policy_of(args: Namespace, *, spec: str | None) -> str | None:
    """Return the key policy of the next key as JSON; None for KMS's own.

    Args:
        args: the command line as parsed, with ``--alg`` and ``--region`` too.
        spec: the key spec of the next key, if it is known.

    Raises:
        ConfigError: it cannot be read or made.
    """
    wanted = args.key_policy or _DEFAULT
    if args.may_sign and wanted != _SPLIT:
        raise ConfigError("--may-sign goes with --key-policy split alone", code="key_policy")
    if wanted == _DEFAULT:
        return None
    return _split(args, spec) if wanted == _SPLIT else _read(wanted)


def _split(args: Namespace, spec: str | None) -> str:
    from kmsjwt._encoding import to_json
    from kmsjwt.algorithms import for_key_spec
    from kmsjwt.authority import iam
    from kmsjwt.authority.iam_guard import key_policy
    from kmsjwt.authority.iam_names import Place

    environ = os.environ
    region = args.region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not (args.account and region and spec):
        missing = {"--account": args.account, "--region": region, "--spec": spec}
        told = " and ".join(flag for flag, value in missing.items() if not value)
        raise ConfigError(
            f"--key-policy is split, and not said is {told}",
            code="key_policy",
            fix="name it, or a file: kmsjwt iam key-policy --account ID --region REGION > FILE",
        )
    statements = key_policy(
        Place(region, args.account),
        algs=[for_key_spec(spec, args.alg).name],
        may_sign=names(args.may_sign),
    )
    return to_json(iam.policy(statements)).decode("utf-8")


def _read(file: str) -> str:
    from kmsjwt._encoding import Undecodable, read_json_object

    expected = "expected a JSON object with a Statement"
    try:
        raw = Path(file).read_bytes()
        policy = read_json_object(raw)
    except OSError as error:
        raise _unusable(f"{shown(file)} cannot be read: {error.strerror}, {expected}") from None
    except Undecodable as error:
        raise _unusable(f"{shown(file)} is no JSON object: {error}, {expected}") from None
    if not policy.get("Statement"):
        raise _unusable(f"{shown(file)} has no Statement, {expected}")
    return raw.decode("utf-8")


def _unusable(what: str) -> ConfigError:
    return ConfigError(
        f"the key policy {what}",
        code="key_policy",
        fix="kmsjwt iam key-policy --account ID --region REGION > FILE",
    )
