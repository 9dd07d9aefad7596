"""Applications within functions, and under names that nobody knows: found, or told by the scope."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route, request_response
from starlette.testclient import TestClient
from tests.web import world

from kmsjwt.rules import Rule, Rules, scope
from kmsjwt.web import Guard
from kmsjwt.web.asgi import BearerMiddleware
from kmsjwt.web.fastapi import bearer

if TYPE_CHECKING:
    from collections.abc import Callable

BEARER = {"Authorization": f"Bearer {world.READER}"}


def guarding(*rules: Rule) -> Guard:
    return Guard(world.VERIFIER, rules=Rules(*rules), log=None)


WIDE = guarding(Rule("/*"), Rule("/admin", scope("admin")))


def rooted(root: str = "/api", *, guard: Guard | None = None) -> FastAPI:
    app = FastAPI(dependencies=[Depends(bearer(guard))] if guard else [])
    app.root_path = root  # its parameter is deprecated, and what it does is done
    app.get("/admin")(lambda: "secret")
    app.get("/open")(lambda: "open")
    return app


def statuses(app: Any, *paths: str) -> list[int]:
    client = TestClient(app, base_url="http://127.0.0.1")
    return [client.get(path, headers=BEARER).status_code for path in paths]


def closing(app: Any) -> Any:
    async def middleware(scope, receive, send):
        await app(scope, receive, send)

    return middleware


def defaulting(held: Any) -> Any:
    async def middleware(scope, receive, send, app=held):
        await app(scope, receive, send)

    return middleware


def naming(held: Any) -> Any:
    async def middleware(scope, receive, send, *, app=held):
        await app(scope, receive, send)

    return middleware


def told_of(app: Any) -> Any:
    """A function that has it from nowhere but what `functools.wraps` left."""

    @functools.wraps(closing(app))
    async def middleware(scope, receive, send):
        await middleware.__wrapped__(scope, receive, send)

    return middleware


def copying(app: Any) -> Any:
    """A function that says it is of a framework's module."""
    return functools.wraps(request_response(lambda _: JSONResponse({})))(closing(app))


def doubled(app: Any) -> Any:
    for _ in range(12):
        app = Named("one", app)
        app.another = app.one
    return app


class Named:
    """Keeps what it wraps by any name, in any collection."""

    def __init__(self, name: str, kept: Any, *keys: Any) -> None:
        vars(self)[name] = kept
        self._call = name, keys

    async def __call__(self, scope, receive, send) -> None:
        name, keys = self._call
        app = vars(self)[name]
        for key in keys:
            app = app[key]
        await app(scope, receive, send)


class Slotted:
    __slots__ = ("__kept", "empty")

    def __init__(self, kept: Any) -> None:
        self.__kept = kept

    async def __call__(self, scope, receive, send) -> None:
        await self.__kept(scope, receive, send)


async def first(apps, scope, receive, send) -> None:
    await apps[0](scope, receive, send)


async def by_name(scope, receive, send, *, apps) -> None:
    await apps[0](scope, receive, send)


def as_route(app: Any) -> Starlette:
    return Starlette(
        routes=[Route("/{rest:path}", Named("app", app), middleware=[Middleware(closing)])]
    )


HOLDING = {
    "function": closing,
    "functions": lambda app: closing(closing(app)),
    "function, by default": defaulting,
    "function, by name": naming,
    "function, by what it wraps": told_of,
    "function, by another's name": copying,
    "many times over": doubled,
    "function of an object": lambda app: closing(Named("inner", app)),
    "function of a list": lambda app: closing(functools.partial(first, [app])),
    "application": lambda app: Named("application", app),
    "other_asgi_app": lambda app: Named("other_asgi_app", app),
    "object of a function": lambda app: Named("asgi", closing(app)),
    "method": lambda app: Named("kept", Named("inner", app).__call__),
    "list": lambda app: Named("apps", [app], 0),
    "tuple": lambda app: Named("apps", (app,), 0),
    "dict": lambda app: Named("mounts", {"/": app}, "/"),
    "pairs": lambda app: Named("mounts", [("/", app)], 0, 1),
    "slot": Slotted,
    "in part, of a list": lambda app: functools.partial(first, [app]),
    "in part, of a dict": lambda app: functools.partial(by_name, apps={0: app}),
    "mount": lambda app: Starlette(routes=[Mount("/", closing(app))]),
    "mount's middleware": lambda app: Starlette(
        routes=[Mount("/", app, middleware=[Middleware(closing)])]
    ),
    "route's middleware": as_route,
}


