"""The language of rules: what can be said, what is refused and what to say instead."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmsjwt.errors import ConfigError
from kmsjwt.rules import Rule, Rules, any_of, claim, scope

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def refusal(*routes, **more) -> str:
    with pytest.raises(ConfigError) as caught:
        Rules(*(Rule(route) for route in routes), **more)
    assert caught.value.code == "rules"
    assert not caught.value.retryable
    return str(caught.value)


def allows(rules, request, **claims) -> bool:
    method, _, path = request.partition(" ")
    ruling = rules.decide(claims, method, path)
    assert ruling.allowed is (ruling.reason == "ok")
    assert (ruling.message is None) is ruling.allowed
    return bool(ruling.allowed)


@pytest.mark.parametrize(
    ("route", "matching", "others"),
    [
        ("/", ["GET /", "OPTIONS /"], ["GET //", "GET ", "GET /a", "$connect "]),
        ("GET /", ["GET /"], ["POST /", "get /", "HEAD /", "TRACE /"]),
        ("/*", ["GET /", "PUT /a/b", "GET //", "GET /*"], ["GET ", "GET a", "$connect ", "X /"]),
        ("GET /a", ["GET /a"], ["GET /a/", "GET /A", "GET /", "GET //a", "GET /ab", "GET a"]),
        ("GET /a/*", ["GET /a/", "GET /a/b/c", "GET /a//"], ["GET /a", "GET /ab", "GET /ab/c"]),
        ("/a/b.c~d_-@:,;=+!&'()$", ["GET /a/b.c~d_-@:,;=+!&'()$"], ["GET /a/bxc~d_-@:,;=+!&'()$"]),
        ("  GET   /a  ", ["GET /a"], ["POST /a"]),
        ("/.../.a", ["GET /.../.a"], ["GET /../.a"]),
        ("$connect", ["$connect "], ["$connect /", "GET ", "GET /", "$connect /$connect"]),
        ("/$connect", ["GET /$connect"], ["$connect ", "$connect /$connect"]),
        (
            "/{sub}",
            ["GET /ala"],
            ["GET /bob", "GET /{sub}", "GET /*", "GET /ala/", "GET /ALA", "GET /al%61"],
        ),
        ("/{sub}/*", ["GET /ala/", "GET /ala/x/y"], ["GET /ala", "GET /alax/", "GET /bob/ala/"]),
        ("/u/{sub}/{client_id}/x", ["GET /u/ala/app/x"], ["GET /u/app/ala/x", "GET /u/ala/ala/x"]),
        ("/{sub}/{sub}", ["GET /ala/ala"], ["GET /ala/app"]),
    ],
)
def test_routes(route, matching, others):
    rules = Rules(Rule(route))
    for request in matching:
        assert allows(rules, request, sub="ala", client_id="app"), request
    for request in others:
        assert not allows(rules, request, sub="ala", client_id="app"), request


@pytest.mark.parametrize("method", METHODS)
def test_methods(method):
    rules = Rules(Rule(f"{method} /a"))
    assert [each for each in METHODS if allows(rules, f"{each} /a")] == [method]
    assert rules.grant({}).allow == (f"{method}/a",)


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ("", "'GET /orders/*'"),
        ("  ", "'$connect'"),
        (None, "route is None"),
        (5, "route is 5"),
        (["/a"], "of type list"),
        (b"/a", "route is b'/a'"),
        ("GET", "begin with '/'"),
        ("GET a", "begin with '/'"),
        ("a/b", "begin with '/'"),
        ("*", "'GET /orders/*'"),
        ("$default", "begin with '/'"),
        ("$disconnect", "'$connect'"),
        ("GET $connect", "begin with '/'"),
        ("get /a", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        ("TRACE /a", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        ("* /a", "none for any"),
        ("ANY /a", "leave ANY out"),
        ("GET,POST /a", "none for any"),
        ("GET POST /a", "none for any"),
        ("GET\t/a", "begin with '/'"),
        ("GET /a b", "none for any"),
        ("//", "not verified against AWS"),
        ("/a/", "not verified against AWS"),
        ("/a//b", "not verified against AWS"),
        ("/a//*", "not verified against AWS"),
        ("/./a", "no segment '.'"),
        ("/a/..", "no segment '..'"),
        ("/*/a", "end it with '/*'"),
        ("/a*", "end it with '/*'"),
        ("/a/*b", "end it with '/*'"),
        ("/a/**", "end it with '/*'"),
        ("/*/*", "end it with '/*'"),
        ("/a/*/", "end it with '/*'"),
        ("/{id}", "add 'id' to path_claims"),
        ("/{id}", "write '*' last"),
        ("/{SUB}", "add 'SUB' to path_claims"),
        ("/x{sub}", "a whole segment, such as '/users/{sub}'"),
        ("/{sub}x", "a whole segment"),
        ("/{sub}{client_id}", "a whole segment"),
        ("/{", "a whole segment"),
        ("/}", "a whole segment"),
        ("/{}", "a whole segment"),
        ("/{{sub}}", "a whole segment"),
        ("/{sub\n}", "a whole segment"),
        ("/${sub}", "a whole segment"),
        ("/{" + "a" * 65 + "}", "a whole segment"),
        ("/users/:id", "another framework's path parameter"),
        ("/a?b", "put '/*' in its place"),
        ("/a%2Fb", "put '/*' in its place"),
        ("/é", "put '/*' in its place"),
        ("/\u0661", "put '/*' in its place"),
        ("/a\nb", "put '/*' in its place"),
        ("/a\x00", "put '/*' in its place"),
        ("/a\\b", "put '/*' in its place"),
        ('/a"b', "put '/*' in its place"),
        ("/a#b", "put '/*' in its place"),
        ("/a[b]", "put '/*' in its place"),
        ("/\ud800", "put '/*' in its place"),
    ],
)
def test_what_is_refused_names_what_to_write_instead(route, told):
    message = refusal(route)
    assert message.startswith("rule 1: route is ")
    assert told in message
    assert message.isascii()
    assert message.isprintable()


def test_a_greedy_path_variable_is_told_to_be_written_as_a_star():
    assert "/*" in refusal("GET /files/{proxy+}").partition("expected")[2]


def test_every_fault_is_told_with_its_rule():
    message = refusal("GET /ok", "get /a", "/b/{id}", "/c/")
    assert "rule 1" not in message
    assert all(f"rule {number}: route is" in message for number in (2, 3, 4))
    with pytest.raises(ConfigError, match=r"rule 1: it is 'GET /a', expected Rule\(.*rule 2"):
        Rules("GET /a", None)  # type: ignore[arg-type]  # wrong on purpose


def test_claims_that_paths_may_name():
    assert "sub, client_id" in refusal("/{tenant}")
    rules = Rules(Rule("/{tenant}/*"), path_claims=("tenant",))
    assert allows(rules, "GET /t1/x", tenant="t1", sub="ala")
    assert "(tenant)" in refusal("/{sub}", path_claims=("tenant",))
    rules = Rules(Rule("/{cognito:name}/{a.b-c_d}"), path_claims={"cognito:name", "a.b-c_d"})
    assert allows(rules, "GET /1/2", **{"cognito:name": "1", "a.b-c_d": "2"})
    assert "expected names of claims" in refusal(path_claims="sub")
    assert "expected names of claims" in refusal(path_claims=("sub", 5))


@pytest.mark.parametrize("given", [None, 5, True])
def test_path_claims_that_are_no_names_at_all(given):
    assert "expected names of claims" in refusal(path_claims=given)


@pytest.mark.parametrize(
    "value",
    [
        *("*", "?", "a*", "a?", "${*}", "${aws:username}", "$", "{sub}", "/", "a/b", "a/", "/a"),
        *(".", "..", "", " ", "a b", "a ", "a\n", "\na", "a\r", "a\x00", "a" * 129, "%61", "a%2Fb"),
        *("é", "ß", "\u0661", "\uff11", "ª", "Ａ", "\u212a", "a\u200b", "\ud800", "a:b", "a,b"),
        *("a+b", "a=b", "a\\b", "a'b", 'a"b', "(a)", "a!", "a;b", "a&b", "a|b", "arn:aws:x"),
        *(True, False, 1.0, 1.5, float("nan"), None, b"a", [], ["a"], ("a",), {}, {"a": 1}),
        10**129,
    ],
    ids=ascii,
)
def test_claims_that_no_path_may_have(value):
    rules = Rules(Rule("/{sub}"), Rule("/{sub}/*"), Rule("/x"))
    assert rules.grant({"sub": value}).allow == rules.grant({}).allow
    assert rules.grant({"sub": value}).deny == ()
    for text in {str(value), "a", "1", "True", "None"} - {"x"}:
        for path in (f"/{text}", f"/{text}/", f"/{text}/y", f"{text}", "/"):
            assert rules.decide({"sub": value}, "GET", path).reason == "no_rule"


def test_a_number_too_long_to_write_out_satisfies_no_rule():
    rules = Rules(Rule("/{sub}"), Rule("/x"))
    claims = {"sub": 10**5_000}
    assert not rules.decide(claims, "GET", "/a").allowed
    assert rules.grant(claims).allow == rules.grant({}).allow


@pytest.mark.parametrize(
    "value",
    ["a", "A-Z_0~9@x.y", "a" * 128, "...", ".a", "-", "~", "0", 0, 7, -7, 10**127],
    ids=ascii,
)
def test_claims_that_a_path_may_have(value):
    rules = Rules(Rule("GET /{sub}/*"))
    assert rules.grant({"sub": value}).allow == (f"GET/{value}/*",)
    assert allows(rules, f"GET /{value}/x", sub=value)
    assert not allows(rules, f"GET /{value}x/x", sub=value)


MINE, MORE = scope("mine"), scope("more")


@pytest.mark.parametrize(
    ("specific", "general", "request_", "claims"),
    [
        ("/a/b/c", "/a/*", "GET /a/b/c", {}),
        ("/a/*", "/*", "GET /a/", {}),
        ("/a/*", "GET /*", "GET /a/b", {}),
        ("/", "/*", "GET /", {}),
        ("/", "GET /*", "GET /", {}),
        ("/{sub}/{sub}", "GET /ala/*", "GET /ala/ala", {"sub": "ala"}),
        ("/{sub}/x", "/{sub}/*", "GET /ala/x", {"sub": "ala"}),
        ("/ala", "/{sub}", "GET /ala", {"sub": "ala"}),
        ("/ala", "GET /{sub}", "GET /ala", {"sub": "ala"}),
        ("/ala/*", "GET /{sub}/*", "GET /ala/x", {"sub": "ala"}),
        ("/ala/{sub}", "/{sub}/ala", "GET /ala/ala", {"sub": "ala"}),
        ("GET /a", "/a", "GET /a", {}),
        ("GET /a/*", "/a/*", "GET /a/x", {}),
        ("GET /{sub}", "/{sub}", "GET /ala", {"sub": "ala"}),
        ("GET /{sub}", "/{client_id}", "GET /x", {"sub": "x", "client_id": "x"}),
    ],
)
def test_the_most_specific_rule_decides(specific, general, request_, claims):
    for order in (1, -1):
        rules = Rules(*[Rule(specific, MINE), Rule(general, MORE)][::order])
        assert allows(rules, request_, scope="mine", **claims)
        assert not allows(rules, request_, scope="more", **claims)
        assert rules.decide(claims, *request_.split(" ")).scopes == ("mine",)
        granted = rules.grant({"scope": "more", **claims})
        assert request_.replace(" ", "") not in granted.allow


@pytest.mark.parametrize(
    ("scopes", "allow", "deny"),
    [
        ("", (), ()),
        ("out", ("GET/a/*",), ("GET/a/b/*",)),
        ("in", ("GET/a/b/*",), ()),
        ("in out", ("GET/a/*",), ()),
    ],
)
def test_one_within_another_is_denied_or_needs_no_word(scopes, allow, deny):
    rules = Rules(Rule("GET /a/*", scope("out")), Rule("GET /a/b/*", scope("in")))
    granted = rules.grant({"scope": scopes})
    assert (granted.allow, granted.deny) == (allow, deny)


@pytest.mark.parametrize(
    ("rules", "request_", "allowed"),
    [
        # A path with a slash at its end must be allowed without it too, where a rule names that.
        ([Rule("/*"), Rule("/a", MINE)], "GET /a/", False),
        ([Rule("/*"), Rule("/a", MORE)], "GET /a/", True),
        ([Rule("/*"), Rule("GET /a", MINE)], "PUT /a/", True),
        ([Rule("/a/*"), Rule("/*", MINE)], "GET /a/", True),
        # Being allowed without it is not enough.
        ([Rule("/a/*", MINE), Rule("/a")], "GET /a/", False),
        # Nor is any other last character a slash.
        ([Rule("/ab"), Rule("/a", MINE)], "GET /ab", True),
        ([Rule("/*"), Rule("/a", MINE)], "GET /ab", True),
    ],
)
def test_a_slash_at_the_end(rules, request_, allowed):
    assert allows(Rules(*rules), request_, scope="more") is allowed


@pytest.mark.parametrize(
    "routes",
    [
        ("/*", "/a/*", "/a/b"),
        ("/*", "/a/*", "/a/b/*"),
        ("GET /*", "/a/*", "GET /a/b/c/d"),
        ("/*", "/{sub}/*", "/a/b"),
        ("/*", "/a/*", "/{sub}/{client_id}"),
        ("/a/*", "/{sub}/b/*", "/{sub}/{client_id}/c"),
        ("/{sub}/*", "/{sub}/{sub}/*", "/{sub}/{sub}/{sub}"),
    ],
)
def test_three_nested_are_refused(routes):
    for order in (routes, routes[::-1], (routes[1], routes[2], routes[0])):
        message = refusal(*order)
        assert "two of them nested, not three" in message
        assert " within ".join(map(repr, routes[::-1])) in message


def test_a_long_chain_is_told_once_for_each_rule_too_deep():
    message = refusal(*("/" + "a/" * depth + "*" for depth in range(20)))
    assert message.count("not three") == 18


@pytest.mark.parametrize(
    "routes",
    [
        ("/*", "/a/*", "/b/*", "/c", "/d/e/f"),
        ("GET /*", "POST /a/*", "DELETE /a/b"),
        ("/*", "POST /a/*", "GET /a/b"),
        ("GET /*", "/a/*", "POST /a/b"),
        ("/{sub}/*", "/{client_id}/{sub}/*", "/a/b/c"),
        ("/*", "/a", "/a/b", "/a/b/c"),
        ("/a/*", "/b/*", "/{sub}/x/y/*"),
        ("/{sub}/*", "/a/a/*", "/b/b/*"),
        ("/{sub}/x/*", "/a/*", "/{sub}/b/*"),
        ("/a/{sub}/*", "/{sub}/b/*", "/{sub}/{sub}/c/*"),
        ("/*", "/", "/a/*"),
        ("/*", "$connect", "/"),
    ],
)
def test_two_nested_and_many_beside_are_not_refused(routes):
    assert Rules(*map(Rule, routes)).has_routes


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        (("/a", "/a"), "named twice"),
        (("GET /a/*", "GET  /a/*"), "named twice"),
        (("$connect", "$connect"), "named twice"),
        (("/", "/"), "named twice"),
        (("/{sub}", "/{client_id}"), "cannot be told apart"),
        (("GET /{sub}/*", "GET /{client_id}/*"), "cannot be told apart"),
        (("/{sub}/{client_id}", "/{client_id}/{sub}"), "cannot be told apart"),
        (("/a/{sub}/b", "/a/{client_id}/b"), "cannot be told apart"),
        (("/a:b/{sub}", "/a:b/{client_id}"), "cannot be told apart"),
    ],
)
def test_rules_of_one_rank_are_refused(routes, told):
    message = refusal(*routes)
    assert message.startswith("rule 2: ")
    assert told in message


@pytest.mark.parametrize(
    "routes",
    [
        ("GET /a", "POST /a", "/a"),
        ("/{sub}", "/{sub}/*"),
        ("/{sub}/a", "/{client_id}/b"),
        ("GET /{sub}", "POST /{client_id}"),
        ("GET /{sub}", "/{client_id}"),
        ("/a", "/A"),
    ],
)
def test_rules_of_different_rank_are_not(routes):
    assert Rules(*map(Rule, routes)).has_routes


def test_rules_of_nothing_are_refused():
    """An empty selection would otherwise open every route; who means that passes no rules."""
    with pytest.raises(ConfigError, match="neither a rule nor require is given") as caught:
        Rules()
    assert caught.value.code == "rules"


def test_require_alone_leaves_every_route_open():
    rules = Rules(require=scope("api"))
    claims = {"scope": "api"}
    assert not rules.has_routes
    assert rules.are_route_keys
    assert rules.grant(claims).allow == ("*",)
    assert rules.grant({}).allow == ()
    for method, path in (("GET", "/"), ("TRACE", "x"), ("$connect", ""), ("POST", "/a/*")):
        assert rules.decide(claims, method, path).allowed
    assert rules.decide_route_key(claims, "$default").allowed


def test_require_is_of_every_route():
    needs = any_of(scope("api"), claim("tier").equals("gold"))
    for rules in (Rules(require=needs), Rules(Rule("/a"), require=needs)):
        refused = rules.decide({"sub": "ala"}, "GET", "/a")
        assert (refused.allowed, refused.reason) == (False, "require_unmet")
        assert refused.scopes == ("api",)
        assert rules.grant({}).allow == rules.grant({}).deny == ()
        assert not rules.decide_route_key({}, "GET /a").allowed
        assert allows(rules, "GET /a", tier="gold")
        assert allows(rules, "GET /a", scope="api")
        assert rules.decide_token({"scope": "api"}).allowed
    assert rules.decide({"scope": "api"}, "GET", "/b").reason == "no_rule"


def test_a_rule_s_requirements_are_asked_for_one_and_all():
    rules = Rules(Rule("/a", scope("r"), claim("t").equals(1), claim("u").equals(2)))
    met = {"scope": "r", "t": 1, "u": 2}
    assert allows(rules, "GET /a", **met)
    assert rules.grant(met).allow
    for name in met:
        lacking = {other: value for other, value in met.items() if other != name}
        assert not allows(rules, "GET /a", **lacking), name
        assert rules.grant(lacking).allow == ()


def test_one_requirement_is_told_as_it_was_written():
    ruling = Rules(Rule("GET /a", scope("r"))).decide({}, "GET", "/a")
    assert ruling.message == "'GET /a' needs scope('r')"


def test_what_a_ruling_tells():
    rules = Rules(Rule("GET /a", scope("r w"), claim("t").equals(1)), Rule("/{sub}/x"))
    unmet = rules.decide({"scope": "r"}, "GET", "/a")
    assert (unmet.reason, unmet.scopes) == ("rule_unmet", ("r", "w"))
    assert "'GET /a' needs" in str(unmet.message)
    assert rules.decide({}, "POST", "/a").reason == "no_rule"
    assert rules.decide({}, "GET", "/ala/x").reason == "no_rule"


NEAR: dict[str, tuple[tuple[str, ...], str, str]] = {
    "somebody else's": (
        ("/users/{sub}/*",),
        "GET /users/bob/x",
        "takes a token with that very {sub}",
    ),
    "two claims": (("/{sub}/{client_id}",), "GET /bob/x", "with that very {sub} and {client_id}"),
    "another method": (("GET /orders",), "PUT /orders", "names its path, for another method"),
    "HEAD": (("GET /orders/*",), "HEAD /orders/42", "names its path, for another method"),
    "other case": (("GET /admin",), "GET /Admin", "has its letters in another case"),
    "slash at the end": (("GET /orders",), "GET /orders/", "has no '/' at its end"),
    "below": (("GET /orders/*",), "GET /orders", "begins below it"),
    "stage": (("GET /orders",), "GET /prod/orders", "names it without its first part"),
    "stage, open": (("/orders/*",), "GET /v1-2/orders/1", "names it without its first part"),
    "the nearest": (("POST /a/b", "GET /a/*"), "PUT /a/b", "names its path, for another method"),
    "a claim before a stage": (("/{sub}/x", "/x"), "GET /bob/x", "with that very {sub}"),
}


@pytest.mark.parametrize(("routes", "request_", "told"), NEAR.values(), ids=NEAR)
def test_a_route_that_no_rule_names_is_told_what_is_near(routes, request_, told):
    ruling = Rules(*map(Rule, routes)).decide({"sub": "ala"}, *request_.split(" "))

    assert ruling.reason == "no_rule"
    assert str(ruling.message).startswith(f"no rule names this route for the token; {routes[0]!r} ")
    assert told in str(ruling.message)


@pytest.mark.parametrize(
    "request_",
    [
        "GET /order",
        "GET /elsewhere",
        "GET /",
        "GET ",
        "PUT /users",
        "GET /users/",
        "GET /a/b/c/d/orders",
        "$connect ",
    ],
)
def test_where_nothing_is_near_nothing_is_guessed(request_):
    rules = Rules(Rule("GET /orders"), Rule("/users/{sub}"), Rule("/{sub}/{client_id}/x/*"))
    message = rules.decide({"sub": "ala"}, *request_.split(" ")).message

    assert message == "no rule names this route for the token"


@pytest.mark.parametrize(
    ("route", "request_"),
    [
        ("GET /users/{sub}", "PUT /users/bob"),
        ("POST /orders/*", "GET /orders"),
        ("GET /orders", "PUT /orders/"),
        ("GET /orders", "PUT /Orders"),
        ("GET /orders", "PUT /prod/orders"),
        ("GET /orders", "GET /orders1"),
        ("GET /orders", "GET /orderz/"),
        ("GET /", "GET /elsewhere"),
        ("GET /", "GET /prod/orders"),
        ("GET /", "GET elsewhere"),
        ("/users/{sub}", "GET /groups/bob"),
    ],
)
def test_two_differences_are_not_near(route, request_):
    message = Rules(Rule(route)).decide({"sub": "ala"}, *request_.split(" ")).message

    assert message == "no rule names this route for the token"


@pytest.mark.parametrize("path", ["/{}/orders", "/users/{}", "/orders/{}", "/ORDERS/{}"])
def test_no_hint_repeats_the_path(path):
    """It is the client's own text, and may be a token."""
    rules = Rules(Rule("GET /orders"), Rule("POST /orders/*"), Rule("/users/{sub}"))
    message = str(rules.decide({"sub": "ala"}, "GET", path.format("eyJhbGci")).message)

    assert "eyJ" not in message


