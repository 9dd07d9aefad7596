"""The times of a ring: two that people choose, three that others impose, and what follows."""

from __future__ import annotations

from typing import Any

from kmsjwt._immutable import Immutable, replaced
from kmsjwt.algorithms import algorithm
from kmsjwt.errors import ConfigError, shown

MINUTE, HOUR, DAY = 60, 3_600, 86_400

PROPAGATION = 5 * MINUTE
"""How long KMS may take until everybody sees a moved alias, a tag or a permission (KMS guide,
controlling access with aliases: up to five minutes)."""
LEEWAY = 5 * MINUTE
"""The most that verifiers are taken to be lenient about ``exp``."""
MARGIN = 5 * MINUTE
"""Added to every wait: clocks differ, requests take time."""

_LONGEST = 10 * 365 * DAY
_BOUNDS = {
    "period": (HOUR, _LONGEST),
    "max_lifetime": (1, DAY),  # the issuer issues none longer
    "signer_refresh": (MINUTE, DAY),
    "document_max_age": (1, DAY),
    "consumer_cache": (0, 30 * DAY),
}


class RingSettings(Immutable):
    """The settings of one generation of keys; times in whole seconds.

    They are given to a key when it is made and stay with it, so that a shorter lifetime counts
    only for tokens that were issued under it.

    Attributes:
        period: how long a key signs before its successor is made.
        max_lifetime: the longest lifetime of a token; issuers refuse a longer one.
        signer_refresh: the longest time for which a signer goes on with the key it looked up.
        document_max_age: ``max-age`` of the published JWKS, a CDN's own time included.
        consumer_cache: the longest time for which a consumer keeps a JWKS whatever its
            ``max-age`` says. An HTTP API's authorizer keeps it 2 hours; unknown counts as 24.
        bundle: whether consumers have the JWKS in their bundle, so that a person confirms its
            deployment before a new key signs.
        alg: the JOSE algorithm, for a key spec that has several; None for the spec's default.
    """

    __slots__ = (
        "alg",
        "bundle",
        "consumer_cache",
        "document_max_age",
        "max_lifetime",
        "period",
        "signer_refresh",
    )

    period: int
    max_lifetime: int
    signer_refresh: int
    document_max_age: int
    consumer_cache: int
    bundle: bool
    alg: str | None

    def __init__(
        self,
        *,
        period: int = 30 * DAY,
        max_lifetime: int = DAY,
        signer_refresh: int = HOUR,
        document_max_age: int = 5 * MINUTE,
        consumer_cache: int = DAY,
        bundle: bool = False,
        alg: str | None = None,
    ) -> None:
        """Check the settings and keep them.

        Raises:
            ConfigError: naming each one that is out of bounds.
        """
        if alg is not None:
            algorithm(alg)
        times = {
            "period": period,
            "max_lifetime": max_lifetime,
            "signer_refresh": signer_refresh,
            "document_max_age": document_max_age,
            "consumer_cache": consumer_cache,
        }
        faults = [
            f"{name} is {shown(seconds)}, expected {_BOUNDS[name][0]} to {_BOUNDS[name][1]} s"
            for name, seconds in times.items()
            if type(seconds) is not int or not _BOUNDS[name][0] <= seconds <= _BOUNDS[name][1]
        ]
        if type(bundle) is not bool:
            faults.append(f"bundle is {shown(bundle)}, expected True or False")
        if faults:
            raise ConfigError("; ".join(faults), code="ring_settings")
        self._fill(bundle=bundle, alg=alg, **times)

    @property
    def publish_wait(self) -> int:
        """Seconds from publishing a key until nobody can lack it any more."""
        return self.document_max_age + self.consumer_cache + MARGIN

    @property
    def drain(self) -> int:
        """Seconds from the pointer's last move until no token of the former key is alive."""
        return self.signer_refresh + PROPAGATION + self.max_lifetime + LEEWAY + MARGIN

    def replaced(self, **changes: Any) -> RingSettings:
        """Return the settings with some of them changed.

        Raises:
            ConfigError: as the constructor.
        """
        return replaced(self, **changes)

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={getattr(self, name)}" for name in (*_BOUNDS, "bundle", "alg"))
        return f"RingSettings({told})"
