"""What an account holds: keys and aliases as plain values, replaced and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kmsjwt.local.arns import Arn

if TYPE_CHECKING:
    from kmsjwt.local.crypto import Material
    from kmsjwt.local.specs import KeySpec

__all__ = ["Alias", "Key", "Tags", "Usage"]

Tags = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One KMS key in one Region. Times are seconds since the epoch.

    Attributes:
        ready_at: until then its state is Creating, as a fresh replica's is.
        window_days: the waiting period, once its deletion is scheduled.
        deletion_date: when it goes; None while it isn't scheduled, or while replicas of a
            scheduled primary still exist.
        primary_region: of a multi-Region key, where its primary is; else its own Region.
        policy: stored and returned, never enforced.
    """

    key_id: str
    region: str
    account_id: str
    spec: KeySpec
    usage: str
    material: Material
    created: float
    description: str = ""
    policy: str = ""
    enabled: bool = True
    ready_at: float = 0.0
    window_days: int | None = None
    deletion_date: float | None = None
    multi_region: bool = False
    primary_region: str = ""

    @property
    def arn(self) -> str:
        """The key ARN."""
        return str(Arn(self.region, self.account_id, f"key/{self.key_id}"))

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What the key can do under its usage."""
        return self.spec.usages[self.usage]

    @property
    def is_replica(self) -> bool:
        """Whether it is a multi-Region key whose primary is elsewhere."""
        return self.multi_region and self.primary_region != self.region

    def state(self, now: float) -> str:
        """Return KMS's ``KeyState``."""
        if self.deletion_date is not None:
            return "PendingDeletion"
        if self.window_days is not None:
            return "PendingReplicaDeletion"
        if now < self.ready_at:
            return "Creating"
        return "Enabled" if self.enabled else "Disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name for a key in one Region; ``name`` begins with ``alias/``."""

    name: str
    key_id: str
    created: float
    updated: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The last successful cryptographic operation with a key."""

    operation: str
    time: float
    event_id: str
    request_id: str
