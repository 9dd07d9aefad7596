"""Rules in a TOML file: the same rules, and every fault with its line."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import time
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmsjwt.errors import ConfigError
from kmsjwt.rules import Rule, Rules, all_of, any_of, claim, parse_rules, read_rules, scope

GOOD = """
path_claims = ["sub", "tenant"]

[require]
scope = "api"

[[rule]]
route = "GET /orders/*"
scope = ["orders:read", "orders:list"]

[[rule]]
route = ["POST /orders", "DELETE /orders/*"]
any = [{ scope = "orders:write" }, { contains = { roles = "admin" }, equals = { level = 3 } }]

[[rule]]
route = "/users/{sub}/*"

[[rule]]
route = "/t/{tenant}"
[rule.equals]
mfa = true
tier = "gold"

[[rule]]
route = "$connect"
[[rule.all]]
scope = "ws"
[[rule.all]]
any = [{ equals = { a = 1.5 } }, { contains = { b = false } }]
"""
SAME = Rules(
    Rule("GET /orders/*", scope("orders:read", "orders:list")),
    Rule(
        "POST /orders",
        any_of(
            scope("orders:write"),
            all_of(claim("level").equals(3), claim("roles").contains("admin")),
        ),
    ),
    Rule("DELETE /orders/*", any_of(scope("orders:write"), claim("roles").contains("admin"))),
    Rule("/users/{sub}/*"),
    Rule("/t/{tenant}", claim("mfa").equals(True), claim("tier").equals("gold")),
    Rule("$connect", scope("ws"), any_of(claim("a").equals(1.5), claim("b").contains(False))),
    require=scope("api"),
    path_claims=("sub", "tenant"),
)


def faults(toml: str | bytes) -> list[tuple[int, str]]:
    with pytest.raises(ConfigError) as caught:
        parse_rules(toml, where="R")
    assert caught.value.code == "rules_file"
    return [
        (int(line), told)
        for line, told in re.findall(
            r"R, line (\d+): (.*?)(?=; R, line |$)", str(caught.value), re.DOTALL
        )
    ]


def attempted(toml: str | bytes) -> Rules | ConfigError:
    try:
        return parse_rules(toml, where="R")
    except ConfigError as error:
        return error


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_file_says_what_python_says(ends):
    rules = parse_rules(GOOD.replace("\n", ends).encode())
    assert repr(rules) == repr(SAME)
    for claims in (
        {"sub": "ala", "tenant": "t1", "scope": "api"},
        {"scope": "api orders:read orders:list", "sub": "x"},
        {"scope": "api orders:read"},
        {"scope": "orders:read orders:list"},
        {"scope": "api orders:write"},
        {"scope": "api", "roles": ["admin"], "level": 3},
        {"scope": "api", "level": 3},
        {"scope": "api", "tenant": "t1", "mfa": True, "tier": "gold"},
        {"scope": "api", "tenant": "t1", "mfa": 1, "tier": "gold"},
        {"scope": "api ws", "a": 1.5},
        {"scope": "api ws", "b": [False]},
        {"scope": "api", "b": [False]},
    ):
        ours, theirs = rules.grant(claims), SAME.grant(claims)
        if "roles" not in claims:
            assert (ours.allow, ours.deny) == (theirs.allow, theirs.deny), claims
    assert not rules.decide({"scope": "api", "roles": ["admin"]}, "POST", "/orders").allowed
    both = {"scope": "api", "roles": ["admin"], "level": 3}
    assert rules.decide(both, "DELETE", "/orders/1").allowed


@pytest.mark.parametrize("toml", ["[[rule]]\nroute = '/a'", b"rule=[{route='/a'}]"])
def test_text_and_bytes(toml):
    assert repr(parse_rules(toml)) == "Rules('/a')"


def test_path_claims_default_as_in_python():
    assert parse_rules("rule = [{route = '/{sub}/{client_id}'}]").has_routes
    assert "tenant" in faults("rule = [{route = '/{tenant}'}]")[0][1]


RULE = "[[rule]]\nroute = '/a'\n"


@pytest.mark.parametrize(
    ("toml", "line", "told"),
    [
        ("\n\nroute = '/a'", 3, "'route' is unknown, expected path_claims, require, rule"),
        ("[[rules]]\nroute = '/a'", 1, "'rules' is unknown"),
        ("\n[rule]\nroute = '/a'", 2, "[[rule]]"),
        ("rule = '/a'", 1, "[[rule]]"),
        ("rule = 5", 1, "rule is 5"),
        ("rule = true", 1, "rule is True"),
        ("rule = ['/a']", 1, "expected a table"),
        ("path_claims = 'sub'", 1, "an array of text"),
        ("\npath_claims = ['a',\n 5]\n", 2, "an array of text"),
        ("path_claims = {}", 1, "an array of text"),
        ("path_claims = [['sub']]", 1, "an array of text"),
        ("require = 'api'", 1, "require is 'api', expected a table"),
        ("require = [{scope = 'api'}]", 1, "expected a table"),
        ("[require]\nscopes = 'api'", 2, "'scopes' is unknown"),
        ("[require]\nscope = 5", 2, "a scope is 5"),
        ("[[rule]]\nscope = 'a'", 1, "route is missing, expected text such as"),
        ("[[rules]]\nroute = '/a'", 1, "was [[rule]] meant?"),
        ("[[Rule]]\nroute = '/a'", 1, "was [[rule]] meant?"),
        ("[require]\nscopes = 'api'", 2, "was scope meant?"),
        ("[[rule]]\nroutes = '/a'\nroute = '/b'", 2, "was route meant?"),
        ("[[rule]]\npath = '/a'\nroute = '/b'", 2, "'path' is unknown, expected route"),
        ("rule = [{route = '/a'}]\nscope = 'a'", 2, "put scope into a [[rule]] or [require]"),
        ("[[rule]]\nroute = '/a'\n[rule.rule]\nroute = '/b'", 3, "'rule' is unknown"),
        ("[[rule]]\nscope = 'a'\nroute = 5", 3, "route is 5"),
        ("[[rule]]\nroute = {}", 2, "expected text such as"),
        ("[[rule]]\nroute = 2020-01-01", 2, "of type date"),
        ("[[rule]]\nroute = ['/a', 5]", 2, "route is 5"),
        ("[[rule]]\nroute = [['/a']]", 2, "expected text such as"),
        ("[[rule]]\nroute = ''", 2, "route is ''"),
        ("[[rule]]\nroute = 'get /a'", 2, "GET, HEAD"),
        ("[[rule]]\nroute = '/{id}'", 2, "add 'id' to path_claims"),
        ("[[rule]]\nroute = '''\n/a*'''", 2, "end it with '/*'"),
        ("[[rule]]\nroute = [\n '/a',\n '/b/',\n]", 4, "'/b/'"),
        (RULE + "Scope = 'r'", 3, "'Scope' is unknown, expected route, scope, equals"),
        (RULE + "method = 'GET'", 3, "'method' is unknown"),
        (RULE + "scope = ''", 3, "names none"),
        (RULE + "scope = []", 3, "names none"),
        (RULE + "scope = 5", 3, "expected text"),
        (RULE + "scope = ['r', 5]", 3, "a scope is 5"),
        (RULE + "scope = {}", 3, "expected text"),
        (RULE + "scope = 'é'", 3, "visible ASCII"),
        (RULE + "equals = 'a'", 3, "a table of claims and values"),
        (RULE + "equals = {}", 3, "a table of claims and values"),
        (RULE + "equals = []", 3, "a table of claims and values"),
        (RULE + "equals = { '' = 1 }", 3, "not empty"),
        (RULE + "equals = { a = [1, 2] }", 3, "any_of"),
        (RULE + "equals = { a = [1, 2] }", 3, "compared with a value of type list, expected"),
        (RULE + "equals = { a = {} }", 3, "of type dict"),
        (RULE + "equals = { a = nan }", 3, "a number"),
        (RULE + "equals = { a = -inf }", 3, "a number"),
        (RULE + "equals = { a = 2020-01-01T00:00:00Z }", 3, "of type datetime"),
        (RULE + "equals = { a = 10:00:00 }", 3, "of type time"),
        (RULE + "[rule.equals]\na = 1\nb = []\nc = 2", 5, "any_of"),
        (RULE + "contains.roles = ['admin']", 3, "any_of"),
        (RULE + "contains = 5", 3, "a table of claims"),
        (RULE + "any = {}", 3, "an array of tables"),
        (RULE + "any = []", 3, "an array of tables"),
        (RULE + "any = 'r'", 3, "an array of tables"),
        (RULE + "any = ['r']", 3, "expected a table"),
        (RULE + "any = [{}]", 3, "asks for nothing"),
        (RULE + "all = [{scope = 'r'}, {}]", 3, "asks for nothing"),
        (RULE + "any = [\n{scope = 'r'},\n{scope = ''},\n]\n", 5, "names none"),
        (RULE + "any = [{ scops = 'r' }]", 3, "'scops' is unknown"),
        (RULE + "any = [{ all = [{ any = [{ equals = { a = [] } }] }] }]", 3, "any_of"),
        (RULE + "[[rule.any]]\nscope = 'r'\n[[rule.any]]\nscope = 'é'", 6, "visible ASCII"),
        (RULE + "\n# again\n" + RULE, 6, "named twice"),
        ("rule = [{route='/*'},\n{route='/a/*'},\n{route='/a/b'}]\n", 3, "not three"),
        ("rule = [\n  # ]} '\n  {route='/a', scope = \"]\"},\n  {route='/b/'},\n]\n", 4, "'/b/'"),
        (RULE + 'scope = """a\n[b\n\\""" ]\n"""\n', 3, "visible ASCII"),
        (
            RULE + "any = [\n  { scope = [\n 'r'] },\n  { all = [\n    { scope = 5 },\n] }]",
            7,
            "is 5",
        ),
        ("[require]\n" + RULE, 1, "require asks for nothing"),
        ("[require]  # scope = 'api'\n" + RULE, 1, "expected scope, equals, contains, any, all"),
        ("[[rule]]\nroute = '/{sub}'\n[[rule]]\nroute = '/{client_id}'", 4, "told apart"),
    ],
)
def test_a_fault_is_told_with_its_line(toml, line, told):
    found = faults(toml)
    assert [(line, True)] == [(at, told in fault) for at, fault in found], found
    assert found == faults(toml.replace("\n", "\r\n"))


