"""The rings: whether they can be followed, and whether they rotate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt._immutable import replaced
from kmsjwt.authority.doctor import fixes
from kmsjwt.authority.doctor.findings import Check
from kmsjwt.authority.doctor.words import about, arn_end, length, when
from kmsjwt.errors import KmsAccessDenied
from kmsjwt.kms.ring.names import naming_anew
from kmsjwt.rotation import plan
from kmsjwt.rotation.settings import DAY

if TYPE_CHECKING:
    from collections.abc import Collection

    from kmsjwt.authority.doctor.facts import Facts, KeyFacts, RingFacts
    from kmsjwt.authority.doctor.findings import Finding, Findings
    from kmsjwt.rotation import Generation, Later, Plan, Ring, Step

SLACK = DAY
"""Seconds for which a step may be due before somebody is told: a schedule runs once a day."""
NOT_YET = 600
"""Seconds for which a new key may be denied: what allows it, its alias, is seen late."""
# Steps whose time is known; the others are due as soon as the one before them is done.
_TIMED = ("create", "point", "retire")
_WAITS_FOR_US = "unpublished"
"""The reason of what a rotation's next run does, which needs nobody."""


def ring(facts: Facts) -> Findings:
    """Whether each ring can be read, and one of its keys may sign."""
    check = Check("ring")
    for each in facts.keys:
        if each.ring is None:
            yield _no_ring(facts, each, check)
    for each, found in facts.followed:
        yield from _judged(facts, each, found, check)


def rotation(facts: Facts) -> Findings:
    """Whether what is due is done, and what waits for a person."""
    check = Check("rotation")
    read = [(each, found) for each, found in facts.followed if found.reading is not None]
    if facts.keys and not read:
        yield check.skip("no ring was read")
    for each, found in read:
        yield from _rotating(facts, each, found, check)


def _no_ring(facts: Facts, each: KeyFacts, check: Check) -> Finding:
    if each.stopped is not None or each.arn is None:
        return check.skip(f"{each.name} cannot be asked, see key")
    if each.untagged is None:
        return check.skip(f"{each.name} is no ring's pointer: who rotates it is yours to know")
    if isinstance(each.untagged, KmsAccessDenied) and each.use.action == "compare":
        return check.skip(f"whether {each.name} is a ring's may not be known here")
    if isinstance(each.untagged, KmsAccessDenied):
        return check.warn(
            f"AccessDenied: kms:ListResourceTags on {each.name} ({arn_end(each.arn)})",
            "if it is a ring's, the ring's longest lifetime is not obeyed",
            fixes.iam(facts, each),
        )
    return check.unknown(each.untagged.message, each.untagged.fix or "try again")


def _judged(facts: Facts, each: KeyFacts, found: RingFacts, check: Check) -> Findings:
    if found.reading is None:
        yield _unread(facts, each, found, check)
        return
    its = found.reading.ring
    wrong = list(_wrong(facts, each, found, check))
    yield from wrong
    if not wrong:
        stages = [f"{one.number} {its.stage(one)}" for one in its.generations]
        yield check.ok(f"{found.name} · generations: {', '.join(stages)}")


def _unread(facts: Facts, each: KeyFacts, found: RingFacts, check: Check) -> Finding:
    error = found.trouble
    if error is None or each.stopped is not None:
        return check.skip(f"{each.name} cannot be asked, see key")
    if isinstance(error, KmsAccessDenied) and _is_more_than_needed(each, error):
        return check.skip(
            f"kms:{error.action} is denied, which a signer needs not; a look at the ring needs: "
            + fixes.iam_command(facts, each, "doctor")
        )
    if isinstance(error, KmsAccessDenied):
        return check.fail(
            f"AccessDenied: kms:{error.action} on ring {found.name}",
            "the ring cannot be followed",
            fixes.iam(facts, each),
        )
    if error.retryable:
        return check.unknown(error.message, error.fix or "try again")
    if each.undescribed is not None:
        return check.skip(f"{each.name} cannot be asked, see key")
    return check.fail(error.message, "the ring cannot be followed", error.fix or "see the ring")


def _is_more_than_needed(each: KeyFacts, error: KmsAccessDenied) -> bool:
    is_looking = error.action == "DescribeKey"
    return each.use.action == "compare" or (each.use.action == "sign" and is_looking)


def _wrong(facts: Facts, each: KeyFacts, found: RingFacts, check: Check) -> Findings:
    if found.reading is None:
        return
    its = found.reading.ring
    look = f"look at it: kmsjwt key list {found.name}"
    if its.doubt is not None:
        yield check.fail(its.doubt, "nothing is rotated, nobody knows which key signs", look)
    elif its.signing is None:
        yield check.fail(
            f"alias/{found.name} is not there, so no key of the ring signs",
            "no token is issued",
            fixes.rotate(facts, found.name),
        )
    for one in its.generations:
        yield from _wrong_generation(facts, found.name, its, one, check)
        if _is_withheld(found, its, one):
            judge = check.fail if each.use.action == "read" else check.warn
            yield judge(
                f"generation {one.number} gives out no public key ({one.state})",
                "verifiers that start now refuse its tokens",
                f"enable {arn_end(one.arn)} if it is disabled, else {fixes.iam(facts, each)}",
            )
    doubted = {one.doubt for one in its.generations}
    if found.reading.missing is not None:
        judge = check.fail if each.use.action == "read" else check.warn
        yield judge(
            f"{found.reading.missing} is not there, and its key has not retired",
            "verifiers and jwks functions that start now know not all keys, and answer 503",
            naming_anew(found.name, found.reading.missing),
        )
    for why in found.reading.unseen:
        if why not in doubted:
            yield check.warn(why, "there may be keys that nobody sees", fixes.iam(facts, each))


