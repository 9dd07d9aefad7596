"""Our authorizer behind a gateway not written by us, answers cached for 300 s.

Each row is sent to ministack and to the simulator of `kmsjwt.testing`, and both must say what
the row says: so the simulator is believed where ministack bears it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.ministack.doors import KINDS
from tests.ministack.functions import foreign

if TYPE_CHECKING:
    from tests.ministack.doors import Kind

WITH_POLICY = {name: kind for name, kind in KINDS.items() if kind.response == "iam"}

# What is wrong with the token, and what a client of a REST and of an HTTP API sees. On an HTTP
# API a bad token is a denial: what raising "Unauthorized" does there is not verified against AWS.
TOKENS: dict[str, tuple[dict[str, Any], int, int]] = {
    "good": ({}, 200, 200),
    "expired": ({"exp": 1_700_000_000}, 401, 403),
    "for another audience": ({"aud": "billing"}, 401, 403),
    "signed by another key": ({"key": ec.generate_private_key(ec.SECP256R1())}, 401, 403),
    "may not": ({"tenant": "closed"}, 403, 403),
}

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def asked(doors: Any, kind: Kind, *requests: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Send the requests to ministack and to the simulator; return the statuses of each."""
    ministack, simulated = ([door.get(*each) for each in requests] for door in doors(kind))
    for theirs, ours in zip(ministack, simulated, strict=True):
        if ours.status != 200:  # the backend's body has its own test
            assert theirs.body == ours.body
    return [each.status for each in ministack], [each.status for each in simulated]


@every_kind
@pytest.mark.parametrize(("claims", "rest", "http"), TOKENS.values(), ids=TOKENS)
def test_the_status_of_a_token(claims, rest, http, kind, doors, bearer):
    header, status = bearer(**claims), rest if kind.is_rest else http
    # An answer is remembered, and must hold on another route too. An exception (401) never is.
    paths = ("/orders",) if status == 401 else ("/orders", "/users/7")

    ministack, simulated = asked(doors, kind, *((path, header) for path in paths))

    assert ministack == simulated == [status for _ in paths]


@every_kind
@pytest.mark.parametrize(
    ("headers", "rest", "http"),
    [
        pytest.param((), 401, 401, id="no header: the gateway refuses by itself"),
        pytest.param(("Basic YWxhOmFsYQ==",), 401, 403, id="another scheme"),
    ],
)
def test_the_status_without_a_token(headers, rest, http, kind, doors):
    ministack, simulated = asked(doors, kind, ("/orders", *headers))

    assert ministack == simulated == [rest if kind.is_rest else http]


@every_kind
def test_what_is_no_route_is_not_the_authorizers_business(kind, doors, bearer):
    ministack, simulated = asked(doors, kind, ("/elsewhere", bearer()))

    assert ministack == simulated == [403 if kind.is_rest else 404]


@every_kind
def test_the_backend_is_told_the_same(kind, doors, bearer):
    header = bearer(sub="bob", jti="jti-7", tenant="t1")

    ministack, simulated = (dict(door.get("/orders", header).context) for door in doors(kind))

    if kind.name == "http_api_v2":
        # ministack adds it; AWS's guide shows an HTTP API's context as the function gave it.
        ministack.pop("principalId", None)
    assert ministack == simulated
    assert (simulated["sub"], simulated["jti"]) == ("bob", "jti-7")


@pytest.mark.parametrize("kind", WITH_POLICY.values(), ids=WITH_POLICY)
def test_the_trap_a_policy_of_one_arn_is_wrong_on_the_next_route(kind, cloud, functions, backend):
    """What ours avoids, as the first test shows: the same token is turned away elsewhere."""
    door = kind.on_ministack(cloud, functions.arn("foreign", "foreign.handler", {}), backend)
    simulated = kind.simulated(foreign.handler)

    for each in (door, simulated):
        first, second = each.get("/orders", "one ARN"), each.get("/users/7", "one ARN")
        assert (first.status, second.status) == (200, 403)


@every_kind
def test_what_is_remembered_in_an_outage_and_what_is_not(
    kind, cloud, functions, backend, environ, in_process, bearer
):
    """An outage of the key set is a 500, and the next request asks again."""
    outage = {"KMSJWT_JWKS": "https://127.0.0.1:9/jwks.json"}  # where nobody listens
    good = {**environ, **kind.environ}
    name = f"outage-{kind.name}-{kind.response}"
    function = functions.arn(name, "tenants.handler", good)
    works, fails = in_process(**kind.environ), in_process(**kind.environ, **outage)
    current = [works]

    def authorizer(event: Any, context: Any) -> Any:
        return current[0](event, context)

    def switch_function(*, broken: bool) -> None:
        functions.change(name, {**good, **(outage if broken else {})})

    def switch_simulated(*, broken: bool) -> None:
        current[0] = fails if broken else works

    ministack = kind.on_ministack(cloud, function, backend)
    simulated = kind.simulated(authorizer)
    tokens = [bearer(), bearer(tenant="closed"), bearer(exp=1_700_000_000), bearer()]

    assert _through_an_outage(ministack, switch_function, *tokens) == _remembered(kind)
    assert _through_an_outage(simulated, switch_simulated, *tokens) == _remembered(kind)


def _through_an_outage(door: Any, switch: Any, good: str, closed: str, late: str, new: str) -> Any:
    before = [door.get("/orders", header).status for header in (good, closed, late)]
    switch(broken=True)
    during = [door.get("/users/7", header).status for header in (good, closed, late, new)]
    switch(broken=False)
    return {"before": before, "during": during, "after": door.get("/orders", new).status}


def _remembered(kind: Kind) -> Any:
    if kind.is_rest:  # an exception is never remembered: a late token is looked at each time
        return {"before": [200, 403, 401], "during": [200, 403, 500, 500], "after": 200}
    return {"before": [200, 403, 403], "during": [200, 403, 403, 500], "after": 200}


@every_kind
def test_a_function_that_does_not_start_is_a_500(kind, cloud, functions, backend, bearer):
    function = functions.arn("unset", "kmsjwt.handlers.authorizer.handler", {})

    assert kind.on_ministack(cloud, function, backend).get("/orders", bearer()).status == 500
