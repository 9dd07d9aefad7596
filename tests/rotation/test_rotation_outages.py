"""Issuers and verifiers whose KMS does not answer while a key takes over from another."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from tests.rotation.cases import cannot_issue, judge, our_issuers_of, settle
from tests.rotation.ours import join
from tests.rotation.world import DAY, HOUR, MINUTE, Actor, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rotation.ours import Gap

STEP = 10 * MINUTE
TAKES_OVER = 2 * HOUR + 10 * MINUTE
"""After its first step a rotation waits so long until the new key signs."""


class Rotation:
    """A ring whose first key is about to be rotated, and everybody who lives with it."""

    def __init__(self) -> None:
        self.world = World()
        self.actor = Actor(self.world, "rotator")
        settle(self.world, self.actor)
        self.world.now += DAY - 2 * HOUR
        self.watch = join(self.world)
        self.begins = self.world.pointer.times[0] + DAY
        self.live_until(self.begins - STEP)

    def live_until(self, until: float) -> None:
        """Let everybody go on, and the rotator run all the time."""
        while self.world.now < until:
            self.actor.run()
            self.world.changed = True  # all look at each step
            self.world.forward(self.world.now + STEP, every=STEP)


@pytest.fixture
def rotation() -> Rotation:
    return Rotation()


def out_of_order(rotation: Rotation, stack: ExitStack, *readers: str) -> None:
    """Let KMS answer none of these readers, but for signing."""
    for reader in readers:
        for operation in ("DescribeKey", "GetPublicKey", "ListResourceTags"):
            fault = rotation.world.kms.faults.add(operation, kind="drop", reader=reader, times=None)
            stack.enter_context(fault)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_issuers_go_on_as_long_as_the_ring_lets_them_and_lose_no_token(rotation, stack):
    world = rotation.world
    out_from = rotation.begins + TAKES_OVER - 30 * MINUTE
    out_until = out_from + 3 * HOUR
    rotation.live_until(out_from)
    out_of_order(rotation, stack, "issuer", "issuer-late")
    rotation.live_until(out_until)
    stack.close()
    rotation.live_until(out_until + HOUR)
    bound = world.times["signer_refresh"]
    assert len(world.pointer.times) == 2
    assert out_from < world.pointer.times[1] < out_until
    for issuer in our_issuers_of(world):
        issuer.finish()
        (gap,) = issuer.gaps
        # What it looked up last, before the trouble began, is an hour old at most.
        assert gap.since <= out_from + bound + STEP
        assert gap.until <= out_until + STEP
    assert any(gap.since >= out_from + bound - STEP for gap in gaps_of(world))
    refused, _ = judge(world)
    assert not [*refused, *rotation.watch.refused, *rotation.watch.unknown]


def gaps_of(world: World) -> list[Gap]:
    return [gap for each in our_issuers_of(world) for gap in each.gaps]


def test_verifiers_that_cannot_ask_never_refuse_and_know_what_they_knew(rotation, stack):
    """They do not know of a key that they never saw, and say so; the others they go on with."""
    world, watch = rotation.world, rotation.watch
    first = next(iter(world.jwks()))
    out_until = rotation.begins + TAKES_OVER + HOUR
    out_of_order(rotation, stack, "verifier", "verifier-late")
    rotation.live_until(out_until)
    stack.close()
    world.now += 5  # for which they leave alone who did not answer
    begun_anew = ("verifier", "verifier-late")
    unknown = [each for each in watch.unknown if each.by not in begun_anew]
    assert {each.token.kid for each in unknown} == set(world.jwks()) - {first}
    assert {each.by for each in unknown} == {"our ring", "our late ring", "our flapping ring"}
    assert {each.by for each in watch.unknown} >= set(begun_anew)
    assert max(each.at for each in watch.unknown) <= out_until
    watch.unknown.clear()
    rotation.live_until(out_until + 2 * HOUR)
    refused, _ = judge(world)
    assert not [*refused, *watch.refused, *watch.unknown, *watch.disagreed]
    assert not cannot_issue(world)
