"""What consumers read: whether it is there, whose it is, and whether the right keys are in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.authority.doctor import fixes
from kmsjwt.authority.doctor.findings import Check
from kmsjwt.authority.doctor.words import keys, kid, length, listed
from kmsjwt.errors import ConfigError, JwksUnavailable
from kmsjwt.kms.ring import tags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kmsjwt.authority.doctor.facts import Facts, KeyFacts, RingFacts
    from kmsjwt.authority.doctor.findings import Finding, Findings
    from kmsjwt.errors import KmsJwtError
    from kmsjwt.rotation import Generation

_SIGNS = ("sign", "compare", "rotate")


def published(facts: Facts) -> Findings:
    """Whether the JWKS can be read and has the keys it should have."""
    check, seen = Check("published"), facts.published
    if seen.not_read:
        yield check.skip(seen.not_read)
    elif seen.trouble is not None:
        yield _unreadable(facts, check)
    else:
        wrong = [*_missing(facts, check), *_gone(facts, check), *_unbundled(facts, check)]
        yield from wrong
        if not any(each.verdict == "fail" for each in wrong):
            yield _present(facts, check)


def discovery(facts: Facts) -> Findings:
    """Whether the discovery document names this very issuer."""
    check, seen, issuer = Check("discovery"), facts.published, facts.deployment.issuer
    if seen.not_read or seen.trouble is not None:
        yield check.skip("nothing that consumers read was read, see published")
    elif seen.discovery_not_read:
        yield check.skip(seen.discovery_not_read)
    elif seen.named_issuer is None:
        yield check.warn(
            f"there is no discovery document: {seen.no_discovery}",
            "API Gateway's JWT authorizers and OpenID libraries find no keys",
            "publish it beside the JWKS: kmsjwt publish",
        )
    elif seen.named_issuer != issuer:
        yield check.fail(
            f"the discovery document has issuer {seen.named_issuer!a}, tokens have {issuer!a}",
            "consumers compare the two to the character, and refuse",
            "make them the same, with or without the closing slash",
        )
    else:
        yield check.ok(f"issuer {issuer}, to the character")


def max_age(facts: Facts) -> Findings:
    """Whether the JWKS is kept no longer than the ring counts on."""
    check = Check("max-age")
    kept, where = facts.published.max_age, facts.published.where
    if facts.deployment.max_age is not None:
        kept, where = facts.deployment.max_age, "KMSJWT_DOCUMENT_MAX_AGE"
    rings = list(_settings(facts))
    if kept is None:
        yield check.skip("it is not known how long the JWKS may be kept")
    elif not rings:
        yield check.skip(f"{length(kept)}, and no ring was read that counts on it")
    else:
        for name, counted in rings:
            if kept > counted:
                yield check.fail(
                    f"{where} lets the JWKS be kept {length(kept)}, ring {name} counts on"
                    f" {length(counted)}",
                    "after the next rotation, tokens are refused for lack of the new key",
                    f"serve it with max-age={counted}, or begin a key with more: "
                    + fixes.rotate(facts, name, "--start", "--document-max-age", str(kept)),
                )
            else:
                yield check.ok(f"{length(kept)}, ring {name} counts on {length(counted)}")


def _unreadable(facts: Facts, check: Check) -> Finding:
    trouble = facts.published.trouble
    if trouble is None or _is_told(facts, trouble):
        return check.skip("the JWKS cannot be read, see settings")
    if trouble.retryable and not isinstance(trouble, JwksUnavailable):
        return check.unknown(trouble.message, trouble.fix or "try again")
    return check.fail(
        trouble.message,
        "who verifies with it refuses every token, or knows nothing",
        trouble.fix or f"see that it answers from here; {_publish(facts)}",
    )


def _is_told(facts: Facts, trouble: KmsJwtError) -> bool:
    """Tell whether it is one of the faults of the settings."""
    faults = trouble.faults if isinstance(trouble, ConfigError) else ()
    # There the variable comes first, and then what is wrong with it.
    return any(told.endswith(fault) for told in facts.deployment.faults for fault in faults)


def _missing(facts: Facts, check: Check) -> Iterator[Finding]:
    """Yield the keys whose tokens a reader of the JWKS would refuse."""
    seen = facts.published.kids or frozenset()
    for each in facts.keys:
        its_kid = _kid_of(each)
        if _is_wanted(facts, each) and its_kid is not None and its_kid not in seen:
            yield check.fail(
                f"kid {kid(its_kid)} of {each.name} is not in {facts.published.where}",
                "every token that it signs is refused by who reads that",
                _publish(facts, each),
            )
    for found, one in _generations(facts):
        stage = found.reading.ring.stage(one) if found.reading else ""
        if stage == "verifying" and one.kid is not None and one.kid not in seen:
            yield check.fail(
                f"kid {kid(one.kid)} of generation {one.number} is not in {facts.published.where}",
                "its tokens may be alive, and are refused",
                fixes.rotate(facts, found.name),
            )


def _gone(facts: Facts, check: Check) -> Iterator[Finding]:
    """Yield the keys that should have left the JWKS."""
    seen = facts.published.kids or frozenset()
    for found, one in _generations(facts):
        if one.doubt is not None or one.is_live or one.kid not in seen:
            continue
        told = f"kid {kid(one.kid or '')} of generation {one.number}"
        if one.marks.compromised is not None:
            yield check.fail(
                f"{told} is compromised, and still in {facts.published.where}",
                "what others sign with it is accepted",
                fixes.rotate(facts, found.name),
            )
        else:
            yield check.warn(
                f"{told} is retired, and still in {facts.published.where}",
                "it is trusted for longer than was meant",
                fixes.rotate(facts, found.name),
            )


def _unbundled(facts: Facts, check: Check) -> Iterator[Finding]:
    """Yield the rings that would rotate without waiting for a bundled file."""
    if not facts.published.is_file:
        return
    for found, one in _generations(facts):
        its = found.reading.ring if found.reading else None
        if its and one.number == its.signing and one.settings and not one.settings.bundle:
            yield check.warn(
                f"{facts.published.where} is a file, and ring {found.name} rotates without it",
                "after the next rotation, tokens are refused until it is deployed anew",
                f"have the ring wait: {fixes.rotate(facts, found.name, '--start', '--bundle')}",
            )


def _present(facts: Facts, check: Check) -> Finding:
    seen = facts.published
    signing = [_kid_of(each) for each in facts.keys if _is_wanted(facts, each)]
    known = [name for name in signing if name is not None]
    what = keys(len(seen.kids or ())) if not known else f"kid {listed(map(kid, known))}"
    kept = "" if seen.max_age is None else f" · max-age {seen.max_age}"
    aside = "" if known or not facts.keys else " (which key signs is not known, see key)"
    return check.ok(f"{what} in {seen.where}{kept}{aside}")


def _is_wanted(facts: Facts, each: KeyFacts) -> bool:
    """Tell whether consumers have to find the key."""
    return each.use.action in _SIGNS or facts.deployment.function == "jwks"


def _kid_of(each: KeyFacts) -> str | None:
    return None if each.public is None else each.public.public.kid


def _generations(facts: Facts) -> Iterator[tuple[RingFacts, Generation]]:
    for found in facts.rings:
        for one in found.reading.ring.generations if found.reading else ():
            yield found, one


def _settings(facts: Facts) -> Iterator[tuple[str, int]]:
    """Yield for each ring the least time that it counts on a JWKS being kept."""
    for found in facts.rings:
        known = [
            one.settings.document_max_age
            for other, one in _generations(facts)
            if other is found and one.settings is not None and one.is_live
        ]
        if known:
            yield found.name, min(known)
    for each in facts.keys:  # by its tags, where the ring itself was not read
        its = tags.settings_in(each.tags or {})
        if each.ring is not None and each.ring.reading is None and its is not None:
            yield each.ring.name, its.document_max_age


def _publish(facts: Facts, each: KeyFacts | None = None) -> str:
    ring = each.ring if each else next(iter(facts.rings), None)
    if ring is not None:
        return f"publish it: {fixes.rotate(facts, ring.name)}"
    name = each.name if each else "KEY"
    return f"publish it: kmsjwt publish --key {name} --issuer URL --to PLACE"
