"""What will happen to a ring, and when, if everything goes as planned from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable, replaced
from kmsjwt.rotation.facts import Generation, Marks, Ring
from kmsjwt.rotation.planning import plan
from kmsjwt.rotation.settings import DAY, RingSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from kmsjwt.rotation.steps import Plan, Step

NEVER = 1_000 * 365 * DAY
"""A period that does not end, in seconds."""
_MOST = 60  # steps; a rotation has seven


class Expected(Immutable):
    """A step that is expected.

    Attributes:
        at: when it becomes due, seconds since 1970 by the clock of KMS.
        step: the step.
    """

    __slots__ = ("at", "step")

    at: float
    step: Step

    def __init__(self, at: float, step: Step) -> None:
        self._fill(at=at, step=step)

    def __repr__(self) -> str:
        return f"Expected({self.at:.0f}, {self.step!r})"


class Forecast(Immutable):
    """What is expected to happen to a ring.

    Attributes:
        steps: every step, in order.
        rest: the plan that is left when they are done: what waits for no clock.
    """

    __slots__ = ("rest", "steps")

    steps: tuple[Expected, ...]
    rest: Plan

    def __init__(self, steps: Iterable[Expected], rest: Plan) -> None:
        self._fill(steps=tuple(steps), rest=rest)

    def __repr__(self) -> str:
        return f"Forecast({list(self.steps)})"


def forecast(
    ring: Ring,
    published: Collection[str],
    *,
    start: bool = False,
    period: int | None = None,
    settings: RingSettings | None = None,
) -> Forecast:
    """Return every step until the ring is at rest again, or waits for what no clock brings.

    Args:
        ring: what KMS says of the ring.
        published: every ``kid`` that is found wherever consumers read.
        start: begin a new generation though the period is not over.
        period: as in `kmsjwt.rotation.plan`.
        settings: those of a new generation; by default those of the one that signs.

    Returns:
        What follows: of this rotation, or of the next one if none is under way.
    """
    steps: list[Expected] = []
    kids, made = frozenset(published), False
    while True:
        # The rotation after this one is another story.
        planned = plan(ring, kids, start=start and not made, period=NEVER if made else period)
        start = start and ring.signing is not None  # where none signs yet, the first is meant
        times = [at for later in planned.later if (at := later.at) is not None]
        if planned.due and len(steps) < _MOST:
            step = planned.due[0]
            made = made or step.action == "create"
            steps.append(Expected(ring.now, step))
            ring, kids = _after(step, ring, kids, settings)
        elif times and times[0] < ring.now + NEVER / 2:
            ring = replaced(ring, now=max(ring.now, times[0]))
        else:
            return Forecast(steps, planned)


def _after(
    step: Step, ring: Ring, kids: frozenset[str], settings: RingSettings | None
) -> tuple[Ring, frozenset[str]]:
    if step.action == "publish":
        live = {each.kid for each in ring.generations if each.is_usable and each.kid is not None}
        return ring, (kids | live) - ring.retired_kids
    if step.action == "create":
        return replaced(ring, generations=(*ring.generations, _made(step, ring, settings))), kids
    if step.action == "point":
        return replaced(ring, signing=step.number, signing_since=ring.now), kids
    return replaced(
        ring,
        generations=tuple(
            _EFFECTS[step.action](each, ring.now) if each.number == step.number else each
            for each in ring.generations
        ),
    ), kids


def _made(step: Step, ring: Ring, settings: RingSettings | None) -> Generation:
    before = ring.generation(ring.signing)
    return Generation(
        number=step.number,
        arn="",
        kid=f"the key of generation {step.number}",
        spec=before.spec if before else "",
        state="Enabled",
        born=ring.now,
        marks=Marks(),
        settings=settings or (before and before.settings) or RingSettings(),
    )


def _marked(name: str) -> Callable[[Generation, float], Generation]:
    def mark(generation: Generation, now: float) -> Generation:
        return replaced(generation, marks=replaced(generation.marks, **{name: now}))

    return mark


def _unpublished(generation: Generation, now: float) -> Generation:
    del now
    return replaced(generation, marks=replaced(generation.marks, published=None))


def _disabled(generation: Generation, now: float) -> Generation:
    return replaced(generation, state="Disabled", marks=replaced(generation.marks, disabled=now))


_EFFECTS: dict[str, Callable[[Generation, float], Generation]] = {
    "mark-unpublished": _unpublished,
    "mark-published": _marked("published"),
    "mark-draining": _marked("draining"),
    "retire": _marked("retired"),
    "disable": _disabled,
}
