"""ASGI itself, spoken by hand where a client would tidy up: bytes, WebSockets, lifespan."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router
from tests.web import challenge, world

from kmsjwt.errors import ConfigError
from kmsjwt.rules import Rule, Rules, scope
from kmsjwt.web import Guard
from kmsjwt.web.asgi import BearerMiddleware
from kmsjwt.web.fastapi import bearer

BEARER = [(b"authorization", f"Bearer {world.READER}".encode())]
DENIAL: dict[str, Any] = {"websocket.http.response": {}}


def http(path="/orders/1", headers=(), **more) -> dict[str, Any]:
    scope = {"type": "http", "method": "GET", "path": path, "headers": list(headers)}
    return {**scope, "query_string": b"", **more}


def websocket(headers=(), **more) -> dict[str, Any]:
    return {"type": "websocket", "path": "/orders/live", "headers": list(headers), **more}


class Inner:
    """An application that keeps the scopes it was given."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []

    async def __call__(self, scope, _receive, send) -> None:
        self.scopes.append(scope)
        await send({"type": "inner"})


async def spoken(app, scope) -> list[Any]:
    sent: list[Any] = []

    async def receive():
        return {"type": f"{scope['type']}.connect"}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent


def talk(app, scope) -> list[Any]:
    return asyncio.run(spoken(app, scope))


def headers_of(start) -> dict[str, str]:
    assert all(name == name.lower() for name, _ in start["headers"])
    return {name.decode("ascii"): value.decode("ascii") for name, value in start["headers"]}


def test_the_token_is_in_a_state_of_the_requests_own():
    inner, shared = Inner(), {"pool": object()}
    scope = http(headers=BEARER, state=shared)

    assert talk(BearerMiddleware(inner, world.guard()), scope) == [{"type": "inner"}]

    assert inner.scopes[0]["state"]["token"].claims["sub"] == "ala"
    assert inner.scopes[0]["state"]["pool"] is shared["pool"]
    assert list(shared) == ["pool"]


BYTES = {
    "latin-1": [(b"authorization", b"Bearer \xff\xfe")],
    "utf-8": [(b"authorization", "Bearer żółw".encode())],
    "name": [(b"authorizatio\xf1", f"Bearer {world.READER}".encode())],
    "NUL": [(b"authorization", b"Bearer \x00")],
    "twice": [*BEARER, (b"authorization", b"Bearer a.b.c")],
    "empty": [(b"authorization", b"")],
    "nothing": [],
}


@pytest.mark.parametrize("case", BYTES)
def test_whatever_bytes_come_the_answer_is_a_challenge(case):
    inner = Inner()

    start, body = talk(BearerMiddleware(inner, world.guard()), http(headers=BYTES[case]))

    assert inner.scopes == []
    assert start["status"] in (400, 401)
    headers = headers_of(start)
    challenge.parsed(headers["www-authenticate"])
    assert int(headers["content-length"]) == len(body["body"])


def test_a_handshake_is_refused_by_an_answer_where_the_server_can_send_one():
    inner = Inner()
    app = BearerMiddleware(inner, world.guard())

    start, body = talk(app, websocket(extensions=DENIAL))

    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    challenge.parsed(headers_of(start)["www-authenticate"])
    assert body["type"] == "websocket.http.response.body"
    others = (websocket(), websocket(extensions=None), websocket(extensions={"tls": {}}))
    for handshake in others:
        assert talk(app, handshake) == [{"type": "websocket.close", "code": 1008}]
    assert inner.scopes == []


def test_a_handshake_is_judged_as_get_and_may_bring_its_token_as_subprotocol():
    inner = Inner()
    protocols = [(b"sec-websocket-protocol", f"jwt, {world.READER}".encode())]
    guard = world.guard(token_from="subprotocol:jwt")

    assert talk(BearerMiddleware(inner, guard), websocket(protocols)) == [{"type": "inner"}]

    assert inner.scopes[0]["state"]["token"].claims["sub"] == "ala"


