"""Rules in a TOML file: what is said of a fault, to the letter, and at the limits."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from kmsjwt.errors import ConfigError
from kmsjwt.rules import parse_rules

RULE = "[[rule]]\nroute = '/a'\n"
NEEDS = "scope, equals, contains, any, all"
TOP = "is unknown, expected path_claims, require, rule"


def told(toml: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_rules(toml, where="R")
    assert caught.value.code == "rules_file"
    return list(caught.value.faults)


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        ("[rule]\nroute = '/a'", "line 1: rule is one table, expected tables named [[rule]]"),
        ("rule = 5", "line 1: rule is 5, expected tables named [[rule]]"),
        (RULE + "any = []", "line 3: any is empty, expected an array of tables"),
        (RULE + "all = {}", "line 3: all is of type dict, expected an array of tables"),
        (RULE + "any = 7", "line 3: any is 7, expected an array of tables"),
        ("hello = 1\n" + RULE, f"line 1: 'hello' {TOP}"),
        ("requires = 1\n" + RULE, f"line 1: 'requires' {TOP}, was require meant?"),
        (
            "scope = 'a'\n" + RULE,
            f"line 1: 'scope' {TOP}: put scope into a [[rule]] or [require]",
        ),
        ("[require]\nhello = 1\nscope = 'a'", f"line 2: 'hello' is unknown, expected {NEEDS}"),
        ("", "line 1: neither [[rule]] nor [require] asks for anything, expected one to"),
    ],
    ids=ascii,
)
def test_a_fault_to_the_letter(toml: str, fault: str):
    assert told(toml) == [f"R, {fault}"]


@pytest.mark.parametrize("contents", [b"\xff\xfe", b"# \xff", b"\xed\xa0\x80"])
def test_what_is_not_utf_8_is_told_so_and_no_more(contents: bytes):
    """Python's own words would show bytes of the file."""
    assert told(contents) == ["R is not UTF-8"]


@pytest.mark.parametrize(("count", "end"), [(30, []), (31, ["and so on, 31 faults in all"])])
def test_thirty_faults_are_all_told(count: int, end: list[str]):
    toml = "".join(f"hello{number} = 1\n" for number in range(count))
    faults = told(toml + RULE)

    assert [fault.split(":")[0] for fault in faults[:30]] == [f"R, line {n + 1}" for n in range(30)]
    assert faults[30:] == end


def test_tables_nested_deeper_than_python_calls_are_no_rules():
    """Each has a header of its own, which is read without going deep."""
    headers = [f"[[rule.{'.'.join(['all'] * depth)}]]\nscope = 'a'\n" for depth in range(1, 700)]

    assert told(RULE + "".join(headers)) == ["R is nested too deep"]


@pytest.mark.parametrize("quotes", ["'''", '"""'])
def test_within_a_text_of_many_lines_nothing_is_looked_for(quotes: str):
    toml = f"[[rule]]\nroute = '/a'\nscope = {quotes}\nroute = 5\n[[rule]]\n{quotes}\nhello = 1\n"

    assert [fault.partition(":")[0] for fault in told(toml)] == ["R, line 3", "R, line 7"]


def test_where_no_fault_is_nothing_is_read_again(monkeypatch):
    """Halving 128 lines finds one of them in seven steps."""
    read: list[str] = []
    loads = tomllib.loads

    def counted(text: str) -> Any:
        read.append(text)
        return loads(text)

    monkeypatch.setattr(tomllib, "loads", counted)
    rules = "".join(f"[[rule]]\nroute = '/a{number}'\n" for number in range(63))

    assert told(f"{rules}[[rule]]\nroute = 5") == [
        "R, line 128: route is 5, expected text such as 'GET /orders/*'"
    ]
    assert len(read) <= 1 + 7
