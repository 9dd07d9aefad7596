"""Random rules, claims and requests, made to collide: few names, hostile values, near misses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.rules.model import METHODS, World, filled, read_route

from kmsjwt.rules import Requirement, Rule, Rules, all_of, any_of, claim, scope

if TYPE_CHECKING:
    from random import Random

LITERALS = ("a", "b", "ala", "bob", "orders", "me", "A", "a.b", "7", "a:b", "a,b", "...", "true")
VALUES: tuple[Any, ...] = ("a", "b", "ala", "bob", "orders", "me", "7", "a.b", 7, -7, "A", "@~_-")
HOSTILE: tuple[Any, ...] = (
    *("*", "?", "a*", "*a", "a?", "${*}", "${aws:username}", "/", "a/b", "a/*", "/*", "..", "."),
    *("", " ", "a ", "a\n", "\na", "a\x00", "é", "\u0661", "ª", "ａ", "%2F", "a%2Fb", "{sub}"),
    *("a:b", "a,b", "a+b", "x" * 128, "x" * 129, "\ud800", "$connect", "..."),
    *(True, False, None, 7.0, 7.5, 10**39, 10**128, ["a"], ("a",), {"a": "a"}, b"a"),
)
SCOPES = ("r", "w", "orders:read", "")
GRANTED: tuple[Any, ...] = ("", "r", "w", "r w", "r  w", "rw", "orders:read r", "r\tw", ["r"], None)
COMPARED: tuple[Any, ...] = ("a", "b", "", 1, 0, True, False, 1.5, "1", "true", 7)
HELD: tuple[Any, ...] = (*COMPARED, 1.0, 0.0, None, ["a", 1], ("a", True), [], [["a"]], "ab")
ENDINGS = ("", "x", "a", "x/y", "a/b", "*", "?", "/", "//", "x/", "..", "../b", "%2F", ".", "a\n")


def rules_of(world: World) -> Rules:
    """Build the product's rules from rules as data."""
    return Rules(
        *(Rule(route, *([] if need is None else [requirement(need)])) for route, need in world[0]),
        require=None if world.require is None else requirement(world.require),
        path_claims=world.path_claims,
    )


def requirement(need: Any) -> Requirement:
    """Build the product's requirement from one as data."""
    kind, *rest = need
    if kind == "scope":
        return scope(*rest)
    if kind in ("equals", "contains"):
        named = claim(rest[0])
        return named.equals(rest[1]) if kind == "equals" else named.contains(rest[1])
    return (any_of if kind == "any" else all_of)(*map(requirement, rest[0]))


def some_world(random: Random) -> World:
    """Make rules that nest and collide."""
    path_claims = random.choice((["sub", "client_id"], ["sub"], ["sub", "tenant"]))
    names = random.sample(LITERALS, random.choice((1, 2, 2, 3, 5)))
    pieces = names + [f"{{{name}}}" for name in path_claims]
    routes: dict[str, None] = {}
    for _ in range(random.choice((0, 1, 2, 3, 3, 4, 4, 5, 6, 8))):
        routes[some_route(random, pieces, list(routes))] = None
    # Without a route there is something to require: rules that ask for nothing are refused.
    require = some_need(random) or ("scope", "r") if random.random() < 0.1 or not routes else None
    return World([(route, some_need(random)) for route in routes], require, path_claims)


def some_route(random: Random, pieces: list[str], others: list[str]) -> str:
    """Make a route, often below or beside another."""
    if random.random() < 0.04:
        return "$connect"
    path = "/".join(random.choice(pieces) for _ in range(random.choice((0, 1, 1, 2, 2, 3))))
    if others and random.random() < 0.6:
        above = random.choice(others).rpartition(" ")[2].strip("/*$conet").rstrip("/")
        path = "/".join(part for part in (above, path) if part)
    path = "/".join(part for part in path.split("/") if part)
    if random.random() < 0.6:
        path = f"{path}/*" if path else "*"
    method = random.choice(("", "", "", "GET ", "GET ", "POST ", "OPTIONS "))
    return f"{method}/{path}"