def test_every_fault_is_told():
    found = faults(
        "hello = 1\npath_claims = 'sub'\n\n[require]\nscope = ''\n\n"
        "[[rule]]\nroute = 'get /a'\nscope = 'é'\nfoo = 1\n\n"
        "[[rule]]\nroute = ['/b/', '/c']\n[rule.equals]\nx = []\ny = nan\n\n"
        "[[rule]]\nany = [{ scope = 5 }, 7, { bar = 1 }]\n"
    )
    assert [line for line, _ in found] == [1, 2, 5, 8, 9, 10, 13, 15, 16, 18, 19, 19, 19]


def test_each_fault_of_an_array_over_several_lines_has_its_own_line():
    found = faults(
        "rule = [\n  { route = '/a/' },\n  { route = '/ok' },\n  { route = '/b/' },\n]\n"
    )
    assert [(line, told[:15]) for line, told in found] == [
        (2, "route is '/a/',"),
        (4, "route is '/b/',"),
    ]
    found = faults("[[rule]]\nroute = [\n  '/a/',\n  5,\n  '/ok', '/ok',\n  '/b/',\n]\n")
    assert [line for line, _ in found] == [3, 4, 6]


def test_a_text_of_many_lines_hides_no_line():
    text = "\n".join(["[[rule]]"] * 200)
    for quotes in ("'''", '"""'):
        equals = f"[rule.equals]\na = {quotes}\n{text}{quotes}\nb = []\nc = nan\n"
        found = faults(f"{RULE}scope = 5\n{equals}")
        assert [line for line, _ in found] == [3, 206, 207]


