"""`rules`: whether a file of rules is sound, and what it says about a request."""

from __future__ import annotations

import pytest

SOUND = """\
[[rule]]
route = "GET /orders/*"
scope = "orders:read"

[[rule]]
route = ["POST /orders", "DELETE /orders/*"]
any = [{ scope = "orders:write" }, { contains = { roles = "admin" } }]

[[rule]]
route = "/users/{sub}/*"

[[rule]]
route = "GET /orders/secret"
scope = "admin"
"""
REQUIRED = "[require]\nequals = { tenant = 't1' }\n"


@pytest.fixture
def file(tmp_path):
    def written(text) -> str:
        (tmp_path / "rules.toml").write_text(text, encoding="utf-8")
        return "rules.toml"

    return written


def test_each_route_is_told_with_what_it_needs_the_most_specific_first(typed, file):
    done = typed("rules", file(SOUND))

    assert (done.code, done.err) == (0, "")
    told = dict(line.split("  ", 1) for line in done.out.splitlines())
    either = "any_of(scope('orders:write'), claim('roles').contains('admin'))"
    assert [(route, needs.strip()) for route, needs in told.items()] == [
        ("GET /orders/secret", "scope('admin')"),
        ("/users/{sub}/*", "any valid token"),
        ("POST /orders", either),
        ("GET /orders/*", "scope('orders:read')"),
        ("DELETE /orders/*", either),
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [(REQUIRED, 1), (REQUIRED + SOUND, 6)],
)
def test_what_every_route_needs_is_told_first(typed, file, text, first):
    done = typed("rules", file(text))

    lines = done.out.splitlines()
    assert (done.code, len(lines)) == (0, first)
    assert lines[0].split("  ")[0] == "every route"
    assert lines[0].endswith("claim('tenant').equals('t1')")


def test_every_fault_has_its_line_and_a_line_of_its_own(typed, file):
    done = typed(
        "rules", file("[[rule]]\nroute = '/a/'\nscop = 'r'\n\n[[rule]]\nroute = '/{id}'\n")
    )

    assert (done.code, done.out) == (2, "")
    told = done.err.splitlines()
    assert "3 things are wrong" in told[0]
    assert [f"rules.toml, line {n}:" in line for n, line in zip((2, 3, 6), told[1:], strict=False)]


def test_a_file_that_is_not_there(typed):
    done = typed("rules", "none.toml")

    assert (done.code, done.out) == (2, "")
    assert "none.toml" in done.err


MANY = "".join(f"[[rule]]\nroute = 'GET /{n:020d}'\n" for n in range(200))


def test_rules_that_no_policy_has_room_for_are_not_sound(typed, file):
    done = typed("rules", file(MANY))

    assert (done.code, done.out) == (2, "")
    assert "API Gateway takes 8,192" in done.err


def test_simple_answers_hold_no_policy(typed, file):
    done = typed("rules", file(MANY), "--response", "simple")
    assert (done.code, done.err, len(done.out.splitlines())) == (0, "", 200)

    done = typed("rules", file(SOUND), "--response", "simple")
    assert done.code == 0
    assert "KMSJWT_CACHE_TTL=0" in done.err


def test_what_comes_near_the_limit_is_warned_of(typed, file):
    done = typed("rules", file("".join(MANY.splitlines(keepends=True)[: 2 * 80])))

    assert done.code == 0
    assert "warning:" in done.err
    assert len(done.out.splitlines()) == 80


READER = ["--claim", "sub=ala", "--claim", "scope=orders:read"]
ASKED = {
    "a scope": (
        ["GET", "/orders/42"],
        READER,
        0,
        "allow: 'GET /orders/*' needs scope('orders:read'), which",
    ),
    "the narrower": (["GET", "/orders/secret"], READER, 1, "'GET /orders/secret' needs"),
    "a path of one's own": (["PUT", "/users/ala/x"], READER, 0, "'/users/{sub}/*' takes any"),
    "another's path": (["GET", "/users/bob/x"], READER, 1, "deny: no rule names this route"),
    "lower case": (["get", "/orders/42"], READER, 0, "allow:"),
    "no claims": (["GET", "/orders/42"], [], 1, "deny: 'GET /orders/*' needs"),
    "an array": (["DELETE", "/orders/1"], ["--claim", 'roles:=["admin"]'], 0, "allow: 'DELETE"),
}


@pytest.mark.parametrize(("request_", "claims", "code", "told"), ASKED.values(), ids=ASKED)
def test_a_request_is_decided_about(typed, file, request_, claims, code, told):
    done = typed("rules", file(SOUND), *request_, *claims)

    assert done.code == code
    assert told in done.out
    assert len(done.out.splitlines()) == 1


@pytest.mark.parametrize(("claims", "code"), [(["--claim", "tenant=t1"], 0), ([], 1)])
def test_where_no_rule_names_routes_the_token_alone_decides(typed, file, claims, code):
    done = typed("rules", file(REQUIRED), "GET", "/any", *claims)

    assert done.code == code
    assert "every route" in done.out


def test_a_websocket_is_asked_about_by_its_route(typed, file):
    assert typed("rules", file("[[rule]]\nroute = '$connect'\n"), "$connect").code == 0


def test_a_method_alone_is_half_a_request(typed, file):
    done = typed("rules", file(SOUND), "GET")

    assert (done.code, done.out) == (2, "")
    assert "missing: PATH" in done.err
