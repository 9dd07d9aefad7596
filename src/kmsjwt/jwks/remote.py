"""`JwksUrl`: a key source that follows a published JWKS.

The state is one immutable value that is swapped whole. A key that is in a fresh set is found
without a lock; everything else goes through one refresh at a time.
"""

from __future__ import annotations

import time
from _thread import allocate_lock  # all of `threading` that is needed, at no cost to a cold start
from math import inf, isfinite
from typing import TYPE_CHECKING

from kmsjwt.algorithms import algorithm
from kmsjwt.errors import (
    ConfigError,
    JwksUnavailable,
    KeySourceError,
    UnknownKey,
    all_of,
    shown,
)
from kmsjwt.jwks.places import IssuerPlace, UrlPlace, read_key_set
from kmsjwt.jwks.state import State, copied, with_old_objects
from kmsjwt.jwks.static import unknown_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import TypedDict, Unpack

    from kmsjwt._log import Log
    from kmsjwt.keys import KeySet, PublicKey

    class Settings(TypedDict, total=False):
        """What `JwksUrl` takes besides the URL."""

        seed: str | PathLike[str] | None
        seed_max_age: float | None
        alg: str | None
        timeout: float
        back_off: float
        cool_down: float
        max_age: float
        max_stale: float
        clock: Callable[[], float]
        log: Log | None


_LONGEST = 253_402_300_799  # seconds; the last second of the year 9999, which dates can still name
_LONGEST_TIMEOUT = 86_400  # seconds; sockets and locks take none of centuries