@pytest.mark.parametrize("method", ["POST", "", None, 5], ids=repr)
def test_whatever_method_a_server_gives_a_handshake(method):
    rules = Rules(Rule("POST /orders/live"), Rule("GET /orders/live", scope("admin")))
    app = BearerMiddleware(Inner(), Guard(world.VERIFIER, rules=rules, log=None))

    start, _ = talk(app, websocket(BEARER, method=method, extensions=DENIAL))

    assert start["status"] == 403


@pytest.mark.parametrize(
    ("place", "query", "headers", "status"),
    [
        ("query:token", f"a=1&token={world.READER}", [], 200),
        ("query:token", "token=%ff%fe", [], 400),
        ("query:token", f"token={world.READER}&token=x", [], 400),
        ("query:token", "", BEARER, 401),
        ("cookie:session", "", [(b"cookie", f"a=1; session={world.READER}".encode())], 200),
        ("cookie:session", f"session={world.READER}", [], 401),
        ("header:x-token", "", [(b"x-token", world.READER.encode())], 200),
    ],
)
def test_other_places(place, query, headers, status):
    scope = http(headers=headers, query_string=query.encode())

    first = talk(BearerMiddleware(Inner(), world.guard(token_from=place)), scope)[0]

    assert first.get("status", 200) == status


def test_the_lifespan_is_the_applications_and_unknown_protocols_are_refused():
    inner = Inner()
    app = BearerMiddleware(inner, world.guard())

    assert talk(app, {"type": "lifespan"}) == [{"type": "inner"}]
    with pytest.raises(ConfigError, match="scope type is 'webtransport'"):
        talk(app, {"type": "webtransport", "path": "/", "headers": []})
    assert len(inner.scopes) == 1


@pytest.mark.parametrize(
    ("path", "root", "status"),
    [
        ("/orders/1", "/api", 200),
        ("/api/orders/1", "/api", 200),
        ("/open/x", "/op", 200),
        ("/api/open/admin", "/api", 403),
        ("/open/admin\n", "", 403),
        ("/open/x/../admin", "", 403),
        ("/open/%61dmin", "", 403),
        ("/api", "/api", 403),
        ("", "", 403),
        ("/open/\udcff", "", 403),
    ],
)
def test_rules_are_asked_about_the_path_that_starlette_routes_by(path, root, status):
    scope = http(path, BEARER, root_path=root)

    first = talk(BearerMiddleware(Inner(), world.guard()), scope)[0]

    assert first.get("status", 200) == status


@pytest.mark.parametrize("own", ["", None, 5], ids=repr)
def test_an_application_without_a_root_path_of_its_own_has_the_servers(own):
    inner: Any = Inner()
    inner.root_path = own

    for path, status in (("/api/orders/1", 200), ("/api/open/admin", 403)):
        scope = http(path, BEARER, root_path="/api")
        assert talk(BearerMiddleware(inner, world.guard()), scope)[0].get("status", 200) == status


def test_the_root_path_itself_is_the_root():
    app = BearerMiddleware(Inner(), world.guard(rules=Rules(Rule("GET /"))))

    for path, root in (("/api", "/api"), ("/api/", "/api"), ("", ""), ("/", "")):
        assert talk(app, http(path, BEARER, root_path=root))[0] == {"type": "inner"}
    assert talk(app, http("/apix", BEARER, root_path="/api"))[0]["status"] == 403


@pytest.mark.parametrize("path", ["/open/admin", "/open/admin\n", "/open/%61dmin"])
def test_no_spelling_reaches_a_real_route_past_its_rule(path):
    reached = []

    def admin(request):
        reached.append(request.url.path)
        return JSONResponse({})

    inner = Starlette(routes=[Route("/open/admin", admin)])

    assert talk(BearerMiddleware(inner, world.guard()), http(path, BEARER))[0]["status"] == 403
    assert reached == []
    if "%" not in path:  # without the rule, Starlette does serve these
        unruled = BearerMiddleware(inner, world.guard(rules=None))
        assert talk(unruled, http(path, BEARER))[0]["status"] == 200


