"""``kmsjwt doctor``: is this deployment right?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.options import add_command, names, variable
from kmsjwt.cli.terminal import CANNOT_KNOW, FAILED, GOOD

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from kmsjwt.authority.doctor import Deployment, Diagnosis, Finding

_WORDS = {"ok": "ok", "warn": "warn", "fail": "FAIL", "unknown": "??", "skip": "skip"}
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red", "unknown": "yellow", "skip": "dim"}
_FUNCTIONS = ("issue", "authorizer", "jwks", "rotate")
_OPTIONS = ("key", "ring", "jwks", "issuer", "to", "region")
_INDENT = " " * 17
_EXITS = {"fail": FAILED, "unknown": CANNOT_KNOW}


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "doctor",
        _doctor,
        help="say what is wrong with a deployment, and what to do about it",
        example="KMSJWT_KEY=ring:auth KMSJWT_ISSUER=https://id.example kmsjwt doctor\n"
        "kmsjwt doctor --function rotate --ring auth --to s3://bucket --json",
    )
    option = parser.add_argument
    option(
        "--function",
        choices=_FUNCTIONS,
        help="whose environment it is (guessed from the variables that are set)",
    )
    option("--key", action="append", metavar="KEY", help="the key that signs, or ring:NAME")
    option("--ring", metavar="NAME", help="the ring that is rotated")
    option("--jwks", metavar="FILE|URL", help="the JWKS that consumers read")
    option("--issuer", metavar="URL", help="the iss of the tokens")
    option("--to", metavar="PLACE", help="where the rotate function writes documents")
    option("--region", metavar="REGION", help="AWS Region of keys not named by ARN")
    option("--json", action="store_true", help="print JSON instead of text")


def _doctor(args: Namespace) -> int:
    from kmsjwt.authority.doctor import examine
    from kmsjwt.cli.doctor_settings import deployment

    told = _told(args)
    looked_at = deployment({**os.environ, **told}, function=args.function, given=told)
    diagnosis = examine(looked_at)
    if args.json:
        terminal.answer_json(as_json(looked_at, diagnosis))
    else:
        for finding in diagnosis.findings:
            _print(finding)
        terminal.say(_summary(diagnosis))
    return _EXITS.get(diagnosis.verdict, GOOD)


def _told(args: Namespace) -> Mapping[str, str]:
    """Return the variables that the command line gives."""
    return {
        variable(name): " ".join(names(value)) if isinstance(value, list) else value
        for name in _OPTIONS
        if name in args.given and (value := getattr(args, name))
    }


def as_json(looked_at: Deployment, diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as plain values."""
    plain = terminal.without_tokens
    return {
        "function": looked_at.function,
        "chosen_by": looked_at.chosen_by,
        "verdict": diagnosis.verdict,
        "exit_code": _EXITS.get(diagnosis.verdict, GOOD),
        "findings": [
            {
                "check": each.check,
                "verdict": each.verdict,
                "fact": plain(each.fact),
                "consequence": plain(each.consequence) or None,
                "fix": plain(each.fix) or None,
            }
            for each in diagnosis.findings
        ],
    }


def _print(finding: Finding) -> None:
    verdict = terminal.paint(_WORDS[finding.verdict].ljust(5), _COLOURS[finding.verdict])
    terminal.answer(f"{verdict} {finding.check:<10} {terminal.without_tokens(finding.fact)}")
    if finding.consequence:
        terminal.answer(f"{_INDENT}{terminal.without_tokens(finding.consequence)}")
    if finding.fix:
        terminal.answer(f"{_INDENT}fix: {terminal.without_tokens(finding.fix)}")


def _summary(diagnosis: Diagnosis) -> str:
    counted = [
        (diagnosis.count("fail"), "failed"),
        (diagnosis.count("unknown"), "not known"),
        (diagnosis.count("warn"), "warned"),
        (diagnosis.count("skip"), "skipped"),
    ]
    told = [f"{count} {word}" for count, word in counted if count] or ["all ok"]
    return f"{', '.join(told)} · exit code {_EXITS.get(diagnosis.verdict, GOOD)}"
