"""Keys as the command line names them: KMS keys, a JWKS file or a URL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from kmsjwt.cli.options import algorithm_name, names, variable
from kmsjwt.errors import ConfigError
from kmsjwt.keys import KeySet

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from kmsjwt.keys import PublicKey
    from kmsjwt.kms.public import Kid
    from kmsjwt.kms.ring.keys import RingKeys
    from kmsjwt.verifier import KeySource


def add_key_options(parser: ArgumentParser, *, jwks: bool) -> None:
    """Add the options that `kms_keys` and `key_source` read."""
    parser.add_argument(
        "--key",
        action="append",
        metavar="KEY",
        help="KMS key: id, ARN, alias/NAME, alias ARN or ring:NAME; may be repeated",
    )
    if jwks:
        parser.add_argument("--jwks", metavar="FILE|URL", help="a JWKS file or https URL")
    parser.add_argument("--region", metavar="REGION", help="AWS Region of keys not named by ARN")
    parser.add_argument(
        "--alg", type=algorithm_name, metavar="ALG", help="algorithm of an RSA key (default RS256)"
    )
    parser.add_argument(
        "--kid", choices=("thumbprint", "key-id"), help="how tokens name KMS keys (thumbprint)"
    )


def settle(args: Namespace) -> None:
    """Decide between the ways to name verifying keys.

    What the command line names wins. In the environment KMSJWT_KEYS is read first, then
    KMSJWT_JWKS, then KMSJWT_KEY: the last is what signs, and may be an alias.

    Raises:
        ConfigError: --jwks together with --key, or with what is said of KMS keys alone.
    """
    for name in ("key", "kid", "region"):
        if {name, "jwks"} <= args.given:
            expected = "expected one" if name == "key" else f"expected --{name} with --key alone"
            raise ConfigError(f"--{name} and --jwks are both given, {expected}", code="two_sources")
    jwks = getattr(args, "jwks", None)
    several = os.environ.get(variable("keys"), "").split()
    if "key" in args.given:
        jwks = None
    elif "jwks" not in args.given and several:
        args.key, jwks = several, None
    elif jwks:
        args.key = None
    args.jwks = jwks


def kms_keys(args: Namespace) -> list[PublicKey]:
    """Return the public keys that ``--key`` names: an alias's of this moment, all of a ring.

    Raises:
        ConfigError: a name makes no sense, or boto3 is missing.
        CannotKnow: KMS gave out no public key, or not all of a ring.
    """
    from kmsjwt.key_names import is_ring

    named = list(dict.fromkeys(names(args.key)))
    rings = [_ring(args, name).key_set() for name in named if is_ring(name)]
    found = [_fetched(args, name) for name in named if not is_ring(name)]
    return list(dict.fromkeys([*found, *(key for ring in rings for key in ring)]))


def _fetched(args: Namespace, name: str) -> PublicKey:
    from kmsjwt.key_names import KeyReference
    from kmsjwt.kms.client import client_for
    from kmsjwt.kms.public import fetch

    key = KeyReference.parse(name)
    return fetch(client_for(key, None, args.region), key, args.alg, _kid(args)).public


def _ring(args: Namespace, name: str) -> RingKeys:
    from kmsjwt.kms import KmsKeys

    for option in ("alg", "kid"):
        if option in args.given:
            raise ConfigError(
                f"--{option} and --key {name} are both given, and a ring says it itself",
                code="ring_decides",
                fix=f"leave --{option} out",
            )
    return KmsKeys.ring(name, region=args.region)


def key_set(args: Namespace) -> KeySet:
    """Return the keys that ``--jwks`` or ``--key`` name.

    Raises:
        ConfigError: none can be used.
        CannotKnow: they could not be had.
    """
    if not args.jwks:
        return KeySet(kms_keys(args))
    source = _jwks(args)
    found: KeySet = source.key_set()
    return found


def key_source(args: Namespace) -> KeySource:
    """Return the key source for a verifier. Raises as `key_set` does."""
    if getattr(args, "verify", None) == "kms":
        return _asking_kms(args)
    if args.jwks:
        source: KeySource = _jwks(args)
        return source
    from kmsjwt.jwks import StaticKeys
    from kmsjwt.key_names import is_ring

    named = names(args.key)
    if len(named) == 1 and is_ring(named[0]):
        return _ring(args, named[0])
    return StaticKeys(KeySet(kms_keys(args)))


def _jwks(args: Namespace) -> Any:
    from kmsjwt.jwks import JwksFile, JwksUrl

    if args.jwks.lower().startswith(("https://", "http://")):
        return JwksUrl(args.jwks, alg=args.alg)
    return JwksFile(args.jwks, alg=args.alg)


def _asking_kms(args: Namespace) -> KeySource:
    from kmsjwt.kms import KmsVerify

    named = names(args.key)
    if len(named) != 1:
        raise ConfigError(
            f"--verify kms asks one key, and {len(named)} are named",
            code="verify_kms",
            fix=f"name one with --key (or {variable('key')})",
        )
    return KmsVerify(named[0], region=args.region, alg=args.alg, kid=_kid(args))


def _kid(args: Namespace) -> Kid:
    return cast("Kid", args.kid or "thumbprint")
