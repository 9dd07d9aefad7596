"""Lengths of time as people write them: ``15m``, ``PT15M``, ``900``."""

from __future__ import annotations

import re

_SHORT = r"([0-9]{1,9})([smhd]?)"
# ISO 8601 durations without years and months, whose length varies.
_ISO = r"P(?=.)(?:([0-9]{1,6})D)?(?:T(?=.)(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,9})S)?)?"
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds(text: str) -> int | None:
    """Return the seconds that ``text`` says, or None if it says none."""
    short = re.fullmatch(_SHORT, text)
    if short is not None:
        return int(short[1]) * _SECONDS[short[2]]
    iso = re.fullmatch(_ISO, text)
    if iso is None:
        return None
    days, hours, minutes, rest = (int(part or 0) for part in iso.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest
