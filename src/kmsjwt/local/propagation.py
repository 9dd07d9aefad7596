"""Who sees a change when: KMS is eventually consistent, and so is this one if asked.

Every fact that KMS spreads slowly is a ``History`` of its values. What a reader sees of it is the
newest value old enough for that reader; nothing sleeps, the clock is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

__all__ = ["Delay", "History", "Kind", "Propagation"]

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
    """

    alias: float = 0.0
    tag: float = 0.0
    key: float = 0.0
    permission: float = 0.0
    readers: Mapping[str, Propagation] = field(default_factory=dict)

    def delay(self, reader: str, kind: Kind) -> float:
        """Return the seconds for one reader and one kind of change."""
        seen_by = self.readers.get(reader, self)
        seconds: float = getattr(seen_by, kind)
        return seconds


class History(Generic[T]):
    """The values that one fact has had, oldest first, each with when it was written."""

    __slots__ = ("_versions",)

    # Longer than any delay makes sense: AWS speaks of five minutes. Older values are dropped.
    _MEMORY = 3600.0

    def __init__(self) -> None:
        self._versions: list[tuple[float, int, T | None]] = []

    def put(self, now: float, serial: int, value: T | None) -> None:
        """Write a new value; None says that the thing is gone."""
        kept = self._versions
        while len(kept) > 1 and kept[1][0] < now - self._MEMORY:
            kept.pop(0)
        kept.append((now, serial, value))

    @property
    def latest(self) -> T | None:
        """The value as it truly is now."""
        return self._versions[-1][2] if self._versions else None

    def seen(self, now: float, kind: Kind, delay: Delay) -> T | None:
        """Return the value as a reader with this delay sees it."""
        for written, serial, value in reversed(self._versions):
            if written + delay(kind, serial) <= now:
                return value
        return None
