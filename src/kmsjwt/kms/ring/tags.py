"""The facts of a ring as tags on its keys: whole seconds, and times in UTC (ISO 8601)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kmsjwt.errors import ConfigError, shown
from kmsjwt.rotation import Marks, RingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

RING, GENERATION, KID = "kmsjwt:ring", "kmsjwt:generation", "kmsjwt:kid"
PUBLISHED, CONFIRMED, DRAINING = "kmsjwt:published", "kmsjwt:confirmed", "kmsjwt:draining"
RETIRED, COMPROMISED, DISABLED = "kmsjwt:retired", "kmsjwt:compromised", "kmsjwt:disabled"
KEEP_ENABLED, BUNDLE, ALG = "kmsjwt:keep-enabled", "kmsjwt:bundle", "kmsjwt:alg"
TIMES = {
    "kmsjwt:period": "period",
    "kmsjwt:max-lifetime": "max_lifetime",
    "kmsjwt:signer-refresh": "signer_refresh",
    "kmsjwt:document-max-age": "document_max_age",
    "kmsjwt:consumer-cache": "consumer_cache",
}
_MARKS = {
    PUBLISHED: "published",
    CONFIRMED: "confirmed",
    DRAINING: "draining",
    RETIRED: "retired",
    COMPROMISED: "compromised",
    DISABLED: "disabled",
}
ALL_TAGS = (RING, GENERATION, KID, *_MARKS, KEEP_ENABLED, BUNDLE, ALG, *TIMES)
"""Every tag that this package writes."""

NOT_ANY_MORE = "no"
"""The value of `PUBLISHED` of a key that was published and is so no longer."""

_YES = "yes"
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def of_settings(settings: RingSettings) -> dict[str, str]:
    """Return the tags of a generation's settings."""
    tags = {tag: str(getattr(settings, name)) for tag, name in TIMES.items()}
    if settings.bundle:
        tags[BUNDLE] = _YES
    if settings.alg is not None:
        tags[ALG] = settings.alg
    return tags


def settings_in(tags: Mapping[str, str]) -> RingSettings | None:
    """Return the settings; None if one of them is missing or makes no sense."""
    times = {name: tags.get(tag, "") for tag, name in TIMES.items()}
    if not all(re.fullmatch("[0-9]{1,9}", text) for text in times.values()):
        return None
    seconds = {name: int(text) for name, text in times.items()}
    try:
        return RingSettings(**seconds, bundle=tags.get(BUNDLE) == _YES, alg=tags.get(ALG))
    except ConfigError:
        return None


def marks_in(tags: Mapping[str, str]) -> Marks:
    """Return what was written on a key.

    Raises:
        ValueError: a time cannot be read; the message names its tag.
    """
    times = {
        name: _moment(tag, tags[tag])
        for tag, name in _MARKS.items()
        if tags.get(tag, NOT_ANY_MORE) != NOT_ANY_MORE
    }
    return Marks(**times, keep_enabled=tags.get(KEEP_ENABLED) == _YES)


def moment(seconds: float) -> str:
    """Return a time as a tag has it."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime(_MOMENT)


def _moment(tag: str, text: str) -> float:
    try:
        return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ValueError(
            f"its tag {tag} is {shown(text)}, expected a time such as {moment(0)}"
        ) from None
