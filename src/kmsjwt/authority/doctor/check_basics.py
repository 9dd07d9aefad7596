"""The settings, who asks, the two clocks, and how late an authorizer's refusals come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.authority.doctor.check_drift import unfit
from kmsjwt.authority.doctor.findings import Check
from kmsjwt.authority.doctor.words import length, nothing_asked
from kmsjwt.aws import GET_CREDENTIALS
from kmsjwt.expectations import DEFAULT_LEEWAY
from kmsjwt.issuer import DEFAULT_LIFETIME

if TYPE_CHECKING:
    from kmsjwt.authority.doctor.facts import Facts
    from kmsjwt.authority.doctor.findings import Findings

CLOCK_WARN = 5.0
"""Seconds between the clocks that are worth a warning; beyond the leeway it is a failure."""
DEFAULT_TTL = 300
"""Seconds for which API Gateway keeps an authorizer's answer unless it is told (its guide)."""
LATE = 4
"""A refusal is late if the answer is kept for more than this part of a token's life. An authorizer
warns of it at its start, too."""


def settings(facts: Facts) -> Findings:
    """All faults of the environment, or what decides what."""
    check, deployment = Check("settings"), facts.deployment
    which = f"{deployment.function} function ({deployment.chosen_by})"
    wrong = [
        check.fail(
            fault, f"the {deployment.function} function does not start", "mend its environment"
        )
        for fault in deployment.faults
    ]
    wrong += unfit(facts, check)
    yield from wrong
    if not wrong:
        told = (f"{each.variable}={each.value} ({each.by})" for each in deployment.told)
        yield check.ok(" · ".join([which, *told]))
        if deployment.ignored is not None:
            ignored, decided = deployment.ignored, deployment.decided_by
            yield check.warn(
                f"{ignored} and {decided} are both set, and {decided} decides",
                "that JWKS is not read: its keys verify nothing here",
                f"leave {ignored} out, or {decided}, if the JWKS is meant",
            )


def caller(facts: Facts) -> Findings:
    """Who asks AWS, and in which Region."""
    check, who = Check("caller"), facts.caller
    if not facts.deployment.uses:
        yield check.skip(f"{nothing_asked(facts)}: no key, ring or clock was looked at")
    elif who.trouble is not None:
        yield check.fail(
            who.trouble.message,
            "KMS cannot be asked anything",
            who.trouble.fix or GET_CREDENTIALS,
        )
    elif who.local:
        yield check.skip("a local KMS is asked, which knows no callers")
    elif who.arn is None:
        yield check.warn(
            f"STS did not say who asks: {who.code}",
            "whose permissions were tried is not known",
            "reach STS from here, or allow sts:GetCallerIdentity",
        )
    else:
        yield check.ok(f"{who.name} · account {who.account} · {who.region}")


def clock(facts: Facts) -> Findings:
    """The clock here against that of KMS."""
    check, ahead = Check("clock"), facts.ahead
    if not facts.deployment.uses:
        return
    if ahead is None:
        yield check.skip("KMS told no time")
    else:
        apart = abs(ahead)
        told = f"{apart:.0f} s {'ahead of' if ahead > 0 else 'behind'} KMS"
        fix = "set this machine's clock by NTP; Lambda's own is"
        if apart > DEFAULT_LEEWAY:
            yield check.fail(
                told, f"beyond the {DEFAULT_LEEWAY} s that verifiers forgive: good tokens fail", fix
            )
        elif apart > CLOCK_WARN:
            yield check.warn(
                told, f"verifiers forgive {DEFAULT_LEEWAY} s, and theirs may be off too", fix
            )
        else:
            yield check.ok("as KMS's" if apart == 0 else told)


def cache(facts: Facts) -> Findings:
    """How long a gateway goes on with an authorizer's answer whose token has expired."""
    check, deployment = Check("cache"), facts.deployment
    if deployment.function != "authorizer":
        return
    ttl, lifetime = deployment.cache_ttl, deployment.lifetime or DEFAULT_LIFETIME
    kept = f"a {length(DEFAULT_TTL if ttl is None else ttl)} authorizer cache"
    kept += "" if ttl is not None else " (KMSJWT_CACHE_TTL is unset; that is the gateway's own)"
    tokens = f"{length(lifetime)} tokens"
    tokens += "" if deployment.lifetime else " (KMSJWT_LIFETIME is unset; that is the default)"
    if ttl == 0:
        yield check.ok("no answer is kept: every token is looked at")
    elif lifetime < LATE * (DEFAULT_TTL if ttl is None else ttl):
        yield check.warn(
            f"{tokens} behind {kept}",
            f"refusals come up to {length(DEFAULT_TTL if ttl is None else ttl)} late",
            "shorten the authorizer's cache, and say so with KMSJWT_CACHE_TTL",
        )
    else:
        yield check.ok(f"{tokens} behind {kept}")