def test_a_mounted_application_is_asked_about_the_whole_path():
    """A guard that is shared would else take ``/admin/users`` of a mount for ``/users``."""
    inner = Starlette(routes=[Route("/{rest:path}", lambda _: JSONResponse({}))])
    shared = Guard(world.VERIFIER, rules=Rules(Rule("GET /users"), Rule("GET /v1/*")), log=None)
    app = Starlette(
        routes=[Mount(path, BearerMiddleware(inner, shared)) for path in ("/v1", "/admin")]
    )

    for path, status in (("/v1/users", 200), ("/admin/users", 403), ("/users", 404)):
        assert talk(app, http(path, BEARER))[0]["status"] == status


def test_the_root_path_of_a_wrapped_application_is_no_way_around():
    """FastAPI adds its own to the scope, and takes it off the path, only behind the guard."""
    rules = Rules(Rule("/*"), Rule("GET /admin", scope("admin")))
    inner = FastAPI()
    inner.root_path = "/v1"  # its parameter is deprecated, and what it does is done
    inner.get("/admin")(lambda: "secret")
    app = BearerMiddleware(inner, Guard(world.VERIFIER, rules=rules, log=None))

    for path in ("/admin", "/v1/admin", "/admin/", "/v1/admin/"):
        assert talk(app, http(path, BEARER))[0]["status"] == 403


def rooted(root="/api", at="", **more) -> FastAPI:
    app = FastAPI(**more)
    app.root_path = root
    app.get(f"{at}/admin")(lambda: "secret")
    app.get(f"{at}/open")(lambda: "open")
    return app


class Wrapping:
    """A middleware of somebody's own, which names what it wraps as Starlette's do."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        await self.app(scope, receive, send)


class Hiding:
    """A middleware of somebody's own, with a name for what it wraps that nobody else has."""

    def __init__(self, app) -> None:
        self.hidden = app

    async def __call__(self, scope, receive, send) -> None:
        await self.hidden(scope, receive, send)


class Otherwise(Wrapping):
    """A router whose routes are not Starlette's."""

    def __init__(self, route) -> None:
        super().__init__(route)
        self.routes = [route]
        del self.app

    async def __call__(self, scope, receive, send) -> None:
        await self.routes[0](scope, receive, send)


def otherwise(app, default) -> Any:
    app.router.default = default
    return app


async def passing(app, scope, receive, send) -> None:
    """Pass on what it is given, as a middleware written as a function does."""
    await app(scope, receive, send)


async def passing_last(scope, receive, send, *, app) -> None:
    await app(scope, receive, send)


