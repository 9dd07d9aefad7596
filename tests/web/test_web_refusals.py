"""One table of refusals before every adapter: status, challenge, log, and nothing of the token."""

from __future__ import annotations

import pytest
from tests.gateway.minting import Recorder
from tests.web import challenge, world
from tests.web.fronts import FRONTS

EACH_FRONT = pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS.keys())


# Whoever sends a forged token learns the same whatever is wrong with it.
DESCRIPTIONS = {
    "": None,
    "insufficient_scope": None,
    "invalid_request": "send one bearer token, in one place",
    "invalid_token": "the token is not valid here",
    "expired": "the token has expired",
}


@EACH_FRONT
@pytest.mark.parametrize("case", world.REFUSED)
def test_a_refusal_has_its_status_and_challenge_and_tells_nothing(front, case):
    headers, status, error, reason = world.REFUSED[case]
    log = Recorder()

    answer = front(world.guard(log), "GET", "/orders/42", headers)

    assert (answer.status, log.last["reason"], log.last["status"]) == (status, reason, status)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"].startswith("application/json")
    shown = answer.headers.get("www-authenticate")
    assert (shown is None) == (error is None)
    if shown is not None:
        parameters = challenge.parsed(shown)
        assert parameters["realm"] == world.REALM
        assert parameters.get("error", "") == error
        assert parameters.get("scope") == ("orders:read" if status == 403 else None)
        assert parameters.get("error_description") == DESCRIPTIONS.get(reason, DESCRIPTIONS[error])
    assert answer.body["error"] == (error or {401: "unauthorized", 403: "forbidden"}[status])
    world.assert_nothing_of_a_token(answer.text() + log.text(), headers)
    assert len(log.lines) == 1


@EACH_FRONT
def test_a_good_token_reaches_the_code_behind(front):
    log = Recorder()

    answer = front(world.guard(log), "GET", "/orders/42", world.bearer(world.READER))

    assert (answer.status, answer.body) == (200, {"sub": "ala", "path": "/orders/42"})
    line = log.last
    assert (line["decision"], line["reason"], line["kid"], line["jti"]) == (
        "allow",
        "ok",
        "key-1",
        "jti-1",
    )
    assert (line["method"], line["path"], line["status"]) == ("GET", "/orders/42", None)
    world.assert_nothing_of_a_token(log.text(), world.bearer(world.READER))


@EACH_FRONT
@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION", "aUTHORIZATION"])
@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_names_case_does_not_matter(front, name, scheme):
    headers = [(name, f"{scheme} {world.READER}")]

    assert front(world.guard(), "GET", "/orders/42", headers).status == 200


# A load balancer with single-value headers tells the last of several alone, and hides the rest.
@pytest.mark.parametrize("front", sorted(FRONTS.keys() - {"alb", "powertools_alb"}))
def test_several_authorization_headers_are_a_bad_request(front):
    headers = [*world.bearer(world.READER), *world.bearer(world.MINT.token())]
    log = Recorder()

    answer = FRONTS[front](world.guard(log), "GET", "/orders/42", headers)

    assert (answer.status, log.last["reason"]) == (400, "several_tokens")
    assert challenge.parsed(answer.headers["www-authenticate"])["error"] == "invalid_request"


ROUTES = {
    "own": ("GET", "/users/ala/cart", {}, 200),
    "another's": ("GET", "/users/bob/cart", {}, 403),
    "no rule": ("GET", "/billing", {}, 403),
    "no rule for POST": ("POST", "/orders/1", {}, 403),
    "open": ("POST", "/open/x", {}, 200),
    "head": ("HEAD", "/open/x", {}, 200),
    "head where get may not": ("HEAD", "/open/got", {}, 403),
    "head where it may not itself": ("HEAD", "/open/headed", {}, 403),
    "admin": ("GET", "/open/admin", {"scope": "admin"}, 200),
    "no admin": ("GET", "/open/admin", {}, 403),
    "escaped": ("GET", "/open/%61dmin", {}, 403),
    "escaped, all allowed": ("GET", "/open/caf%C3%A9", {}, 200),
    "line feed": ("GET", "/open/admin%0A", {}, 403),
    "escaped dots": ("GET", "/open/x/%2e%2E/y", {}, 403),
    "escaped slash": ("GET", "/users/ala%2f..%2fbob/cart", {}, 403),
    "two slashes": ("GET", "/open//admin", {}, 403),
    "backslash": ("GET", "/open/%5Cadmin", {}, 403),
}


@EACH_FRONT
@pytest.mark.parametrize("case", ROUTES)
def test_rules_judge_the_route(front, case):
    method, path, claims, expected = ROUTES[case]
    answer = front(world.guard(), method, path, world.bearer(world.MINT.token(**claims)))

    assert answer.status == expected


# The client of these two takes dots away itself; test_web_asgi asks without one.
@pytest.mark.parametrize("front", sorted(FRONTS.keys() - {"starlette", "fastapi"}))
def test_dots_lead_nowhere(front):
    headers = world.bearer(world.MINT.token(scope="admin"))

    assert FRONTS[front](world.guard(), "GET", "/open/x/../admin", headers).status == 403


SCOPES = {
    "has none": ({}, "orders:write orders:read"),
    "has one": ({"scope": "orders:read"}, "orders:write orders:read"),
    "has a longer one": ({"scope": "orders:write2 orders:read"}, "orders:write orders:read"),
    "has both, another claim lacks": ({"scope": "orders:read orders:write"}, None),
}


@EACH_FRONT
@pytest.mark.parametrize("case", SCOPES)
def test_scopes_are_named_only_if_getting_them_would_help(front, case):
    claims, expected = SCOPES[case]

    answer = front(world.guard(), "DELETE", "/orders/1", world.bearer(world.MINT.token(**claims)))

    assert answer.status == 403
    if expected is None:
        assert "www-authenticate" not in answer.headers
        assert answer.body == {"error": "forbidden"}
    else:
        parameters = challenge.parsed(answer.headers["www-authenticate"])
        assert parameters == {
            "realm": world.REALM,
            "error": "insufficient_scope",
            "scope": expected,
        }
        assert answer.body == {"error": "insufficient_scope", "scope": expected}
