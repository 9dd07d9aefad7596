"""The FastAPI dependency: typed, shown in OpenAPI, checked once a request."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Security, WebSocket
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.gateway.minting import Recorder
from tests.web import challenge, world

from kmsjwt import VerifiedToken
from kmsjwt.errors import ConfigError, JwksUnavailable
from kmsjwt.rules import Rule, Rules, scope
from kmsjwt.web import Guard
from kmsjwt.web.fastapi import bearer

BEARER = {"Authorization": f"Bearer {world.READER}"}


def nothing() -> dict[str, str]:
    return {}


def client(app) -> TestClient:
    return TestClient(app, base_url="http://127.0.0.1")


def test_the_readme_form_works_and_a_request_is_checked_once():
    log = Recorder()
    token_of = Depends(bearer(world.guard(log)))
    app = FastAPI(dependencies=[token_of])

    def who(token=token_of):
        return token.claims["sub"]

    name_of = Depends(who)

    @app.get("/orders/{number}")
    def order(number: int, token=token_of, name=name_of):
        assert isinstance(token, VerifiedToken)
        return {"number": number, "sub": name}

    answer = client(app).get("/orders/7", headers=BEARER)

    assert (answer.status_code, answer.json()) == (200, {"number": 7, "sub": "ala"})
    assert len(log.lines) == 1


@pytest.mark.parametrize(
    ("place", "scheme"),
    [
        (
            "header:Authorization",
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        ),
        (
            "header:authorization",
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        ),
        ("header:X-Token", {"type": "apiKey", "in": "header", "name": "X-Token"}),
        ("cookie:session", {"type": "apiKey", "in": "cookie", "name": "session"}),
        ("query:authorization", {"type": "apiKey", "in": "query", "name": "authorization"}),
        # OpenAPI has no word for it, and no WebSockets.
        ("subprotocol:bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}),
    ],
)
def test_openapi_shows_where_the_token_goes(place, scheme):
    app = FastAPI()

    @app.get("/orders", dependencies=[Depends(bearer(world.guard(token_from=place)))])
    def orders():
        return {}

    document = client(app).get("/openapi.json").json()

    assert document["components"]["securitySchemes"] == {"kmsjwt": scheme}
    assert document["paths"]["/orders"]["get"]["security"] == [{"kmsjwt": []}]


def test_routers_and_mounts_are_judged_by_the_path_the_application_has():
    app, inner, router = FastAPI(), FastAPI(), APIRouter(prefix="/orders")
    needs = [Depends(bearer(world.guard()))]
    router.get("/{number}", dependencies=needs)(lambda number: number)
    app.include_router(router)
    inner.include_router(router)
    app.mount("/v1", inner)

    for path, status in (("/orders/1", 200), ("/v1/orders/1", 403), ("/orders/%0a", 403)):
        assert client(app).get(path, headers=BEARER).status_code == status


def test_trouble_of_ours_is_a_503_with_retry_after():
    class Down:
        def verify(self, _token):
            raise JwksUnavailable("no answer")

    app = FastAPI()
    app.get("/", dependencies=[Depends(bearer(world.guard(verifier=Down())))])(nothing)

    answer = client(app).get("/", headers=BEARER)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json() == {"detail": {"error": "unavailable"}}


def test_a_websocket_is_refused_before_it_opens():
    app = FastAPI()
    needed = Depends(bearer(world.guard()))

    @app.websocket("/orders/live")
    async def live(socket: WebSocket, token=needed):
        await socket.accept()
        await socket.send_text(token.claims["sub"])
        await socket.close()

    with (
        pytest.raises(WebSocketDisconnect) as caught,
        client(app).websocket_connect("/orders/live"),
    ):
        pass
    assert caught.value.code == 1008
    with client(app).websocket_connect("/orders/live", headers=BEARER) as socket:
        assert socket.receive_text() == "ala"


def test_a_websocket_is_judged_as_get_whatever_method_its_server_gives_it():
    rules = Rules(Rule("POST /live"), Rule("GET /live", scope("admin")))
    needed = Depends(bearer(Guard(world.VERIFIER, rules=rules, log=None)))
    app = FastAPI()

    @app.websocket("/live", dependencies=[needed])
    async def live(socket: WebSocket):
        await socket.accept()

    async def serving(scope, receive, send):
        await app({**scope, "method": "POST"}, receive, send)

    with (
        pytest.raises(WebSocketDisconnect),
        client(serving).websocket_connect("/live", headers=BEARER),
    ):
        pass


def in_a_function(app) -> Any:
    async def wrapping(scope, receive, send):
        await app(scope, receive, send)

    return wrapping


@pytest.mark.parametrize(
    ("mount", "path", "status"),
    [
        ("", "/api/open", 200),
        ("", "/api/admin", 403),
        ("/api", "/api/open", 200),
        ("/api", "/api/admin", 200),  # which no rule is about: it is served as /api/admin
    ],
)
def test_a_root_path_of_its_own_is_known_where_its_mount_is_wrapped_by_a_function(
    mount, path, status
):
    """The scope tells it: nobody can look into the function."""
    closed = Rule("/admin", scope("admin"))
    needed = Depends(bearer(Guard(world.VERIFIER, rules=Rules(Rule("/*"), closed), log=None)))
    inner = FastAPI()
    inner.root_path = "/api"
    for each in ("/open", "/admin"):
        inner.get(each, dependencies=[needed])(nothing)
    app = Starlette(routes=[Mount(mount, app=inner, middleware=[Middleware(in_a_function)])])

    assert client(app).get(path, headers=BEARER).status_code == status


def test_a_root_path_is_its_own_though_the_outermost_application_has_the_same():
    """Behind another prefix, what it takes off the path is another."""
    closed = Rule("/m/m/admin", scope("admin"))
    needed = Depends(bearer(Guard(world.VERIFIER, rules=Rules(Rule("/*"), closed), log=None)))
    app, inner = FastAPI(), FastAPI()
    app.root_path = inner.root_path = "/x"
    inner.get("/m/admin", dependencies=[needed])(nothing)
    app.mount("/m", in_a_function(inner))

    assert client(app).get("/m/admin", headers=BEARER).status_code == 403


def test_nor_is_it_missed_where_the_function_names_what_it_wraps():
    closed = Rule("/admin", scope("admin"))
    inner = rooted("/api", Rule("/*"), closed)
    wrapping = in_a_function(inner)
    wrapping.app = inner
    app = Starlette(routes=[Mount("", wrapping)])

    for path, status in (("/api/open", 200), ("/api/admin", 403)):
        assert client(app).get(path, headers=BEARER).status_code == status


def rooted(root, *rules) -> FastAPI:
    """Return an application that serves two routes and has them judged by rules."""
    needed = Depends(bearer(Guard(world.VERIFIER, rules=Rules(*rules), log=None)))
    app = FastAPI()
    app.root_path = root
    for each in ("/open", "/admin", "/v1/open", "/v1/admin"):
        app.get(each, dependencies=[needed])(nothing)
    return app


@pytest.mark.parametrize(
    ("prefixes", "root", "wrapped"),
    [
        (("", "/v1"), "", True),
        (("/v1", ""), "", True),
        (("/v1", ""), "/v1", False),
    ],
    ids=["without a root path", "behind a mount's", "seen"],
)
def test_a_function_beside_it_has_no_other_path_asked_about(prefixes, root, wrapped):
    """Both mounts match, and the first one serves: no root path of its own is unseen there."""
    inner = rooted(root, Rule("/v1/open"))
    apps = (in_a_function(inner) if wrapped else inner, in_a_function(FastAPI()))
    app = Starlette(routes=[Mount(*each) for each in zip(prefixes, apps, strict=True)])

    for path, status in (("/v1/open", 200), ("/v1/admin", 403)):
        assert client(app).get(path, headers=BEARER).status_code == status


def test_where_there_is_no_end_of_mounts_one_that_nobody_sees_is_refused_as_well():
    """Each time a mount's prefix is found anew, as none is ever taken off."""
    inner = FastAPI()
    inner.root_path = "/api"
    needed = Depends(bearer(Guard(world.VERIFIER, rules=Rules(Rule("/*")), log=None)))
    inner.get("/x/{rest:path}", dependencies=[needed])(nothing)
    app = Starlette(routes=[Mount("", in_a_function(inner))])
    for prefix in ("/x", "/x/y"):
        app.mount(prefix, app)
    unfit = TestClient(app, base_url="http://127.0.0.1", root_path="/unfit")

    assert unfit.get("/x/y/z", headers=BEARER).status_code == 403


def test_a_refusal_keeps_its_challenge_in_a_handler_of_ones_own():
    app = FastAPI()
    app.get("/", dependencies=[Depends(bearer(world.guard()))])(nothing)

    answer = client(app).get("/")

    assert challenge.parsed(answer.headers["www-authenticate"]) == {"realm": world.REALM}
    assert answer.headers["cache-control"] == "no-store"


def test_without_fastapi_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    monkeypatch.delitem(sys.modules, "kmsjwt.web.fastapi")

    with pytest.raises(ConfigError, match=r"pip install 'kmsjwt\[fastapi\]'"):
        importlib.import_module("kmsjwt.web.fastapi")


@pytest.mark.parametrize(
    ("scopes", "status"), [([], 200), (["orders:read"], 200), (["admin"], 403)]
)
def test_scopes_that_security_names_are_asked_for(scopes, status):
    app = FastAPI()
    needs = [Security(bearer(world.guard()), scopes=scopes)]
    app.get("/orders/{number}", dependencies=needs)(lambda number: number)

    answer = client(app).get("/orders/1", headers=BEARER)

    assert answer.status_code == status
    if status == 403:
        assert 'error="insufficient_scope", scope="admin"' in answer.headers["www-authenticate"]
