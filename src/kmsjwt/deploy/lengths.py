"""Lengths of time as the template's parameters take them: ``15m``, ``2h``, ``30d`` or seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.errors import shown
from kmsjwt.handlers import _durations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
"""Seconds of each unit; a number without one is seconds."""


def pattern(least: int, most: int) -> str:
    """Return a regular expression of the lengths that are within bounds, in any unit.

    CloudFormation has patterns and no other way to keep a function from being deployed with a
    setting that it refuses to start with.

    Args:
        least: seconds.
        most: seconds.
    """
    each = []
    for unit, seconds in UNITS.items():
        first, last = -(-least // seconds), most // seconds
        if first <= last:
            each.append(f"{_numbers(max(first, 1), last)}{'s?' if unit == 's' else unit}")
    return f"^({'|'.join(each)})$"


def too_long(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield that TokenLifetime is longer than MaxTokenLifetime, if it is.

    CloudFormation's rules cannot compare lengths; the issue function refuses to start with them.

    Args:
        values: of the parameters. One that is no length, such as a token of the CDK, is left out.
    """
    given = {name: str(values.get(name)) for name in ("TokenLifetime", "MaxTokenLifetime")}
    lifetime, longest = map(_durations.seconds, given.values())
    if lifetime is not None and longest is not None and lifetime > longest:
        token, most = map(shown, given.values())
        yield f"TokenLifetime is {token}, longer than MaxTokenLifetime, which is {most}"


def _numbers(first: int, last: int) -> str:
    """Return an expression of the whole numbers from ``first`` to ``last``."""
    several = []
    for digits in range(len(str(first)), len(str(last)) + 1):
        low, high = max(first, 10 ** (digits - 1)), min(last, 10**digits - 1)
        several += _of_one_length(str(low), str(high))
    return f"({'|'.join(several)})"


def _of_one_length(low: str, high: str) -> list[str]:
    """Return expressions of the numbers between two that have as many digits as each other."""
    rest = len(low) - 1
    if not rest:
        return [_digit(low, high)]
    if low[0] == high[0]:
        return [low[0] + each for each in _of_one_length(low[1:], high[1:])]
    found, begin, end = [], int(low[0]), int(high[0])
    if int(low[1:]):
        found += [low[0] + each for each in _of_one_length(low[1:], "9" * rest)]
        begin += 1
    if high[1:] != "9" * rest:
        end -= 1
    if begin <= end:
        found.append(_digit(str(begin), str(end)) + _any(rest))
    if high[1:] != "9" * rest:
        found += [high[0] + each for each in _of_one_length("0" * rest, high[1:])]
    return found


def _digit(low: str, high: str) -> str:
    return low if low == high else f"[{low}-{high}]"


def _any(digits: int) -> str:
    return "[0-9]" if digits == 1 else f"[0-9]{{{digits}}}"
