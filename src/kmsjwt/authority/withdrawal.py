"""What a withdrawn key means to those who verify: an honest table, in UTC.

Times count from now: the moment the JWKS without the key was read back. Every figure is the
consumer's own, as its documentation has it; none is verified against AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.kms.ring.tags import moment
from kmsjwt.rotation.settings import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kmsjwt.rotation import Ring

_RING_AGE = 5 * MINUTE  # KmsKeys.ring reads the ring anew
_HTTP_API = 2 * HOUR  # API Gateway guide, JWT authorizers: public keys are cached for two hours
_REST_API = HOUR  # API Gateway guide, JWT authorizers of REST APIs: at most an hour
_LONGEST_TTL = HOUR  # of an authorizer's cached answers, REST and HTTP APIs


def consequences(ring: Ring) -> Iterator[tuple[str, str, str, str]]:
    """Yield a consumer, until when it accepts the old key, until when it lacks the new, and why."""
    settings = next(
        (each.settings for each in reversed(ring.generations) if each.settings is not None), None
    )
    max_age = 5 * MINUTE if settings is None else settings.document_max_age
    unknown = DAY if settings is None else max(settings.consumer_cache, max_age)
    now = ring.now

    def until(seconds: float) -> str:
        return moment(now + seconds)

    yield (
        "kmsjwt, ring:NAME",
        until(_RING_AGE + 5 * MINUTE),
        "at once",
        "reads the ring every 5 min; KMS shows changes within 5",
    )
    yield "kmsjwt, JWKS URL", until(max_age), "at once", "max-age; an unknown kid is fetched"
    yield "kmsjwt, bundled JWKS", "a deployment", "a deployment", "the file is in the bundle"
    yield "HTTP API JWT", until(_HTTP_API), until(_HTTP_API), "keys are cached for 2 h"
    yield "REST API JWT", until(_REST_API), "at once", "cached 1 h; an unknown kid is fetched"
    yield "ALB and others", until(unknown), until(unknown), "unknown: the ring's consumer-cache"
    yield (
        "Lambda authorizer",
        f"+ up to {_LONGEST_TTL // HOUR} h",
        "at once",
        "its cached answers live for the cache TTL: flush them",
    )