WIDE = Guard(world.VERIFIER, rules=Rules(Rule("/*"), Rule("/admin", scope("admin"))), log=None)
DEPENDENT = [Depends(bearer(WIDE))]
MOUNTED = {
    "wrapped": BearerMiddleware(CORSMiddleware(rooted(), allow_origins=["*"]), WIDE),
    "wrapped twice": BearerMiddleware(Wrapping(Wrapping(rooted())), WIDE),
    "guarded twice": BearerMiddleware(BearerMiddleware(rooted(), WIDE), WIDE),
    "mounted": BearerMiddleware(Starlette(routes=[Mount("/", rooted())]), WIDE),
    "mounted, wrapped": BearerMiddleware(Starlette(routes=[Mount("", Wrapping(rooted()))]), WIDE),
    "within a mount": Starlette(routes=[Mount("/", BearerMiddleware(rooted(), WIDE))]),
    "mounted twice": BearerMiddleware(
        Starlette(routes=[Mount("/", routes=[Mount("/", rooted())])]), WIDE
    ),
    "by host": BearerMiddleware(Starlette(routes=[Host("{any:path}", rooted())]), WIDE),
    "by host, wrapped": BearerMiddleware(
        Starlette(routes=[Host("{any:path}", Wrapping(rooted()))]), WIDE
    ),
    "as a route": BearerMiddleware(Starlette(routes=[Route("/{rest:path}", rooted())]), WIDE),
    "as routes": BearerMiddleware(
        Starlette(routes=[Route(f"/api/{name}", rooted()) for name in ("admin", "open")]), WIDE
    ),
    "dependency": rooted(dependencies=DEPENDENT),
    "dependency, mounted": Starlette(routes=[Mount("/", rooted(dependencies=DEPENDENT))]),
    "dependency, wrapped and mounted": Starlette(
        routes=[Mount("/", Wrapping(rooted(dependencies=DEPENDENT)))]
    ),
    "dependency, hidden and mounted": Starlette(
        routes=[Mount("/", Hiding(rooted(dependencies=DEPENDENT)))]
    ),
    "by routes of another kind": BearerMiddleware(Otherwise(Wrapping(rooted())), WIDE),
    "in part": BearerMiddleware(partial(rooted()), WIDE),
    "in part, by a function": BearerMiddleware(partial(passing, rooted()), WIDE),
    "in part, by name": BearerMiddleware(partial(passing_last, app=rooted()), WIDE),
    "in parts": BearerMiddleware(partial(passing, partial(passing, rooted())), WIDE),
    "in part, mounted": BearerMiddleware(
        Starlette(routes=[Mount("/", partial(passing, rooted()))]), WIDE
    ),
    "a method": BearerMiddleware(rooted().__call__, WIDE),
    "a method, mounted": BearerMiddleware(
        Starlette(routes=[Mount("/", Wrapping(rooted()).__call__)]), WIDE
    ),
    "for want of a route": BearerMiddleware(Router(default=rooted()), WIDE),
    "for want of another route": BearerMiddleware(otherwise(FastAPI(), rooted()), WIDE),
}


@pytest.mark.parametrize("app", MOUNTED.values(), ids=MOUNTED)
def test_nor_is_one_that_stands_further_in(app):
    """Each serves ``/api/admin`` as ``/admin``."""
    host = (b"host", b"any")
    for path, status in (("/api/admin", 403), ("/api/open", 200)):
        assert talk(app, http(path, [*BEARER, host]))[0]["status"] == status


def included(router, times=1) -> FastAPI:
    """Return an application that includes a router, or includes one that includes it."""
    for _ in range(times - 1):
        outer = APIRouter()
        outer.include_router(router)
        router = outer
    app = FastAPI()
    app.include_router(router)
    return app


def router_of(app, *, host=None) -> APIRouter:
    router = APIRouter()
    if host is None:
        router.mount("/v", app)
    else:
        router.host(host, app)
    return router


INNER = Guard(world.VERIFIER, rules=Rules(Rule("/*"), Rule("/v/admin", scope("admin"))), log=None)
INCLUDED = {
    "mounted": BearerMiddleware(included(router_of(rooted("/v/api"))), INNER),
    "included twice": BearerMiddleware(included(router_of(rooted("/v/api")), times=2), INNER),
    "dependency": included(router_of(rooted("/v/api", dependencies=[Depends(bearer(INNER))]))),
    "by host": BearerMiddleware(included(router_of(rooted("/v"), host="{any:path}")), WIDE),
}


@pytest.mark.parametrize("app", INCLUDED.values(), ids=INCLUDED)
def test_nor_one_that_an_included_router_holds(app):
    path = "/v/admin" if app is INCLUDED["by host"] else "/v/api/admin"
    assert talk(app, http(path, [*BEARER, (b"host", b"any")]))[0]["status"] == 403


def test_nor_one_between_the_guard_and_the_outermost_application():
    rules = Rules(Rule("/*"), Rule("/b/admin", scope("admin")))
    guard = Guard(world.VERIFIER, rules=rules, log=None)
    inner = Starlette(routes=[Route("/{rest:path}", lambda _: JSONResponse({}))])
    middle = rooted()
    middle.mount("/b", BearerMiddleware(inner, guard))
    app = Starlette(routes=[Mount("/", middle)])

    for path, status in (("/api/b/admin", 403), ("/api/b/x", 200), ("/b/admin", 403)):
        assert talk(app, http(path, BEARER))[0]["status"] == status


