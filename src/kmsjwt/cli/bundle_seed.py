"""``kmsjwt bundle --jwks``: the published keys, with which a new authorizer begins."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kmsjwt.errors import ConfigError, shown
from kmsjwt.jwks.seed import FILE, MAX_AGE, read_at, seed_bytes
from kmsjwt.kms.ring.tags import moment

if TYPE_CHECKING:
    from kmsjwt.keys import KeySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """Keys that stand in for those at the URL, for a while.

    Attributes:
        keys: the keys.
        read_at: when they were read from the URL, in seconds since 1970.
    """

    keys: KeySet
    read_at: int

    @classmethod
    def of(cls, named: str) -> Seed:
        """Read a JWKS, as it is now or as a file of an earlier reading has it.

        Args:
            named: a file or a URL.

        Raises:
            ConfigError: it is no JWKS that may be used, or a seed whose time is over.
            KeySourceError: the URL cannot be read.
        """
        from kmsjwt.jwks import JwksFile, JwksUrl

        now = int(time.time())  # before anything is read: no key looks younger than it is
        if named.lower().startswith(("https://", "http://")):
            return cls(keys=JwksUrl(named).key_set(), read_at=now)
        keys, told = JwksFile(named).key_set(), read_at(named)
        at = now if told is None else told
        if not now - MAX_AGE < at <= now:
            raise ConfigError(
                f"{shown(named)} was read at {moment(at)}, expected within the last week",
                code="bundle_seed",
                fix="give the URL instead, so that it is read now",
            )
        return cls(keys=keys, read_at=at)

    def to_bytes(self) -> bytes:
        """Return what lies in the bundle."""
        return seed_bytes(self.keys, self.read_at)

    def told(self, *, layer: bool) -> tuple[str, ...]:
        """Return what people should know: what it is good for, and until when."""
        where = f"/opt/python/{FILE}" if layer else FILE
        good_for = (
            f"an authorizer that follows a JWKS by its URL begins with the {len(self.keys)} keys"
            f" here until {moment(self.read_at + MAX_AGE)}, with KMSJWT_JWKS_SEED={where}"
        )
        return good_for, "once one of them is withdrawn, make and deploy another bundle"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON tells it."""
        return {
            "kids": sorted(key.kid for key in self.keys),
            "read_at": moment(self.read_at),
            "until": moment(self.read_at + MAX_AGE),
        }
