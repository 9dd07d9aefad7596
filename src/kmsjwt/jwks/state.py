"""What is known of a JWKS that is followed. Nothing is fetched here: facts and times in."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.keys import KeySet

if TYPE_CHECKING:
    from kmsjwt.errors import KeySourceError
    from kmsjwt.keys import PublicKey


class State(Immutable):
    """What is known at one moment; times are seconds since 1970.

    Attributes:
        keys: the last good set.
        fetched_at: when its fetch began, or when the seed was read.
        max_age: seconds it is fresh.
        tried_at: when the last successful fetch began or the last failed one ended.
        failure: why the last fetch failed; None after a successful one.
        until: when a seed's time is over, whatever its age here.
    """

    __slots__ = ("failure", "fetched_at", "keys", "max_age", "tried_at", "until")

    keys: KeySet | None
    fetched_at: float
    max_age: float
    tried_at: float | None
    failure: KeySourceError | None
    until: float

    def __init__(
        self,
        *,
        keys: KeySet | None,
        fetched_at: float,
        max_age: float,
        tried_at: float | None = None,
        failure: KeySourceError | None = None,
        until: float = inf,
    ) -> None:
        self._fill(
            keys=keys,
            fetched_at=fetched_at,
            max_age=max_age,
            tried_at=tried_at,
            failure=failure,
            until=until,
        )

    def is_fresh(self, now: float) -> bool:
        """Tell whether nothing need be fetched yet."""
        return self.is_usable(now, self.max_age)

    def is_usable(self, now: float, max_age: float) -> bool:
        """Tell whether there are keys that were fetched less than ``max_age`` seconds ago."""
        return self.keys is not None and 0 <= now - self.fetched_at < max_age and now < self.until

    def may_try(self, now: float, pause: float) -> bool:
        """Tell whether the last fetch, good or bad, is ``pause`` seconds ago."""
        return self.tried_at is None or not 0 <= now - self.tried_at < pause

    def find(self, kid: str | None) -> PublicKey | None:
        """Return the key of that ``kid``, however old it is; None if there is none."""
        return None if self.keys is None else self.keys.find(kid)

    def after_failure(self, failure: KeySourceError, now: float) -> State:
        """Return what is known after a fetch that failed ``now``: nothing new."""
        # A set from the future has no age that could be told. Its time starts anew, as one that
        # has just aged out: it serves on, and not for longer than any other.
        honest = self.fetched_at <= now
        return State(
            keys=self.keys,
            fetched_at=self.fetched_at if honest else now - self.max_age,
            max_age=self.max_age,
            tried_at=now,
            failure=copied(failure),
            until=self.until,
        )


def with_old_objects(new: KeySet, old: KeySet | None) -> KeySet:
    """Return the new set, with the old object of each key that did not change."""
    if old is None:
        return new
    return KeySet([_old_object(key, old) for key in new], skipped=new.skipped)


def _old_object(key: PublicKey, old: KeySet) -> PublicKey:
    known = old.find(key.kid)
    return known if known is not None and known == key else key


def copied(failure: KeySourceError) -> KeySourceError:
    """Return the error without its traceback, which would keep frames alive and grow."""
    return type(failure)(
        failure.message, code=failure.code, fix=failure.fix, retryable=failure.retryable
    )
