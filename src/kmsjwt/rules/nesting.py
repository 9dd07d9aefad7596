"""Which routes may lie within which, found without comparing each with each."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kmsjwt.rules.routes import Route

    Bound = dict[str, str]

_ANY = "{}"  # no literal is that


class OpenRoutes:
    """The open ones of some routes, by what may lie within them."""

    def __init__(self, routes: Sequence[Route], numbers: Iterable[int] | None = None) -> None:
        """Look through routes, or those of some numbers."""
        self._routes = routes
        self._tree = _Tree()
        for number in range(len(routes)) if numbers is None else numbers:
            if routes[number].is_open:
                self._tree.add(routes[number].segments, number)

    def around(self, inner: Route) -> Iterator[int]:
        """Return the numbers of those that may hold a route."""
        for number in self._tree.around(inner.segments):
            if self._routes[number].may_hold(inner):
                yield number

    def holders(self) -> set[int]:
        """Return the numbers of those that may hold any other."""
        found: set[int] = set()
        for inner in self._routes:
            for number in self._tree.around(inner.segments):
                if number not in found and self._routes[number].may_hold(inner):
                    found.add(number)
        return found


def nested(routes: Sequence[Route]) -> dict[int, set[int]]:
    """Return for each open route those that may lie within it; of routes named twice, one."""
    distinct: dict[object, int] = {}
    for number, route in enumerate(routes):
        distinct.setdefault((route.methods, route.segments, route.is_open), number)
    within: dict[int, set[int]] = {
        each: set() for each in distinct.values() if routes[each].is_open
    }
    open_ones = OpenRoutes(routes, within)
    for inner in distinct.values():
        for outer in open_ones.around(routes[inner]):
            within[outer].add(inner)
    return within


class _Tree:
    """Numbers of paths, by their segments."""

    def __init__(self) -> None:
        self.branches: dict[str, _Tree] = {}
        self.numbers: list[int] = []

    def add(self, segments: tuple[str, ...], number: int) -> None:
        """Put a path in."""
        at = self
        for segment in segments:
            at = at.branches.setdefault(_ANY if _is_claim(segment) else segment, _Tree())
        at.numbers.append(number)

    def around(self, segments: tuple[str, ...]) -> Iterator[int]:
        """Return the shorter ones with which a path may begin.

        A claim may be any text, yet the same one wherever the path names it.
        """
        level: list[tuple[_Tree, Bound]] = [(self, {})]
        for segment in segments:
            yield from chain.from_iterable(tree.numbers for tree, _ in level)
            level = [after for tree, bound in level for after in tree.after(segment, bound)]

    def after(self, segment: str, bound: Bound) -> Iterable[tuple[_Tree, Bound]]:
        """Return the branches on which one that begins with this segment may be."""
        if _is_claim(segment) and segment not in bound:
            return [
                (branch, bound if text == _ANY else {**bound, segment: text})
                for text, branch in self.branches.items()
            ]
        texts = (bound.get(segment, segment), _ANY)
        return [(self.branches[text], bound) for text in texts if text in self.branches]


def _is_claim(segment: str) -> bool:
    return segment.startswith("{")