class JwksUrl:
    """The keys that an issuer publishes at a URL, kept fresh. Safe to share between threads.

    * Nothing is fetched until a key is asked for; with a ``seed``, not before the seed is
      ``max_age`` old or a token names a key that is not in it. A seed that is older than
      ``seed_max_age`` by its own date, or was read from another URL, is as good as none.
    * A ``kid`` that is not in the set causes at most one fetch per ``cool_down``, however many
      tokens name however many unknown keys.
    * While the URL cannot be read, the last good keys go on serving for up to ``max_stale``
      after they were fetched. A document that is no key set counts as one that cannot be read.
    * Threads that need the same fetch wait for it together; those whose key is in the set that
      is there do not wait.
    * A key that did not change stays the identical object.

    Ages are told by the wall clock, so that they are right after a frozen or restored process.
    A set from the future, because the clock went back, counts as one that has just aged out.
    ``Cache-Control`` (max-age, no-cache, no-store) may shorten ``max_age``, down to
    ``cool_down``, and never lengthens it; nothing else of HTTP caching is honoured.
    """

    __slots__ = (
        "_alg",
        "_back_off",
        "_clock",
        "_cool_down",
        "_lock",
        "_log",
        "_max_age",
        "_max_stale",
        "_place",
        "_state",
        "_timeout",
        "seed_unused",
    )

    seed_unused: str | None
    """Why the seed is as good as none, if it is."""

    def __init__(
        self,
        url: str | IssuerPlace,
        *,
        seed: str | PathLike[str] | None = None,
        seed_max_age: float | None = None,
        alg: str | None = None,
        timeout: float = 2,
        back_off: float = 5,
        cool_down: float = 30,
        max_age: float = 300,
        max_stale: float = 86_400,
        clock: Callable[[], float] = time.time,
        log: Log | None = None,
    ) -> None:
        """Set up the source; nothing is fetched yet.

        Args:
            url: of the JWKS: https, or http on 127.0.0.1, ::1 or localhost.
            seed: path of a JWKS file to start with, as fresh as this object.
            seed_max_age: seconds for which the seed may serve at all, counted from the ``read_at``
                that it must then have, and beside it ``read_from``, the URL to the letter. None
                for no end: each new process then trusts a withdrawn key for ``max_age``.
            alg: the algorithm of JWKs that do not name one; see `PublicKey.from_jwk`.
            timeout: seconds that one refresh may take in all, a day at most.
            back_off: seconds to leave the server alone after a failed fetch.
            cool_down: seconds between two fetches for the sake of unknown ``kid`` values.
            max_age: seconds a set is fresh.
            max_stale: seconds a set may serve, counted from its fetch, if no newer can be had.
            clock: seconds since 1970.
            log: told of each failed fetch, such as `kmsjwt._log.log_line`.

        Raises:
            ConfigError: naming every fault at once.
        """
        times = {
            "timeout": timeout,
            "back_off": back_off,
            "cool_down": cool_down,
            "max_age": max_age,
            "max_stale": max_stale,
        }
        place, seeded, *_ = all_of(
            lambda: url.checked() if isinstance(url, IssuerPlace) else UrlPlace(url),
            lambda: None if seed is None else _seed(seed, url, alg, seed_max_age, clock()),
            lambda: None if alg is None else algorithm(alg),
            lambda: _require_times(**times),
            code="jwks_url",
        )
        self._place: UrlPlace | IssuerPlace = place
        self._alg = alg
        self._timeout = timeout
        self._back_off = back_off
        self._cool_down = cool_down
        self._max_age = max_age
        self._max_stale = max_stale
        self._clock = clock
        self._log = log
        self._lock = allocate_lock()
        keys, until, self.seed_unused = seeded or (None, inf, None)
        self._state = State(keys=keys, fetched_at=clock(), max_age=max_age, until=until)

    @classmethod
    def from_issuer(cls, issuer: str, **settings: Unpack[Settings]) -> JwksUrl:
        """Follow the JWKS that an issuer names in its OpenID configuration.

        ``<issuer>/.well-known/openid-configuration`` is read along with each fetch of the keys,
        so it never is older than they are, and both share ``timeout``. Its ``issuer`` must be
        the given one, to the character (OpenID Connect Discovery 1.0 section 4.3).

        Args:
            issuer: the issuer, as tokens name it in ``iss``.
            **settings: as for `JwksUrl`; a seed's ``read_from`` is then the issuer.

        Raises:
            ConfigError: naming every fault at once.
        """
        return cls(IssuerPlace(issuer), **settings)

    def key(self, kid: str | None) -> PublicKey:
        """Return the key of that ``kid``; see `kmsjwt.verifier.KeySource`.

        Raises:
            UnknownKey: the set is fresh and has no such key.
            JwksUnavailable: the set cannot be fetched, and what is there does not answer.
            JwksInvalid: what was fetched is no key set, and there never was a good one.
        """
        state = self._state  # read before the clock, so that nothing looks fetched in the future
        if not state.is_fresh(self._clock()):
            # Whoever finds the key in the old set need not wait for a fetch under way.
            state = self._refreshed(state, self._back_off, wait=not self._serves(state, kid))
        elif kid is not None and state.find(kid) is None:
            state = self._refreshed(state, self._cool_down, wait=True)
        keys = self._usable(state)
        found = keys.find(kid)
        if found is None:
            raise self._not_found(kid, keys, state)
        return found

    @property
    def key_count(self) -> int:
        """How many keys the last good set has."""
        keys = self._state.keys
        return 0 if keys is None else len(keys)

    def key_set(self) -> KeySet:
        """Return all keys, fetched first if they are not fresh.

        Raises:
            KeySourceError: as `key`.
        """
        state = self._state
        if not state.is_fresh(self._clock()):
            usable = state.is_usable(self._clock(), self._max_stale)
            state = self._refreshed(state, self._back_off, wait=not usable)
        return self._usable(state)

    def __repr__(self) -> str:
        return f"JwksUrl({str(self._place)!r})"

    def _serves(self, state: State, kid: str | None) -> bool:
        return state.is_usable(self._clock(), self._max_stale) and state.find(kid) is not None

    def _refreshed(self, seen: State, pause: float, *, wait: bool) -> State:
        """Return the state after a fetch by this thread or another, or as it is."""
        if not seen.may_try(self._clock(), pause):
            return seen
        # A second beyond the time limit: the name look-up has none.
        if not self._lock.acquire(wait, self._timeout + 1 if wait else -1):
            if wait:
                raise JwksUnavailable(
                    f"{self._place} is still being fetched by another thread", code="jwks_busy"
                )
            return self._state
        try:
            # If the state is another by now, somebody fetched while this thread waited.
            tried = self._state is seen
            if tried:
                self._state = self._fetched(seen)
            state = self._state
        finally:
            self._lock.release()
        if tried:
            self._tell(state)
        return state

    def _fetched(self, old: State) -> State:
        started = self._clock()
        try:
            document = self._place.read(time.monotonic() + self._timeout)
            keys = read_key_set(document.body, str(self._place), self._alg)
        except KeySourceError as failure:
            return old.after_failure(failure, self._clock())
        return State(
            keys=with_old_objects(keys, old.keys),
            fetched_at=started,
            tried_at=started,
            max_age=self._granted(document.max_age),
        )

    def _tell(self, state: State) -> None:
        if self._log is not None and state.failure is not None:
            self._log(
                "WARN",
                "jwks_fetch_failed",
                code=state.failure.code,
                reason=state.failure.message,
                keys_kept=0 if state.keys is None else len(state.keys),
            )

    def _granted(self, max_age: int | None) -> float:
        if max_age is None:
            return self._max_age
        return min(self._max_age, max(max_age, self._cool_down))

    def _usable(self, state: State) -> KeySet:
        if state.keys is not None and state.is_usable(self._clock(), self._max_stale):
            return state.keys
        failure = state.failure or JwksUnavailable(f"{self._place} was not fetched in time")
        if state.keys is None:
            raise copied(failure)
        bound = "the seed may be" if isfinite(state.until) else f"{self._max_stale:g} s"
        raise JwksUnavailable(
            f"{failure.message}; the last good keys are older than {bound}",
            code="jwks_stale",
            fix=failure.fix,
        )

    def _not_found(
        self, kid: str | None, keys: KeySet, state: State
    ) -> UnknownKey | JwksUnavailable:
        if state.failure is None and state.is_fresh(self._clock()):
            return unknown_key(kid, keys)
        since = state.failure.message if state.failure else f"{self._place} is being fetched"
        return JwksUnavailable(
            f"kid is {shown(kid)}, none of the {len(keys)} keys at hand, and no newer ones can be "
            f"had: {since}",
            fix=state.failure.fix if state.failure else None,
        )


def _seed(
    path: str | PathLike[str],
    url: str | IssuerPlace,
    alg: str | None,
    max_age: float | None,
    now: float,
) -> tuple[KeySet | None, float, str | None]:
    from kmsjwt.jwks.seed import read_seed  # who has none does not pay for it

    named = url.issuer if isinstance(url, IssuerPlace) else url
    return read_seed(path, url=named, alg=alg, max_age=max_age, now=now)


def _require_times(**times: float) -> None:
    """Each time must be positive, no shorter than the one before it, and one that can pass."""
    faults: list[str] = []
    least, shortest = 0.0, ""
    for name, seconds in times.items():
        most = _LONGEST_TIMEOUT if name == "timeout" else _LONGEST
        if type(seconds) not in (int, float) or not 0 < seconds <= most:
            faults.append(
                f"{name} is {shown(seconds)}, expected a positive number of seconds, {most} at most"
            )
        elif seconds < least:
            faults.append(f"{name} is {seconds:g} s, expected at least {shortest}, {least:g} s")
        else:
            least, shortest = seconds, name
    if faults:
        raise ConfigError("; ".join(faults), code="jwks_times")
