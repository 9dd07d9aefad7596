"""A rule, and whether rules together say what a policy can say."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, shown
from kmsjwt.rules.requirements import Requirement, all_of
from kmsjwt.rules.routes import Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Checked = list[tuple[Route, Requirement | None]]
    Faults = list[tuple[int | None, str]]

DEFAULT_PATH_CLAIMS = ("sub", "client_id")
"""The claims that paths may name unless others are given: they say who asks."""

_MOST = 1_000  # routes: each may have to be compared with each
_ANY = "{}"  # no literal is that


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
    within = _nested(routes)
    told: set[int] = set()
    for outer, middle in [(each, middle) for each in within for middle in within[each]]:
        for inner in within.get(middle, ()):
            if inner not in told and _may_hold(routes, outer, middle, inner):
                told.add(inner)  # once: a long chain would tell of every three in it
                nest = " within ".join(repr(routes[each].text) for each in (inner, middle, outer))
                yield inner, f"routes {nest}: a policy can express two of them nested, not three"


def _nested(routes: Sequence[Route]) -> dict[int, list[int]]:
    """Return for each open route those that may lie within it; of routes named twice, one."""
    distinct: dict[object, int] = {}
    for number, route in enumerate(routes):
        distinct.setdefault((route.methods, route.segments, route.is_open), number)
    open_ones = _Tree()
    within: dict[int, list[int]] = {}
    for number in distinct.values():
        if routes[number].is_open:
            open_ones.add(routes[number].segments, number)
            within[number] = []
    for inner in distinct.values():
        for outer in open_ones.around(routes[inner].segments):
            if _may_hold(routes, outer, inner):
                within[outer].append(inner)
    return within


class _Tree:
    """Numbers of paths, by their segments; so not each is compared with each."""

    def __init__(self) -> None:
        self.branches: dict[str, _Tree] = {}
        self.numbers: list[int] = []

    def add(self, segments: tuple[str, ...], number: int) -> None:
        """Put a path in."""
        at = self
        for segment in segments:
            at = at.branches.setdefault(_ANY if segment[0] == "{" else segment, _Tree())
        at.numbers.append(number)

    def around(self, segments: tuple[str, ...]) -> Iterator[int]:
        """Return the shorter ones with which a path may begin; a claim may be any text."""
        level = [self]
        for segment in segments:
            yield from chain.from_iterable(tree.numbers for tree in level)
            level = [branch for tree in level for branch in tree.after(segment)]

    def after(self, segment: str) -> Iterable[_Tree]:
        """Return the branches on which one that begins with this segment may be."""
        if segment[0] == "{":
            return self.branches.values()
        return [self.branches[each] for each in (segment, _ANY) if each in self.branches]


def _indistinct(one: Route, other: Route) -> str | None:
    if not set(one.methods) & set(other.methods):
        return None
    if one.segments == other.segments:
        return f"route {other.text!r} is named twice, expected once"
    if one.may_equal(other):
        pair = f"{one.text!r} and {other.text!r}"
        return f"routes {pair} cannot be told apart where their claims are equal"
    return None


def _may_hold(routes: Sequence[Route], outer: int, *inner: int) -> bool:
    return routes[outer].may_hold(*(routes[each] for each in inner))
