"""Routes as API Gateway writes them: ``GET /orders/{id}``, ``ANY /{proxy+}``, ``$default``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT = "$default"
"""The route of whatever has no other, on HTTP APIs."""

_PART = re.compile(r"\{([^{}/+]+)(\+?)\}")


def path_parameters(template: str, path: str) -> dict[str, str]:
    """Return the values of the template's ``{names}`` in a path; empty if it does not fit."""
    return _match(template, path) or {}


class Route(NamedTuple):
    """One route.

    Attributes:
        key: its name on an HTTP API, as it was written: ``ANY /users``, ``$default``.
        path: its path template.
    """

    key: str
    path: str


def named_route(route: str | None, method: str, path: str) -> Route:
    """Return the route that a key or a path template names; the request's own if None."""
    if route == DEFAULT:
        return Route(DEFAULT, DEFAULT)
    if route is not None and " " in route:
        return Route(route, route.partition(" ")[2])
    template = route or path
    return Route(f"{method} {template}", template)


class Routes:
    """The routes of one API; the most specific one that fits is a request's."""

    def __init__(self, routes: Iterable[str]) -> None:
        """Read the routes.

        Args:
            routes: each a method or ``ANY``, a space and a path template; or ``$default``.

        Raises:
            ConfigError: one of them is written otherwise.
        """
        self._routes = [self._read(route) for route in routes]

    def find(self, method: str, path: str) -> Route | None:
        """Return the route for a request, None if there is none."""
        fitting = [
            (route.key != DEFAULT, _weight(route.path), route_method != "ANY", route)
            for route_method, route in self._routes
            if route_method in (method, "ANY") and _match(route.path, path) is not None
        ]
        return max(fitting)[-1] if fitting else None

    @staticmethod
    def _read(route: str) -> tuple[str, Route]:
        if route == DEFAULT:
            return "ANY", Route(DEFAULT, "/{proxy+}")
        method, space, template = route.partition(" ")
        if not (method.isalpha() and method.isupper() and space and template.startswith("/")):
            raise ConfigError(
                f"route is {route!r}, expected such as 'GET /orders/{{id}}'", code="gateway_setting"
            )
        return method, Route(route, template)


def _match(template: str, path: str) -> dict[str, str] | None:
    found = re.fullmatch(_pattern(template), path, re.DOTALL)
    if found is None:
        return None
    return dict(zip((part[1] for part in _PART.finditer(template)), found.groups(), strict=True))


def _pattern(template: str) -> str:
    pattern, end = "", 0
    for part in _PART.finditer(template):
        greedy = "(.*)" if part[2] else "([^/]+)"
        pattern += re.escape(template[end : part.start()]) + greedy
        end = part.end()
    return pattern + re.escape(template[end:])


def _weight(template: str) -> list[int]:
    """Literal segments before ``{one}``, ``{one}`` before ``{the-rest+}``."""
    return [
        0 if "+}" in segment else 1 if "{" in segment else 2 for segment in template.split("/")[1:]
    ]
