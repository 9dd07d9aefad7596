"""Who sees a change when: KMS is eventually consistent, and so is this one if asked.

Every fact that KMS spreads slowly is a ``History`` of its values. What a reader sees of it is the
newest value old enough for that reader; nothing sleeps, the clock is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar, get_args

from kmsjwt.errors import ConfigError

__all__ = ["Delay", "History", "Kind", "Propagation", "check_delay"]

# Seconds. AWS speaks of five minutes; values older than this are forgotten.
_MEMORY = 3600.0

T = TypeVar("T")
Kind = Literal["alias", "tag", "key", "permission"]
Delay = Callable[[Kind, int], float]
"""Seconds until the change with this serial number is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Propagation:
    """How many seconds each kind of change takes to be seen.

    Attributes:
        alias: an alias made, moved or deleted.
        tag: a tag set or removed.
        key: a key made, enabled, disabled, described or scheduled for deletion.
        permission: a rule of ``kms.permissions``, and aliases where a rule looks at them.
        readers: other numbers for the reader of this name (``kms.reader(name)``).

    Raises:
        ConfigError: a delay is negative or longer than an hour.
    """

    alias: float = 0.0
    tag: float = 0.0
    key: float = 0.0
    permission: float = 0.0
    readers: Mapping[str, Propagation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in get_args(Kind):
            check_delay(kind, getattr(self, kind))

    def delay(self, reader: str, kind: Kind) -> float:
        """Return the seconds for one reader and one kind of change."""
        seen_by = self.readers.get(reader, self)
        seconds: float = getattr(seen_by, kind)
        return seconds


def check_delay(name: str, seconds: float) -> None:
    """Refuse a delay that no ``History`` remembers.

    Raises:
        ConfigError: it is negative or longer than an hour.
    """
    if not 0 <= seconds <= _MEMORY:
        raise ConfigError(f"{name} is {seconds} s, expected 0 to {_MEMORY:.0f}")


class History(Generic[T]):
    """The values that one fact has had, oldest first, each with when it was written."""

    __slots__ = ("_versions",)

    def __init__(self) -> None:
        self._versions: list[tuple[float, int, T | None]] = []

    def put(self, now: float, serial: int, value: T | None) -> None:
        """Write a new value; None says that the thing is gone."""
        kept = self._versions
        while len(kept) > 1 and kept[1][0] < now - _MEMORY:
            kept.pop(0)
        kept.append((now, serial, value))

    @property
    def latest(self) -> T | None:
        """The value as it truly is now."""
        return self._versions[-1][2] if self._versions else None

    def seen(self, now: float, kind: Kind, delay: Delay) -> T | None:
        """Return the value as a reader with this delay sees it."""
        for written, serial, value in reversed(self._versions):
            wait = delay(kind, serial)
            # Without a delay the newest counts, even if the clock was set back meanwhile.
            if wait <= 0 or written + wait <= now:
                return value
        return None