@pytest.mark.parametrize(
    ("routes", "are_keys"),
    [
        (("GET /a", "/b/c", "POST /"), True),
        (("GET /a", "GET /a/*"), False),
        (("/*",), False),
        (("/{sub}",), False),
        (("$connect",), False),
    ],
)
def test_rules_that_are_route_keys(routes, are_keys):
    assert Rules(*map(Rule, routes)).are_route_keys is are_keys


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("GET /a", True),
        ("POST /a", False),
        ("ANY /a", False),
        ("GET /b", True),
        ("ANY /b", True),
        ("GET /c/x", False),
        ("GET /c/*", False),
        ("GET /c/{proxy+}", False),
        ("GET /u/{sub}", False),
        ("GET /u/ala", False),
        ("$default", False),
        ("$connect", False),
        ("", False),
        ("ANY", False),
        ("GET", False),
        ("/b", False),
        ("get /a", False),
        ("GET  /a", False),
    ],
)
def test_route_keys(key, allowed):
    rules = Rules(Rule("GET /a"), Rule("/b"), Rule("/c/*"), Rule("/u/{sub}"), Rule("$connect"))
    assert rules.decide_route_key({"sub": "ala"}, key).allowed is allowed


@given(
    st.text() | st.text(alphabet="GET /*{}sub$.%é\n", max_size=20),
    st.text() | st.integers() | st.none() | st.lists(st.text()),
)
def test_any_text_is_a_route_or_a_config_error(route, value):
    try:
        rules = Rules(Rule(route))
    except ConfigError as error:
        told = (error.code, str(error).isascii(), str(error).isprintable())
    else:
        told = ("rules", True, True)
        assert_narrow(rules, value)
    assert told == ("rules", True, True)


