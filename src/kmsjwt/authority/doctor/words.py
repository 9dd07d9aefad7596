"""How a diagnosis says things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.kms.ring.tags import moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kmsjwt.authority.doctor.facts import Facts

# A unit, the least that is told in it, and its name.
_UNITS = ((86_400, 172_800, "days"), (3_600, 3_600, "h"), (60, 60, "min"))
_SHORT = 8  # characters of a name that only has to be recognised


def length(seconds: float) -> str:
    """Return a length of time in the largest unit that it is a whole number of."""
    for size, least, unit in _UNITS:
        if seconds >= least and seconds % size == 0:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def about(seconds: float) -> str:
    """Return a length of time in its largest unit, rounded down."""
    for size, least, unit in _UNITS:
        if seconds >= least:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def when(seconds: float) -> str:
    """Return a moment."""
    return moment(seconds)


def arn_end(arn: str) -> str:
    """Return enough of a key's ARN to know it again."""
    return f"…{arn[-4:]}"


def kid(name: str) -> str:
    """Return enough of a kid to know it again."""
    return name if len(name) <= _SHORT else f"{name[:_SHORT]}…"


def keys(count: int) -> str:
    """Return a number of keys."""
    return "1 key" if count == 1 else f"{count} keys"


def listed(names: Iterable[str]) -> str:
    """Return names for a sentence."""
    return ", ".join(sorted(names))


def nothing_asked(facts: Facts) -> str:
    """Return why KMS was not asked anything."""
    if facts.deployment.faults:
        return "no key is named, see settings"
    return f"the {facts.deployment.function} function asks KMS nothing"