@pytest.mark.parametrize("holding", HOLDING.values(), ids=HOLDING)
def test_a_root_path_is_found_wherever_the_application_is_kept(holding):
    """``/api/admin`` is served as ``/admin``."""
    app = holding(rooted())

    assert statuses(app, "/api/admin") == [200]  # without the guard
    assert statuses(BearerMiddleware(app, WIDE), "/api/admin", "/api/open") == [403, 200]


OPAQUE: dict[str, Any] = {}


async def opaque(scope, receive, send) -> None:
    """Serve by what the module has, which nobody can see from outside."""
    await OPAQUE["app"](scope, receive, send)


def hidden(app: Any) -> Any:
    OPAQUE["app"] = app
    return opaque


class Opaque:
    async def __call__(self, scope, receive, send) -> None:
        await opaque(scope, receive, send)


def hidden_by_an_object(app: Any) -> Any:
    OPAQUE["app"] = app
    return Opaque()


class Delegating(BaseRoute):
    """A route of somebody's own, to a mount that nobody can see."""

    def __init__(self, mount: Mount) -> None:
        self.matches = mount.matches  # type: ignore[method-assign]
        self.handle = mount.handle  # type: ignore[method-assign]


MOUNTING = {
    "closing": lambda at, app: Mount(at, app, middleware=[Middleware(closing)]),
    "hidden": lambda at, app: Mount(at, hidden(app)),
    "hidden by an object": lambda at, app: Mount(at, hidden_by_an_object(app)),
}


@pytest.mark.parametrize("mounting", MOUNTING.values(), ids=MOUNTING)
def test_a_dependency_is_told_by_the_scope_what_no_mount_put_there(mounting):
    app = Starlette(routes=[mounting("/", rooted(guard=WIDE))])

    assert statuses(app, "/api/admin", "/admin", "/api/open") == [403, 403, 200]


@pytest.mark.parametrize("mounting", MOUNTING.values(), ids=MOUNTING)
def test_and_counts_from_the_outermost_application_on(mounting):
    """``/b/api/admin`` is served as ``/b/admin``, and no rule is asked about ``/admin``."""
    guard = guarding(Rule("/b/*"), Rule("/b/admin", scope("admin")))
    app = Starlette(routes=[mounting("/b", rooted("/b/api", guard=guard))])

    assert statuses(app, "/b/api/admin", "/b/api/open") == [403, 200]


@pytest.mark.parametrize("mounting", MOUNTING.values(), ids=MOUNTING)
def test_also_where_it_mounts_others_in_turn(mounting):
    """``/api/c/admin`` is served as ``/c/admin``; the innermost has no root_path of its own."""
    guard = guarding(Rule("/*"), Rule("/c/admin", scope("admin")))
    middle = rooted()
    middle.mount("/c", rooted("", guard=guard))
    app = Starlette(routes=[mounting("/", middle)])

    assert statuses(app, "/api/c/admin", "/api/c/open") == [403, 200]


def test_not_even_through_a_route_of_another_kind():
    app = Starlette(routes=[Delegating(Mount("/", hidden(rooted(guard=WIDE))))])

    assert statuses(app, "/api/admin", "/api/open") == [403, 200]


