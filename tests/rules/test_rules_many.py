"""Many routes: read in no time where they are alike, refused where no API has so many."""

from __future__ import annotations

import sys
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmsjwt.errors import ConfigError
from kmsjwt.rules import Rule, Rules, parse_rules
from kmsjwt.rules.routes import Route

if TYPE_CHECKING:
    from collections.abc import Callable

CLAIMS = ("sub", "client_id")


def attempted(*paths) -> Any:
    try:
        return Rules(*map(Rule, paths))
    except ConfigError as error:
        return error


def lines_run(paths) -> int:
    """Return how many lines of Python it takes to check routes: what no machine's mood changes."""
    lines = 0

    def count(frame, event, argument) -> Any:
        del frame, argument
        nonlocal lines
        lines += event == "line"
        return count

    former = sys.gettrace()
    sys.settrace(count)
    try:
        attempted(*paths)
    finally:
        sys.settrace(former)
    return lines


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
    assert lines_run(paths(240)) < 3 * lines_run(paths(120))


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