def test_a_root_path_that_is_the_mounts_own_changes_nothing():
    """Rules about the whole path are all there need be."""
    only = Guard(world.VERIFIER, rules=Rules(Rule("/v1/open")), log=None)
    routes = [Mount("/v1", rooted("/v1")), Mount("/v2", rooted("/v2"))]
    app = BearerMiddleware(Starlette(routes=routes), only)

    for path, status in (("/v1/open", 200), ("/v1/admin", 403), ("/v2/open", 403)):
        assert talk(app, http(path, BEARER))[0]["status"] == status


def test_within_mounts_it_is_judged_by_the_whole_path():
    """``/v1/b/x/admin`` is served as ``/v1/b/admin``."""
    rules = Rules(Rule("/*"), Rule("/v1/b/admin", scope("admin")))
    routes = [Mount("/v1", routes=[Mount("/b", rooted("/v1/b/x"))])]
    app = BearerMiddleware(Starlette(routes=routes), Guard(world.VERIFIER, rules=rules, log=None))

    for path, status in (("/v1/b/x/admin", 403), ("/v1/b/admin", 403), ("/v1/b/x/open", 200)):
        assert talk(app, http(path, BEARER))[0]["status"] == status


@pytest.mark.parametrize("root", ["", "/v1"])
@pytest.mark.parametrize("mounted", ["", "/x"])
def test_what_is_mounted_and_takes_nothing_off_the_path_is_no_way_around(root, mounted):
    """Starlette leaves the whole path in the scope: who looks at nothing else serves by that."""
    rules = Rules(Rule("/*"), *(Rule(f"{each}/admin", scope("admin")) for each in ("", "/x")))
    inner = Inner()
    app = BearerMiddleware(
        Starlette(routes=[Mount(mounted, inner)]), Guard(world.VERIFIER, rules=rules, log=None)
    )

    for path in (f"{mounted}/admin", f"{root}{mounted}/admin"):
        assert talk(app, http(path, BEARER, root_path=root))[0]["status"] == 403
    assert inner.scopes == []


def under(path, app) -> Router:
    return Router([Mount(path, app)])


def holding(app, path, inner) -> Any:
    app.mount(path, inner)
    return app


UNFIT = {
    "no prefix": (holding(rooted("/a"), "", rooted(at="/a")), "/a/admin", "", "/a/admin"),
    "the server's": (under("", rooted(at="/a")), "/a/admin", "/a", "/a/admin"),
    "prefix": (under("/b", rooted("/b/api", at="/b")), "/b/admin", "", "/b/b/admin"),
    "two": (
        under("/b", holding(rooted(), "/b", rooted("/x", at="/b"))),
        "/b/admin",
        "",
        "/b/b/b/admin",
    ),
    "any prefix": (under("/{x}", rooted(at="/v")), "/v/admin", "", "/v/v/admin"),
    "any, fit": (under("/{x}", rooted("/v/api")), "/v/api/admin", "", "/v/admin"),
    "any two": (
        under("/{x}", under("/{y}", rooted("/v/w/api"))),
        "/v/w/api/admin",
        "",
        "/v/w/admin",
    ),
}


@pytest.mark.parametrize(("app", "path", "root", "ruled"), UNFIT.values(), ids=UNFIT)
def test_a_root_path_that_the_path_does_not_begin_with_is_no_way_around(app, path, root, ruled):
    """It takes nothing off, not even what was off already."""
    opened = path.replace("admin", "open")
    guards = [
        Guard(world.VERIFIER, rules=Rules(Rule("/*"), *more), log=None)
        for more in ([], [Rule(ruled, scope("admin"))])
    ]

    for guard, status in zip(guards, (200, 403), strict=True):
        scopes = [http(each, BEARER, root_path=root) for each in (path, opened)]
        answers = [talk(BearerMiddleware(app, guard), each)[0]["status"] for each in scopes]
        assert answers == [status, 200]


