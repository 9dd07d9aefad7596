"""``kmsjwt compat``: will the consumers accept what an issuer publishes?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import inputs, terminal
from kmsjwt.cli.options import add_command, duration, names, wait
from kmsjwt.errors import ConfigError, JwksUnavailable, shown

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from kmsjwt.authority.compat import Facts, Row, TokenFacts
    from kmsjwt.authority.compat.running import Run

_COLOURS = {"ok": "green", "warn": "yellow", "unknown": "dim", "no": "red"}
_HEAD = ("consumer", "verdict", "why", "source")


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "compat",
        _compat,
        help="say which consumers will accept what an issuer publishes",
        example="kmsjwt compat https://id.example --token - < token.txt\n"
        "kmsjwt compat ./public --consumer http-api --consumer alb",
    )
    parser.add_argument(
        "place", metavar="ISSUER|FOLDER", help="the issuer's URL, or a folder with .well-known"
    )
    option = parser.add_argument
    option("--token", metavar="TOKEN", help="judge this token too: itself, a file, or - for stdin")
    option(
        "--consumer",
        action="append",
        metavar="NAME",
        help="judge only this one; may be repeated: http-api, rest-api, alb, appsync, iam-oidc, "
        "aws-jwt-verify, powertools",
    )
    option(
        "--consumer-cache",
        type=wait,
        metavar="TIME",
        help="how long the rotation takes a consumer to keep the JWKS (24h)",
    )
    option(
        "--document-max-age",
        type=duration,
        metavar="TIME",
        help="how long it takes the document to be kept on its way (5m)",
    )
    option(
        "--node-modules",
        metavar="FOLDER",
        help="run the aws-jwt-verify that is installed there, with the node of the PATH",
    )
    option("--json", action="store_true", help="print JSON instead of a table")


def _compat(args: Namespace) -> int:
    from kmsjwt.authority.compat import Timing, judge

    consumers = _consumers(args.consumer)
    modules = _modules(args.node_modules)
    facts = _facts(args.place)
    token = _token(facts, inputs.text(args.token, "the token")) if args.token else None
    timing = Timing(
        **{
            name: getattr(args, name)
            for name in ("consumer_cache", "document_max_age")
            if getattr(args, name) is not None
        }
    )
    runs = _runs(facts, token, consumers, modules)
    rows = judge(facts, timing=timing, token=token, runs=runs, consumers=consumers)
    if args.json:
        terminal.answer_json(_as_json(facts, rows))
    else:
        _print_table(rows)
    return 1 if any(row.verdict == "no" for row in rows) else 0


def _consumers(given: list[str] | None) -> list[str]:
    from kmsjwt.authority.compat import CONSUMERS

    wanted = names(given)
    for name in wanted:
        if name not in CONSUMERS:
            raise ConfigError(
                f"--consumer is {shown(name)}, expected one of {', '.join(CONSUMERS)}",
                code="compat_consumer",
            )
    return [name for name in CONSUMERS if not wanted or name in wanted]


def _modules(folder: str | None) -> tuple[str, Path] | None:
    """Return Node and the folder of its packages, if they are to be used."""
    if not folder:
        return None
    from shutil import which

    node, modules = which("node"), Path(folder)
    if node is None:
        raise ConfigError(
            "node is not on the PATH, and --node-modules needs it", code="compat_node"
        )
    if not (modules / "aws-jwt-verify" / "package.json").is_file():
        raise ConfigError(
            f"{folder!a} has no aws-jwt-verify, expected a node_modules with it",
            code="compat_node",
            fix="npm install aws-jwt-verify, and name the node_modules it made",
        )
    return node, modules


def _facts(place: str) -> Facts:
    from kmsjwt.authority.compat import from_folder, from_issuer

    if "://" in place:
        try:
            return from_issuer(place)
        except JwksUnavailable as error:
            error.fix = error.fix or "both documents have to be public; or name their folder"
            raise
    folder = Path(place)
    if not folder.is_dir():
        raise ConfigError(
            f"{place!a} is neither an https URL nor a folder",
            code="compat_folder",
            fix="kmsjwt compat https://id.example, or the folder that holds .well-known",
        )
    return from_folder(folder)


def _token(facts: Facts, text: str) -> TokenFacts:
    """Check a token with the published keys: what is no good here is no good anywhere."""
    from kmsjwt.authority.compat import TokenFacts
    from kmsjwt.expectations import ANY
    from kmsjwt.jwks import StaticKeys
    from kmsjwt.verifier import Verifier

    if facts.key_set is None:
        raise ConfigError(
            "no published key can be used here, so the token cannot be checked",
            code="compat_token",
            fix="leave --token out to see what is wrong with the keys",
        )
    issuer = ANY if facts.issuer is None else facts.issuer
    verifier = Verifier(
        StaticKeys(facts.key_set), issuer=issuer, audience=ANY, typ=ANY, max_lifetime=ANY
    )
    return TokenFacts.of(text, verifier.verify(text))


def _runs(
    facts: Facts,
    token: TokenFacts | None,
    consumers: Sequence[str],
    modules: tuple[str, Path] | None,
) -> dict[str, Run]:
    from kmsjwt.authority.compat import running

    listed = running.trials(facts, token, now=int(time.time()))
    found: dict[str, Run | None] = {}
    if "powertools" in consumers:
        found["powertools"] = running.powertools(facts, listed)
    if "aws-jwt-verify" in consumers and modules is not None:
        node, folder = modules
        found["aws-jwt-verify"] = running.aws_jwt_verify(facts, listed, node=node, modules=folder)
        if found["aws-jwt-verify"] is None:
            terminal.warn("aws-jwt-verify would not run, so its row is judged by its rules")
    return {name: run for name, run in found.items() if run is not None}


def _print_table(rows: Sequence[Row]) -> None:
    lines = [line for row in rows for line in _lines(row)]
    plain = [tuple(map(terminal.printable, line)) for line in lines]
    for number, text in enumerate(terminal.table([_HEAD, *plain])):
        terminal.answer(_coloured(text, lines[number - 1]) if number else text)
    terminal.say(_summary(rows))


def _lines(row: Row) -> list[tuple[str, str, str, str]]:
    """Return what is told of a consumer: what is wrong line by line, what is right on one."""
    told = row.told
    if row.verdict == "ok":
        why = " · ".join(each.why for each in told)
        sources = "; ".join(dict.fromkeys(each.source for each in told if each.source))
        return [(row.title, row.verdict, why, sources)]
    first, *more = [(each.why, each.source or "-") for each in told]
    return [(row.title, row.verdict, *first), *(("", "", *each) for each in more)]


def _coloured(text: str, line: tuple[str, str, str, str]) -> str:
    title, verdict = line[:2]
    if not verdict:
        return text
    begin = text.index(verdict, len(title))
    end = begin + len(verdict)
    return text[:begin] + terminal.paint(verdict, _COLOURS[verdict]) + text[end:]


def _summary(rows: Sequence[Row]) -> str:
    unknown = sum(row.verdict == "unknown" for row in rows)
    return (
        f"{len(rows)} consumer{'s' * (len(rows) != 1)}, {unknown} unknown for want of a source · "
        "judged by what is written of them, not by asking AWS"
    )


def _as_json(facts: Facts, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "issuer": facts.issuer,
        "unknown": sum(row.verdict == "unknown" for row in rows),
        "consumers": [
            {
                "consumer": row.consumer,
                "title": row.title,
                "verdict": row.verdict,
                "findings": [
                    {
                        "verdict": each.verdict,
                        "what": each.what,
                        "why": each.why,
                        "source": each.source,
                    }
                    for each in row.findings
                ],
            }
            for row in rows
        ],
    }