def test_an_empty_table_of_any_is_told_beside_other_faults():
    found = faults("hello = 1\n" + RULE + "any = [{}, { scope = 'r' }]")
    assert [line for line, _ in found] == [1, 4]


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ("[require]\nroute = 'GET /a'\nscope = 'r'", 2),
        (RULE + "any = [{ route = '/b', scope = 'r' }]", 3),
        (RULE + "[[rule.all]]\nscope = 'r'\n[[rule.all]]\nroute = '/b'\nscope = 'w'", 6),
    ],
)
def test_a_route_stands_only_in_a_rule(toml, line):
    (found,) = faults(toml)
    assert found[0] == line
    assert "'route' is unknown" in found[1]


def test_a_rule_with_no_route_at_all_does_not_open_everything():
    assert faults("[[rule]]\nroute = []\nscope = 'admin'")[0][0] == 2


def test_what_is_no_table_is_named_by_where_it_stands():
    assert "any" in faults(RULE + "any = [5]")[0][1].partition(",")[0]


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85"])
def test_lines_are_those_of_toml(odd):
    assert faults(f"# one{odd}line\n[[rule]]\nroute = 'a'")[0][0] == 3
    assert faults(f"[[rule]]\nroute = 'a'\nscope = 'é{odd}'")[1][0] == 3


