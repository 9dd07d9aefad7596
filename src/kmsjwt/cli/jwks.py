"""``kmsjwt jwks``: the public keys, as verifiers want them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.keys import add_key_options, kms_keys, settle
from kmsjwt.cli.options import add_command, require

if TYPE_CHECKING:
    from argparse import Namespace


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "jwks",
        _jwks,
        help="print the public keys of KMS keys as a JWKS",
        example="kmsjwt jwks --key alias/auth > jwks.json",
    )
    add_key_options(parser, jwks=False)


def _jwks(args: Namespace) -> int:
    from kmsjwt.jwks import jwks_document

    settle(args)
    require(args, "key")
    document = jwks_document(kms_keys(args))
    for jwk in document["keys"]:
        terminal.say(f"kid {jwk['kid']} · {jwk['alg']} · {jwk['kty']}")
    terminal.answer_json(document)
    return 0
