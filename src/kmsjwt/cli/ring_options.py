"""Options that several commands about rings share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.cli.options import algorithm_name, duration, wait

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from kmsjwt.authority.publishers import Publisher

_SETTINGS = {
    "period": "how long a key signs before its successor is made (30d)",
    "max_lifetime": "the longest lifetime of a token; issuers refuse a longer one (24h)",
    "signer_refresh": "the longest time a signer goes on with the key it looked up (1h)",
    "document_max_age": "max-age of the JWKS, a CDN's included; with --to kms at least 5m (5m)",
    "consumer_cache": "the longest time a consumer keeps a JWKS; HTTP API 2h, unknown 24h (24h)",
}


def add_settings(parser: ArgumentParser) -> None:
    """Add the options that `settings_of` reads."""
    group = parser.add_argument_group("settings of a new key, as 15m, PT1H or 900")
    for name, about in _SETTINGS.items():
        flag = f"--{name.replace('_', '-')}"
        kind = wait if name == "consumer_cache" else duration
        group.add_argument(flag, type=kind, metavar="TIME", help=about)
    group.add_argument(
        "--alg", type=algorithm_name, metavar="ALG", help="algorithm of an RSA key (RS256)"
    )
    group.add_argument(
        "--bundle",
        action="store_true",
        help="consumers have the JWKS in their bundle: wait for kmsjwt key confirm",
    )


def settings_of(args: Namespace) -> dict[str, Any]:
    """Return the settings that were named, for `kmsjwt.rotation.RingSettings`."""
    names = (*_SETTINGS, "alg")
    named = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    return {**named, "bundle": True} if args.bundle else named


def add_publisher(parser: ArgumentParser) -> None:
    """Add the options that `publisher_of` reads."""
    group = parser.add_argument_group("where consumers read the public keys")
    group.add_argument("--issuer", metavar="URL", help="the iss of the tokens")
    group.add_argument(
        "--to",
        metavar="PLACE",
        help="where documents are written: a folder, s3://BUCKET/PREFIX, or kms if all who verify"
        " read the ring there; without it, the jwks function publishes",
    )
    group.add_argument(
        "--public",
        action="store_true",
        help="read back from the issuer's URL too; the default without --to",
    )
    group.add_argument(
        "--cdn", metavar="ID", help="the CloudFront distribution before the issuer's URL"
    )


def publisher_of(args: Namespace) -> Publisher:
    """Return what publishes the ring's keys.

    Raises:
        ConfigError: the options make no sense together.
    """
    from kmsjwt.authority.publishers import publisher_for

    return publisher_for(
        args.name,
        to=args.to,
        issuer=args.issuer,
        public=args.public,
        cdn=args.cdn,
        region=args.region,
    )
