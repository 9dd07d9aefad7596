"""A rule, and whether rules together say what a policy can say."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, shown
from kmsjwt.rules.nesting import nested
from kmsjwt.rules.requirements import Requirement, all_of
from kmsjwt.rules.routes import Route

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Checked = list[tuple[Route, Requirement | None]]
    Faults = list[tuple[int | None, str]]

DEFAULT_PATH_CLAIMS = ("sub", "client_id")
"""The claims that paths may name unless others are given: they say who asks."""

_MOST = 1_000  # routes: each may have to be compared with each
_TOLD = 20  # routes that are nested too deep: mending these may mend the others


class Rule(Immutable):
    """One route and what it needs. Checked when a `Rules` is made of it.

    Attributes:
        route: such as ``GET /orders/*``; without a method, for any.
        needs: what the claims must meet, all of it; nothing means any valid token.
    """

    __slots__ = ("needs", "route")

    route: str
    needs: tuple[Requirement, ...]

    def __init__(self, route: str, *needs: Requirement) -> None:
        self._fill(route=route, needs=needs)

    def __repr__(self) -> str:
        return f"Rule({', '.join(map(repr, (self.route, *self.needs)))})"


def check(
    rules: Sequence[Rule], require: object, path_claims: Collection[str]
) -> tuple[Checked, Faults]:
    """Read rules and look whether a policy can say them all.

    Returns:
        Each route with what it needs; and what is wrong, by the number of its rule, or None.
    """
    if len(rules) > _MOST:
        return [], [(None, f"{len(rules):,} routes are named, expected at most {_MOST:,}")]
    checked, faults = _read(rules, require, path_claims)
    if not faults and not rules and require is None:
        faults = [(None, "neither a rule nor require is given, expected one of them")]
    return checked, faults or list(_conflicts([route for route, _ in checked]))


def _read(rules: Sequence[Rule], require: object, path_claims: object) -> tuple[Checked, Faults]:
    checked: Checked = []
    faults: Faults = []
    if require is not None and not isinstance(require, Requirement):
        faults.append((None, f"require is {shown(require)}, expected scope(...) or claim(...)"))
    if (
        isinstance(path_claims, str)
        or not isinstance(path_claims, Collection)
        or not all(isinstance(name, str) for name in path_claims)
    ):
        faults.append((None, f"path_claims is {shown(path_claims)}, expected names of claims"))
        return checked, faults
    for number, rule in enumerate(rules):
        if not isinstance(rule, Rule):
            faults.append((number, f"it is {shown(rule)}, expected Rule('GET /orders', ...)"))
            continue
        try:
            route = Route.parse(rule.route, path_claims)
            checked.append((route, _together(rule.needs)))
        except ConfigError as error:
            faults.append((number, str(error)))
    return checked, faults


def _together(needs: tuple[Requirement, ...]) -> Requirement | None:
    if not needs:
        return None
    joined = all_of(*needs)  # checks a single one, too
    return needs[0] if len(needs) == 1 else joined


def _conflicts(routes: Sequence[Route]) -> Iterator[tuple[int | None, str]]:
    """Tell what a policy could not express exactly: no order between two, or three nested."""
    alike: dict[object, list[int]] = {}
    for number, route in enumerate(routes):
        literals = tuple(part for part in route.segments if not part.startswith("{"))
        before = alike.setdefault((route.rank, literals), [])
        faults = (_indistinct(routes[each], route) for each in before)
        fault = next(filter(None, faults), None)  # the first: of 100 alike, 99 are told
        if fault is not None:
            yield number, fault
        before.append(number)
    within = nested(routes)
    told: set[int] = set()
    for outer, middle in [(each, middle) for each in within for middle in sorted(within[each])]:
        for inner in sorted(within[outer] & within.get(middle, set()) - told):
            if routes[outer].may_hold(routes[middle], routes[inner]):
                told.add(inner)  # once: a long chain would tell of every three in it
                nest = " within ".join(repr(routes[each].text) for each in (inner, middle, outer))
                yield inner, f"routes {nest}: a policy can express two of them nested, not three"
                if len(told) == _TOLD:
                    yield None, "there may be more that are nested too deep"
                    return


def _indistinct(one: Route, other: Route) -> str | None:
    if not set(one.methods) & set(other.methods):
        return None
    if one.segments == other.segments:
        return f"route {other.text!r} is named twice, expected once"
    if one.may_equal(other):
        pair = f"{one.text!r} and {other.text!r}"
        return f"routes {pair} cannot be told apart where their claims are equal"
    return None
