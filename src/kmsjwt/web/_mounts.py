"""The path that Starlette matches routes with, and others that it may match further in.

A FastAPI application puts its own ``root_path`` into the scope when the request comes to it, and
what it stands before is then taken off the path. So ``/api/admin`` may be served as ``/admin`` by
an application that stands behind the guard, or was mounted without a prefix. One that the path
does not begin with takes nothing off, not even what mounts and the server had taken off before.
"""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, NamedTuple

from kmsjwt.web._paths import UNCLEAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

_NAMES = ("app", "_app", "router", "default")  # by which wrappers, FastAPI and routers hold others
_MOST = 300  # ways to applications; one that is mounted within itself may have no end of them


class _Way(NamedTuple):
    """How a request comes to an application, or to something that nobody can look into."""

    app: object
    root: str  # the root_path that it finds in the scope
    mounted: str  # the prefixes of the mounts that it came through
    is_function: bool = False  # which may hold an application, and nobody can look into

    def path(self, scope: Mapping[str, Any]) -> str:
        """Return the path that is served there, from the outermost application on."""
        return self.mounted + _without(scope["path"], self.root) or "/"


def route_paths(scope: Mapping[str, Any], app: object = None) -> tuple[str, ...]:
    """Return the path to judge a request by, and those that rules must allow besides.

    Args:
        scope: of the request.
        app: what the request goes to from here; not asked where it came through a mount.
    """
    # Behind a mount, the path from the outermost application on: rules are about that one.
    outer: str = scope.get("app_root_path", scope.get("root_path", ""))
    is_within = "app_root_path" in scope
    ways = list(_ways(_Way(scope.get("router") if is_within else app, outer, ""), scope))
    paths = [way.path(scope) if way else UNCLEAR for way in ways if not (way and way.is_function)]
    if is_within:
        paths += _unseen(scope, [way for way in ways if way])
    return tuple(dict.fromkeys(paths))


def _unseen(scope: Mapping[str, Any], ways: list[_Way]) -> Iterator[str]:
    """Return what the application that the guard stands in routes by, if no way led to it.

    The scope tells which application that is, and that the ``root_path`` is its own.
    """
    app, root = scope.get("app"), scope.get("root_path", "")
    is_own = root and getattr(app, "root_path", None) == root
    if is_own and not any(way.app is app for way in ways):
        for mounted in [way.mounted for way in ways if way.is_function] or [""]:
            yield _Way(app, root, mounted).path(scope)


def _ways(outermost: _Way, scope: Mapping[str, Any]) -> Iterator[_Way | None]:
    """Return each way that a request may go, the outermost first; None if they do not end."""
    ways = [outermost]
    seen: dict[tuple[int, str, str], object] = {}  # what is kept here leaves its id to no other
    for way in ways:  # it grows
        key = (id(way.app), way.root, way.mounted)
        if key in seen:
            continue
        if len(seen) == _MOST:
            yield None
            return
        seen[key] = way.app
        if way.is_function:
            yield way
            continue
        own = getattr(way.app, "root_path", None)
        here = way._replace(root=own) if isinstance(own, str) and own else way
        within = [here._replace(app=app) for app in _wrapped(here.app)]
        ways.extend(within)
        routes = getattr(here.app, "routes", None)
        if isinstance(routes, (list, tuple)):
            ways.extend(_mounted(here, routes, scope))
        elif within:
            continue  # a wrapper, which routes nothing
        yield here


def _wrapped(app: object) -> Iterator[object]:
    for name in _NAMES:
        inner = getattr(app, name, None)
        if inner is not None:
            yield inner
    if isinstance(app, partial):
        yield from (app.func, *app.args, *app.keywords.values())
    elif isinstance(app, MethodType):
        yield app.__self__


def _mounted(way: _Way, routes: Iterable[Any], scope: Mapping[str, Any]) -> Iterator[_Way]:
    """Return the ways on from an application, by those of its routes that match."""
    at = {**scope, "root_path": way.root}
    for route in _each(routes, at):
        inner = getattr(route, "app", None)
        if inner is None:
            continue
        is_function = isinstance(inner, FunctionType)
        if not hasattr(route, "matches"):  # not one of Starlette's
            yield way._replace(app=inner, is_function=is_function)
            continue
        match, child = route.matches(at)
        if match.value:
            root = child.get("root_path", way.root)
            yield _Way(inner, root, way.mounted + root.removeprefix(way.root), is_function)


def _each(routes: Iterable[Any], scope: Mapping[str, Any]) -> Iterator[Any]:
    """Return each route, those of included routers as they are where they were included."""
    for route in routes:
        included = getattr(route, "effective_route_contexts", None)
        if included is None:
            yield route
        elif route.matches(scope)[0].value:
            yield from (each.starlette_route for each in included() if each.starlette_route)


def _without(path: str, root: str) -> str:
    if root and (path == root or path.startswith(f"{root}/")):
        return path[len(root) :]
    return path
