"""The facts of a ring as tags on its keys: whole seconds, and times in UTC (ISO 8601)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING

from kmsjwt.errors import ConfigError, shown
from kmsjwt.key_names import RING_NUMBER, is_key_id
from kmsjwt.kms.ring.names import generation_alias
from kmsjwt.rotation import Marks, RingSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
NEXT, GONE = "kmsjwt:next", "kmsjwt:gone"
"""On the key that signs: its successor while that has no alias yet, as ``n`` or
``n KEY-ID 2026-01-31T12:00:00Z``, which is when it was made; on one that retired: which withdrawn
keys before it are still to be disabled, as ``disable n m``.
On any key: the kids of keys that are withdrawn, and could not be marked or may be forgotten; the
longest gone first. The key id stands there for a key whose kid nobody could tell."""
UNPUBLISHED = "kmsjwt:unpublished"
"""On any key: which generations were seen not to be published any more when KMS let nothing be
written on them, and when, as ``n 2026-01-31T12:00:00Z`` for each."""
ALL_TAGS = (
    *(RING, GENERATION, KID, *_MARKS, KEEP_ENABLED, BUNDLE, ALG, *TIMES, NEXT, GONE),
    UNPUBLISHED,
)
"""Every tag that this package writes."""

NOT_ANY_MORE = "no"
"""The value of `PUBLISHED` of a key that was published and is so no longer."""

_LONGEST = 256  # characters of a tag's value
_AHEAD = 86_400  # seconds
_YES = "yes"
_DISABLE = "disable"
_SECONDS = "[0-9]{1,9}"
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
    """Return the settings; None if one of them is missing or makes no sense.

    But for the period, on which nothing depends: it is the default's then.
    """
    times = {name: tags.get(tag, "") for tag, name in TIMES.items()}
    period = times.pop("period")
    if not all(re.fullmatch(_SECONDS, text) for text in times.values()):
        return None
    seconds = {name: int(text) for name, text in times.items()}
    try:
        settings = RingSettings(**seconds, bundle=tags.get(BUNDLE) == _YES, alg=tags.get(ALG))
    except ConfigError:
        return None
    try:
        return settings.replaced(period=int(period)) if re.fullmatch(_SECONDS, period) else settings
    except ConfigError:
        return settings


def marks_in(tags: Mapping[str, str], now: float = inf) -> tuple[Marks, str | None]:
    """Return what was written on a key, and why it is in doubt.

    Args:
        tags: the key's.
        now: seconds since 1970. What lies ahead of it by more than a day cannot be true.
    """
    times: dict[str, float] = {}
    doubt: str | None = None
    for tag, name in _MARKS.items():
        text = tags.get(tag, NOT_ANY_MORE)
        if text == NOT_ANY_MORE:
            continue
        seconds = _moment(text)
        if seconds is None or seconds > now + _AHEAD:
            doubt = f"its tag {tag} is {shown(text)}, expected a time such as {moment(0)}"
        else:
            times[name] = seconds
    return Marks(**times, keep_enabled=tags.get(KEEP_ENABLED) == _YES), doubt


def stranger(name: str, number: int, tags: Mapping[str, str]) -> str | None:
    """Return why a key that has a generation's alias may not be of the ring; None if it is."""
    ring, its_number = tags.get(RING), tags.get(GENERATION)
    if (ring, its_number) == (name, str(number)):
        return None
    alias = generation_alias(name, number)
    if ring is None and its_number is None:
        return f"the key of {alias} has no tag of a ring, or none that can be seen yet"
    return f"the key of {alias} is tagged as generation {shown(its_number)} of ring {shown(ring)}"


def gone_in(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return the kids, or key ids, that a key says are gone: of keys that cannot say so."""
    return tuple(tags.get(GONE, "").split())


def with_gone(gone: Iterable[str], kids: Iterable[str]) -> str:
    """Return the tag's value with more kids; the longest gone are forgotten where it is full."""
    latest = list(dict.fromkeys(kids))
    listed = [*(kid for kid in dict.fromkeys(gone) if kid not in latest), *latest]
    while len(" ".join(listed)) > _LONGEST:
        listed.pop(0)
    return " ".join(listed)


def unpublished_in(tags: Mapping[str, str], now: float = inf) -> dict[int, float]:
    """Return the generations that a key says are not published any more, and since when.

    Args:
        tags: the key's.
        now: seconds since 1970. What lies ahead of it by more than a day cannot be true.
    """
    words = tags.get(UNPUBLISHED, "").split()
    told = {
        int(number): seconds
        for number, text in zip(words[::2], words[1::2], strict=False)
        if re.fullmatch(RING_NUMBER, number) and (seconds := _moment(text)) is not None
    }
    return {number: seconds for number, seconds in told.items() if seconds <= now + _AHEAD}


def with_unpublished(told: Mapping[int, float]) -> str:
    """Return the tag's value; the oldest generations are forgotten where it is full."""
    listed = [f"{number} {moment(seconds)}" for number, seconds in sorted(told.items())]
    while len(" ".join(listed)) > _LONGEST:
        listed.pop(0)
    return " ".join(listed)


def of_made(number: int, key_id: str, when: str) -> str:
    """Return the value of `NEXT` for a key that was made and has no alias yet."""
    return f"{number} {key_id} {when}"


def made_in(tags: Mapping[str, str], number: int) -> tuple[str, float] | None:
    """Return the key id that was made for a generation, and when; 0 if that is not readable.

    A note that names a key otherwise, such as one of another account, is none of ours.
    """
    which, *noted = tags.get(NEXT, "").split()[:3] or [""]
    if which != str(number) or not noted or not is_key_id(noted[0]):
        return None
    return noted[0], _moment(noted[-1]) or 0.0


def to_disable_in(tags: Mapping[str, str]) -> tuple[int, ...]:
    """Return the numbers of withdrawn keys that a retired one says are still to be disabled."""
    what, *numbers = tags.get(NEXT, "").split() or [""]
    if what != _DISABLE:
        return ()
    return tuple(int(number) for number in numbers if re.fullmatch(RING_NUMBER, number))


def with_to_disable(numbers: Iterable[int]) -> str:
    """Return the value of `NEXT` for a key that retires; the oldest first."""
    listed = [str(number) for number in sorted(numbers)]
    while len(" ".join([_DISABLE, *listed])) > _LONGEST:
        listed.pop(0)
    return " ".join([_DISABLE, *listed])


def moment(seconds: float) -> str:
    """Return a time as a tag has it."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime(_MOMENT)


def _moment(text: str) -> float | None:
    try:
        return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return None
