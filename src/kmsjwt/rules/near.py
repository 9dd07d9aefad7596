"""Which rule is near a request that none names, for whoever wonders why it was refused.

Looked for only then. The path is the client's own text and may hold anything, a token too: a hint
says what the rules say, and nothing of the path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.rules.routes import covers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kmsjwt.rules.routes import Route


def hint(routes: Iterable[Route], claims: Mapping[str, Any], method: str, path: str) -> str:
    """Return what is near, after a semicolon; nothing if nothing is. The likeliest comes first."""
    found = [(route, route.pattern(claims), method in route.methods) for route in routes]
    for route, _, is_method in found:
        if is_method and route.names_claims and _has_form(route, path):
            return f"; {route.text!r} {_of_claims(route, claims)}"
    for differs, told in _DIFFERENCES:
        for route, pattern, is_method in found:
            if pattern is not None and differs(pattern, path, is_method):
                return f"; {route.text!r} {told}"
    return ""


def _has_form(route: Route, path: str) -> bool:
    """Tell whether the path would be the route's for some token."""
    parts = path.split("/", len(route.segments) + 1)[1:]
    wanted = len(route.segments) + route.is_open
    return len(parts) == wanted and all(
        part == segment or (segment.startswith("{") and part != "")
        for part, segment in zip(parts, route.segments, strict=False)
    )


def _of_claims(route: Route, claims: Mapping[str, Any]) -> str:
    unfit = route.unfit_claim(claims)
    if unfit is not None:
        return f"names {unfit}, and the token's has a value that no path may have"
    names = " and ".join(dict.fromkeys(each for each in route.segments if each.startswith("{")))
    return f"takes a token with that very {names}"


def _by_method(pattern: str, path: str, is_method: bool) -> bool:  # noqa: FBT001  as found above
    return not is_method and covers(pattern, path)


def _by_what_is_below(pattern: str, path: str, is_method: bool) -> bool:  # noqa: FBT001  as above
    return is_method and pattern == f"{path}/*"


def _by_a_slash(pattern: str, path: str, is_method: bool) -> bool:  # noqa: FBT001  as above
    return is_method and path[-1:] == "/" and covers(pattern, path[:-1])


def _by_case(pattern: str, path: str, is_method: bool) -> bool:  # noqa: FBT001  as above
    return is_method and covers(pattern.lower(), path.lower())


def _by_first_part(pattern: str, path: str, is_method: bool) -> bool:  # noqa: FBT001  as above
    _, _, rest = path[1:].partition("/")
    return is_method and rest != "" and covers(pattern, f"/{rest}")


_DIFFERENCES = (
    (_by_method, "names its path, for another method"),
    (_by_what_is_below, "begins below it"),
    (_by_a_slash, "has no '/' at its end"),
    (_by_case, "has its letters in another case"),
    (_by_first_part, "names it without its first part: is that the stage?"),
)
