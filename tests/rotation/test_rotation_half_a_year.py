"""Half a year: a rotation each month, tokens issued and verified all the time."""

from __future__ import annotations

import jwt
from tests.rotation.cases import judge, settle
from tests.rotation.world import DAY, HOUR, LEEWAY, START, Actor, World

MONTH = 30 * DAY
TIMES = {"period": MONTH, "max_lifetime": DAY, "consumer_cache": DAY}
LOAD_BALANCER = 10  # keys it reads of a JWKS


def test_half_a_year_goes_by_without_a_refusal(capsys):
    world = World(times=TIMES)
    actors = [Actor(world, name, changes=TIMES) for name in ("rotator", "rotator-late")]
    sizes: set[int] = set()
    genuine = 0
    settle(world, actors[0])
    world.look()
    world.add_signers()
    turn = 0
    while world.now < START + 200 * DAY:
        turn += 1
        assert actors[turn % 2].run() or actors[0].run()
        sizes.add(len(world.jwks()))
        world.forward(world.now + 12 * HOUR, every=4 * HOUR)
        genuine += verified(world)
    refused, verdicts = judge(world)
    moves = len(world.pointer.times)
    with capsys.disabled():
        print(
            f"\nhalf a year: {moves - 1} rotations, {len(world.tokens)} tokens, "
            f"{verdicts} verdicts, {genuine} signatures verified, "
            f"{len(refused)} refused, JWKS of {sorted(sizes)} keys"
        )
    assert not refused, refused[0]
    assert not world.wrong
    assert moves == 7
    assert sizes == {1, 2}
    assert max(sizes) <= LOAD_BALANCER


def verified(world: World) -> int:
    """Issue real tokens, and verify those that live with a library that is not ours."""
    tokens = [each.issue(signed=True) for each in world.signers]
    real = [each for each in tokens if each is not None]
    living = [each for each in world.tokens[-200:] if each.text and each.expires > world.now]
    world.tokens += real[:2]
    keys = world.jwks()
    for token in [*real, *living[-4:]]:
        assert token.text is not None
        jwt.decode(
            token.text,
            jwt.PyJWK(keys[token.kid]),
            algorithms=["ES256"],
            leeway=LEEWAY,
            options={"verify_exp": False, "verify_iat": False},
        )
    return len(real) + len(living[-4:])