@pytest.mark.parametrize(
    "toml",
    [
        "rule",
        "rule = [",
        "rule = \x00",
        "[[rule]]\nroute = 'a\nb'",
        "a = 1\na = 2",
        "[rule]\n[[rule]]",
        "a = 2020-13-45",
        "a = '\x07'",
        "a = 1\rb = 2",
        "{}",
        '{"rule": []}',
        "rule = " + "[" * 5_000,
        "rule = " + "[" * 5_000 + "]" * 5_000,
        "rule = " + "{a=" * 5_000 + "1" + "}" * 5_000,
        b"\xff\xfe",
        b"# \xff",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.encode("utf-16"),
    ],
    ids=lambda toml: ascii(toml[:20]),
)
def test_what_is_no_toml(toml):
    with pytest.raises(ConfigError, match=r"^bundle/rules\.toml is (no TOML|not UTF-8)") as caught:
        parse_rules(toml, where="bundle/rules.toml")
    assert caught.value.code == "rules_file"
    assert len(str(caught.value)) < 200


def test_a_number_too_long_to_read_is_a_config_error():
    toml = RULE + f"equals = {{ a = {'9' * 5_000} }}"
    outcome = attempted(toml)
    assert isinstance(outcome, ConfigError)
    assert outcome.code == "rules_file"


def test_a_hexadecimal_number_has_no_such_limit():
    rules = parse_rules(RULE + f"equals = {{ n = 0x{'f' * 5_000} }}")
    assert not rules.decide({}, "GET", "/a").allowed
    assert rules.decide({"n": 16**5_000 - 1}, "GET", "/a").allowed


def test_files(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert repr(read_rules(str(path))) == repr(SAME)
    path.write_text("[[rule]]\nroute = 'a'", encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(f"{path}, line 2: route is 'a'")):
        read_rules(str(path))


@pytest.mark.parametrize(
    ("name", "told"),
    [("missing", "No such file"), (".", "directory"), ("\0", "no such name"), ("a" * 300, "long")],
)
def test_files_that_cannot_be_read(tmp_path, name, told):
    with pytest.raises(ConfigError, match=told) as caught:
        read_rules(f"{tmp_path}/{name}")
    assert caught.value.code == "rules_file"


def test_the_largest_file(tmp_path):
    path = tmp_path / "rules.toml"
    rule = b"[require]\nscope = 'a'\n"
    path.write_bytes(rule.ljust(32_000, b"#"))
    assert not read_rules(str(path)).has_routes
    path.write_bytes(rule.ljust(32_001, b"#"))
    with pytest.raises(ConfigError, match="larger than 32000 bytes") as caught:
        read_rules(str(path))
    assert caught.value.code == "rules_file"


@pytest.mark.parametrize(
    "toml",
    ["", "# nothing", "rule = []", "[require]", "[require]\nall = []", "path_claims = ['a']"],
)
def test_a_file_that_asks_for_nothing_is_refused(toml):
    """A file cut off would otherwise open every route to any valid token."""
    with pytest.raises(ConfigError) as caught:
        parse_rules(toml)
    assert caught.value.code == "rules_file"


def test_many_faults_are_found_in_one_pass(monkeypatch):
    toml = "".join(f"[[rule]]\nroute = 'x{n}'\nscope = 'r'\n\n" for n in range(20))
    read = []
    loads = tomllib.loads

    def counted(text):
        read.append(text)
        return loads(text)

    monkeypatch.setattr(tomllib, "loads", counted)
    assert [line for line, _ in faults(toml)] == [4 * n + 2 for n in range(20)]
    assert len(read) <= 2 * toml.count("\n")


NAMES = ("path_claims", "require", "rule", "route", "scope", "equals", "contains", "any", "all")
TEXTS = ("GET /a", "/{sub}/*", "/a/*", "/*", "r", "é", "", "get /a", "*", "$connect", "sub")
SCALARS = (
    st.sampled_from(TEXTS)
    | st.text(max_size=5).filter(lambda text: "\r" not in text)
    | st.integers(-(2**70), 2**70)
    | st.booleans()
    | st.floats()
    | st.dates(min_value=dt.date(1000, 1, 1))
)
KEYS = st.sampled_from(NAMES) | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
NEEDS = st.dictionaries(st.sampled_from(NAMES[3:]), VALUES, max_size=4)
ENTRIES = st.fixed_dictionaries({"route": st.sampled_from(TEXTS)}, optional={"any": VALUES}) | NEEDS
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4) | st.fixed_dictionaries(
    {"rule": st.lists(ENTRIES, max_size=4)}, optional={"require": NEEDS, "path_claims": VALUES}
)


