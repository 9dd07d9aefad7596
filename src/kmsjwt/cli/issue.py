"""``kmsjwt issue``: a token, signed by KMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from kmsjwt.cli import terminal
from kmsjwt.cli.options import add_command, algorithm_name, claims, duration, names, require

if TYPE_CHECKING:
    from argparse import Namespace

    from kmsjwt.issuer import IssuedToken
    from kmsjwt.kms.public import Kid


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "issue",
        _issue,
        help="print a token signed by a KMS key",
        example="kmsjwt issue --key alias/auth --issuer https://id.example --audience orders \\\n"
        "             --subject ala --lifetime 15m --claim tenant=t1 --claim level:=3",
    )
    option = parser.add_argument
    option("--key", metavar="KEY", help="KMS key: id, ARN, alias/NAME or alias ARN")
    option("--issuer", metavar="URL", help="the iss claim")
    option("--audience", action="append", metavar="NAME", help="the aud claim; may be repeated")
    option("--subject", metavar="NAME", help="the sub claim")
    option("--lifetime", type=duration, metavar="TIME", help="15m, PT1H30M or seconds (15m)")
    option(
        "--max-lifetime", type=duration, metavar="TIME", help="longest --lifetime to allow (24h)"
    )
    option(
        "--claim",
        action="append",
        metavar="NAME=TEXT",
        help="a further claim, or NAME:=JSON; may be repeated",
    )
    option("--client-id", metavar="ID", help="makes an OAuth access token (RFC 9068), at+jwt")
    option(
        "--alg", type=algorithm_name, metavar="ALG", help="algorithm of an RSA key (default RS256)"
    )
    option("--kid", choices=("thumbprint", "key-id"), help="how to name the key (thumbprint)")
    option("--region", metavar="REGION", help="AWS Region, if the key is not named by ARN")
    option("--json", action="store_true", help="print the token with its jti, kid and expiry")


def _issue(args: Namespace) -> int:
    require(args, "key", "issuer", "audience", "subject")
    issued = _issued(args)
    terminal.say(
        f"kid {issued.kid} · {issued.alg} · jti {issued.jti} · expires in {issued.expires_in} s"
    )
    if args.json:
        terminal.answer_json(
            {
                "access_token": issued.token,
                "token_type": "Bearer",
                "expires_in": issued.expires_in,
                "jti": issued.jti,
                "kid": issued.kid,
                "kms_request_id": issued.kms_request_id,
            }
        )
    else:
        terminal.answer(issued.token)
    return 0


def _issued(args: Namespace) -> IssuedToken:
    from kmsjwt.issuer import DEFAULT_LIFETIME, MAX_LIFETIME, Issuer
    from kmsjwt.kms import KmsSigner

    added = claims(args.claim)
    signer = KmsSigner(
        args.key,
        region=args.region,
        alg=args.alg,
        kid=cast("Kid", args.kid or "thumbprint"),
    )
    longest = args.max_lifetime or MAX_LIFETIME
    issuer = Issuer(
        args.issuer, signer, lifetime=min(DEFAULT_LIFETIME, longest), max_lifetime=longest
    )
    audience = names(args.audience)
    return issuer.issue(
        sub=args.subject,
        aud=audience[0] if len(audience) == 1 else audience,
        lifetime=args.lifetime,
        claims=added,
        client_id=args.client_id,
    )
