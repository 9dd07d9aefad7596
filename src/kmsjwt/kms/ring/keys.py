"""Verifying with all keys of a ring, whichever of them signs now.

IAM: what `kmsjwt.kms.ring.reading` needs, without ``kms:ListAliases``.
"""

from __future__ import annotations

import time
from copy import copy
from threading import Lock
from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt._immutable import Immutable
from kmsjwt.errors import KmsError, KmsUnavailable, UnknownKey, all_of, shown
from kmsjwt.keys import KeySet
from kmsjwt.kms.public import require_clock, require_seconds
from kmsjwt.kms.ring.names import generation_alias, pointer_alias, ring_name
from kmsjwt.kms.ring.reading import RingReading, read
from kmsjwt.kms.sources import MAX_STALE, RING_MAX_AGE, require_ages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kmsjwt.keys import PublicKey
    from kmsjwt.rotation import Generation, Ring

COOL_DOWN = 30
"""Seconds between two readings for the sake of unknown ``kid`` values."""
_BACK_OFF = 5
_WEEK = 7 * 86_400  # the shortest time that KMS waits before it deletes a key
_LONGEST_DRAIN = 2 * 86_400 + 900  # of a ring whose times are the longest that it may have
_WITHDRAWN = frozenset(("Disabled", "PendingDeletion", "PendingReplicaDeletion"))


