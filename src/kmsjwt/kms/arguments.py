"""Arguments that key sources and signers have in common: their defaults, and refusing nonsense."""

from __future__ import annotations

from typing import cast

from kmsjwt.errors import ConfigError, shown

RING_MAX_AGE = 300
"""Seconds until a ring is read again, so that a new key is trusted before it signs."""
MAX_STALE = 86_400
"""Seconds a fetched key is trusted while KMS cannot be asked."""
_LONGEST = 253_402_300_799  # seconds; the last second of the year 9999, as in `kmsjwt.jwks`


def require_seconds(**times: object) -> None:
    """Refuse what is no number of seconds from 0 that a clock could tell.

    Raises:
        ConfigError: naming each setting that is none.
    """
    faults = [
        f"{name} is {shown(seconds)}, expected seconds from 0"
        for name, seconds in times.items()
        if not (type(seconds) in (int, float) and 0 <= cast("float", seconds) <= _LONGEST)
    ]
    if faults:
        raise ConfigError("; ".join(faults), code="seconds")


def require_ages(max_age: float, max_stale: float) -> None:
    """Refuse times that make no sense together.

    Raises:
        ConfigError: no seconds, or ``max_stale`` is below ``max_age``.
    """
    require_seconds(max_age=max_age, max_stale=max_stale)
    if max_stale < max_age:
        raise ConfigError(
            f"max_stale is {max_stale:g} s, expected at least max_age, {max_age:g} s",
            code="seconds",
        )


def require_clock(clock: object) -> None:
    """Refuse what cannot be asked for the time.

    Raises:
        ConfigError: it is no function.
    """
    if not callable(clock):
        raise ConfigError(
            f"clock is {shown(clock)}, expected a function such as time.time", code="clock"
        )