@pytest.mark.parametrize("mounting", MOUNTING.values(), ids=MOUNTING)
def test_the_paths_that_are_asked_about_are_those_that_can_be(mounting):
    """No part of a root_path alone, no route besides, and no mount that is not on the way."""
    two = guarding(Rule("/api/v2/open"), Rule("/open"))
    app = Starlette(routes=[mounting("/", rooted("/api/v2", guard=two))])
    assert statuses(app, "/api/v2/open") == [200]

    within = guarding(Rule("/b/*"))
    besides = Route("/{rest:path}", lambda _: JSONResponse({}))
    app = Starlette(routes=[mounting("/b", rooted("/b/api", guard=within)), besides])
    assert statuses(app, "/b/api/open") == [200]

    only = guarding(Rule("/x/open"))
    outermost = rooted("/api")
    outermost.mount("/", BearerMiddleware(Starlette(routes=[Mount("/x", answering())]), only))
    outermost.router.routes.append(mounting("/x", answering()))
    assert statuses(outermost, "/api/x/open") == [200]


def test_what_was_found_is_asked_about_by_its_own_way_alone():
    only = guarding(Rule("/b/*"))
    api = Mount("/b", rooted("/b/api", guard=only), middleware=[Middleware(closing)])
    app = Starlette(routes=[api, Mount("/", answering())])

    assert statuses(app, "/b/api/open") == [200]


def test_another_mount_with_that_prefix_hides_nothing():
    app = Starlette(routes=[Mount("/", hidden(rooted(guard=WIDE))), Mount("/api", rooted(""))])

    assert statuses(app, "/api/admin", "/api/open") == [403, 200]


@pytest.mark.parametrize("mounting", MOUNTING.values(), ids=MOUNTING)
@pytest.mark.parametrize("root", ["", "/v1"])
def test_a_root_path_that_the_mount_gives_anyway_asks_for_no_more_rules(root, mounting):
    only = guarding(Rule("/v1/open"))
    app = Starlette(routes=[mounting("/v1", rooted(root, guard=only))])

    assert statuses(app, "/v1/open", "/v1/admin") == [200, 403]


def test_nor_does_that_of_the_outermost():
    only = guarding(Rule("/v1/open"))
    app = rooted("/api")
    app.mount("/v1", hidden(rooted("", guard=only)))

    assert statuses(app, "/api/v1/open", "/v1/open", "/api/v1/admin") == [200, 404, 403]


def answering(**held: Any) -> Any:
    """An application that is a function, as ordinary as any, and knows of other things."""

    async def app(scope, receive, send):
        await JSONResponse(sorted(held))(scope, receive, send)

    return app


class Hostile:
    """Whose attributes raise, those too that are asked to learn what it is."""

    app = routes = root_path = property(lambda _self: 1 / 0)

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __call__(self) -> None:
        """Do nothing."""


class Disguised(Hostile):
    __class__ = property(lambda _self: 1 / 0)  # as of lazy proxies


class Asked(BaseException):
    """Nobody catches it."""


class Remote:
    """Would have to go far to tell what it has."""

    def __getattr__(self, name: str) -> Any:
        raise Asked(name)

    def __call__(self) -> None:
        """Do nothing."""


