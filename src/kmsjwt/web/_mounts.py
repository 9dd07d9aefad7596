"""The path that Starlette matches routes with, and others that it may match further in.

A FastAPI application puts its own ``root_path`` into the scope when the request comes to it, and
what it stands before is then taken off the path. So ``/api/admin`` may be served as ``/admin`` by
an application that stands behind the guard, or was mounted without a prefix. One that the path
does not begin with takes nothing off, not even what mounts and the server had taken off before.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from itertools import islice
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, NamedTuple

from kmsjwt.web._held import attribute, has_its_own, held, is_frameworks
from kmsjwt.web._paths import UNCLEAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

_NAMES = ("app", "_app", "router", "default")  # by which wrappers, FastAPI and routers hold others
_MOST = 300  # ways to applications; one that is mounted within itself may have no end of them
_HELD = 1_000  # callables that others hold, in which an application is looked for
_EACH = 300  # of those, what one callable holds


_Key = tuple[int, str, str]


class _Way(NamedTuple):
    """How a request comes to an application."""

    app: object
    root: str  # the root_path that it finds in the scope
    mounted: str  # the prefixes of the mounts that it came through
    came: _Way | None = None  # what it stands within, and how the request comes there

    @property
    def key(self) -> _Key:
        """What tells it from others."""
        return id(self.app), self.root, self.mounted

    def on(self, app: object) -> _Way:
        """Return the way on to what stands within."""
        return self._replace(app=app, came=self)

    def comes_back(self) -> bool:
        """Tell whether the request came through there before, no root_path put in since."""
        before = self.came
        while before is not None:
            since = self.mounted.removeprefix(before.mounted)
            if before.app is self.app and before.root + since == self.root:
                return True
            before = before.came
        return False

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
    if "app_root_path" in scope:
        walk = _Walk(scope, _Way(scope.get("router"), outer, ""))
        return tuple(dict.fromkeys([*walk.paths(), *walk.paths_unseen()]))
    walk = _Walk(scope, _Way(app, outer, "", _Way(scope.get("app"), outer, "")))
    return tuple(dict.fromkeys(walk.paths()))


class _Walk:
    """The ways of one request, from the outermost application on."""

    def __init__(self, scope: Mapping[str, Any], outermost: _Way) -> None:
        self._scope = scope
        self._outer = outermost.root
        self._ways = deque([outermost])
        self._guesses: deque[_Way] = deque()
        self._left = _HELD
        self._seen: dict[_Key, object] = {}  # what is kept here leaves its id to no other
        self._guessed: dict[_Key, object] = {}
        self._found: list[tuple[str, object]] = []  # each root_path, and what is there
        self._ends: list[str] = []  # the prefixes of what nothing is known of

    def paths(self) -> Iterator[str]:
        """Return the path that each application would route by, the outermost one's first."""
        while self._ways or self._guesses:
            if not self._ways:
                self._guess(self._guesses.popleft())
                continue
            way = self._ways.popleft()
            if way.key in self._seen:
                continue
            if len(self._seen) == _MOST:
                yield UNCLEAR
                return
            self._seen[way.key] = way.app
            yield from self._visited(way)

    def paths_unseen(self) -> Iterator[str]:
        """Return the paths without a root_path that nothing found can have put into the scope."""
        root, app = self._scope.get("root_path", ""), self._scope.get("app")
        own = attribute(app, "root_path") == root
        if root == self._outer or any(
            at == root and (found is app or not own) for at, found in self._found
        ):
            return
        names = root.split("/")
        # Mounts further in may have put something after it.
        cuts = [root] if own else ["/".join(names[:some]) for some in range(2, len(names) + 1)]
        for mounted in self._ends or [""]:
            for cut in cuts:
                yield _Way(app, cut, mounted).path(self._scope)

    def _visited(self, way: _Way) -> Iterator[str]:
        own = attribute(way.app, "root_path")
        here = way._replace(root=own) if isinstance(own, str) and own else way
        self._found.append((here.root, here.app))
        within = [here.on(app) for app in _wrapped(here.app)]
        self._ways.extend(within)
        routes = _routes(here.app)
        if routes is not None:
            self._mounted(here, routes)
        else:
            self._look_into(here)
            if within:
                return  # a wrapper, which routes nothing
            self._ends.append(here.mounted)
        yield here.path(self._scope)

    def _guess(self, way: _Way) -> None:
        """Go on to an application; look for one in anything else that a callable holds.

        What leads back to where the request was holds that to ask it something: served there once
        more, the request would come here again.
        """
        if way.key in self._seen or way.key in self._guessed or way.comes_back():
            return
        if has_its_own(way.app, "routes") and _routes(way.app) is not None:
            self._ways.append(way)
        else:
            self._guessed[way.key] = way.app
            self._look_into(way)

    def _look_into(self, way: _Way) -> None:
        found = [way.on(app) for app in islice(held(way.app), min(self._left, _EACH))]
        self._left -= len(found)
        self._guesses.extend(found)

    def _mounted(self, way: _Way, routes: Iterable[Any]) -> None:
        """Go on from an application by those of its routes that match."""
        at = {**self._scope, "root_path": way.root}
        for route in routes:
            inner = attribute(route, "app")
            if inner is None or is_frameworks(inner):
                continue
            on = way.on(inner)
            if hasattr(route, "matches"):  # one of Starlette's
                match, child = route.matches(at)
                if not match.value:
                    continue
                root = child.get("root_path", way.root)
                on = on._replace(root=root, mounted=way.mounted + root.removeprefix(way.root))
            if type(inner) is FunctionType:  # which is no router itself
                self._guesses.append(on)
                self._found.append((on.root, inner))
                self._ends.append(on.mounted)
            else:
                self._ways.append(on)


def _routes(app: object) -> list[Any] | tuple[Any, ...] | None:
    routes = attribute(app, "routes")
    return routes if isinstance(routes, (list, tuple)) else None


def _wrapped(app: object) -> Iterator[object]:
    for name in _NAMES:
        inner = attribute(app, name)
        if inner is not None:
            yield inner
    if isinstance(app, partial):
        yield from (app.func, *app.args, *app.keywords.values())
    elif isinstance(app, MethodType):
        yield app.__self__


def _without(path: str, root: str) -> str:
    if root and (path == root or path.startswith(f"{root}/")):
        return path[len(root) :]
    return path
