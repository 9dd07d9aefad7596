"""Whether what a function is told agrees with what the ring's keys carry, and with itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.algorithms import ALGORITHMS, for_key_spec
from kmsjwt.authority.doctor import fixes
from kmsjwt.authority.doctor.findings import Check
from kmsjwt.authority.doctor.words import length
from kmsjwt.errors import ConfigError, KmsKeyNotFound
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.create import DEFAULT_SPEC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kmsjwt.authority.doctor.facts import Facts, KeyFacts, RingFacts
    from kmsjwt.authority.doctor.findings import Finding, Findings
    from kmsjwt.rotation import RingSettings

    Difference = tuple[str, object, object]
    """The name of a setting, what is told, and what the key that signs has."""

_AT_ONCE = "period"
"""The one setting that does not wait for the next key."""


def drift(facts: Facts) -> Findings:
    """Whether what the function is told agrees with what the ring's keys carry."""
    check, compared = Check("lifetime"), 0
    for each, found in facts.followed:
        its = _settings_of(each, found)
        if its is None:
            continue
        compared += 1
        wrong = [
            *_lifetimes(facts, found.name, its, check),
            *_next_keys(facts, found.name, its, _spec_of(each, found), check),
        ]
        yield from wrong
        if not wrong:
            longest = length(its.max_lifetime)
            yield check.ok(f"as ring {found.name} has it: tokens live {longest} at most")
    if facts.keys and not compared:
        yield check.skip("no ring's settings were read that could be compared")


def unfit(facts: Facts, check: Check) -> Findings:
    """Yield a failure if no key can be made as the rotate function is told."""
    alg, spec = facts.deployment.ring_settings.get("alg"), _next_spec(facts)
    if alg is None or spec is None:
        return
    try:
        for_key_spec(spec, alg)
    except ConfigError:
        fitting = ", ".join(each.name for each in ALGORITHMS.values() if spec in each.key_specs)
        yield check.fail(
            f"KMSJWT_ALG is {alg}, and a key of spec {spec} signs {fitting or 'no token'}",
            "the next key cannot be made, so no key gets a successor",
            f"unset KMSJWT_ALG, or set KMSJWT_SPEC={ALGORITHMS[alg].key_specs[0]} as well",
        )


def _next_spec(facts: Facts) -> str | None:
    """Return the spec that the ring's next key will have, if it is known."""
    if facts.deployment.spec is not None:
        return facts.deployment.spec
    its = [_spec_of(each, found) for each, found in facts.followed]
    if its and its[0] is not None:
        return its[0]
    return DEFAULT_SPEC if any(map(_is_missing, facts.keys)) else None


def _is_missing(each: KeyFacts) -> bool:
    return isinstance(each.undescribed, KmsKeyNotFound)


def _settings_of(each: KeyFacts, found: RingFacts) -> RingSettings | None:
    """Return the settings of the key that signs; by its tags, where the ring was not read."""
    if found.reading is None:
        return tags.settings_in(each.tags or {})
    signing = found.reading.ring.generation(found.reading.ring.signing)
    return None if signing is None else signing.settings


def _spec_of(each: KeyFacts, found: RingFacts) -> str | None:
    """Return the spec of the key that signs."""
    if found.reading is not None:
        signing = found.reading.ring.generation(found.reading.ring.signing)
        if signing is not None:
            return signing.spec
    return None if each.metadata is None else str(each.metadata["KeySpec"])


def _lifetimes(facts: Facts, name: str, its: RingSettings, check: Check) -> Iterator[Finding]:
    """Compare the lifetimes that the issue function is told, which the ring's settings bound."""
    deployment = facts.deployment
    if deployment.function != "issue":
        return
    new = f"or give the ring's next key another: kmsjwt key rotate {name} --start --max-lifetime"
    told, longest = deployment.lifetime, deployment.max_lifetime
    if told is not None and told > its.max_lifetime:
        yield check.fail(
            f"tokens of {length(told)}, and ring {name} has {length(its.max_lifetime)} at most",
            "the issuer refuses them; were they signed, they would outlive their key",
            f"set KMSJWT_LIFETIME={its.max_lifetime}, {new} {told}",
        )
    elif longest is not None and longest > its.max_lifetime:
        yield check.warn(
            f"KMSJWT_MAX_LIFETIME is {length(longest)},"
            f" and ring {name} has {length(its.max_lifetime)} at most",
            "the issuer refuses what is between",
            f"set KMSJWT_MAX_LIFETIME={its.max_lifetime}, {new} {longest}",
        )


def _next_keys(
    facts: Facts, name: str, its: RingSettings, spec: str | None, check: Check
) -> Iterator[Finding]:
    """Compare what the rotate function is told, which counts from the next key on."""
    for setting, told, has in _differences(facts, its, spec):
        begin = fixes.rotate(facts, name, "--start", *_options(setting, told))
        yield check.warn(
            f"KMSJWT_{setting.upper()} is {_shown(told)}, and the key that signs has {_shown(has)}",
            "it counts from the ring's next key on",
            f"wait for that, or begin with it: {begin}",
        )


def _differences(facts: Facts, its: RingSettings, spec: str | None) -> Iterator[Difference]:
    deployment = facts.deployment
    if deployment.spec is not None and spec is not None and deployment.spec != spec:
        yield "spec", deployment.spec, spec
    for setting, told in deployment.ring_settings.items():
        has = _alg(its, spec) if setting == "alg" else getattr(its, setting)
        if setting != _AT_ONCE and has not in (None, told):
            yield setting, told, has


def _alg(its: RingSettings, spec: str | None) -> str | None:
    """Return the algorithm that the key signs with, which its settings leave to its spec."""
    try:
        return its.alg if spec is None else for_key_spec(spec, its.alg).name
    except ConfigError:
        return its.alg


def _options(setting: str, told: object) -> list[str]:
    option = f"--{setting.replace('_', '-')}"
    if isinstance(told, bool):
        return [option] if told else []
    return [option, str(told)]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return length(value) if isinstance(value, int) else str(value)