def _wrong_generation(
    facts: Facts, name: str, its: Ring, one: Generation, check: Check
) -> Findings:
    signs = one.number == its.signing
    if one.doubt is not None:
        judge = check.fail if signs else check.warn
        yield judge(
            one.doubt,
            "it signs" if signs else "nothing is done with it, and its successors wait",
            f"look at it: kmsjwt key list {name}",
        )
    elif signs and not one.is_live:
        yield check.fail(
            f"generation {one.number} signs, and is {its.stage(one)}",
            "it must not sign, and signers that obey the ring refuse",
            fixes.rotate(facts, name),
        )


def _is_withheld(found: RingFacts, its: Ring, one: Generation) -> bool:
    """Tell whether KMS gives out no public key of a generation that others verify with."""
    known = found.reading.public if found.reading else {}
    is_young = its.now - one.born < NOT_YET
    return one.is_live and one.number not in known and one.number != its.signing and not is_young


def _rotating(facts: Facts, each: KeyFacts, found: RingFacts, check: Check) -> Findings:
    if found.reading is None:
        return
    its = found.reading.ring
    if its.doubt is not None or its.signing is None:
        yield check.skip(f"no key of ring {found.name} signs for certain, see ring")
        return
    if found.no_moment is not None:
        yield _no_moment(facts, each, check)
        return
    kids = _published(facts, its)
    period = facts.deployment.ring_settings.get("period")
    now = plan(its, kids, period=period)
    overdue = _overdue(its, kids, period)
    wrong = [_late(facts, found.name, its, step, period, check) for step in overdue]
    wrong += [
        _waiting(found.name, later, check)
        for later in now.later
        if later.at is None and later.reason != _WAITS_FOR_US
    ]
    yield from wrong
    if not wrong:
        yield check.ok(f"{_since(its)}{_next(now)}")


def _no_moment(facts: Facts, each: KeyFacts, check: Check) -> Finding:
    why = "kms:ListAliases is denied, which tells since when the key signs"
    if each.use.action == "rotate":
        return check.fail(f"AccessDenied: {why}", "no key gets a successor", fixes.iam(facts, each))
    return check.skip(f"{why}; a look at it needs: {fixes.iam_command(facts, each, 'doctor')}")


def _overdue(its: Ring, kids: Collection[str], period: int | None) -> list[Step]:
    """Return the steps that were due already when the slack began."""
    earlier = replaced(its, now=its.now - SLACK)
    return [step for step in plan(earlier, kids, period=period).due if step.action in _TIMED]


def _late(
    facts: Facts, name: str, its: Ring, step: Step, period: int | None, check: Check
) -> Finding:
    fix = f"is the schedule running? By hand: {fixes.rotate(facts, name)}"
    signing = its.generation(its.signing)
    if step.action != "create" or signing is None or its.signing_since is None:
        what = {"create": "made", "point": "to sign", "retire": "to retire"}[step.action]
        return check.warn(
            f"generation {step.number} has been due {what} for more than {length(SLACK)}",
            "the ring stands still",
            fix,
        )
    planned = period or (signing.settings.period if signing.settings else 0)
    return check.warn(
        f"{about(its.now - its.signing_since)} since the last, planned every {length(planned)}",
        "a key signs for longer than was meant",
        fix,
    )


def _waiting(name: str, later: Later, check: Check) -> Finding:
    fix = f"see: kmsjwt key rotate {name} --dry-run"
    if later.reason == "unconfirmed":
        fix = f"deploy the bundles, then: kmsjwt key confirm {name}"
    return check.warn(f"{later.what}: {later.why}", "the rotation waits for a person", fix)


def _since(its: Ring) -> str:
    if its.signing is None or its.signing_since is None:
        return f"ring {its.name}"
    signs = about(max(0.0, its.now - its.signing_since))
    return f"generation {its.signing} has signed for {signs}"


def _next(planned: Plan) -> str:
    for step in planned.due:
        if step.action in _TIMED:
            return f" · due: {step.action}, {step.why}"
    for later in planned.later:  # soonest first
        if later.at is not None:
            return f" · {later.what} {when(later.at)}"
    return ""


def _published(facts: Facts, its: Ring) -> frozenset[str]:
    """Return what is published; where nobody could read it, what the keys' own marks say."""
    if facts.published.kids is not None:
        return facts.published.kids
    marked = (one for one in its.generations if one.is_live and one.marks.published is not None)
    return frozenset(one.kid for one in marked if one.kid is not None)
