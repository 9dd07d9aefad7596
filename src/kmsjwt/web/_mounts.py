"""The path that Starlette matches routes with, and others that it may match further in.

A FastAPI application puts its own ``root_path`` into the scope when the request comes to it, and
what it stands before is then taken off the path. So ``/api/admin`` may be served as ``/admin`` by
an application that stands behind the guard, or was mounted without a prefix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_DEEPEST = 30  # an application may be mounted within itself


def route_paths(scope: Mapping[str, Any], app: object = None) -> tuple[str, ...]:
    """Return the path to judge a request by, and those that rules must allow besides.

    Args:
        scope: of the request.
        app: what the request goes to from here; not asked where it came through a mount.
    """
    at = "" if "app_root_path" in scope else None
    # Behind a mount, the path from the outermost application on: rules are about that one.
    outer: str = scope.get("app_root_path", scope.get("root_path", ""))
    roots = list(_own_roots(app if at is None else scope.get("router"), at))
    outer = next((root for mounted, root in roots if mounted is None), outer)
    paths = [_without(scope["path"], outer)]
    for mounted, root in roots:
        rest = _without(scope["path"], root)
        if rest != scope["path"]:
            paths.append((mounted or "") + rest)
    return tuple(dict.fromkeys(path or "/" for path in paths))


def _without(path: str, root: str) -> str:
    if root and (path == root or path.startswith(f"{root}/")):
        return path[len(root) :]
    return path


def _own_roots(
    app: object, mounted: str | None, depth: int = 0
) -> Iterator[tuple[str | None, str]]:
    """Return each ``root_path`` that an application has of its own, and where it is mounted.

    That is None for the one that every request from here on comes to.
    """
    if app is None or depth > _DEEPEST:
        return
    root = getattr(app, "root_path", None)
    if isinstance(root, str) and root:
        yield mounted, root
    for name in ("app", "_app"):
        yield from _own_roots(getattr(app, name, None), mounted, depth + 1)
    routes = getattr(app, "routes", None)
    for route in routes if isinstance(routes, (list, tuple)) else ():
        inner = getattr(route, "app", None)
        if inner is not None and not hasattr(inner, "__code__"):  # a function has nothing within
            yield from _own_roots(inner, _below(mounted, route), depth + 1)


def _below(mounted: str | None, route: object) -> str:
    prefix = getattr(route, "path", "") if hasattr(route, "routes") else ""  # of a Mount
    if "{" in prefix:
        return ""  # it depends on the request
    return (mounted or "") + prefix
