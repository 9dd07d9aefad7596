"""Half a year: a rotation each month, tokens issued and verified all the time."""

from __future__ import annotations

from collections import Counter

from tests.rotation.cases import cannot_issue, judge, settle
from tests.rotation.ours import join, second_opinion
from tests.rotation.world import DAY, HOUR, MINUTE, START, Actor, World

MONTH = 30 * DAY
TIMES = {"period": MONTH, "max_lifetime": DAY, "consumer_cache": DAY}
EVERY_HOUR = {
    "period": HOUR,
    "max_lifetime": DAY,
    "signer_refresh": MINUTE,
    "consumer_cache": 2 * HOUR,
}
LOAD_BALANCER = 10  # keys it reads of a JWKS


def test_half_a_year_goes_by_without_a_refusal(capsys):
    world = World(times=TIMES)
    actors = [Actor(world, name, changes=TIMES) for name in ("rotator", "rotator-late")]
    sizes: set[int] = set()
    genuine = 0
    settle(world, actors[0])
    watch = join(world)
    world.look()
    turn = 0
    while world.now < START + 200 * DAY:
        turn += 1
        assert actors[turn % 2].run() or actors[0].run()
        sizes.add(len(world.jwks()))
        world.forward(world.now + 12 * HOUR, every=6 * HOUR)
        genuine += verified(world)
    refused, verdicts = judge(world)
    refused += watch.refused
    moves = len(world.pointer.times)
    with capsys.disabled():
        print(
            f"\nhalf a year: {moves - 1} rotations, {len(world.tokens)} tokens, "
            f"{verdicts + watch.verdicts} verdicts ({watch.verdicts} of our verifiers), "
            f"{genuine + watch.verified} signatures verified, "
            f"{len(refused)} refused, {len(watch.unknown)} not known, JWKS of {sorted(sizes)} keys"
        )
    assert not refused, refused[0]
    assert not watch.unknown, watch.unknown[0]
    assert not watch.disagreed, watch.disagreed[0]
    assert not cannot_issue(world)
    assert not world.wrong
    assert moves == 7
    assert sizes == {1, 2}


def test_a_ring_in_a_hurry_never_has_more_keys_than_a_load_balancer_reads():
    """Its keys drain for more than a day, and there would be one more with every two hours."""
    world = World(times=EVERY_HOUR)
    actor = Actor(world, "rotator", changes=EVERY_HOUR)
    settle(world, actor)
    watch = join(world)
    sizes: Counter[int] = Counter()
    while world.now < START + 2.5 * DAY:
        assert actor.run(start=True)
        sizes[len(world.jwks())] += 1
        world.forward(world.now + HOUR / 2, every=HOUR)
    refused, _ = judge(world)
    assert not [*refused, *watch.refused, *watch.unknown]
    assert max(sizes) == LOAD_BALANCER
    assert len(world.pointer.times) > LOAD_BALANCER  # it went on when there was room again


def verified(world: World) -> int:
    """Issue real tokens, and verify those that live with a library that is not ours."""
    tokens = [each.issue(signed=True) for each in world.signers]
    real = [each for each in tokens if each is not None]
    living = [each for each in world.tokens[-200:] if each.text and each.expires > world.now]
    world.tokens += real[:2]
    keys = world.jwks()
    for token in [*real, *living[-4:]]:
        assert token.text is not None
        assert second_opinion(token.text, keys[token.kid], world.now) == "good"
    return len(real) + len(living[-4:])
