"""The strict mode: bad behaviour on purpose, within what AWS allows, the same for the same seed."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kmsjwt.local.propagation import check_delay

if TYPE_CHECKING:
    from kmsjwt.local.propagation import Kind

__all__ = ["Strict", "Whims"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strict:
    """How badly to behave.

    Attributes:
        seed: another number, another order of events.
        lag: seconds within which named readers see changes of aliases, tags and permissions; one
            in three is seen at once. The plain reader sees everything at once.
        throttle_every: on average, one request in so many is throttled, never two running; 0 for
            none.
        creating: seconds that a fresh replica takes to become usable.
    """

    seed: int = 0
    lag: float = 300.0
    throttle_every: int = 40
    creating: float = 5.0

    def __post_init__(self) -> None:
        check_delay("lag", self.lag)


class Whims:
    """A strict mode at work: it counts the requests. Without one, nothing bad happens."""

    def __init__(self, strict: Strict | None) -> None:
        self._strict = strict
        self._requests = itertools.count(1)
        self._throttled_last = False

    @property
    def creating(self) -> float:
        """Seconds that a fresh replica stays in state Creating."""
        return self._strict.creating if self._strict else 0.0

    @property
    def shuffle_seed(self) -> str | None:
        """What listings are shuffled with, if they are."""
        return str(self._strict.seed) if self._strict else None

    def throttles(self) -> bool:
        """Tell whether this request is one that gets throttled."""
        if self._strict is None or not self._strict.throttle_every:
            return False
        turn = _number(self._strict.seed, "throttle", next(self._requests))
        self._throttled_last = not self._throttled_last and turn % self._strict.throttle_every == 0
        return self._throttled_last

    def delay(self, reader: str, kind: Kind, serial: int) -> float:
        """Return the seconds after which this reader sees the change with this serial number."""
        if self._strict is None or not reader or kind == "key":
            return 0.0
        number = _number(self._strict.seed, reader, kind, serial)
        return 0.0 if number % 3 == 0 else number % 1000 / 1000 * self._strict.lag


def _number(*parts: object) -> int:
    digest = hashlib.sha256(" ".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big")
