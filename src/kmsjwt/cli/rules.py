"""``kmsjwt rules``: whether a file of rules is sound, and what it says about a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.options import add_command, claims, require
from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping

    from kmsjwt.rules import Rules

_ANY = "any valid token"
_TOO_FINE = (
    "some rules are finer than route keys: with simple answers cache nothing, and say so to the"
    " function: KMSJWT_CACHE_TTL=0"
)


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "rules",
        _rules,
        help="look whether a file of rules is sound, and what it says about a request",
        example="kmsjwt rules rules.toml\n"
        "kmsjwt rules rules.toml GET /orders/42 --claim sub=ala --claim scope=orders:read",
    )
    parser.add_argument("file", metavar="FILE", help="the rules, in TOML")
    parser.add_argument("method", metavar="METHOD", nargs="?", help="of a request to decide about")
    parser.add_argument("path", metavar="PATH", nargs="?", help="its path, without the stage")
    parser.add_argument(
        "--claim",
        action="append",
        metavar="NAME=TEXT",
        help="a claim of the token that asks, or NAME:=JSON; may be repeated",
    )
    parser.add_argument(
        "--response",
        choices=("iam", "simple"),
        help="what the authorizer answers with (default iam: a policy, which must fit)",
    )


def _rules(args: Namespace) -> int:
    from kmsjwt.rules import read_rules
    from kmsjwt.rules.routes import CONNECT

    rules = read_rules(args.file)
    _refuse_unfit(rules, is_simple=args.response == "simple")
    if args.method is None:
        for line in terminal.table(list(_listed(rules))):
            terminal.answer(line)
        return terminal.GOOD
    if args.method == CONNECT:
        return _decided(rules, claims(args.claim), CONNECT, "")
    require(args, "path")
    return _decided(rules, claims(args.claim), args.method.upper(), args.path)


def _refuse_unfit(rules: Rules, *, is_simple: bool) -> None:
    from kmsjwt.gateway.fit import tight, unfit

    if is_simple:
        if not rules.are_route_keys:
            terminal.warn(_TOO_FINE)
        return
    faults = unfit(rules)
    if faults:
        raise ConfigError("; ".join(faults), code="authorizer", faults=faults)
    for warning in tight(rules):
        terminal.warn(warning)


def _listed(rules: Rules) -> Iterator[tuple[str, str]]:
    """Return each route with what it needs, the most specific first."""
    if rules.require is not None or not rules.has_routes:
        yield "every route", _needs(rules.require)
    for route, needs in rules.ordered:
        yield route.text, _needs(needs)


def _needs(needs: object) -> str:
    return _ANY if needs is None else repr(needs)


def _decided(rules: Rules, token: Mapping[str, Any], method: str, path: str) -> int:
    ruling = rules.decide(token, method, path)
    if not ruling.allowed:
        terminal.answer(f"deny: {ruling.message}")
        return terminal.FAILED
    terminal.answer(f"allow: {_by(rules, token, method, path)}")
    return terminal.GOOD


def _by(rules: Rules, token: Mapping[str, Any], method: str, path: str) -> str:
    """Return which rule allows it: the first that covers the path."""
    from kmsjwt.rules.routes import covers

    for route, needs in rules.ordered:
        pattern = route.pattern(token) if method in route.methods else None
        if pattern is not None and covers(pattern, path):
            met = f"needs {needs!r}, which the token meets"
            return f"{route.text!r} {f'takes {_ANY}' if needs is None else met}"
    return f"every route: {_needs(rules.require)}"
