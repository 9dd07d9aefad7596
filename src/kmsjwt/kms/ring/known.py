"""What a ring's reader knows: which keys it trusts after a reading, and after one that failed.

Nothing is called here: facts and times in, the next state out.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.kms.ring.names import pointer_alias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kmsjwt.errors import KmsError
    from kmsjwt.keys import PublicKey
    from kmsjwt.kms.ring.reading import RingReading
    from kmsjwt.rotation import Generation, Ring

_WITHDRAWN = frozenset(("Disabled", "PendingDeletion", "PendingReplicaDeletion"))


class Held(Immutable):
    """A key that is trusted, and when KMS last said so."""

    __slots__ = ("confirmed", "number", "public")

    number: int
    public: PublicKey
    confirmed: float

    def __init__(self, number: int, public: PublicKey, confirmed: float) -> None:
        self._fill(number=number, public=public, confirmed=confirmed)

    def is_young(self, now: float, max_stale: float) -> bool:
        """Tell whether KMS confirmed it less than ``max_stale`` seconds ago."""
        return now - self.confirmed < max_stale

    def not_after(self, now: float) -> Held:
        """Return it as confirmed at ``now`` if that lies before."""
        # A confirmation from the future has no age that could be told: its time starts anew.
        return self if self.confirmed <= now else Held(self.number, self.public, now)


class Known(Immutable):
    """What is known at one moment; times are seconds since 1970.

    Attributes:
        held: the trusted keys, by ARN.
        read_at: when the last good reading began; None before the first: nothing is fresh.
        tried_at: when the last good reading began or the last bad one ended; None before the
            first of either: nobody need wait to try.
        complete_at: when the last reading began that hid no key which must be published; None
            before the first such: what is out of sight may never have been seen.
        failure: why the last reading failed; None after a good one, and before the first.
        gone: each ``kid`` that the last good reading showed withdrawn; None among them is a
            withdrawn key whose ``kid`` could not be read.
        hidden: why keys may be missing that must be published; empty if none are.
        doubts: why a ``kid`` that is not known may be of the ring, all the same; empty if it
            cannot be.
        missing: the alias that is not there though tokens of its key may be alive; None if none
            lacks.
    """

    __slots__ = (
        "complete_at",
        "doubts",
        "failure",
        "gone",
        "held",
        "hidden",
        "missing",
        "read_at",
        "tried_at",
    )

    held: Mapping[str, Held]
    read_at: float | None
    tried_at: float | None
    complete_at: float | None
    failure: KmsError | None
    gone: frozenset[str | None]
    hidden: tuple[str, ...]
    doubts: tuple[str, ...]
    missing: str | None

    def __init__(
        self,
        *,
        held: Mapping[str, Held] | None = None,
        read_at: float | None = None,
        tried_at: float | None = None,
        complete_at: float | None = None,
        failure: KmsError | None = None,
        gone: Iterable[str | None] = (),
        hidden: Iterable[str] = (),
        doubts: Iterable[str] = (),
        missing: str | None = None,
    ) -> None:
        self._fill(
            held=held or {},
            read_at=read_at,
            tried_at=tried_at,
            complete_at=complete_at,
            failure=failure,
            gone=frozenset(gone),
            hidden=tuple(hidden),
            doubts=tuple(doubts),
            missing=missing,
        )

    def is_fresh(self, now: float, max_age: float) -> bool:
        """Tell whether the ring need not be read yet."""
        return self.read_at is not None and 0 <= now - self.read_at < max_age

    def may_try(self, now: float, pause: float) -> bool:
        """Tell whether the last reading, good or bad, is ``pause`` seconds old."""
        return self.tried_at is None or not 0 <= now - self.tried_at < pause

    def is_complete(self, now: float, max_stale: float) -> bool:
        """Tell whether every key was seen so lately that none is out of trust for its age."""
        return self.complete_at is not None and 0 <= now - self.complete_at < max_stale

    def keys(self, now: float, max_stale: float) -> list[PublicKey]:
        """Return the keys that are trusted now, oldest generation first."""
        young = [each for each in self.held.values() if each.is_young(now, max_stale)]
        return [each.public for each in sorted(young, key=lambda each: each.number)]

    def find(self, kid: str, now: float, max_stale: float) -> PublicKey | None:
        """Return the trusted key of that ``kid``, or None if there is none."""
        return next((key for key in self.keys(now, max_stale) if key.kid == kid), None)

    def after_failure(self, failure: KmsError, now: float, max_stale: float) -> Known:
        """Return what is known after a reading that failed ``now``: nothing new."""
        return Known(
            held=_kept(self.held, now, max_stale),
            read_at=self.read_at,
            tried_at=now,
            # As a key's: a time in the future tells no age, and starts anew.
            complete_at=None if self.complete_at is None else min(self.complete_at, now),
            failure=copy(failure),
            gone=self.gone,
            hidden=self.hidden,
            doubts=self.doubts,
            missing=self.missing,
        )

    def after(self, reading: RingReading, now: float, max_stale: float) -> Known:
        """Return what is known after a reading that began ``now``."""
        held = _kept(self.held, now, max_stale)
        for each in reading.ring.generations:
            if _is_withdrawn(each):
                held.pop(each.arn, None)
            elif each.is_usable and each.number in reading.public:
                held[each.arn] = _confirmed(
                    held.get(each.arn), reading.public[each.number], each, now
                )
        seen = {each.arn for each in reading.ring.generations}
        retired = reading.ring.newest_retired
        held = {arn: it for arn, it in held.items() if arn in seen or it.number > retired}
        hidden, doubts = _unreadable(reading.ring, held)
        out_of_sight = _out_of_sight(reading)
        # Who knew them all lately has those that are out of sight now.
        (doubts if self.is_complete(now, max_stale) else hidden).extend(out_of_sight)
        return Known(
            held=held,
            read_at=now,
            tried_at=now,
            complete_at=self.complete_at if hidden or out_of_sight else now,
            gone=[each.kid for each in reading.ring.generations if _is_withdrawn(each)],
            hidden=hidden,
            doubts=doubts,
            missing=reading.missing,
        )


def _kept(held: Mapping[str, Held], now: float, max_stale: float) -> dict[str, Held]:
    return {arn: each.not_after(now) for arn, each in held.items() if each.is_young(now, max_stale)}


def _confirmed(before: Held | None, public: PublicKey, each: Generation, now: float) -> Held:
    # A key that did not change stays the identical object.
    same = before.public if before is not None and before.public == public else public
    return Held(each.number, same, now)


def _is_withdrawn(each: Generation) -> bool:
    return each.state in _WITHDRAWN or each.marks.are_final


def _unreadable(ring: Ring, held: Mapping[str, Held]) -> tuple[list[str], list[str]]:
    """Return why keys may lack in what is published, and why others may be the ring's."""
    hidden: list[str] = []
    doubts: list[str] = []
    if ring.signing is None:
        doubts.append(f"{pointer_alias(ring.name)} leads to none of its keys")
    for each in ring.generations:
        if _is_withdrawn(each) or each.arn in held:
            continue
        why = each.doubt or f"the public key of generation {each.number} may not be read"
        # One that is to sign next may be too young to be read, and there are no tokens of it.
        is_next = ring.signing is not None and each.number > ring.signing
        (doubts if is_next else hidden).append(why)
    return hidden, doubts


def _out_of_sight(reading: RingReading) -> list[str]:
    """Return why there may be generations that were not read."""
    ring = reading.ring
    why = list(reading.unseen)
    if ring.doubt is not None:
        why.append(ring.doubt)
    if reading.missing is not None:
        why.append(f"{reading.missing} is not there")
    return why
