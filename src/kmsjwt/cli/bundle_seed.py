"""``kmsjwt bundle --jwks``: the published keys, with which a new authorizer begins."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kmsjwt.errors import ConfigError, shown
from kmsjwt.jwks.seed import FILE, MAX_AGE, read_copy, seed_bytes
from kmsjwt.kms.ring.tags import moment

if TYPE_CHECKING:
    from kmsjwt.keys import KeySet

_GIVE_URL = "give the URL instead, so that it is read now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """Keys that stand in for those at the URL, for a while.

    Attributes:
        keys: the keys.
        read_at: when they were read from the URL, in seconds since 1970.
        read_from: the URL.
    """

    keys: KeySet
    read_at: int
    read_from: str

    @classmethod
    def of(cls, named: str) -> Seed:
        """Read a JWKS, as it is now or as a seed of an earlier reading has it.

        Args:
            named: a seed's file or a URL. A plain JWKS file does not do: taken for what is
                published now, it would bring a withdrawn key back with each bundle.

        Raises:
            ConfigError: it is no JWKS that may be used, no seed, or one whose time is over.
            KeySourceError: the URL cannot be read.
        """
        from kmsjwt.jwks import JwksUrl

        now = int(time.time())  # before anything is read: no key looks younger than it is
        if named.lower().startswith(("https://", "http://")):
            return cls(keys=JwksUrl(named).key_set(), read_at=now, read_from=named)
        try:
            keys, at, read_from = read_copy(named)
        except ConfigError as error:
            if error.code == "jwks_seed":
                raise ConfigError(error.message, code="bundle_seed", fix=_GIVE_URL) from None
            raise
        if not now - MAX_AGE < at <= now:
            raise ConfigError(
                f"{shown(named)} was read at {moment(at)}, expected within the last week",
                code="bundle_seed",
                fix=_GIVE_URL,
            )
        return cls(keys=keys, read_at=at, read_from=read_from)

    def to_bytes(self) -> bytes:
        """Return what lies in the bundle."""
        return seed_bytes(self.keys, self.read_at, self.read_from)

    def told(self, *, layer: bool) -> tuple[str, ...]:
        """Return what people should know: what it is good for, and until when."""
        where = f"/opt/python/{FILE}" if layer else FILE
        good_for = (
            f"an authorizer that follows {self._address} begins with the {len(self.keys)} keys"
            f" here until {moment(self.read_at + MAX_AGE)}, with KMSJWT_JWKS_SEED={where}"
        )
        return good_for, "once one of them is withdrawn, make and deploy another bundle"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON tells it."""
        return {
            "kids": sorted(key.kid for key in self.keys),
            "read_at": moment(self.read_at),
            "read_from": self._address,
            "until": moment(self.read_at + MAX_AGE),
        }

    @property
    def _address(self) -> str:
        """The URL without its query, where some put secrets."""
        return self.read_from.partition("?")[0]
