"""How figures are taken: everybody is proven honest, then measured in one interleaved run.

A busy machine, a warm cache or a clock that slows down then hits each contender alike: short
slices in random order, round after round; the median over rounds is the figure, and a ratio is
the median of the ratios inside each round.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Run = Callable[[Sequence[Any]], object]
Slice = tuple[Callable[[], object], int]
"""What to call, and how many operations one call makes."""

SIGNATURE_ONLY = ("signature", "payload")
DEMANDED = ("signature", "payload", "aud", "iss", "exp", "no exp", "nbf")
"""The forgeries that every contender with claim checks must refuse."""


class Unfit(Exception):
    """A contender accepts a forgery or refuses a good token: nothing it does may be timed."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who checks tokens.

    Attributes:
        name: What the tables call it.
        run: Checks each prepared token, and raises at the first that is not good.
        prepare: What is made of a compact token before the clock runs.
        refuses: The forgeries it must refuse.
    """

    name: str
    run: Run
    prepare: Callable[[str], Any] = str
    refuses: tuple[str, ...] = DEMANDED


def one_by_one(check: Callable[[Any], object]) -> Run:
    """Return the loop over ``check``."""

    def run(tokens: Sequence[Any]) -> None:
        for token in tokens:
            check(token)

    return run


def prove(contender: Contender, good: Iterable[str], forgeries: Mapping[str, str]) -> list[str]:
    """Make a contender show that it accepts what is good and refuses what is forged.

    Returns:
        The forgeries that it need not refuse and accepts.

    Raises:
        Unfit: it must not be measured.
    """
    try:
        contender.run([contender.prepare(token) for token in good])
    except Exception as error:
        raise Unfit(f"{contender.name} refuses a good token: {error!r}") from error
    accepted = [name for name, token in forgeries.items() if _accepts(contender, token)]
    for name in accepted:
        if name in contender.refuses:
            raise Unfit(f"{contender.name} accepts a token whose fault is: {name}")
    return accepted


def _accepts(contender: Contender, token: str) -> bool:
    try:
        contender.run([contender.prepare(token)])
    except Exception:  # noqa: BLE001 - whatever a library raises is its way to refuse
        return False
    return True


@dataclass(frozen=True, slots=True)
class Timings:
    """Microseconds per operation, by name, one figure a round."""

    by_name: Mapping[str, Sequence[float]]

    def median(self, name: str) -> float:
        return statistics.median(self.by_name[name])

    def ratio(self, name: str, base: str) -> float:
        """Return the median of the ratios inside each round."""
        pairs = zip(self.by_name[name], self.by_name[base], strict=True)
        return statistics.median(one / other for one, other in pairs)

    def step(self, name: str, above: str) -> float:
        """Return the median of the differences inside each round."""
        pairs = zip(self.by_name[name], self.by_name[above], strict=True)
        return statistics.median(one - other for one, other in pairs)


def interleaved(slices: Mapping[str, Slice], rounds: int) -> Timings:
    """Measure CPU time.

    Args:
        slices: By name.
        rounds: How often each is called.
    """
    taken: dict[str, list[float]] = {name: [] for name in slices}
    for call, _ in slices.values():
        call()  # warms up
    gc.collect()
    for _ in range(rounds):
        for name in random.sample(list(slices), len(slices)):
            call, operations = slices[name]
            begun = time.process_time_ns()
            call()
            taken[name].append((time.process_time_ns() - begun) / operations / 1000)
    return Timings(taken)


def race(contenders: Iterable[Contender], tokens: Sequence[str], rounds: int) -> Timings:
    """Measure contenders that were proven, over the same tokens."""
    return interleaved({each.name: contest(each, tokens) for each in contenders}, rounds)


def contest(contender: Contender, tokens: Sequence[str]) -> Slice:
    """Return a slice of `interleaved`: all tokens once."""
    prepared = [contender.prepare(token) for token in tokens]
    run = contender.run
    return lambda: run(prepared), len(prepared)
