"""What requirements ask of claims, as JSON types tell values apart."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from kmsjwt.errors import ConfigError
from kmsjwt.rules import Rule, Rules, all_of, any_of, claim, scope

HUGE = 10**4_000  # as long as Python still writes out
EXPECTED = r"expected scope\(\.\.\.\) or claim\(\.\.\.\)"


@pytest.mark.parametrize(
    ("asked", "granted", "met"),
    [
        (("r",), "r", True),
        (("r",), "w r", True),
        (("r", "w"), "w r x", True),
        (("r w",), "w r", True),
        (("r", "w"), "r", False),
        (("r",), "", False),
        (("r",), "read", False),
        (("r",), "R", False),
        (("r",), "w\tr", False),
        (("r",), "w\nr", False),
        (("r",), "w  r", True),
        (("r",), " r ", True),
        (("r",), ["r"], False),
        (("r",), ("r",), False),
        (("r",), {"r": True}, False),
        (("r",), None, False),
        (("r",), 1, False),
        (("orders:read",), "orders:read/all", False),
    ],
)
def test_scope(asked, granted, met):
    assert scope(*asked).is_met({"scope": granted}) is met
    assert scope(*asked).is_met(MappingProxyType({"scope": granted, "other": 1})) is met


def test_scope_is_the_claim_scope_alone():
    for name in ("scp", "scopes", "Scope", "permissions"):
        assert not scope("r").is_met({name: "r"})
    assert not scope("r").is_met({})


@pytest.mark.parametrize(
    ("wanted", "value", "same"),
    [
        ("a", "a", True),
        ("a", "A", False),
        ("a", "ab", False),
        ("a", ["a"], False),
        ("", "", True),
        ("", None, False),
        ("1", 1, False),
        (1, "1", False),
        (1, 1, True),
        (1, 1.0, True),
        (1.5, 1.5, True),
        (1, True, False),
        (True, 1, False),
        (True, 1.0, False),
        (False, 0, False),
        (0, False, False),
        (0, -0.0, True),
        (True, True, True),
        (False, False, True),
        (False, None, False),
        (False, "", False),
        ("true", True, False),
        (True, "true", False),
        (10**30, 10**30, True),
        (10**30, 1e30, False),
        pytest.param(1, HUGE, False, id="1-huge"),
        pytest.param(1.5, HUGE, False, id="1.5-huge"),
        ("a", {"a": "a"}, False),
        ("a", b"a", False),
    ],
)
def test_equal_and_contained(wanted, value, same):
    assert claim("c").equals(wanted).is_met({"c": value}) is same
    assert claim("c").contains(wanted).is_met({"c": ["x", value]}) is same
    assert claim("c").contains(wanted).is_met({"c": (value, "x")}) is same
    assert not claim("c").contains(wanted).is_met({"c": [[value]]})
    assert not claim("c").equals(wanted).is_met({})
    assert not claim("c").contains(wanted).is_met({})


@pytest.mark.parametrize("value", ["admin", "administrator", {"admin": 1}, None, 7, True, b"admin"])
def test_only_an_array_contains(value):
    assert not claim("roles").contains("admin").is_met({"roles": value})
    assert not claim("roles").contains("admin").is_met({"roles": []})


def test_any_and_all():
    yes, no = claim("c").equals(1), claim("c").equals(2)
    for among, in_any, in_all in [
        ([yes], True, True),
        ([no], False, False),
        ([yes, no], True, False),
        ([no, yes], True, False),
        ([no, no], False, False),
        ([yes, any_of(no, yes), all_of(yes, yes)], True, True),
        ([no, any_of(no, all_of(yes, no))], False, False),
    ]:
        assert any_of(*among).is_met({"c": 1}) is in_any
        assert all_of(*among).is_met({"c": 1}) is in_all


def test_scopes_named_once_each_for_the_challenge():
    needs = all_of(scope("a b"), any_of(claim("x").equals(1), scope("b c"), scope("d")))
    assert needs.scopes == ("a", "b", "c")  # of what suffices, the first
    assert claim("x").equals(1).scopes == ()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (scope, "names none"),
        (lambda: scope(""), "names none"),
        (lambda: scope("  "), "names none"),
        (lambda: scope('a"b'), "visible ASCII"),
        (lambda: scope("a, b"), "no commas"),
        (lambda: claim(7), "expected text, not empty"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: scope("a\\b"), "visible ASCII"),
        (lambda: scope("é"), "visible ASCII"),
        (lambda: scope("a\x00"), "visible ASCII"),
        (lambda: scope(None), "expected text"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: scope(["a"]), "expected text"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: claim(""), "not empty"),
        (lambda: claim(None), "expected text"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: claim("c").equals(None), "true or false"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: claim("c").equals(["a"]), "any_of"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: claim("c").contains(("a",)), "any_of"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: claim("c").contains({"a"}), "any_of"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: claim("c").equals({}), "of type dict"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: claim("c").equals(float("nan")), "a number"),
        (lambda: claim("c").equals(float("inf")), "a number"),
        (any_of, "at least one"),
        (all_of, "at least one"),
        (lambda: any_of("a"), "scope(...)"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: all_of(scope("a"), None), "scope(...)"),  # type: ignore[arg-type]  # wrong on purpose
        (lambda: all_of(claim("c")), "scope(...)"),  # type: ignore[arg-type]  # wrong on purpose
    ],
)
def test_what_no_requirement_can_be(make, told):
    with pytest.raises(ConfigError) as caught:
        make()
    assert caught.value.code == "requirement"
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "need",
    ["orders:read", claim("roles"), None, [scope("r")], 5, scope],
    ids=["text", "a claim of which nothing is asked", "None", "list", "number", "function"],
)
def test_what_is_no_requirement_is_refused_at_start(need):
    with pytest.raises(ConfigError, match=EXPECTED):
        Rules(Rule("GET /admin", need))


@pytest.mark.parametrize("need", ["orders:read", claim("roles"), [scope("r")], 5, scope])
def test_nor_can_it_be_one_of_several_or_required(need):
    with pytest.raises(ConfigError, match=EXPECTED):
        Rules(Rule("GET /admin", scope("r"), need))
    with pytest.raises(ConfigError, match=EXPECTED):
        Rules(require=need)


def test_a_number_too_long_to_write_out_can_be_told():
    longest = HUGE**2
    rules = Rules(Rule("GET /a", claim("n").equals(longest)))
    assert not rules.decide({}, "GET", "/a").allowed
    assert rules.decide({"n": longest}, "GET", "/a").allowed