class RingKeys:
    """The public keys of a ring's generations, read from KMS and kept fresh.

    A generation's key is trusted from its first reading until one of these is seen:

    * its own tag says that it is retired or compromised, or that of a later generation says
      retired, since generations retire in order;
    * KMS says that it is disabled or about to be deleted;
    * nothing of it was seen for ``max_stale``.

    So no missing alias, denied call or garbled tag takes a key away at once. Where one leaves
    open which keys there are, an unknown ``kid`` raises a `KmsError`: it is not refused. So a
    process that has just started and one that runs for long do not contradict each other. One
    bound has that: a generation's alias that is missing for longer than a week since its
    successor was made (or than the successor's publication takes and a day's tokens live) counts
    as that of a deleted key.

    Safe to share between threads: one of them reads, those that need the answer wait for it, and
    those whose key is at hand do not.
    """

    __slots__ = (
        "_client",
        "_clock",
        "_cool_down",
        "_lock",
        "_max_age",
        "_max_stale",
        "_name",
        "_state",
    )

    def __init__(
        self,
        name: str,
        *,
        client: Any = None,
        region: str | None = None,
        max_age: float = RING_MAX_AGE,
        max_stale: float = MAX_STALE,
        cool_down: float = COOL_DOWN,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Name the ring. KMS is first asked when the first token is verified.

        Args:
            name: the ring; ``auth``, ``ring:auth`` and ``alias/auth`` are the same.
            client: any boto3 KMS client; one with short timeouts is made if None.
            region: the Region, if no client is given.
            max_age: seconds until the ring is read again.
            max_stale: seconds a key is trusted without KMS confirming it, at least ``max_age``.
            cool_down: seconds between two readings for the sake of an unknown ``kid``.
            clock: seconds since 1970.

        Raises:
            ConfigError: naming everything that is wrong at once: the name, times that make no
                sense, boto3 that is missing, a Region that is not known.
        """
        its_name, its_client, *_ = all_of(
            lambda: ring_name(name),
            lambda: aws.kms_client(region) if client is None else client,
            lambda: require_ages(max_age, max_stale),
            lambda: require_seconds(cool_down=cool_down),
            lambda: require_clock(clock),
            code="kms_settings",
        )
        self._name: str = its_name
        self._client = its_client
        self._max_age = max_age
        self._max_stale = max_stale
        self._cool_down = cool_down
        self._clock = clock
        self._lock = Lock()
        self._state = _State()

    def key(self, kid: str | None) -> PublicKey:
        """Return the key of that ``kid``; see `kmsjwt.verifier.KeySource`.

        Raises:
            UnknownKey: the ring is known, and none of its keys is meant. A token without a
                ``kid`` never means one: a ring has several in the course of time.
            KmsError: KMS did not tell enough to say so.
        """
        if kid is None:
            raise UnknownKey(
                f"the token names no kid, and ring {self._name} has a key after the other",
                code="kid_missing",
            )
        state = self._state  # read before the clock, so that nothing looks read in the future
        found = state.find(kid, self._clock(), self._max_stale)
        if not state.is_fresh(self._clock(), self._max_age):
            state = self._refreshed(state, _BACK_OFF, wait=found is None)
        elif found is None:
            state = self._refreshed(state, self._cool_down, wait=True)
        found = state.find(kid, self._clock(), self._max_stale)
        if found is not None:
            return found
        raise self._not_found(kid, state)

    @property
    def key_count(self) -> int:
        """How many keys are known now, at least 1."""
        return len(self._state.held) or 1

    def key_set(self) -> KeySet:
        """Return all keys, for publishing: those that KMS shows, and those it merely hides.

        Raises:
            KmsError: there may be keys that were never seen here.
        """
        state = self._state
        if not state.is_fresh(self._clock(), self._max_age):
            state = self._refreshed(state, _BACK_OFF, wait=True)
        keys = state.keys(self._clock(), self._max_stale)
        if state.failure is not None and not keys:
            raise copy(state.failure)
        if state.hidden:
            raise self._unsure(state.hidden[0])
        if not keys:
            raise self._unsure("no key of it may be trusted")
        return KeySet(keys)

    def __repr__(self) -> str:
        return f"RingKeys({self._name!r})"

    def _refreshed(self, seen: _State, pause: float, *, wait: bool) -> _State:
        """Return the state after a reading by this thread or another, or as it is."""
        if not seen.may_try(self._clock(), pause):
            return seen
        if not self._lock.acquire(blocking=wait):
            return self._state
        try:
            # If the state is another by now, somebody read while this thread waited.
            if self._state is seen:
                self._state = self._read(seen)
            return self._state
        finally:
            self._lock.release()

    def _read(self, old: _State) -> _State:
        started = self._clock()
        try:
            reading = read(self._client, self._name, since=False)
        except KmsError as failure:
            return old.after_failure(failure, self._clock(), self._max_stale)
        return old.after(reading, started, self._max_stale)

    def _not_found(self, kid: str, state: _State) -> UnknownKey | KmsError:
        if state.failure is not None:
            # A copy: one error raised again and again would keep every caller's frames.
            return copy(state.failure)
        if not state.is_fresh(self._clock(), self._max_age):
            return self._unsure("it is being read")
        for doubt in () if kid in state.gone else (*state.hidden, *state.doubts):
            return self._unsure(f"kid {shown(kid)} may be of the ring: {doubt}")
        count = len(state.held)
        return UnknownKey(f"kid is {shown(kid)}, which is none of the {count} keys of the ring")

    def _unsure(self, why: str) -> KmsUnavailable:
        return KmsUnavailable(
            f"the keys of ring {self._name} are not all known: {why}",
            action="DescribeKey",
            key=pointer_alias(self._name),
            code="ring_not_known",
            fix="see kmsjwt key list, and that the aliases, tags and public keys may be read",
        )


class _Held(Immutable):
    """A key that is trusted, and when KMS last said so."""

    __slots__ = ("confirmed", "number", "public")

    number: int
    public: PublicKey
    confirmed: float

    def __init__(self, number: int, public: PublicKey, confirmed: float) -> None:
        self._fill(number=number, public=public, confirmed=confirmed)

    def is_young(self, now: float, max_stale: float) -> bool:
        return now - self.confirmed < max_stale

    def not_after(self, now: float) -> _Held:
        # A confirmation from the future has no age that could be told: its time starts anew.
        return self if self.confirmed <= now else _Held(self.number, self.public, now)


class _State(Immutable):
    """What is known at one moment.

    Attributes:
        held: the trusted keys, by ARN.
        read_at: when the last good reading began; None before the first.
        tried_at: when the last good reading began or the last bad one ended.
        complete_at: when the last reading began that hid no key which must be published.
        failure: why the last reading failed; None after a good one.
        gone: each ``kid`` that is known to be withdrawn.
        hidden: why keys may be missing that must be published.
        doubts: why a ``kid`` that is not known may be of the ring, all the same.
    """

    __slots__ = (
        "complete_at",
        "doubts",
        "failure",
        "gone",
        "held",
        "hidden",
        "read_at",
        "tried_at",
    )

    held: Mapping[str, _Held]
    read_at: float | None
    tried_at: float | None
    complete_at: float | None
    failure: KmsError | None
    gone: frozenset[str | None]
    hidden: tuple[str, ...]
    doubts: tuple[str, ...]

    def __init__(
        self,
        *,
        held: Mapping[str, _Held] | None = None,
        read_at: float | None = None,
        tried_at: float | None = None,
        complete_at: float | None = None,
        failure: KmsError | None = None,
        gone: Iterable[str | None] = (),
        hidden: Iterable[str] = (),
        doubts: Iterable[str] = (),
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
        )

    def is_fresh(self, now: float, max_age: float) -> bool:
        return self.read_at is not None and 0 <= now - self.read_at < max_age

    def may_try(self, now: float, pause: float) -> bool:
        return self.tried_at is None or not 0 <= now - self.tried_at < pause

    def keys(self, now: float, max_stale: float) -> list[PublicKey]:
        young = [each for each in self.held.values() if each.is_young(now, max_stale)]
        return [each.public for each in sorted(young, key=lambda each: each.number)]

    def find(self, kid: str, now: float, max_stale: float) -> PublicKey | None:
        return next((key for key in self.keys(now, max_stale) if key.kid == kid), None)

    def after_failure(self, failure: KmsError, now: float, max_stale: float) -> _State:
        return _State(
            held=_kept(self.held, now, max_stale),
            read_at=self.read_at,
            tried_at=now,
            complete_at=self.complete_at,
            failure=copy(failure),
            gone=self.gone,
            hidden=self.hidden,
            doubts=self.doubts,
        )

    def after(self, reading: RingReading, now: float, max_stale: float) -> _State:
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
        retired = _newest_retired(reading.ring.generations)
        held = {arn: it for arn, it in held.items() if arn in seen or it.number > retired}
        hidden, doubts = _unreadable(reading.ring, held)
        out_of_sight = _out_of_sight(reading)
        # Who knew them all lately has those that are out of sight now.
        known = self.complete_at is not None and 0 <= now - self.complete_at < max_stale
        (doubts if known else hidden).extend(out_of_sight)
        return _State(
            held=held,
            read_at=now,
            tried_at=now,
            complete_at=self.complete_at if hidden or out_of_sight else now,
            gone=[each.kid for each in reading.ring.generations if _is_withdrawn(each)],
            hidden=hidden,
            doubts=doubts,
        )


def _kept(held: Mapping[str, _Held], now: float, max_stale: float) -> dict[str, _Held]:
    return {arn: each.not_after(now) for arn, each in held.items() if each.is_young(now, max_stale)}


def _confirmed(before: _Held | None, public: PublicKey, each: Generation, now: float) -> _Held:
    # A key that did not change stays the identical object.
    same = before.public if before is not None and before.public == public else public
    return _Held(each.number, same, now)


def _is_withdrawn(each: Generation) -> bool:
    if each.state in _WITHDRAWN:
        return True
    marks = each.marks
    # What is written on a key that is not the ring's says nothing about the ring.
    return each.doubt is None and not (marks.retired is None and marks.compromised is None)


def _newest_retired(generations: Iterable[Generation]) -> int:
    """Return the highest number that retired in its turn: all below it have, seen or not."""
    return max(
        (
            each.number
            for each in generations
            if each.marks.retired is not None and each.marks.compromised is None and not each.doubt
        ),
        default=0,
    )


def _unreadable(ring: Ring, held: Mapping[str, _Held]) -> tuple[list[str], list[str]]:
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
    lowest = next(iter(ring.generations), None)
    if lowest is None or lowest.number <= max(1, _newest_retired(ring.generations)):
        return why
    # KMS removes a deleted key's alias, and none sooner than a week after its successor was made.
    # By then tokens of it are dead, unless the successor's publication takes longer.
    settings = lowest.settings
    waits = None if settings is None else max(_WEEK, settings.publish_wait + _LONGEST_DRAIN)
    if waits is None or ring.now - lowest.born < waits:
        why.append(f"{generation_alias(ring.name, lowest.number - 1)} is not there")
    return why
