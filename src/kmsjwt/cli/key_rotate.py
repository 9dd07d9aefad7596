"""``kmsjwt key rotate`` and ``kmsjwt key confirm``."""

from __future__ import annotations

from argparse import ArgumentTypeError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.inspection.spans import span
from kmsjwt.cli.key_policy import add_key_policy, key_policy_of
from kmsjwt.cli.options import KEY_SPECS, add_command, key_spec
from kmsjwt.cli.ring_options import add_publisher, add_settings, publisher_of, settings_of
from kmsjwt.errors import CannotKnow, ConfigError

if TYPE_CHECKING:
    from argparse import Namespace

    from kmsjwt.authority.outcome import Report
    from kmsjwt.authority.rotate import Rotator
    from kmsjwt.rotation import Plan, Ring, Step


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
        type=_which,
        metavar="KID",
        help="take this key out of service at once: a kid, or a generation's number",
    )
    parser.add_argument(
        "--keep-enabled", action="store_true", help="with --compromised: do not disable the KMS key"
    )
    parser.add_argument("--spec", type=key_spec, metavar="SPEC", help=", ".join(KEY_SPECS))
    parser.add_argument("--region", metavar="REGION", help="AWS Region")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    add_publisher(parser)
    add_key_policy(parser)
    add_settings(parser)


def _which(text: str) -> str:
    # Empty means unset elsewhere: here it would mean an ordinary run, in an emergency.
    if not text.strip():
        raise ArgumentTypeError("is empty, expected a kid or the number of a generation")
    return text.strip()


def _rotate(args: Namespace) -> int:
    _refuse_unfit(args)
    rotator = _rotator(args)
    if args.dry_run:
        return _preview(args, rotator)
    if args.compromised is not None:
        report = _withdrawn(args, rotator)
    else:
        report = rotator.run(start=args.start)
    if args.json:
        from kmsjwt.authority.report import as_json

        terminal.answer_json(as_json(report))
        return terminal.GOOD
    if not report.done and not report.plan.due:
        terminal.answer("nothing is due")
    _tell_later(report.plan, report.ring)
    if report.plan.due:
        terminal.say("some steps are not seen yet in KMS: run it again in five minutes")
    for text in report.attention:
        terminal.warn(f"this does not mend itself: {text}")
    for arn in report.orphans:
        terminal.warn(f"{arn} came too late, and has no alias: delete it if nothing else uses it")
    return terminal.GOOD


def _withdrawn(args: Namespace, rotator: Rotator) -> Report:
    try:
        report = rotator.withdraw(args.compromised, keep_enabled=args.keep_enabled)
    except CannotKnow:
        # Half of it is done: whom that leaves with the old key is what one wants to know.
        with suppress(CannotKnow):
            tell_consequences(rotator.ring(), args.compromised, keep_enabled=args.keep_enabled)
        raise
    tell_consequences(report.ring, args.compromised, keep_enabled=args.keep_enabled)
    return report


def _preview(args: Namespace, rotator: Rotator) -> int:
    from kmsjwt.kms.ring.tags import moment

    preview = rotator.preview(
        start=args.start, withdraw=args.compromised, keep_enabled=args.keep_enabled
    )
    if preview.unread is not None:
        terminal.warn(f"what consumers read is not known: {preview.unread}")
    if args.compromised:
        tell_consequences(preview.ring, args.compromised, keep_enabled=args.keep_enabled)
    if args.json:
        terminal.answer_json(preview.to_dict())
        return terminal.GOOD
    now = preview.ring.now
    for each in preview.expected.steps:
        due = "due   " if each.at <= now else f"later {moment(each.at)}, in {span(each.at - now)}: "
        terminal.answer(f"{due}{_of_step(each.step)} · {each.step.why}")
    if not preview.expected.steps:
        terminal.answer("nothing is due")
    _tell_later(preview.expected.rest, preview.ring, timeless=True)
    return terminal.GOOD


def _tell_later(plan: Plan, ring: Ring, *, timeless: bool = False) -> None:
    from kmsjwt.kms.ring.tags import moment

    for later in plan.later:
        if later.at is None:
            terminal.answer(f"waits {later.what} · {later.why}")
        elif not timeless:
            when = f"{moment(later.at)}, in {span(later.at - ring.now)}"
            terminal.answer(f"later {when}: {later.what} · {later.why}")


def _refuse_unfit(args: Namespace) -> None:
    if args.compromised and args.start:
        raise ConfigError(
            "--compromised acts at once, and does not go with --start", code="rotate_options"
        )
    if args.keep_enabled and not args.compromised:
        raise ConfigError("--keep-enabled goes with --compromised alone", code="rotate_options")


def _rotator(args: Namespace) -> Rotator:
    from kmsjwt.authority.rotate import Rotator

    return Rotator(
        args.name,
        publisher_of(args),
        region=args.region,
        spec=args.spec,
        changes=settings_of(args),
        policy=key_policy_of(args, spec=args.spec),
        tell=None if args.json else _tell_done,
    )


def _tell_done(step: Step, outcome: str) -> None:
    done = terminal.paint("done ", "green")
    terminal.answer(f"{done} {_of_step(step)} · {step.why} · {outcome}")


def _of_step(step: Step) -> str:
    return f"{step.action} {step.number}" if step.number else step.action


def tell_consequences(ring: Ring, which: str, *, keep_enabled: bool) -> None:
    """Say to people what a withdrawal means to whom, until when."""
    from kmsjwt.authority.withdrawal import rows
    from kmsjwt.authority.withdrawing import find

    for line in terminal.table(rows(ring, find(ring, which), keep_enabled=keep_enabled)):
        terminal.say(line)


def _confirm(args: Namespace) -> int:
    from kmsjwt import aws
    from kmsjwt.authority.in_kms import InKms
    from kmsjwt.authority.rotate import Rotator
    from kmsjwt.key_names import ring_name

    name = ring_name(args.name)
    client = aws.kms_client(args.region)
    generation = Rotator(name, InKms(name, client), region=args.region).confirm()
    terminal.answer(f"generation {generation.number} of {name} may sign once its time has come")
    return 0
