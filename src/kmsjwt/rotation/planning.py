"""Which step of which key is due now: a pure function of what is known.

Every rule errs on the side of waiting: a fact that is missing, unreadable or contradictory never
lets anything happen. Each step is due until its own effect is seen, so that a run that was killed
is continued by the next one, and a step taken twice does no more than once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.rotation.facts import LEAVING
from kmsjwt.rotation.settings import MARGIN, MINUTE, PROPAGATION
from kmsjwt.rotation.steps import Later, Plan, Step
from kmsjwt.rotation.telling import joined, stuck, unsaid, untold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from kmsjwt.rotation.facts import Generation, Ring

    Found = Iterator[Step | Later]

REST = 2 * PROPAGATION + MARGIN
"""Seconds for which the pointer is left alone after it moved. Somebody who still saw it in its
former place has by then dropped the plan to move it, so nobody moves it back. After a key was
withdrawn, nobody moves the pointer to it any more, and everybody sees where it is."""
MOST_KEYS = 10
"""The most keys in one JWKS: a load balancer reads no more (botocore, elbv2)."""


def plan(
    ring: Ring,
    published: Collection[str],
    *,
    lingering: Collection[str] = (),
    start: bool = False,
    period: int | None = None,
) -> Plan:
    """Return what is due, and what will be.

    Args:
        ring: what KMS says of the ring.
        published: every ``kid`` that was just read back from all places where consumers read.
        lingering: each other ``kid`` that was found in one of these places at least.
        start: begin a new generation though the period is not over.
        period: seconds that a key signs before its successor is made; by default those of the
            key's own settings. It is the one time that safety does not depend on.

    Returns:
        The plan. Where it creates a generation, no other is under way.
    """
    if ring.doubt is not None:
        return Plan((), [Later("nothing can be done", None, ring.doubt, reason="doubt")])
    situation = _Situation(
        ring, frozenset(published), frozenset(lingering), start=start, period=period
    )
    due: list[Step] = []
    later: list[Later] = []
    for rule in _RULES:
        for found in rule(situation):
            if isinstance(found, Step):
                due.append(found)
            else:
                later.append(found)
    return Plan(due, later)


class _Situation:
    """The ring as the rules look at it."""

    def __init__(
        self,
        ring: Ring,
        published: frozenset[str],
        lingering: frozenset[str],
        *,
        start: bool,
        period: int | None,
    ) -> None:
        self.ring = ring
        self.now = ring.now
        self.published = published
        self.anywhere = published | lingering
        self.start = start
        self.signing = ring.generation(ring.signing)
        its_settings = self.signing and self.signing.settings
        self.period = period or (its_settings.period if its_settings else None)
        number = ring.signing or 0
        self.before = [each for each in ring.generations if each.number < number]
        self.after = [each for each in ring.generations if each.number > number]

    @property
    def publish_wait(self) -> int | None:
        """The longest wait that any live key's settings ask for; None if one's are not known."""
        waits = [
            None if each.settings is None else each.settings.publish_wait
            for each in self.ring.generations
            if each.is_live
        ]
        known = [wait for wait in waits if wait is not None]
        return max(known, default=None) if len(known) == len(waits) else None


def _retracting(at: _Situation) -> Found:
    """Take back that a key is published, before it signs, where it is not any more."""
    for each in at.after:
        if _is_to_retract(at, each):
            yield Step("mark-unpublished", each.number, "its kid is gone from where consumers read")


def _is_to_retract(at: _Situation, generation: Generation) -> bool:
    if generation not in at.after or not generation.is_live:
        return False
    if not _is_writable(generation) and at.ring.keeper(generation) is None:
        return False
    return generation.marks.published is not None and _is_gone(at, generation)


def _is_writable(generation: Generation) -> bool:
    """Tell whether KMS lets anything be written on a key, as on none that it will delete."""
    return generation.state not in LEAVING


def _is_gone(at: _Situation, generation: Generation) -> bool:
    return generation.kid is not None and generation.kid not in at.published


def _publishing(at: _Situation) -> Found:
    missing = [each.number for each in at.ring.generations if _is_missing(at, each)]
    if missing:
        which = joined(missing)
        why = f"the JWKS lacks the key of generation {which}"
        yield Step("publish", 0, why, subject=f"lacks {which}")
    elif left_over := at.ring.retired_kids & at.anywhere:
        kind = "withdrawn" if at.ring.withdrawn_kids & left_over else "retired"
        stays = at.published - at.ring.retired_kids
        if stays or any(each.is_usable for each in at.ring.generations):
            subject = f"holds {' '.join(sorted(left_over))}"
            yield Step("publish", 0, f"the JWKS holds a {kind} key", subject=subject)
        else:
            why = "the JWKS is never left without a key"
            yield Later(f"a {kind} key is left out", None, why, reason="document")
    for each in at.ring.generations:
        withdrawn = each.marks.compromised
        if withdrawn is not None and at.now < withdrawn + PROPAGATION:
            why = f"who saw late that generation {each.number} is withdrawn may have put it back"
            ready = withdrawn + PROPAGATION
            yield Later("the JWKS is looked at again", ready, why, reason="withdrawn")


def _is_missing(at: _Situation, generation: Generation) -> bool:
    if not generation.is_usable or generation.kid in at.published:
        return False
    # Published again first, it would pass for one that was there since it was marked.
    return at.ring.is_emergency or not _is_to_retract(at, generation)


def _marking_published(at: _Situation) -> Found:
    for each in at.ring.generations:
        if not each.is_live or not _is_writable(each):
            continue
        if each.marks.published is None and each.kid in at.published:
            yield Step("mark-published", each.number, "its kid is where consumers read")


def _pointing(at: _Situation) -> Found:
    """Point to the newest key that may sign; tell of the newest if it has to wait."""
    candidates = [each for each in reversed(at.after) if each.is_usable]
    for number, each in enumerate(candidates):
        found = _pointing_to(at, each, f"generation {each.number} signs")
        if isinstance(found, Step) or found.reason == "withdrawn":
            yield found
            return
        if number == 0:
            yield found


def _pointing_to(at: _Situation, each: Generation, what: str) -> Step | Later:
    if each.marks.published is None or each.kid not in at.published:
        return Later(what, None, "its kid has not been read back yet", reason="unpublished")
    if at.ring.is_emergency:
        return _pointing_in_haste(at, each, what)
    if at.ring.signing is None and len(at.ring.generations) == 1:
        return Step("point", each.number, "it is the ring's first key")
    if each.settings is not None and each.settings.bundle and each.marks.confirmed is None:
        why = f"until kmsjwt key confirm {at.ring.name}: bundles must have it"
        return Later(what, None, why, reason="unconfirmed")
    wait, moved = at.publish_wait, at.ring.signing_since
    if wait is None:
        return Later(what, None, "the ring's settings cannot be read", reason="settings")
    if at.ring.signing is not None and moved is None:
        return Later(what, None, "it is not known when the pointer moved last", reason="unread")
    ready = max(each.marks.published + wait, 0 if moved is None else moved + REST)
    if at.now >= ready:
        return Step("point", each.number, "everybody who caches the JWKS has its key by now")
    return Later(what, ready, "caches of the JWKS may lack its key until then", reason="time")


def _pointing_in_haste(at: _Situation, each: Generation, what: str) -> Step | Later:
    """Point to it at once, unless it may have been withdrawn as well, unseen so far.

    Who withdraws a key says so on it before the JWKS lacks it. So one that was there before the
    key that signs was withdrawn, and was put into the JWKS after that, waits until everybody sees
    what was written by then.
    """
    gone = None if at.signing is None else at.signing.withdrawn_since
    published = each.marks.published or 0.0
    ready = published + PROPAGATION
    if gone is not None and each.born + MINUTE < gone < published and at.now < ready:
        why = "it came into the JWKS late, and KMS may show late that it is withdrawn as well"
        return Later(what, ready, why, reason="withdrawn")
    return Step("point", each.number, f"the key that signs is {_plight(at)}")


def _plight(at: _Situation) -> str:
    return "lost" if at.signing is not None and at.signing.is_lost else "withdrawn"


def _marking_draining(at: _Situation) -> Found:
    for each in at.before:
        if not _is_writable(each):
            continue
        if each.marks.draining is None and each.marks.retired is None and each.doubt is None:
            yield Step("mark-draining", each.number, f"generation {at.ring.signing} signs")


def _retiring(at: _Situation) -> Found:
    """Retire the oldest that is left: so every key below a retired one is retired too."""
    waiting = [each for each in at.before if _is_to_retire(at, each)]
    if not waiting:
        return
    oldest, what = waiting[0], f"generation {waiting[0].number} retires"
    if oldest.doubt is not None:
        yield Later(what, None, oldest.doubt, reason="doubt")
    elif at.ring.retired_kids & at.anywhere:
        yield Later(what, None, "the JWKS still holds a key that retired before", reason="document")
    elif (drained := _drained(at, oldest)) is None:
        yield Later(
            what, None, "it is not known since when it drains, or for how long", reason="unread"
        )
    elif at.now < (ready := drained):
        yield Later(what, ready, "tokens that it signed may be alive until then", reason="time")
    elif oldest.state in LEAVING and at.ring.keeper(oldest) is None:
        yield Later(what, None, untold(oldest), reason="stuck")
    elif oldest.state in LEAVING and not at.ring.has_room_for(str(oldest.kid)):
        yield Later(what, None, unsaid(oldest), reason="stuck")
    else:
        yield Step("retire", oldest.number, "no token of it can be alive")


def _is_to_retire(at: _Situation, each: Generation) -> bool:
    # Another key says of one in doubt that it is gone; nothing more can be written on it.
    is_withdrawn = each.doubt is not None and not each.names.isdisjoint(at.ring.gone)
    return each.marks.retired is None and not (each.is_lost or is_withdrawn)


def _drained(at: _Situation, generation: Generation) -> float | None:
    """Return when no token of a key can be alive any more."""
    since, moved = generation.marks.draining, at.ring.signing_since
    if generation.state in LEAVING:
        since = moved
    if generation.settings is None or since is None or moved is None:
        return None
    return max(since, moved) + generation.settings.drain


def _creating(at: _Situation) -> Found:
    under_way = [each for each in at.after if _is_under_way(at, each)]
    number = at.ring.newest_number + 1
    what = f"generation {number} is made"
    if under_way:
        if not any(each.is_usable for each in under_way):
            yield _until_it_signs(at, under_way[-1], what)
        return
    if at.ring.is_emergency:
        yield Step("create", number, f"the key that signs is {_plight(at)}, and no other is there")
    elif sum(each.marks.retired is None for each in at.ring.generations) >= MOST_KEYS:
        why = f"the JWKS has {MOST_KEYS} keys, until one of them retires"
        yield Later(what, None, why, reason="full")
    elif at.start:
        yield Step("create", number, "asked for")
    elif at.period is None or at.ring.signing_since is None:
        why = "it is not known since when its predecessor signs, or for how long"
        yield Later(what, None, why, reason="unread")
    else:
        period_ends = at.ring.signing_since + at.period
        if at.now >= period_ends:
            yield Step("create", number, "the period is over")
        else:
            yield Later(what, period_ends, "the period is over then", reason="time")


def _is_under_way(at: _Situation, generation: Generation) -> bool:
    if _is_urgent(at) and generation.state in LEAVING:
        return False  # which only a person could stop
    return generation.is_live or _is_open(at, generation)


def _is_open(at: _Situation, generation: Generation) -> bool:
    """Tell whether a key in doubt may still become one that signs: nobody has given it up.

    An emergency of the key that signs does not wait for that, unless the one in doubt is so young
    that its tags may not be seen yet.
    """
    if generation.doubt is None or generation.marks.compromised is not None:
        return False
    return _is_young(at, generation) or not _is_urgent(at)


def _is_urgent(at: _Situation) -> bool:
    return at.signing is not None and at.ring.is_emergency


def _is_young(at: _Situation, generation: Generation) -> bool:
    return at.now - generation.born < 2 * PROPAGATION


def _until_it_signs(at: _Situation, under_way: Generation, what: str) -> Later:
    if under_way.doubt is None or not _is_young(at, under_way):
        return Later(what, None, stuck(at.ring.name, under_way), reason="stuck")
    why = f"generation {under_way.number} was made a moment ago, and KMS shows its tags late"
    ready = under_way.born + 2 * PROPAGATION
    return Later(what, ready, why, reason="withdrawn" if at.ring.is_emergency else "time")


def _doubting(at: _Situation) -> Found:
    signing = at.signing
    if signing is not None and signing.state != "Enabled" and signing.marks.compromised is None:
        why = f"its key is {signing.state}, and no token can be issued"
        yield Later(f"generation {signing.number} signs", None, why, reason="stuck")
    for each in at.ring.generations:
        if each.doubt is None or _is_young(at, each):  # whose tags may not be seen yet
            continue
        if each.marks.compromised is None:
            yield Later(f"generation {each.number} is trusted", None, each.doubt, reason="doubt")


def _disabling(at: _Situation) -> Found:
    for each in at.ring.generations:
        if not each.is_to_be_disabled:
            continue
        if each.number == at.ring.signing or each.kid in at.published:
            continue
        if each.state != "Enabled":
            why = f"KMS disables no key that is {each.state}, and it may be Enabled again"
            yield Later(f"generation {each.number} is disabled", None, why, reason="stuck")
        elif is_elsewhere(at.ring, each):
            yield Step("disable", each.number, "somebody else may sign with it")
        else:
            since = each.withdrawn_since
            ready = None if since is None or at.ring.signing is None else since + REST
            why = "the pointer may have been moved to it, which KMS would show late"
            yield Later(f"generation {each.number} is disabled", ready, why, reason="withdrawn")


def is_elsewhere(ring: Ring, generation: Generation) -> bool:
    """Tell whether it is certain that the pointer is not at a withdrawn generation.

    It never goes back, so to see it at a later one is enough. Seen at an earlier one, it may have
    moved on unseen; nobody moves it to a key that is known to be withdrawn, by its own mark: what
    another key says of it may be seen sooner, and has no time.
    """
    if ring.signing is None or ring.signing == generation.number:
        return False
    withdrawn = generation.withdrawn_since
    is_over = withdrawn is not None and ring.now >= withdrawn + REST
    return generation.number < ring.signing or is_over


_RULES: tuple[Callable[[_Situation], Found], ...] = (
    _retracting,
    _publishing,
    _marking_published,
    _pointing,
    _marking_draining,
    _retiring,
    _creating,
    _doubting,
    _disabling,  # last: it takes a right that the one who rotates need not have
)