def written(value: Any) -> str:
    """Write a value as TOML has it within a line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)} = {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float):
        return "nan" if math.isnan(value) else repr(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def quoted(text: str) -> str:
    """Write text as TOML, which knows JSON's escapes but those of surrogates, and of \\x7f."""
    return "".join(
        f"\\U{ord(each):08x}" if ord(each) > 126 else json.dumps(each)[1:-1] for each in text
    ).join('""')


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS, st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_any_document_is_rules_or_a_config_error(document, ends):
    lines = [f"{quoted(name)} = {written(value)}" for name, value in document.items()]
    toml = "".join(f"{line}{ends}" for line in lines)
    outcome = attempted(toml)
    if isinstance(outcome, ConfigError):
        found = [int(line) for line in re.findall(r"R, line (\d+): ", str(outcome))]
        assert outcome.code == "rules_file"
        assert found == sorted(found)
        assert found, str(outcome)
        assert 1 <= found[0] <= found[-1] <= max(1, toml.count("\n"))
    else:
        decision = outcome.decide({"sub": "ala", "scope": "r"}, "GET", "/a")
        assert decision.reason in ("ok", "no_rule", "rule_unmet", "require_unmet")


@given(st.text() | st.binary())
def test_anything_is_rules_or_a_config_error(contents):
    outcome = attempted(contents)
    assert isinstance(outcome, Rules) or outcome.code == "rules_file"


def wrong(number: int, count: int) -> str:
    """Return 500 rules of which so many, the last ones, are wrong."""
    slash = "/" if number >= 500 - count else ""
    return f'[[rule]]\nroute = "/r{number}{slash}"\nscope = "a"\n'


@pytest.mark.parametrize(
    "read",
    [
        lambda: Rules(*(Rule(f"/r{n}") for n in range(1000))),
        lambda: Rules(*(Rule(f"/r{n}/*") for n in range(1000))),
        lambda: attempted("".join(wrong(n, 500) for n in range(500))),
        lambda: attempted("".join(wrong(n, 20) for n in range(500))),
        lambda: attempted("[[rule]]\n" * 1000),
        lambda: attempted(RULE * 500),
    ],
    ids=["literal", "open", "all wrong", "the last wrong", "empty", "all alike"],
)
def test_many_rules_are_read_in_seconds_on_the_slowest_machine(read):
    """Each compared with each, or located one by one, took from 10 s to 22 s."""
    started = time.process_time()
    read()
    assert time.process_time() - started < 5


def test_of_more_faults_than_anybody_reads_thirty_are_told_and_all_counted():
    error = attempted("".join(wrong(n, 500) for n in range(500)))
    assert isinstance(error, ConfigError)
    assert [each.split(":")[0] for each in error.faults[:-1]] == [
        f"R, line {3 * n + 2}" for n in range(30)
    ]
    assert error.faults[-1] == "and so on, 500 faults in all"
