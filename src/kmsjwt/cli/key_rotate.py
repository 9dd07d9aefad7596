"""``kmsjwt key rotate`` and ``kmsjwt key confirm``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.inspection.spans import span
from kmsjwt.cli.options import KEY_SPECS, add_command, key_spec
from kmsjwt.cli.ring_options import add_publication, add_settings, publication, settings_of
from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from argparse import Namespace

    from kmsjwt.authority.rotate import Report, Rotator
    from kmsjwt.rotation import Later, Step


def add(commands: Any) -> None:
    """Add both commands."""
    _add_rotate(commands)
    parser = add_command(
        commands,
        "confirm",
        _confirm,
        help="write down that every bundled copy of the JWKS has the key that is to sign next",
        example="kmsjwt key confirm auth",
    )
    parser.add_argument("name", metavar="NAME", help="the ring, such as auth")
    parser.add_argument("--region", metavar="REGION", help="AWS Region")


def _add_rotate(commands: Any) -> None:
    parser = add_command(
        commands,
        "rotate",
        _rotate,
        help="take every step of a ring's rotation that is due; safe to run at any time",
        example="kmsjwt key rotate auth --issuer https://id.example --to s3://bucket --dry-run\n"
        "kmsjwt key rotate auth --issuer https://id.example --to s3://bucket\n"
        "kmsjwt key rotate auth --issuer https://id.example --compromised KID",
    )
    parser.add_argument("name", metavar="NAME", help="the ring, such as auth")
    parser.add_argument(
        "--dry-run", action="store_true", help="print what is due and why, and change nothing"
    )
    parser.add_argument(
        "--start", action="store_true", help="begin with a new key before the period is over"
    )
    parser.add_argument(
        "--compromised",
        metavar="KID",
        help="take this key out of service at once: a kid, or a generation's number",
    )
    parser.add_argument(
        "--keep-enabled", action="store_true", help="with --compromised: do not disable the KMS key"
    )
    parser.add_argument("--spec", type=key_spec, metavar="SPEC", help=", ".join(KEY_SPECS))
    parser.add_argument("--region", metavar="REGION", help="AWS Region")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    add_publication(parser)
    add_settings(parser)


def _rotate(args: Namespace) -> int:
    _refuse_both(args)
    rotator = _rotator(args)
    if args.dry_run:
        report = rotator.preview(start=args.start)
        _tell_due(report)
    elif args.compromised:
        from kmsjwt.cli.key_withdraw import tell_consequences

        report = rotator.withdraw(args.compromised, keep_enabled=args.keep_enabled)
        tell_consequences(report)
    else:
        report = rotator.run(start=args.start)
    if args.json:
        terminal.answer_json(_as_json(report))
        return 0
    if not (report.done or report.plan.due):
        terminal.answer("nothing is due")
    for later in report.plan.later:
        terminal.answer(_of_later(later, report.ring.now))
    if report.plan.due and not args.dry_run:
        terminal.say("some steps are not seen yet in KMS: run it again in five minutes")
    for arn in report.orphans:
        terminal.warn(f"{arn} was made too late by this run, and may be deleted")
    return 0


def _refuse_both(args: Namespace) -> None:
    if args.compromised and (args.start or args.dry_run):
        raise ConfigError(
            "--compromised acts at once, and goes with neither --start nor --dry-run",
            code="rotate_options",
        )
    if args.keep_enabled and not args.compromised:
        raise ConfigError("--keep-enabled goes with --compromised alone", code="rotate_options")


def _rotator(args: Namespace) -> Rotator:
    from kmsjwt.authority.rotate import Rotator

    return Rotator(
        args.name,
        publication(args),
        region=args.region,
        spec=args.spec,
        changes=settings_of(args),
        tell=None if args.json else _tell_done,
    )


def _tell_done(step: Step, told: str) -> None:
    terminal.answer(f"{terminal.paint('done ', 'green')} {_of_step(step)}: {step.why} · {told}")


def _tell_due(report: Report) -> None:
    for step in report.plan.due:
        terminal.answer(f"{terminal.paint('due  ', 'yellow')} {_of_step(step)}: {step.why}")


def _of_step(step: Step) -> str:
    return f"{step.action} {step.number}" if step.number else step.action


def _of_later(later: Later, now: float) -> str:
    from kmsjwt.kms.ring.tags import moment

    when = "waits" if later.at is None else f"{moment(later.at)}, in {span(later.at - now)}"
    return f"later {later.what}: {when} · {later.why}"


def _as_json(report: Report) -> dict[str, Any]:
    from kmsjwt.authority.report import as_json

    return as_json(report)


def _confirm(args: Namespace) -> int:
    from kmsjwt import aws
    from kmsjwt.authority.rotate import Rotator
    from kmsjwt.authority.unpublished import InKms
    from kmsjwt.kms.ring.names import ring_name

    name = ring_name(args.name)
    client = aws.kms_client(args.region)
    generation = Rotator(name, InKms(name, client), region=args.region).confirm()
    terminal.answer(f"generation {generation.number} of {name} may sign once its time has come")
    return 0