async def answering(scope, receive, send) -> None:
    await JSONResponse({})(scope, receive, send)


class Serving(BaseRoute):
    """A route of somebody's own, which takes a prefix off and holds no application."""

    def matches(self, scope) -> Any:
        return Match.FULL, {"root_path": f"{scope['root_path']}/v1"}

    async def handle(self, scope, receive, send) -> None:
        await answering(scope, receive, send)


@pytest.mark.parametrize("route", [Mount("/v1", answering), Serving()], ids=["function", "route"])
def test_where_no_application_is_seen_no_other_path_is_asked_about(route):
    """The server's root path is none that this path begins with."""
    only = Guard(world.VERIFIER, rules=Rules(Rule("/v1/open")), log=None)
    app = BearerMiddleware(Starlette(routes=[route]), only)

    for path, status in (("/v1/open", 200), ("/v1/admin", 403)):
        assert talk(app, http(path, BEARER, root_path="/api"))[0]["status"] == status


def test_nor_does_one_that_is_the_only_one():
    """Rules are about the path without it, as they always were, however it is wrapped."""
    only = Guard(world.VERIFIER, rules=Rules(Rule("/open")), log=None)

    for app in (rooted(), Wrapping(rooted())):
        for path in ("/api/open", "/open"):
            assert talk(BearerMiddleware(app, only), http(path, BEARER))[0]["status"] == 200


def test_an_application_that_is_mounted_within_itself_comes_to_an_end():
    app = Starlette(routes=[Route("/open", lambda _: JSONResponse({}))])
    app.mount("/again", app)

    for path in ("/open", "/again/again/open"):
        assert talk(BearerMiddleware(app, WIDE), http(path, BEARER))[0]["status"] == 200


def test_and_so_does_one_that_is_there_many_times_over():
    app: Any = rooted()
    for _ in range(40):  # each would double the ways
        app = Wrapping(app)
        app._app = app.app
    shared = app
    for _ in range(40):
        shared = Starlette(routes=[Mount("", shared), Mount("/", shared)])

    for path, status in (("/api/open", 200), ("/api/admin", 403)):
        assert talk(BearerMiddleware(shared, WIDE), http(path, BEARER))[0]["status"] == status


def test_where_there_is_no_end_nothing_is_allowed():
    """Each time a mount's prefix is found anew, as none is ever taken off."""
    app = Starlette(routes=[Route("/x/{rest:path}", lambda _: JSONResponse({}))])
    for prefix in ("/x", "/x/y"):
        app.mount(prefix, app)
    scope = http("/x/y/z", BEARER, root_path="/unfit")

    assert talk(BearerMiddleware(app, WIDE), scope)[0]["status"] == 403
    assert talk(BearerMiddleware(app, world.guard(rules=None)), scope)[0]["status"] == 200


def test_nor_does_a_dependency_allow_anything_there():
    app = FastAPI()
    app.get("/x/{rest:path}", dependencies=DEPENDENT)(lambda: "open")
    for prefix in ("/x", "/x/y"):
        app.mount(prefix, app)
    outer = Starlette(routes=[Mount("", app)])
    scope = http("/x/y/z", BEARER, root_path="/unfit")

    assert talk(outer, scope)[0]["status"] == 403


def test_while_one_check_waits_for_keys_the_event_loop_serves_on():
    """A verifier blocks until another task of the same loop lets it go on."""
    gate, entered = threading.Event(), threading.Event()

    class Slow:
        def verify(self, token):
            entered.set()
            assert gate.wait(5)
            return world.VERIFIER.verify(token)

    async def both() -> Any:
        app = BearerMiddleware(Inner(), Guard(Slow(), log=None))
        waiting = asyncio.create_task(spoken(app, http(headers=BEARER)))
        assert await asyncio.to_thread(entered.wait, 5)
        refused = await spoken(app, http())
        gate.set()
        return refused[0]["status"], await waiting

    assert asyncio.run(both()) == (401, [{"type": "inner"}])
