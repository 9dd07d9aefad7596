"""A key is withdrawn: who accepts its tokens until when, and what of those of other keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.rotation.cases import NATIVE_CACHE, cannot_issue, our_issuers_of, settle
from tests.rotation.ours import Watch, join, second_opinion
from tests.rotation.timeline import refusals
from tests.rotation.world import DAY, HOUR, LEEWAY, SPREAD, Actor, World

from kmsjwt.authority.withdrawal import consequences
from kmsjwt.kms.ring.reading import read

if TYPE_CHECKING:
    from tests.rotation.timeline import Token

    from kmsjwt.authority.withdrawal import Consequence

DOCUMENTED = {
    "our ring": "ring",
    "our late ring": "ring",
    "our flapping ring": "ring",
    "our JWKS": "url",
    "our JWKS behind a CDN": "url",
}
"""What `kmsjwt.authority.withdrawal` calls each of our verifiers."""
STEP = 30


class Withdrawal(NamedTuple):
    """What was seen of a withdrawal, each second of it in steps.

    Attributes:
        gone: the withdrawn key.
        at: when it was withdrawn.
        accepted: when each consumer accepted a token of it last.
        lacked: when each consumer refused a token of another key last.
        unsure: when each consumer could not say whether such a token is good last.
        told: what is documented: until when each accepts it and lacks its successor.
        put_back: for how long one who rotates may put it back, who sees late that it is withdrawn.
    """

    world: World
    watch: Watch
    gone: str
    at: float
    accepted: dict[str, float]
    lacked: dict[str, float]
    unsure: dict[str, float]
    told: dict[str, Consequence]
    put_back: float


def live_through(who: str, *, which: str, keep_enabled: bool) -> Withdrawal:
    """Withdraw a generation of a ring that has rotated once, and see what follows."""
    world = World(times={"max_lifetime": DAY})  # so that the tokens outlive all caches
    actor = Actor(world, who, changes={"max_lifetime": DAY})
    settle(world, actor)
    world.now += DAY - 2 * HOUR
    watch = join(world)
    while len(world.pointer.times) < 2 or world.now < world.pointer.times[1] + 2 * HOUR:
        actor.run()
        world.forward(world.now + HOUR / 2)
    assert not [*watch.refused, *watch.unknown, *cannot_issue(world)]
    gone = next(iter(world.pointer.values[int(which) - 1]))
    at = world.now
    for consumer in watch.consumers:  # which all have just read what there is
        assert {consumer.opinion(str(token.text)) for token in one_of_each(world)} == {"good"}
    # One who sees late what was done may say that it is not complete.
    actor.attempt(lambda: actor.rotator.withdraw(which, keep_enabled=keep_enabled))
    ring = read(world.truth, "auth").ring
    found = consequences(ring, ring.generation(int(which)), keep_enabled=keep_enabled)
    told = {each.consumer: each for each in found}
    accepted: dict[str, float] = {}
    lacked: dict[str, float] = {}
    unsure: dict[str, float] = {}
    while world.now < at + HOUR / 2:
        if (world.now - at) % SPREAD < STEP:
            actor.run()
        world.issue()
        for token in one_of_each(world):
            for consumer in watch.consumers:
                said = consumer.opinion(str(token.text))
                if token.kid == gone and said == "good":
                    accepted[consumer.name] = world.now
                if token.kid != gone and said != "good":
                    seen = unsure if said == "cannot know" else lacked
                    seen[consumer.name] = world.now
        world.now += STEP
    put_back = SPREAD if who.endswith("late") else 0
    return Withdrawal(world, watch, gone, at, accepted, lacked, unsure, told, put_back)


def one_of_each(world: World) -> list[Token]:
    """Return the latest token of each key, of which all are alive."""
    tokens = {token.kid: token for token in world.tokens if token.text}
    return list(tokens.values())


@pytest.fixture(
    scope="module",
    params=[("rotator", "2", False), ("rotator-late", "2", True), ("rotator", "1", False)],
    ids=["signing", "signing, stays enabled, by one who is late", "draining"],
)
def withdrawal(request: pytest.FixtureRequest) -> Withdrawal:
    who, which, keep_enabled = request.param
    return live_through(who, which=which, keep_enabled=keep_enabled)


def test_every_consumer_refuses_its_tokens_when_the_documented_time_is_over(withdrawal):
    for name, called in DOCUMENTED.items():
        until = withdrawal.told[called].accepts_until
        put_back = 0 if called == "ring" else withdrawal.put_back
        assert until is not None
        assert withdrawal.at < withdrawal.accepted[name] < until + put_back, name


def test_a_native_consumer_has_forgotten_it_when_its_documented_time_is_over(withdrawal):
    until = withdrawal.told["http-api"].accepts_until + withdrawal.put_back
    since = until - NATIVE_CACHE - withdrawal.world.max_age
    document = withdrawal.world.document
    held = frozenset.union(*document.during(since, withdrawal.world.now))
    assert withdrawal.gone not in held
    assert withdrawal.gone in frozenset.union(*document.during(withdrawal.at - 1, until))


def test_pyjwt_refuses_its_tokens_by_the_published_jwks(withdrawal):
    world = withdrawal.world
    assert withdrawal.gone not in world.jwks()
    for token in one_of_each(world):
        others = [jwk for kid, jwk in world.jwks().items() if kid != token.kid]
        said = {second_opinion(str(token.text), jwk, world.now) for jwk in others}
        assert said <= {"InvalidSignatureError"}
        if token.kid != withdrawal.gone:
            assert second_opinion(str(token.text), world.jwks()[token.kid], world.now) == "good"


def test_tokens_of_other_keys_are_refused_by_nobody_who_could_know_them(withdrawal):
    """A key that must hurry is not known to all at once; all others were, and stay so."""
    world = withdrawal.world
    for name, last in [*withdrawal.lacked.items(), *withdrawal.unsure.items()]:
        until = withdrawal.told[DOCUMENTED[name]].lacks_until
        assert last <= until, f"{name} until {last - until:.0f} s after its time"
    slow = set(world.pointer.values[0] | world.pointer.values[1]) - {withdrawal.gone}
    tokens = [token for token in world.tokens if token.kid in slow]
    caches = {"fresh": 0.0, "native": world.max_age + NATIVE_CACHE}
    assert tokens
    assert not refusals(world.document, tokens, caches=caches, leeway=LEEWAY)[0]


def test_issuers_have_another_key_within_minutes(withdrawal):
    """Those that see it late, or go on with what they know; the rest of their bound is an hour."""
    world = withdrawal.world
    assert not cannot_issue(world, bound=SPREAD + STEP)
    stillborn = [t for t in world.tokens if t.kid == withdrawal.gone and t.issued > withdrawal.at]
    slowest = withdrawal.at + SPREAD + world.times["signer_refresh"]
    assert all(token.issued <= slowest for token in stillborn)
    world.now = max(world.now, slowest + STEP)
    for issuer in our_issuers_of(world):
        token = issuer.issue()
        assert token is not None
        assert token.kid != withdrawal.gone
        assert token.kid in world.jwks()