def some_need(random: Random, depth: int = 0) -> Any:
    """Make a requirement, or none."""
    drawn = random.random()
    if drawn < 0.35 and not depth:
        return None
    if drawn < 0.6:
        return ["scope", *random.sample(SCOPES[:3], random.choice((1, 1, 2)))]
    if drawn < 0.75:
        return ["equals", random.choice(("level", "sub")), random.choice(COMPARED)]
    if drawn < 0.9 or depth > 1:
        return ["contains", "roles", random.choice(COMPARED)]
    among = [some_need(random, depth + 1) for _ in range(random.choice((1, 2, 3)))]
    return [random.choice(("any", "all")), among]


def some_claims(random: Random, world: World) -> dict[str, Any]:
    """Make claims, often equal to each other or to what the rules name."""
    near = [part for text, _ in world.rules for part in text.split("/")[1:] if part[:1] != "{"]
    claims: dict[str, Any] = {}
    for name in ("sub", "client_id", "tenant"):
        drawn = random.random()
        if drawn < 0.45 and near:
            claims[name] = random.choice(near)
        elif drawn < 0.75:
            claims[name] = random.choice(VALUES)
        elif drawn < 0.95:
            claims[name] = random.choice(HOSTILE)
    if random.random() < 0.2 and "sub" in claims:
        claims["client_id"] = claims["tenant"] = claims["sub"]
    if random.random() < 0.8:
        claims["scope"] = random.choice(GRANTED)
    if random.random() < 0.6:
        claims["level"] = random.choice(HELD)
    if random.random() < 0.6:
        members = random.sample(HELD, random.choice((0, 1, 2)))
        claims["roles"] = random.choice((members, tuple(members), random.choice(HELD)))
    return claims


def some_requests(random: Random, world: World, claims: dict[str, Any], count: int) -> list[Any]:
    """Make requests, most of them at or just beside what a rule names for these claims."""
    targets = [("GET", "/"), ("GET", "/a"), ("$connect", "")]
    for text, _ in world.rules:
        route = read_route(text)
        parts = filled(route, claims)
        if parts is None:  # as if the hostile value were put into the path, as it stands
            parts = [str(claims.get(part[1:-1], part)) for part in route.segments]
        path = "/" + "/".join(parts) if route.method != "$connect" else ""
        method = route.method or random.choice(METHODS)
        targets.append((method, path))
        if route.is_open:
            targets += [(method, f"{path.rstrip('/')}/{random.choice(ENDINGS)}")] * 2
    return [_beside(random, *random.choice(targets)) for _ in range(count)]


def _beside(random: Random, method: str, path: str) -> tuple[str, str]:
    drawn = random.random()
    if drawn < 0.12:
        method = random.choice((*METHODS, "get", "TRACE", "*", "$connect", "ANY", ""))
    if drawn < 0.6:
        return method, path
    return method, random.choice(_TWISTS)(random, path)


def _segments(random: Random, path: str, other: str) -> str:
    parts = path.split("/")
    parts[random.randrange(len(parts))] = other
    return "/".join(parts)


_TWISTS = (
    lambda _, path: f"{path}/",
    lambda _, path: f"/{path}",
    lambda random, path: f"{path}/{random.choice(ENDINGS)}",
    lambda random, path: path + random.choice(("x", "*", "?", "\n", " ", "%2F", ".", "\ud800")),
    lambda _, path: path[:-1],
    lambda _, path: path[1:],
    lambda _, path: path.rpartition("/")[0],
    lambda _, path: path.replace("/", "%2F", 1),
    lambda _, path: path.replace("/", "//"),
    lambda _, path: path.swapcase(),
    lambda random, path: _segments(random, path, random.choice(("*", "?", "..", ".", "", "%2e"))),
    lambda random, path: _segments(random, path, random.choice(LITERALS)),
    lambda _, __: "",
)
