"""``kmsjwt verify``: the claims of a token, if every check passes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import inputs, terminal
from kmsjwt.cli.keys import add_key_options, key_source, settle
from kmsjwt.cli.options import add_command, duration, names, number, require
from kmsjwt.errors import KmsJwtError, MalformedToken, UnknownKey, UntrustedToken
from kmsjwt.key_names import is_alias

if TYPE_CHECKING:
    from argparse import Namespace

    from kmsjwt.verifier import VerifiedToken

_ANY = "ANY"


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "verify",
        _verify,
        help="check a token and print its claims",
        example="kmsjwt verify --jwks https://id.example/.well-known/jwks.json \\\n"
        "              --issuer https://id.example --audience orders - < token.txt",
    )
    parser.add_argument(
        "token", metavar="TOKEN", nargs="?", help="the token, a file with it, or - for stdin"
    )
    add_key_options(parser, jwks=True)
    option = parser.add_argument
    option("--issuer", metavar="URL", help="the iss it must have, or ANY")
    option(
        "--audience",
        action="append",
        metavar="NAME",
        help="what its aud must name, or ANY; may be repeated: one is enough",
    )
    option("--typ", action="append", metavar="TYP", help="accepted typ, or ANY (JWT, at+jwt)")
    option(
        "--leeway", type=number(0, 300), metavar="SECONDS", help="clock difference to forgive (30)"
    )
    option("--max-lifetime", type=duration, metavar="TIME", help="longest exp - iat (24h)")
    option(
        "--verify",
        choices=("local", "kms"),
        help="with the public key here, or by asking KMS (local)",
    )
    option(
        "--json",
        action="store_true",
        help="print the header beside the claims, or the error as JSON",
    )


def _verify(args: Namespace) -> int:
    try:
        return _checked(args)
    except KmsJwtError as error:
        if args.json:
            told = {"code": error.code, "message": error.message, "fix": terminal.fix_of(error)}
            terminal.answer_json({"error": told})
        raise


def _checked(args: Namespace) -> int:
    from kmsjwt._encoding import plain

    settle(args)
    require(args, "token", ("key", "jwks"), "issuer", "audience")
    verified = _verified(args, inputs.text(args.token, "the token"))
    left = verified.claims["exp"] - time.time()
    kid = terminal.printable(verified.kid)
    terminal.say(f"ok · {verified.alg} · kid {kid} · expires in {left:.0f} s")
    unchecked = [name for name in ("issuer", "audience", "typ") if _is_any(getattr(args, name))]
    if unchecked:
        terminal.warn(f"not checked, since ANY was said: {', '.join(unchecked)}")
    terminal.answer_json(verified.to_dict() if args.json else plain(verified.claims))
    return 0


def _verified(args: Namespace, token: str) -> VerifiedToken:
    from kmsjwt.expectations import ANY, DEFAULT_LEEWAY, DEFAULT_MAX_LIFETIME, DEFAULT_TYP
    from kmsjwt.verifier import Verifier

    verifier = Verifier(
        key_source(args),
        issuer=_or_any(args.issuer, args.issuer),
        audience=_or_any(args.audience, names(args.audience)),
        typ=_or_any(args.typ, names(args.typ) or DEFAULT_TYP),
        leeway=DEFAULT_LEEWAY if args.leeway is None else args.leeway,
        max_lifetime=args.max_lifetime or DEFAULT_MAX_LIFETIME,
        algorithms=[args.alg] if args.alg else ANY,
    )
    try:
        return verifier.verify(token)
    except UnknownKey as error:
        if args.key and any(map(is_alias, names(args.key))):
            error.fix = (
                "an alias names one key, the one that signs now: name the token's own key by id"
            )
        raise
    except (MalformedToken, UntrustedToken) as error:
        error.fix = error.fix or "kmsjwt inspect says all there is to say about a token"
        raise


def _or_any(given: str | list[str] | None, otherwise: Any) -> Any:
    from kmsjwt.expectations import ANY

    return ANY if _is_any(given) else otherwise


def _is_any(given: str | list[str] | None) -> bool:
    return (names(given) if isinstance(given, list) else [given]) == [_ANY]
