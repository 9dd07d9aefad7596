"""Rules, their policies and a plain model of both: the same answer for whatever is asked."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules import campaign, model
from tests.rules.worlds import rules_of, some_claims, some_world

from kmsjwt.errors import ConfigError
from kmsjwt.rules import Rule, Rules, scope

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize("seed", range(4))
def test_model_policy_and_decision_agree(seed):
    told = campaign.run(10_000 + seed, 10_000)
    assert told["allowed"] > 1_000
    assert told["cases"] - told["allowed"] > 1_000
    assert told["with_deny"] > 400
    assert told["refused"] > 20


@given(st.randoms(use_true_random=False))
def test_model_policy_and_decision_agree_where_hypothesis_looks(random):
    told: Counter[str] = Counter()
    for world, rules, claims, requests in islice(campaign.cases(random, told), 8):
        assert campaign.compare(world, rules, claims, requests, told) == []


def test_what_is_accepted_is_what_a_policy_can_express():
    random = Random(11)
    told: Counter[tuple[bool, bool]] = Counter()
    for _ in range(1_500):
        world = some_world(random)
        try:
            refused = rules_of(world) is None
        except ConfigError:
            refused = True
        impossible = model.cannot_be_a_policy(world)
        told[refused, impossible] += 1
        assert refused == impossible, world
    assert told[True, True] > 100


def test_literals_that_no_claim_can_be_do_not_collide():
    Rules(Rule("POST /*"), Rule("/a,b/*"), Rule("POST /{sub}/ala/*"))


def test_order_and_repetition_do_not_matter():
    random = Random(12)
    for _ in range(300):
        world = some_world(random)
        mixed = world._replace(rules=random.sample(world.rules, len(world.rules)))
        try:
            rules, shuffled = rules_of(world), rules_of(mixed)
        except ConfigError:
            continue
        claims = some_claims(random, world)
        one, other = rules.grant(claims), shuffled.grant(claims)
        assert set(one.allow) == set(other.allow)
        assert set(one.deny) == set(other.deny)
        assert len(one.allow) == len(set(one.allow))
        assert rules.grant(claims).allow == one.allow


def route_key_worlds() -> Iterator[tuple[Random, tuple[str, ...], model.World]]:
    random = Random(13)
    paths = ("/", "/a", "/a/b", "/b", "/a:b")
    while True:
        methods = ("", "", "GET ", "POST ", "OPTIONS ")
        keys = {random.choice(methods) + random.choice(paths) for _ in range(random.randint(1, 6))}
        needs = (None, ["scope", "r"], ["scope", "w"], ["equals", "level", 1])
        yield (
            random,
            paths,
            model.World(
                [(key, random.choice(needs)) for key in sorted(keys)],
                random.choice((None, None, ["scope", "r"])),
                ["sub"],
            ),
        )


def test_a_route_key_with_a_method_is_decided_as_its_requests_are():
    answers: Counter[bool] = Counter()
    for random, paths, world in islice(route_key_worlds(), 400):
        rules = rules_of(world)
        assert rules.are_route_keys
        claims = some_claims(random, world)
        for path in paths:
            for method in (*model.METHODS, "TRACE"):
                allowed = rules.decide_route_key(claims, f"{method} {path}").allowed
                assert allowed == model.decide(world, claims, method, path), (world, claims)
                answers[allowed] += 1
    assert min(answers.values()) > 100


def test_a_route_key_of_any_method_is_allowed_only_if_every_method_is():
    answers: Counter[bool] = Counter()
    for random, paths, world in islice(route_key_worlds(), 400):
        rules = rules_of(world)
        claims = some_claims(random, world)
        for path in paths:
            allowed = rules.decide_route_key(claims, f"ANY {path}").allowed
            answers[allowed] += 1
            if allowed:
                assert all(model.decide(world, claims, each, path) for each in model.METHODS)
    assert min(answers.values()) > 50


def test_any_method_kept_for_a_route_does_not_allow_what_one_method_is_refused():
    rules = Rules(Rule("DELETE /orders", scope("admin")), Rule("/orders"))
    assert not rules.decide({}, "DELETE", "/orders").allowed
    assert not rules.decide_route_key({}, "ANY /orders").allowed
    assert rules.decide_route_key({"scope": "admin"}, "ANY /orders").allowed
