"""Verifying with all keys of a ring, whichever of them signs now.

IAM: what `kmsjwt.kms.ring.reading` needs, without ``kms:ListAliases``.
"""

from __future__ import annotations

import time
from copy import copy
from threading import Lock
from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt.errors import KmsError, KmsUnavailable, UnknownKey, all_of, shown
from kmsjwt.key_names import ring_name
from kmsjwt.keys import KeySet
from kmsjwt.kms.arguments import (
    MAX_STALE,
    RING_MAX_AGE,
    require_ages,
    require_clock,
    require_seconds,
)
from kmsjwt.kms.ring.known import Known
from kmsjwt.kms.ring.names import naming_anew, pointer_alias
from kmsjwt.kms.ring.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.keys import PublicKey

COOL_DOWN = 30
"""Seconds between two readings for the sake of unknown ``kid`` values."""
_BACK_OFF = 5


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
    as that of a deleted key; so does one that may not be described, as of a key that somebody put
    out of everybody's reach.

    Safe to share between threads: one of them reads, those that need the answer wait for it, and
    those whose key is at hand do not.
    """

    __slots__ = (
        "_client",
        "_clock",
        "_cool_down",
        "_known",
        "_lock",
        "_max_age",
        "_max_stale",
        "_name",
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
        self._known = Known()

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
        known = self._known  # read before the clock, so that nothing looks read in the future
        found = known.find(kid, self._clock(), self._max_stale)
        if not known.is_fresh(self._clock(), self._max_age):
            known = self._refreshed(known, _BACK_OFF, wait=found is None)
        elif found is None:
            known = self._refreshed(known, self._cool_down, wait=True)
        found = known.find(kid, self._clock(), self._max_stale)
        if found is not None:
            return found
        raise self._not_found(kid, known)

    @property
    def key_count(self) -> int:
        """How many keys are known now, at least 1."""
        return len(self._known.held) or 1

    def key_set(self) -> KeySet:
        """Return all keys, for publishing: those that KMS shows, and those it merely hides.

        Raises:
            KmsError: there may be keys that were never seen here.
        """
        known = self._known
        if not known.is_fresh(self._clock(), self._max_age):
            known = self._refreshed(known, _BACK_OFF, wait=True)
        now = self._clock()
        keys = known.keys(now, self._max_stale)
        is_complete = known.is_complete(now, self._max_stale)
        if known.failure is not None and not is_complete:
            raise copy(known.failure)
        if known.hidden:
            raise self._unsure(known.hidden[0])
        if not is_complete:
            raise self._unsure("nothing was seen of one of them for too long")
        if not keys:
            raise self._unsure("no key of it may be trusted")
        return KeySet(keys)

    def __repr__(self) -> str:
        return f"RingKeys({self._name!r})"

    def _refreshed(self, seen: Known, pause: float, *, wait: bool) -> Known:
        """Return what is known after a reading by this thread or another, or as it is."""
        if not seen.may_try(self._clock(), pause):
            return seen
        if not self._lock.acquire(blocking=wait):
            return self._known
        try:
            # If something else is known by now, somebody read while this thread waited.
            if self._known is seen:
                self._known = self._read(seen)
            return self._known
        finally:
            self._lock.release()

    def _read(self, old: Known) -> Known:
        started = self._clock()
        try:
            reading = read(self._client, self._name, since=False)
        except KmsError as failure:
            return old.after_failure(failure, self._clock(), self._max_stale)
        return old.after(reading, started, self._max_stale)

    def _not_found(self, kid: str, known: Known) -> UnknownKey | KmsError:
        if known.failure is not None:
            # A copy: one error raised again and again would keep every caller's frames.
            return copy(known.failure)
        if not known.is_fresh(self._clock(), self._max_age):
            return self._unsure("it is being read")
        for doubt in () if kid in known.gone else (*known.hidden, *known.doubts):
            return self._unsure(f"kid {shown(kid)} may be of the ring: {doubt}")
        count = len(known.held)
        return UnknownKey(f"kid is {shown(kid)}, which is none of the {count} keys of the ring")

    def _unsure(self, why: str) -> KmsUnavailable:
        missing = self._known.missing
        fix = "see kmsjwt key list, and that the aliases, tags and public keys may be read"
        if missing is not None and missing in why:
            fix = naming_anew(self._name, missing)
        return KmsUnavailable(
            f"the keys of ring {self._name} are not all known: {why}",
            action="DescribeKey",
            key=pointer_alias(self._name),
            code="ring_not_known",
            fix=fix,
        )
