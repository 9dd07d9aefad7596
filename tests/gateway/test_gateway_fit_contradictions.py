"""Rules are refused as too large only where some token that could exist really gets too much."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.gateway.trusting import Trusting

from kmsjwt.errors import ConfigError
from kmsjwt.gateway import Authorizer
from kmsjwt.gateway.fit import least_allowed, policy_bytes, tight
from kmsjwt.rules import Rule, Rules, all_of, any_of, claim, scope
from kmsjwt.testing import events

LIMIT = 8_192
GOLD, SILVER = claim("plan").equals("gold"), claim("plan").equals("silver")


def answer_bytes(rules, claims) -> int:
    """Return the size of a real answer, on the shortest ARN there is."""
    event = events.rest_token(
        "GET", "/none", authorization="Bearer x", stage="x", region="us-east-1"
    )
    authorizer = Authorizer(Trusting({"sub": "x", **claims}), rules=rules, context=(), log=None)
    return len(json.dumps(authorizer(event)))


def refusal(rules) -> str:
    with pytest.raises(ConfigError) as caught:
        Authorizer(Trusting({}), rules=rules)
    return str(caught.value)


def routes(name, count, *needs) -> list[Rule]:
    return [Rule(f"/{name}/{n}", *needs) for n in range(count)]


@pytest.mark.parametrize(
    ("needs", "tokens"),
    [
        ((GOLD, SILVER), [{"plan": "gold"}, {"plan": "silver"}]),
        ((GOLD, claim("plan").contains("silver")), [{"plan": "gold"}, {"plan": ["silver"]}]),
        ((claim("n").equals(1), claim("n").equals(True)), [{"n": 1}, {"n": True}]),
        (
            (all_of(GOLD, scope("a")), all_of(SILVER, scope("b"))),
            [{"plan": "gold", "scope": "a b"}, {"plan": "silver", "scope": "a b"}],
        ),
        (
            (scope("a"), claim("scope").equals("b")),
            [{"scope": "a"}, {"scope": "b"}],
        ),
        ((claim("sub").equals("x"), claim("sub").equals("y")), [{"sub": "x"}, {"sub": "y"}]),
    ],
    ids=["values", "value and member", "1 and true", "among others", "scope", "sub"],
)
def test_what_excludes_each_other_is_not_added_up(needs, tokens):
    one, other = needs
    rules = Rules(*routes("one", 8, one), *routes("other", 8, other))
    for claims in tokens:
        assert 4_000 < answer_bytes(rules, claims) < 6_000
    assert tight(rules) == []


def test_members_exclude_nothing_and_are_added_up():
    """An array may hold 1 and true, which are not the same."""
    one, true = claim("n").contains(1), claim("n").contains(True)
    rules = Rules(*routes("one", 9, one), *routes("true", 9, true))
    assert policy_bytes(rules.grant({"n": [1, True]})) > LIMIT
    assert "meets them all" in refusal(rules)


def test_what_one_of_them_gets_is_reckoned_whichever_is_named_first():
    for gold, silver in ((20, 1), (1, 20)):
        rules = Rules(*routes("g", gold, GOLD), *routes("s", silver, SILVER))
        message = refusal(rules)
        plan = "gold" if gold > silver else "silver"
        assert f"for a token that meets all it can with plan '{plan}'," in message
        found = re.search(r"at least ([0-9,]+) bytes", message)
        assert found is not None
        allowed = rules.grant({"plan": plan}).allow
        stage = len("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/x/")
        resources = sum(stage + len(each) + len('"", ') for each in allowed)
        assert resources < int(found[1].replace(",", "")) < resources + 200


def test_few_that_exclude_many_are_not_left_out_for_being_few():
    """Silver is asked for by one route, and closes much of an open one."""
    rules = Rules(
        Rule("/*", SILVER),
        *routes("closed", 8, scope("admin"), GOLD),
        *routes("open", 3, GOLD),
    )
    assert policy_bytes(rules.grant({"plan": "silver"})) > LIMIT
    assert "with plan 'silver'" in refusal(rules)


def test_what_every_token_must_have_decides_which_value():
    """Of plan gold, there are no tokens at all."""
    many, few = routes("gold", 20, GOLD), routes("silver", 2, SILVER)
    assert "with plan 'gold'" in refusal(Rules(*many, *few))
    rules = Rules(*many, *few, require=SILVER)
    assert answer_bytes(rules, {"plan": "silver"}) < LIMIT
    assert tight(rules) == []


def test_a_path_s_claim_has_the_value_that_rules_ask_for():
    """``/{sub}/…`` of the one who may is within what they may anyway."""
    within = [Rule(f"GET /boss/{n:03d}") for n in range(120)]
    rules = Rules(*within, Rule("GET /{sub}/*"), require=claim("sub").equals("boss"))
    assert answer_bytes(rules, {"sub": "boss"}) < 400


def test_a_warning_does_not_suppose_tokens_that_require_refuses():
    api = scope("api")
    closed = [Rule("/*"), *(Rule(f"/{n:03d}", api) for n in range(10))]
    assert tight(Rules(*closed, require=api)) == []
    assert "has scope('more') alone" in tight(Rules(*closed, require=any_of(api, scope("more"))))[0]


NEEDS: list[Any] = [
    None,
    GOLD,
    SILVER,
    claim("plan").contains("gold"),
    claim("sub").equals("x"),
    claim("sub").equals("ala"),
    scope("a"),
    any_of(all_of(GOLD, scope("b")), SILVER),
    all_of(SILVER, claim("sub").equals("x")),
]
PATHS = st.builds(
    lambda method, parts, is_open: f"{method} /{'/'.join([*parts, *'*' * is_open])}".strip(),
    st.sampled_from(["GET", ""]),
    st.lists(st.sampled_from(["a", "{sub}", "{client_id}", "b" * 60]), min_size=1, max_size=3),
    st.booleans(),
)
PLANS: list[Any] = [None, "gold", "silver", ["gold"]]
TOKENS = [
    {"plan": plan, "sub": sub, "client_id": client, "scope": "a b"}
    for plan, sub, client in product(PLANS, ("y", "x", "ala"), ("x", "y"))
]


@st.composite
def contradicting(draw) -> Rules:
    kept: list[Rule] = []
    for path, needs in draw(st.lists(st.tuples(PATHS, st.sampled_from(NEEDS)), max_size=8)):
        rule = Rule(path, *([needs] if needs else []))
        with suppress(ConfigError):
            Rules(*kept, rule)
            kept.append(rule)
    assume(kept)
    return Rules(*kept, require=draw(st.sampled_from(NEEDS)))


@settings(max_examples=150, deadline=None)
@given(contradicting())
def test_some_token_gets_no_less_than_the_least_of_any_rules(rules):
    least = policy_bytes(least_allowed(rules)[0])
    assert any(policy_bytes(rules.grant(claims)) >= least for claims in TOKENS)