class MadeUp:
    """Has whatever it is asked for, without end, as a mock has."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return MadeUp()

    def __call__(self) -> None:
        """Do nothing."""


class Lazy(list[Any]):
    def __iter__(self) -> Any:
        raise RuntimeError


class Endless(list[Any]):
    def __iter__(self) -> Any:
        while True:
            yield answering(number=0)


def ring() -> Any:
    one: list[Any] = []
    one.append(answering(one=one))
    return one


def unassigned() -> Any:
    def hook():
        return later

    if ORDINARY:
        return hook
    later = 1
    return later


def registry() -> Any:
    handlers: list[Any] = []
    handlers.extend(answering(handlers=handlers) for _ in range(1_000))
    return handlers


ORDINARY: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "class": lambda: FastAPI,
    "raising": Hostile,
    "disguised": Disguised,
    "made up": MadeUp,
    "remote": Remote,
    "endless": Endless,
    "lazy": lambda: Lazy([1]),
    "ring": ring,
    "unassigned": unassigned,
    "many": lambda: {number: answering(number=number) for number in range(1_000)},
    "registry": registry,
    "nested": lambda: [[[number] * 100] * 100 for number in range(100)],
    "no root_path": lambda: rooted(""),
}


@pytest.mark.parametrize("making", ORDINARY.values(), ids=ORDINARY)
def test_what_an_ordinary_application_knows_asks_for_no_more_rules(making):
    known = making()
    only = guarding(Rule("/x/open"))
    function = answering(known=known)
    keeping = Named("inner", function)
    vars(keeping)["known"] = known
    for app in (function, keeping, closing(keeping)):
        outer = Starlette(routes=[Mount("/x", app)])
        for guarded in (app, outer):
            assert statuses(BearerMiddleware(guarded, only), "/x/open", "/x/no") == [200, 403]


def test_an_application_whose_own_attributes_raise_is_served():
    class Raising(Hostile):
        async def __call__(self, scope, receive, send) -> None:  # type: ignore[override]
            await JSONResponse("open")(scope, receive, send)

    only = guarding(Rule("/x/open"))
    app = Starlette(routes=[Mount("/x", Raising())])

    assert statuses(BearerMiddleware(app, only), "/x/open", "/x/no") == [200, 403]


@pytest.mark.parametrize("outside", [True, False])
def test_nor_does_the_application_that_it_is_a_part_of(outside):
    """A part that keeps the whole does so to look something up there."""
    only = guarding(Rule("/x/open"))
    app = rooted("/api")
    app.mount("/x", answering(whole=app))
    app.add_middleware(BaseHTTPMiddleware, dispatch=passing_on(app))
    if not outside:
        app.add_middleware(BearerMiddleware, guard=only)
    guarded = BearerMiddleware(app, only) if outside else app

    assert statuses(guarded, "/api/x/open", "/x/open", "/api/x/no") == [200, 200, 403]


@pytest.mark.parametrize("middleware", [[], [Middleware(closing)]], ids=["bare", "wrapped"])
def test_nor_does_what_an_endpoint_knows(middleware):
    app = rooted("/api")

    def endpoint(_request):
        return JSONResponse(app.title)

    only = guarding(Rule("/api/open"))
    service = Starlette(routes=[Route("/api/{name}", endpoint, middleware=middleware)])

    assert statuses(BearerMiddleware(service, only), "/api/open", "/api/no") == [200, 403]


def test_but_one_that_is_served_again_by_another_root_path_is_found():
    """``/api/c/d/admin`` comes back from within, is ``/c/d/admin`` then, and ``/c/admin``."""
    inner = FastAPI()
    inner.root_path = "/api"
    outer = Starlette(routes=[Mount("/c", rooted("/api/c/d")), Mount("/", inner)])
    inner.router.default = closing(outer)
    guard = guarding(Rule("/*"), Rule("/c/admin", scope("admin")))

    assert statuses(outer, "/api/c/d/admin") == [200]
    guarded = BearerMiddleware(outer, guard)
    assert statuses(guarded, "/api/c/d/admin", "/api/c/d/open") == [403, 200]


def passing_on(app: Any) -> Any:
    async def dispatch(request, call_next):
        assert app.root_path == "/api"
        return await call_next(request)

    return dispatch


def test_before_much_else_an_application_is_found():
    """Values that are no callables cost nothing, nor do functions of the frameworks."""
    app = Named("inner", rooted())
    vars(app).update(some=list(range(10_000)), more={n: str(n) for n in range(10_000)})
    first = Named("zero", [*range(200)])
    first.__dict__ |= {"mounts": {"/": app}, "_call": ("mounts", ("/",))}

    assert statuses(BearerMiddleware(first, WIDE), "/api/admin", "/api/open") == [403, 200]
