"""``kmsjwt local gateway``: an API on this machine, guarded as API Gateway would guard it."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.local_options import add_common, region_of
from kmsjwt.cli.local_printed import printed
from kmsjwt.cli.local_tries import tries
from kmsjwt.cli.options import add_command, named_as_typed, number
from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping

    from kmsjwt.cli.local_api import Api, Decisions
    from kmsjwt.local import LocalKms
    from kmsjwt.local.http import Running
    from kmsjwt.rules import Rules

PORT = 4600
KINDS = ("rest_token", "rest_request", "http_api_v1", "http_api_v2")
RING = "demo"
TTL = 300
"""Seconds that answers are kept: the default of REST APIs."""

_KEYS = ("KMSJWT_KEY", "KMSJWT_KEYS", "KMSJWT_JWKS", "KMS_KEY_ID")
_DEFAULTS = {"KMSJWT_ISSUER": "https://id.example", "KMSJWT_AUDIENCE": "orders"}
_SOURCES = {"header": "header.{}", "query": "querystring.{}", "cookie": "header.Cookie"}


def add(commands: Any) -> None:
    """Add the command to those of ``local``."""
    parser = add_command(
        commands,
        "gateway",
        serve,
        help="serve an API whose authorizer is asked, cached and obeyed as by API Gateway",
        example="kmsjwt local gateway --rules rules.toml     in one shell, and in another\n"
        f"{tries(f'127.0.0.1:{PORT}')}\n\n"
        "The authorizer is the ready-made one by this environment (KMSJWT_...). Where that names\n"
        "no key, one is made in a local KMS. Each request is told on standard error.",
    )
    parser.add_argument(
        "--port",
        type=number(0, 65_535),
        metavar="N",
        help=f"port on 127.0.0.1, 0 for any free one ({PORT})",
        default=argparse.SUPPRESS,
    )
    parser.add_argument("--kind", choices=KINDS, help="whose events and answers (rest_token)")
    parser.add_argument("--rules", metavar="FILE", help="rules for the ready-made authorizer")
    parser.add_argument("--authorizer", metavar="MODULE:NAME", help="an authorizer of your own")
    parser.add_argument("--cache-ttl", metavar="TIME", help=f"how long answers are kept ({TTL}s)")
    add_common(parser, "the key lives here between runs", default=argparse.SUPPRESS)
    parser.set_defaults(functions_refuse_misspellings=True)
    parser.usage = (
        "kmsjwt local gateway [--port N] [--kind KIND] [--rules FILE | --authorizer MODULE:NAME]\n"
        "       [--cache-ttl TIME] [--folder DIR] [--region REGION]"
    )


def serve(args: Namespace) -> int:
    """Serve until interrupted."""
    from kmsjwt.local import LocalKms, http

    if args.words_after_dashes is not None:
        args.parser.error("a command was given, expected none: the gateway is asked over HTTP")
    if args.authorizer and "rules" in args.given:
        args.parser.error(
            "--rules are the ready-made authorizer's, expected no --authorizer beside"
        )
    with LocalKms(region=region_of(args), folder=args.folder) as kms:
        environ, client = _environ(args, kms)
        with named_as_typed(args):
            api = _api(args, environ, client)
        http.serve(
            kms,
            port=PORT if args.port is None else args.port,
            mounts={"/": api},
            announce=partial(_announce, args, environ),
        )
    return terminal.GOOD


def _environ(args: Namespace, kms: LocalKms) -> tuple[dict[str, str], LocalKms | None]:
    """Return the functions' environment, and the local KMS if their key is there."""
    environ = dict(os.environ)
    environ.pop("KMSJWT_CALLERS", None)  # POST /token calls the function directly
    given = {"KMSJWT_RULES": args.rules, "KMSJWT_CACHE_TTL": args.cache_ttl}
    environ |= {name: value for name, value in given.items() if value}
    environ |= {k: value for k, value in _DEFAULTS.items() if not environ.get(k, "").strip()}
    if any(environ.get(name, "").strip() for name in _KEYS):
        return environ, None
    from kmsjwt.kms.ring.create import create_ring

    made = create_ring(RING, client=kms)
    return {**environ, "KMSJWT_KEY": made.alias, "KMSJWT_KEYS": made.arn}, kms


