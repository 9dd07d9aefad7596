"""The keys: whether they are there and of use, and what the caller may do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.authority.doctor import fixes
from kmsjwt.authority.doctor.findings import Check
from kmsjwt.authority.doctor.words import arn_end
from kmsjwt.errors import ConfigError, KmsAccessDenied, KmsJwtError, KmsKeyNotFound, KmsKeyUnusable
from kmsjwt.key_names import RING_PREFIX, is_alias, is_ring, ring_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.authority.doctor.facts import Facts, KeyFacts
    from kmsjwt.authority.doctor.findings import Finding, Findings

_NEW_KEY = "make a key that fits: kmsjwt key create NAME --spec SPEC"
_STATES = {
    "Disabled": "aws kms enable-key --key-id {key}",
    "PendingDeletion": "aws kms cancel-key-deletion --key-id {key}, then enable it",
}


def key(facts: Facts) -> Findings:
    """Whether each key is there, enabled, and of a usage and spec that fit."""
    return _each(facts, "key", _key)


def public(facts: Facts) -> Findings:
    """Whether the public half of each key may be read."""
    return _each(facts, "public", _public)


def sign(facts: Facts) -> Findings:
    """Whether the caller may have KMS sign, tried with DryRun."""
    return _tried(facts, "sign", "Sign")


def verify(facts: Facts) -> Findings:
    """Whether the caller may have KMS verify, tried with DryRun."""
    return _tried(facts, "verify", "Verify")


def _each(facts: Facts, name: str, judge: Callable[[Facts, KeyFacts, Check], Finding]) -> Findings:
    check = Check(name)
    for each in facts.keys:
        yield judge(facts, each, check)


def _key(facts: Facts, each: KeyFacts, check: Check) -> Finding:
    error = each.undescribed
    if each.stopped is not None:
        return _stopped(facts, check, each.stopped)
    if isinstance(error, KmsAccessDenied):
        return _undescribed(facts, each, check)
    if error is not None:
        return _trouble(facts, each, check, error)
    metadata = each.metadata or {}
    state = str(metadata.get("KeyState"))
    if state != "Enabled":
        fix = _STATES.get(state, "use another key, or wait until it is ready")
        return check.fail(
            f"{_named(each)} is {state}",
            "it neither signs nor gives out its public key",
            fix.format(key=metadata.get("KeyId")),
        )
    if isinstance(each.unread, KmsKeyUnusable):
        return check.fail(each.unread.message, _no_use(each), each.unread.fix or _NEW_KEY)
    if metadata.get("KeyUsage") != "SIGN_VERIFY":
        return check.fail(
            f"{_named(each)} has usage {metadata.get('KeyUsage')}, expected SIGN_VERIFY",
            _no_use(each),
            _NEW_KEY,
        )
    alg = f" · {each.alg.name}" if each.alg else ""
    return check.ok(f"{_named(each)} · {metadata.get('KeySpec')} SIGN_VERIFY{alg} · {state}")


def _undescribed(facts: Facts, each: KeyFacts, check: Check) -> Finding:
    """Judge a key whose metadata the caller may not have."""
    if is_ring(each.name) and each.use.action != "sign":  # a signer follows the pointer alone
        return check.fail(
            _denied(each, "DescribeKey"), "the ring cannot be read", fixes.iam(facts, each)
        )
    if each.public is not None and each.alg is not None:
        return check.ok(
            f"{_named(each)} · SIGN_VERIFY · {each.alg.name}"
            " (kms:DescribeKey is denied, and the function needs it not)"
        )
    if isinstance(each.unread, KmsKeyUnusable):
        return check.fail(each.unread.message, _no_use(each), each.unread.fix or _NEW_KEY)
    if each.use.action == "compare":
        return check.skip(f"{_denied(each, 'DescribeKey')}, and the function needs it not")
    return check.warn(
        f"nothing may be known of {each.name}: {_denied(each, 'DescribeKey')}, nor GetPublicKey",
        "whether it is there and of use cannot be told",
        fixes.iam(facts, each),
    )


def _public(facts: Facts, each: KeyFacts, check: Check) -> Finding:
    if each.public is not None:
        return check.ok(f"the public key of {_named(each)} may be read")
    if each.stopped is not None:
        return check.skip(_why_stopped(facts))
    if isinstance(each.unread, KmsAccessDenied):
        if each.use.action == "compare":
            return check.skip(f"{_denied(each, 'GetPublicKey')}, and the function needs it not")
        return check.fail(_denied(each, "GetPublicKey"), _no_use(each), fixes.iam(facts, each))
    return _other(each, each.unread, check)


def _tried(facts: Facts, action: str, operation: str) -> Findings:
    check = Check(action)
    for each in facts.keys:
        if each.use.action == action:
            yield _trial(facts, each, check, operation)


def _trial(facts: Facts, each: KeyFacts, check: Check, operation: str) -> Finding:
    error = each.refused
    if each.stopped is not None and (error is not None or not each.was_tried):
        return check.skip(_why_stopped(facts))
    if not each.was_tried:
        return check.skip(f"which key and algorithm {each.name} stands for is not known, see key")
    how = f"{each.alg.kms_name if each.alg else ''}, {each.kind}"
    if error is None:
        return check.ok(f"allowed on {_named(each)} (DryRun, {how})")
    if isinstance(error, KmsAccessDenied):
        return check.fail(
            f"{_denied(each, operation)} with {how}",
            "no token is issued" if operation == "Sign" else "no token is verified",
            fixes.iam(facts, each),
        )
    return _other(each, error, check)


def _other(each: KeyFacts, error: KmsJwtError | None, check: Check) -> Finding:
    """Tell of trouble that is no denial; once, if the key itself is to blame."""
    if error is None or isinstance(error, (KmsKeyUnusable, KmsKeyNotFound, ConfigError)):
        return check.skip(f"{each.name} cannot be used, see key")
    if error.retryable:
        return check.unknown(error.message, error.fix or "try again")
    return check.fail(error.message, _no_use(each), error.fix or "see what KMS says")


def _trouble(facts: Facts, each: KeyFacts, check: Check, error: KmsJwtError) -> Finding:
    if error.retryable:
        return check.unknown(error.message, error.fix or "try again")
    fix = error.fix or "name the key by its id, ARN or alias"
    if isinstance(error, KmsKeyNotFound) and (is_ring(each.name) or is_alias(each.name)):
        name = each.name.rpartition("alias/")[2].removeprefix(RING_PREFIX)
        fix = f"check the Region ({facts.caller.region}) and the name, or make it: "
        fix += f"kmsjwt key create {name}" if "/" not in name else "kmsjwt key create NAME"
    return check.fail(error.message, _no_use(each), fix)


def _stopped(facts: Facts, check: Check, why: KmsJwtError) -> Finding:
    if facts.caller.trouble is not None:
        return check.skip("KMS cannot be asked, see caller")
    return check.unknown(why.message, why.fix or "try again")


def _why_stopped(facts: Facts) -> str:
    return "KMS cannot be asked, see " + ("caller" if facts.caller.trouble else "key")


def _denied(each: KeyFacts, action: str) -> str:
    where = each.name if each.arn is None else f"{each.name} ({arn_end(each.arn)})"
    return f"AccessDenied: kms:{action} on {where}"


def _named(each: KeyFacts) -> str:
    name = f"alias/{ring_name(each.name)}" if is_ring(each.name) else each.name
    if each.arn is None or not is_alias(name):
        return name
    return f"{name} -> {arn_end(each.arn)}"


def _no_use(each: KeyFacts) -> str:
    return {
        "sign": "no token is issued",
        "verify": "no token is verified",
        "read": "its tokens cannot be verified",
        "rotate": "the ring does not rotate",
        "compare": "which key signs cannot be told",
    }[each.use.action]
