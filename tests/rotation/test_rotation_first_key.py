"""A ring's first key, asked for once more after a run was cut off."""

from __future__ import annotations

import pytest
from tests.rotation.world import Actor, World


def cut_off(at: int, kind: str) -> tuple[World, Actor]:
    """Return a world in which the run that was to make the ring ended with one of its calls."""
    world = World()
    actor = Actor(world, "rotator")
    actor.gate.faults = {at: kind}
    actor.run(start=True)
    actor.gate.faults = {}
    return world, actor


@pytest.mark.parametrize("kind", ["kill_before", "kill_after"])
def test_who_asks_again_gets_the_first_key_and_no_second(kind):
    """Unless it signs already: then who asks means the next one."""
    _, uncut = cut_off(-1, kind)
    calls = len(uncut.gate.calls)
    half_made = 0
    for at in range(calls):
        world, actor = cut_off(at, kind)
        is_half_made = world.signing_arn() is None
        half_made += is_half_made

        steps = actor.rotator.preview(start=True).expected.steps
        made = [
            each.step.number
            for each in steps
            if each.step.action == "create" and each.at <= world.now
        ]
        ring = actor.rotator.run(start=True).ring

        assert ring.signing == 1, at
        assert ring.newest_number == (1 if is_half_made else 2), at
        assert [number for number in made if number > 1] == ([] if is_half_made else [2]), at
    assert 0 < half_made < calls


def test_the_second_is_made_by_who_asks_once_more():
    _, actor = cut_off(3, "kill_before")
    actor.rotator.run(start=True)

    assert actor.rotator.run(start=True).ring.newest_number == 2
