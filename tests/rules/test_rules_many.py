"""Many routes: read in no time where they are alike, refused where no API has so many."""

from __future__ import annotations

from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.lines import lines_run

from kmsjwt.errors import ConfigError
from kmsjwt.rules import Rule, Rules, parse_rules
from kmsjwt.rules.nesting import OpenRoutes, nested
from kmsjwt.rules.routes import Route

if TYPE_CHECKING:
    from collections.abc import Callable

CLAIMS = ("sub", "client_id")


def attempted(*paths) -> Any:
    try:
        return Rules(*map(Rule, paths))
    except ConfigError as error:
        return error


def work(paths) -> int:
    return lines_run(lambda: attempted(*paths))


MANY: dict[str, Callable[[int], list[str]]] = {
    "a claim first": lambda many: [f"/{{sub}}/b{n}/*" for n in range(many)],
    "a claim first, all lengths": lambda many: [
        f"/{{sub}}/b{n}{'/c' * (n % 9)}/*" for n in range(many)
    ],
    "the same": lambda many: ["/{sub}/*"] * many,
    "the same and below": lambda many: ["/{sub}/*"] * many + ["/{sub}/a/*"] * many,
    "nested threes": lambda many: [
        f"/{{sub}}/a{n}{below}" for n in range(many // 3) for below in ("/*", "/b/*", "/b/c")
    ],
}


@pytest.mark.parametrize("paths", MANY.values(), ids=MANY)
def test_many_alike_are_not_each_compared_with_each(paths):
    """Then twice as many would take four times the work. Nothing is measured but how it grows."""
    assert work(paths(240)) < 3 * work(paths(120))


def pairs_of_three(many) -> list[str]:
    """Return paths of which each first holds each second, those each third, and no three nest."""
    return [
        path
        for n in range(many // 3)
        for path in (
            f"GET /o{n}/*",
            f"GET /{{sub}}/s/m{n}/*",
            f"GET /k{n}/s/{{client_id}}/z",
        )
    ]


def test_pairs_that_nest_are_not_each_compared_with_a_third():
    """Each pair must be looked at; with a third, twice as many would take eight times the work."""
    assert isinstance(attempted(*pairs_of_three(120)), Rules)
    assert work(pairs_of_three(120)) < 5 * work(pairs_of_three(60))


def test_a_claim_named_again_and_again_is_followed_once():
    """It is one text, so of many literals only those of that text go on."""

    def paths(many: int) -> list[str]:
        literals = [f"GET /l{n}{'/a' * 60}/*" for n in range(many)]
        return [*literals, *(f"GET {'/{sub}' * 61}/z{n}" for n in range(many))]

    assert isinstance(attempted(*paths(3)), Rules)
    assert work(paths(40)) < 3 * work(paths(20))


def test_a_long_chain_tells_twenty_that_lie_too_deep_each_once():
    chain = [f"GET /{'/'.join('a' * depth)}/*" for depth in range(1, 60)]
    error = attempted(*chain)
    assert isinstance(error, ConfigError)
    assert [fault.split("'")[1] for fault in error.faults[:20]] == chain[2:22]
    assert "there may be more" in error.faults[20]
    assert work(chain) < 5.5 * work(chain[:30])


def test_more_than_a_thousand_routes_are_refused_at_once():
    paths = [f"/r{n}" for n in range(1_001)]
    assert isinstance(attempted(*paths[:-1]), Rules)
    assert "1,001 routes are named, expected at most 1,000" in str(attempted(*paths))
    routes = ",".join(f'"{path}"' for path in paths)
    with pytest.raises(ConfigError, match="line 1: 1,001 routes are named"):
        parse_rules(f"[[rule]]\nroute = [{routes}]\n")


def is_within(inner, middle, outer) -> bool:
    return bool(outer.may_hold(middle, inner))


PATHS = [
    f"{method}/{'/'.join([*parts, *'*' * is_open])}"
    for method in ("GET ", "")
    for length in range(4)
    for parts in product(["a", "b", "{sub}", "{client_id}"], repeat=length)
    for is_open in (True, False)
    if parts or is_open
]


def test_all_that_may_lie_within_another_are_found():
    """Against comparing each with each."""
    routes = [Route.parse(path, CLAIMS) for path in PATHS]
    within = {
        number: {each for each, inner in enumerate(routes) if outer.may_hold(inner)}
        for number, outer in enumerate(routes)
        if outer.is_open
    }
    assert nested(routes) == within
    assert OpenRoutes(routes).holders() == {number for number in within if within[number]}


@pytest.mark.parametrize(
    "paths", [("GET /a/*", "POST /a/b"), ("/{sub}/{sub}/*", "/a/b/c"), ("/{sub}/*", "/a:b/c")]
)
def test_what_only_looks_as_if_it_lay_within_another_is_held_by_none(paths):
    """For another method, or since no claim has such values."""
    routes = [Route.parse(path, CLAIMS) for path in paths]

    assert OpenRoutes(routes).holders() == set()
    assert nested(routes) == {0: set()}


@given(st.lists(st.sampled_from(PATHS), max_size=7, unique=True))
def test_three_that_nest_are_found_wherever_they_are(paths):
    """Against comparing each with each."""
    routes = [Route.parse(path, CLAIMS) for path in paths]
    nested = {three[0].text for three in permutations(routes, 3) if is_within(*three)}
    error = attempted(*paths)
    told = error.faults if isinstance(error, ConfigError) else ()
    found = {fault.split("'")[1] for fault in told if "two of them nested" in fault}
    assert found == nested