def assert_narrow(rules: Rules, value: Any) -> None:
    for pattern in rules.grant({"sub": value, "client_id": value}).allow:
        assert "*" not in pattern.removesuffix("/*")
        assert not set("?{}%") & set(pattern)
        assert pattern.isascii()


def test_rules_cannot_be_changed_and_show_themselves():
    rule = Rule("GET /a", scope("r"))
    rules = Rules(rule, Rule("/{sub}/*"))
    assert repr(rule) == "Rule('GET /a', scope('r'))"
    assert repr(rules) == "Rules('GET /a', '/{sub}/*')"
    for value in (rule, rules, rules.decide({}, "GET", "/a"), rules.grant({}), scope("r")):
        with pytest.raises(AttributeError, match="immutable"):
            value.route = "/"
        assert len(repr(value)) < 200


def test_a_claim_that_no_path_may_have_is_told_where_the_path_has_its_form():
    rules = Rules(Rule("/users/{sub}"), Rule("POST /orders"))
    claims = {"sub": "auth0|5f7c"}

    message = rules.decide(claims, "GET", "/users/auth0|5f7c").message
    assert str(message).endswith("{sub}, and the token's has a value that no path may have")
    assert "with that very {sub}" in str(rules.decide({}, "GET", "/users/auth0|5f7c").message)
    assert "another method" in str(rules.decide(claims, "GET", "/orders").message)
