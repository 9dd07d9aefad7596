"""Routes as API Gateway writes them: ``GET /orders/{id}``, ``ANY /{proxy+}``, ``$default``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

_PART = re.compile(r"\{([^{}/+]+)(\+?)\}")


def path_parameters(template: str, path: str) -> dict[str, str]:
    """Return the values of the template's ``{names}`` in a path; empty if it does not fit."""
    return _match(template, path) or {}


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

    def find(self, method: str, path: str) -> str | None:
        """Return the path template of the route for a request, None if there is no route."""
        fitting = [
            (_weight(template), route_method != "ANY", template)
            for route_method, template in self._routes
            if route_method in (method, "ANY") and _match(template, path) is not None
        ]
        return max(fitting)[2] if fitting else None

    @staticmethod
    def _read(route: str) -> tuple[str, str]:
        if route == "$default":
            return "ANY", "/{proxy+}"
        method, space, template = route.partition(" ")
        if not (method.isalpha() and method.isupper() and space and template.startswith("/")):
            raise ConfigError(
                f"route is {route!r}, expected such as 'GET /orders/{{id}}'", code="gateway_setting"
            )
        return method, template


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
