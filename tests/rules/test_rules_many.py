"""Many routes: read in no time where they are alike, refused where no API has so many."""

from __future__ import annotations

import time
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmsjwt.errors import ConfigError
from kmsjwt.rules import Rule, Rules, parse_rules
from kmsjwt.rules.routes import Route

CLAIMS = ("sub", "client_id")


def attempted(*paths) -> Any:
    try:
        return Rules(*map(Rule, paths))
    except ConfigError as error:
        return error


MANY: dict[str, list[str]] = {
    "a claim first": [f"/{{sub}}/b{n}/*" for n in range(1_000)],
    "a claim first, all lengths": [f"/{{sub}}/b{n}{'/c' * (n % 9)}/*" for n in range(1_000)],
    "the same": ["/{sub}/*"] * 1_000,
    "the same and below": ["/{sub}/*"] * 500 + ["/{sub}/a/*"] * 500,
    "nested threes": [
        f"/{{sub}}/a{n}{below}" for n in range(333) for below in ("/*", "/b/*", "/b/c")
    ],
    "long": ["/a" * 8_000, "/a" * 7_000 + "/*", "/a" * 7_001 + "/*"],
}


@pytest.mark.parametrize("paths", MANY.values(), ids=MANY)
def test_many_alike_are_not_each_compared_with_each(paths):
    """They took from a half to two seconds, and more than five where there were 1,700."""
    started = time.process_time()
    attempted(*paths)
    assert time.process_time() - started < 0.4


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


@given(st.lists(st.sampled_from(PATHS), max_size=7, unique=True))
def test_three_that_nest_are_found_wherever_they_are(paths):
    """Against comparing each with each."""
    routes = [Route.parse(path, CLAIMS) for path in paths]
    nested = {three[0].text for three in permutations(routes, 3) if is_within(*three)}
    error = attempted(*paths)
    told = error.faults if isinstance(error, ConfigError) else ()
    found = {fault.split("'")[1] for fault in told if "two of them nested" in fault}
    assert found == nested