def _api(args: Namespace, environ: Mapping[str, str], client: LocalKms | None) -> Api:
    from kmsjwt.cli.local_api import Api, Decisions, backend
    from kmsjwt.handlers import issue, jwks
    from kmsjwt.handlers._durations import seconds
    from kmsjwt.testing import Gateway

    decisions = Decisions()
    kind = args.kind or KINDS[0]
    written = environ.get("KMSJWT_CACHE_TTL", "").strip() or str(TTL)
    simple = kind == "http_api_v2" and environ.get("KMSJWT_RESPONSE", "").strip() == "simple"
    authorizer = _authorizer(args, environ, client, decisions)
    ttl = seconds(written)
    if ttl is None:  # one of the user's own looks at none of this
        raise ConfigError(
            f"KMSJWT_CACHE_TTL is {shown(written)}, expected such as 5m, PT5M or 300",
            code="gateway_setting",
        )
    made = partial(
        Gateway,
        kind=kind,
        response="simple" if simple else "iam",
        identity_source=_identity(kind, environ, simple=simple),
        backend=backend,
    )
    settings: dict[str, Any] = {"environ": environ, "client": client, "log": decisions}
    return Api(
        made(decisions.of(authorizer), ttl=ttl),
        decisions,
        uncached=None if args.authorizer else made(authorizer, ttl=0),
        issue=issue.build(**settings) if _signs(environ) else None,
        in_state=partial(_in_state, environ, client),
        jwks=jwks.build(**settings),
    )


def _signs(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name, "").strip() for name in ("KMSJWT_KEY", "KMS_KEY_ID"))


def _in_state(environ: Mapping[str, str], client: LocalKms | None, asked: Mapping[str, Any]) -> str:
    from kmsjwt.cli.local_tokens import token_in_state
    from kmsjwt.handlers._environment import Environment
    from kmsjwt.handlers._issue_settings import IssueSettings
    from kmsjwt.kms import KmsSigner

    settings = IssueSettings(Environment(environ), authenticates=False)
    signer = KmsSigner(
        settings.key.name,
        client=client,
        region=settings.region,
        alg=settings.alg,
        kid="key-id" if settings.kid == "key-id" else "thumbprint",
    )
    return token_in_state(
        asked,
        signer.current(),
        issuer=settings.issuer,
        audience=settings.audience[0],
        lifetime=settings.lifetime,
    )


def _authorizer(
    args: Namespace, environ: Mapping[str, str], client: LocalKms | None, log: Decisions
) -> Callable[..., dict[str, Any]]:
    if args.authorizer:
        with printed(log):
            return _printing(_imported(args.authorizer), log)
    from kmsjwt.handlers import authorizer

    return authorizer.build(environ=environ, client=client, log=log)


def _printing(
    handler: Callable[..., dict[str, Any]], log: Decisions
) -> Callable[..., dict[str, Any]]:
    def asked(event: object, context: object) -> dict[str, Any]:
        with printed(log):
            return handler(event, context)

    return asked


def _imported(named: str) -> Callable[..., dict[str, Any]]:
    module, _, name = named.partition(":")
    try:
        sys.path.insert(0, str(os.getcwd()))  # noqa: PTH109  as `python -m` has it
        found = getattr(import_module(module), name)
    except Exception as error:
        raise ConfigError(
            f"--authorizer is {shown(named)}, which cannot be imported: {error}",
            code="authorizer_import",
            fix="name a module of this folder and its handler: --authorizer app:handler",
        ) from error
    if not callable(found):
        raise ConfigError(
            f"--authorizer is {shown(named)}, which is {shown(found)}, expected a handler",
            code="authorizer_import",
        )
    handler: Callable[..., dict[str, Any]] = found
    return handler


def _identity(kind: str, environ: Mapping[str, str], *, simple: bool) -> tuple[str, ...]:
    """Return the identity sources that a careful owner of the API would name."""
    named = environ.get("KMSJWT_TOKEN_FROM", "").strip() or "header:Authorization"
    place, _, name = named.partition(":")
    request = "$request" if kind.startswith("http") else "method.request"
    source = f"{request}.{_SOURCES.get(place, 'header.Authorization').format(name)}"
    return (source, "$context.routeKey") if simple else (source,)


def _announce(args: Namespace, environ: Mapping[str, str], server: Running) -> None:
    who = args.authorizer or "ready-made"
    rules = environ.get("KMSJWT_RULES", "").strip() or "none: any valid token may use every route"
    terminal.say(
        f"for development only · {args.kind or KINDS[0]} · authorizer {who}"
        + ("" if args.authorizer else f" · rules {rules}")
        + " · stop with Ctrl-C · try:"
    )
    terminal.say(
        tries(
            server.endpoint_url,
            token_from=environ.get("KMSJWT_TOKEN_FROM", "").strip(),
            rules=None if args.authorizer else _rules(environ),
            has_tokens=_signs(environ),
        )
    )
    terminal.answer(server.endpoint_url)


def _rules(environ: Mapping[str, str]) -> Rules | None:
    from kmsjwt.rules import read_rules

    named = environ.get("KMSJWT_RULES", "").strip()
    return read_rules(named) if named else None
