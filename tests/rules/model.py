"""What rules mean, written a second time from their description: slow, plain, sharing nothing.

Rules are data here, as ``worlds`` makes them. Nothing of kmsjwt is imported, so that a mistake
there cannot hide in here.
"""

from __future__ import annotations

from functools import cmp_to_key
from itertools import permutations, product
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~@.-"

Need = Any
"""None, or [kind, ...]: scope of words, equals and contains of a claim and a value, any, all."""


class World(NamedTuple):
    """Rules as data."""

    rules: list[tuple[str, Need]]
    require: Need
    path_claims: list[str]


class Path(NamedTuple):
    """A rule's route: its method or None, its segments, whether ``/*`` follows."""

    method: str | None
    segments: tuple[str, ...]
    is_open: bool


def is_met(need: Need, claims: Mapping[str, Any]) -> bool:
    """Tell whether claims meet a requirement."""
    if need is None:
        return True
    kind, *rest = need
    if kind == "scope":
        granted = claims.get("scope")
        return isinstance(granted, str) and all(word in granted.split(" ") for word in rest)
    if kind == "equals":
        return rest[0] in claims and is_same(claims[rest[0]], rest[1])
    if kind == "contains":
        members = claims.get(rest[0])
        return type(members) in (list, tuple) and any(is_same(m, rest[1]) for m in members or ())
    each = [is_met(one, claims) for one in rest[0]]
    return True in each if kind == "any" else False not in each


def is_same(one: Any, other: Any) -> bool:
    """Compare as JSON does: true is no number, and no number is text."""
    return json_type(one) == json_type(other) and bool(one == other)


def json_type(value: Any) -> str:
    """Name the JSON type of a value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "text" if isinstance(value, str) else "other"


def read_route(text: str) -> Path:
    """Take a route apart; it is one of ours, so well formed."""
    if text == "$connect":
        return Path("$connect", (), is_open=False)
    method, _, path = text.rpartition(" ")
    segments = [] if path == "/" else path.split("/")[1:]
    is_open = segments[-1:] == ["*"]
    return Path(method or None, tuple(segments[:-1] if is_open else segments), is_open)


def value_in_path(value: Any) -> str | None:
    """Return the text that a claim's value stands for in a path, None if for none."""
    if type(value) is int:
        value = str(value) if abs(value) < 10**200 else None
    if not isinstance(value, str) or not 1 <= len(value) <= 128 or value in (".", ".."):
        return None
    return value if all(character in SAFE for character in value) else None


def filled(path: Path, claims: Mapping[str, Any]) -> list[str] | None:
    """Return the segments with the claims' values in their places."""
    found = []
    for segment in path.segments:
        if segment.startswith("{"):
            value = value_in_path(claims.get(segment[1:-1]))
            if value is None:
                return None
            segment = value  # noqa: PLW2901  the value of the claim
        found.append(segment)
    return found


def is_about(path: Path, claims: Mapping[str, Any], method: str, asked: str) -> bool:
    """Tell whether a rule's route matches a request."""
    if path.method == "$connect":
        return method == "$connect" and asked == ""
    if method not in METHODS or path.method not in (None, method):
        return False
    wanted = filled(path, claims)
    if wanted is None or not asked.startswith("/"):
        return False
    parts = asked[1:].split("/")
    if path.is_open:  # any depth, an empty segment among them
        return len(parts) > len(wanted) and parts[: len(wanted)] == wanted
    return parts == (wanted or [""])


def more_specific(one: Path, other: Path) -> int:
    """Order: the longest path, a literal before a claim, a named method before any."""
    if len(one.segments) != len(other.segments):
        return len(other.segments) - len(one.segments)
    for mine, theirs in zip(one.segments, other.segments, strict=True):
        if mine.startswith("{") != theirs.startswith("{"):
            return 1 if mine.startswith("{") else -1
    if one.is_open != other.is_open:  # they meet at "/" alone, which is all of "/" but one of "/*"
        return 1 if one.is_open else -1
    if (one.method is None) != (other.method is None):
        return 1 if one.method is None else -1
    return 0


def decide(world: World, claims: Mapping[str, Any], method: str, path: str) -> bool:
    """Decide about one request afresh."""
    if not is_met(world.require, claims):
        return False
    if not world.rules:
        return True
    needs = {read_route(text): need for text, need in world.rules}
    about = [route for route in needs if is_about(route, claims, method, path)]
    if not about:
        return False
    if not is_met(needs[min(about, key=cmp_to_key(more_specific))], claims):
        return False
    if path.endswith("/"):  # whoever names the path without it means this one, too
        named = [
            route
            for route in needs
            if not route.is_open and is_about(route, claims, method, path.removesuffix("/"))
        ]
        if named:
            return is_met(needs[min(named, key=cmp_to_key(more_specific))], claims)
    return True


def iam_allows(allow: Iterable[str], deny: Iterable[str], resource: str) -> bool:
    """Evaluate a policy: an explicit Deny wins, what no Allow names is refused."""
    if any(iam_matches(pattern, resource) for pattern in deny):
        return False
    return any(iam_matches(pattern, resource) for pattern in allow)


def iam_matches(pattern: str, text: str) -> bool:
    """Match as IAM does: ``*`` is any text, ``/`` and nothing included; ``?`` one character."""
    reached = {0}  # how much of the text the pattern so far can have taken
    for character in pattern:
        if character == "*":
            reached = set(range(min(reached), len(text) + 1))
        else:
            reached = {
                at + 1
                for at in reached
                if at < len(text) and (character == "?" or text[at] == character)
            }
        if not reached:
            return False
    return len(text) in reached


def cannot_be_a_policy(world: World) -> bool:
    """Tell whether for some token two rules tie or three are nested, by trying tokens."""
    routes = [read_route(text) for text, _ in world.rules]
    literals = {segment for route in routes for segment in route.segments if segment[0] != "{"}
    values = [None, "one-1", "two-2", *sorted(value for value in literals if value_in_path(value))]
    for chosen in product(values, repeat=len(world.path_claims)):
        claims = dict(zip(world.path_claims, chosen, strict=True))
        for method in ("$connect", *METHODS):
            here: list[tuple[Path, str]] = [
                (route, "/".join(["", *parts, *(["*"] if route.is_open else [])]) or "/")
                for route in routes
                if (method == "$connect") == (route.method == "$connect")
                and route.method in (None, method)
                and (parts := filled(route, claims)) is not None
            ]
            if any(
                one[1] == other[1] and more_specific(one[0], other[0]) == 0
                for one, other in permutations(here, 2)
            ):
                return True
            patterns = {pattern for _, pattern in here}
            if any(
                is_within(middle, outer) and is_within(inner, middle)
                for outer, middle, inner in permutations(patterns, 3)
            ):
                return True
    return False


def is_within(inner: str, outer: str) -> bool:
    """Tell whether everything that one pattern matches is matched by another."""
    return inner != outer and iam_matches(outer, inner)
