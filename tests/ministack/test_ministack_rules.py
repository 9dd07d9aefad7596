"""Rules (functions/rules.toml) behind a gateway not written by us, which caches each answer.

All requests of a row have one token, so the first answer decides the others too. They are sent
in both orders: whatever was asked first, each route gets the answer that is right for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.ministack.doors import KINDS

if TYPE_CHECKING:
    from pathlib import Path

WITH_POLICY = {name: kind for name, kind in KINDS.items() if kind.response == "iam"}

PATHS = ("/orders", "/users/ala", "/users/bob", "/users/root", "/users/*")
# The claims of a token, and the status of each path above.
TOKENS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "no scope": ({}, (403, 200, 403, 403, 403)),
    "orders only": ({"scope": "orders:read"}, (200, 200, 403, 403, 403)),
    "people, but for root": ({"scope": "people:read"}, (403, 200, 200, 403, 200)),
    "everything": ({"scope": "orders:read people:read root:read"}, (200, 200, 200, 200, 200)),
    "a scope that only contains one": ({"scope": "orders:reads"}, (403, 200, 403, 403, 403)),
    "sub is root": ({"sub": "root"}, (403, 403, 403, 403, 403)),
    "sub is a wildcard": ({"sub": "*"}, (403, 403, 403, 403, 403)),
    "sub ends in a wildcard": ({"sub": "a*"}, (403, 403, 403, 403, 403)),
    "sub is a question mark each": ({"sub": "???"}, (403, 403, 403, 403, 403)),
    "sub is a variable": ({"sub": "${*}"}, (403, 403, 403, 403, 403)),
    "sub climbs": ({"sub": "../orders"}, (403, 403, 403, 403, 403)),
}


@pytest.fixture(scope="module")
def ruled(cloud, functions, backend, environ, in_process, code: Path) -> Any:
    """Return both doors of a kind, behind our authorizer with a file of rules."""
    made: dict[Any, Any] = {}

    def both(kind: Any, rules: str, identity: Any = None) -> Any:
        if (kind, rules) not in made:
            told = {**environ, **kind.environ, "KMSJWT_RULES": rules}
            name = f"{rules.partition('.')[0]}-{kind.response}"
            function = functions.arn(name, "kmsjwt.handlers.authorizer.handler", told)
            ours = in_process(**kind.environ, KMSJWT_RULES=str(code / rules))
            made[kind, rules] = (
                kind.on_ministack(
                    cloud, function, backend, **({"IdentitySource": identity} if identity else {})
                ),
                kind.simulated(ours, **({"identity_source": identity} if identity else {})),
            )
        return made[kind, rules]

    return both


@pytest.mark.parametrize("kind", WITH_POLICY.values(), ids=WITH_POLICY)
@pytest.mark.parametrize(("claims", "statuses"), TOKENS.values(), ids=TOKENS)
def test_each_route_gets_its_own_answer(claims, statuses, kind, ruled, bearer):
    expected = dict(zip(PATHS, statuses, strict=True))

    for door in ruled(kind, "rules.toml"):
        for order in (PATHS, PATHS[::-1]):
            header = bearer(**claims)
            assert {path: door.get(path, header).status for path in order} == expected


def test_rules_that_are_route_keys_with_simple_answers(ruled, bearer):
    """A simple answer is of one route, so the route key is an identity source (of the cache)."""
    kind, sources = KINDS["HTTP API simple"], ["$request.header.Authorization", "$context.routeKey"]

    for door in ruled(kind, "route_keys.toml", sources):
        for order in (("/orders", "/users/ala"), ("/users/ala", "/orders")):
            header = bearer(scope="orders:read")
            assert {path: door.get(path, header).status for path in order} == {
                "/orders": 200,
                "/users/ala": 403,
            }


def test_finer_rules_with_simple_answers_do_not_start(cloud, functions, backend, environ, bearer):
    kind = KINDS["HTTP API simple"]
    told = {**environ, **kind.environ, "KMSJWT_RULES": "rules.toml"}
    function = functions.arn("finer", "kmsjwt.handlers.authorizer.handler", told)

    assert kind.on_ministack(cloud, function, backend).get("/orders", bearer()).status == 500
