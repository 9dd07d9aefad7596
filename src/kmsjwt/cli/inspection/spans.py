"""Lengths of time as people say them."""

from __future__ import annotations

_UNITS = ((365.25 * 86_400, "years"), (86_400, "days"), (3_600, "h"), (60, "min"))


def span(seconds: float) -> str:
    """Return ``59 s``, ``15 min``, ``24 h``, ``3 days`` or ``12 years``, rounded down.

    >>> span(61), span(900), span(86_400), span(3 * 86_400)
    ('61 s', '15 min', '24 h', '3 days')
    """
    for unit, name in _UNITS:
        if seconds >= 2 * unit or (seconds >= unit and seconds % unit == 0 and unit < 86_400):
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds)} s"
