"""What help() shows of an authorizer's arguments, and the value that holds them."""

from __future__ import annotations

import pydoc
from functools import partial
from inspect import Parameter, getdoc, signature
from typing import Any

import pytest
from tests.gateway.minting import NOW, Mint
from tests.gateway.shapes import KINDS, event_of

from kmsjwt.errors import ConfigError
from kmsjwt.gateway import Authorizer, Settings
from kmsjwt.rules import Rule, Rules, scope

MINT = Mint()
VERIFIER = MINT.verifier()
WIRES = {"arguments": Authorizer, "settings": Authorizer.with_settings, "value": Settings}
OWN = {"verifier", "log", "doors"}
"""What an authorizer is told and its settings are not."""


def parameters(of: Any) -> dict[str, Parameter]:
    return dict(signature(of).parameters)


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_every_parameter_has_a_name_a_type_and_a_meaning(wire):
    documented = getdoc(wire if wire == Authorizer.with_settings else wire.__init__) or ""
    for name, parameter in parameters(wire).items():
        assert parameter.kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
        assert parameter.annotation is not Parameter.empty
        assert f"    {name}: " in documented


@pytest.mark.parametrize("told", [Authorizer, Settings], ids=lambda told: told.__name__)
def test_help_names_them(told):
    text = pydoc.plain(pydoc.render_doc(told))
    for said in (
        "rules: 'Rules | None' = None",
        "token_from: 'str' = 'header:Authorization'",
        "on_invalid: 'str' = '401'",
        "response: 'str' = 'iam'",
        "cache_ttl: 'int | None' = None",
        "principal_claim: 'str' = 'sub'",
        "context: 'Collection[str]' = ('sub', 'client_id', 'scope', 'jti')",
        "usage_claim: 'str | None' = None",
        "clock: 'Callable[[], float]' = ",
    ):
        assert said in text


def test_both_take_the_same_by_keyword_alone():
    told, held = parameters(Authorizer), parameters(Settings)

    assert {name: each for name, each in told.items() if name not in OWN} == {
        name: each for name, each in held.items() if name != "names"
    }
    assert {name for name, each in told.items() if each.kind != Parameter.KEYWORD_ONLY} == {
        "verifier"
    }


@pytest.mark.parametrize("wire", [Settings, lambda **given: Authorizer(VERIFIER, **given)])
def test_a_misspelt_argument_is_pythons_own_error(wire):
    with pytest.raises(TypeError, match="on_inwalid"):
        wire(on_inwalid="deny")


ARGUMENTS: dict[str, dict[str, Any]] = {
    "none": {},
    "rules": {"rules": Rules(Rule("GET /orders/*", scope("orders:read")))},
    "answers": {"response": "simple", "on_invalid": "deny"},
    "claims": {"principal_claim": "tenant", "context": ["tenant"], "usage_claim": "plan"},
    "place": {"token_from": "header:X-Token", "on_invalid": "deny"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", ARGUMENTS.values(), ids=ARGUMENTS)
def test_settings_made_before_are_as_good(kind, given):
    event = event_of(kind, f"Bearer {MINT.token(tenant='t1', plan='p', scope='orders:read')}")
    made = Settings(**given, clock=lambda: NOW)

    by_value = Authorizer.with_settings(VERIFIER, made, log=None)(event)
    assert by_value == Authorizer(VERIFIER, **given, clock=lambda: NOW, log=None)(event)


def test_an_authorizer_of_settings_writes_the_same_lines(log):
    made = Settings(clock=lambda: NOW)
    Authorizer.with_settings(VERIFIER, made, log=log)(event_of("http_api_v2", None))

    assert (log.last["reason"], log.last["duration_ms"]) == ("no_token", 0.0)


def test_a_verifier_is_asked_for_at_start():
    for verifier in (None, "verify", object()):
        with pytest.raises(ConfigError, match="verifier is") as caught:
            Authorizer.with_settings(verifier, Settings())  # type: ignore[arg-type]  # wrong on purpose
        assert caught.value.code == "authorizer"


def test_a_value_is_told_by_the_name_that_it_came_by():
    wrong: dict[str, Any] = {"response": "xml", "cache_ttl": -1}
    with pytest.raises(ConfigError) as caught:
        Settings(**wrong, names={"response": "KMSJWT_RESPONSE"})

    assert caught.value.message == (
        "KMSJWT_RESPONSE is 'xml', expected 'iam' or 'simple';"
        " cache_ttl is -1, expected 0 to 3600 seconds"
    )


def test_what_is_wrong_together_has_no_name_before_it():
    with pytest.raises(ConfigError) as caught:
        Settings(rules=Rules(Rule("GET /orders/*")), response="simple", names={"": "never"})
    assert caught.value.message.startswith("rules are finer than route keys ('GET /orders/*'), and")


def test_the_rules_that_are_finer_are_named_up_to_three():
    keys, finer = ("GET /a", "POST /b"), ("/{sub}/x/y", "/a/b/*", "/c/*", "/d/*", "/e/*")
    with pytest.raises(ConfigError) as caught:
        Settings(rules=Rules(*map(Rule, (*keys, *finer))), response="simple")

    assert "('/{sub}/x/y', '/a/b/*', '/c/*' and 2 more)" in caught.value.message


def test_each_fault_is_told_by_itself_as_well():
    wrong: dict[str, Any] = {"response": "xml", "cache_ttl": -1}
    for build in (lambda: Settings(**wrong), lambda: Authorizer(VERIFIER, **wrong)):
        with pytest.raises(ConfigError) as caught:
            build()
        assert [fault.split()[0] for fault in caught.value.faults] == ["response", "cache_ttl"]


def test_settings_stay_as_they_were_made():
    names = ["sub"]
    made = Settings(context=names)
    names.append("tenant")

    assert made.context == ("sub",)
    with pytest.raises(AttributeError, match="immutable"):
        made.response = "simple"


@pytest.mark.parametrize("clock", [None, 5, "now"], ids=repr)
@pytest.mark.parametrize("wire", [Settings, partial(Authorizer, VERIFIER)], ids=["value", "whole"])
def test_a_clock_that_tells_no_time_is_told_at_start(wire, clock):
    with pytest.raises(ConfigError, match=r"clock is .*, expected what returns seconds"):
        wire(clock=clock)


@pytest.mark.parametrize("log", ["x", 5, True], ids=repr)
def test_a_log_that_takes_no_lines_is_told_at_start(log):
    for wire in (Authorizer, partial(Authorizer.with_settings, settings=Settings())):
        with pytest.raises(ConfigError, match=r"log is .*, expected log\(level, event"):
            wire(VERIFIER, log=log)


@pytest.mark.parametrize("settings", [None, {}, Settings, "401"], ids=repr)
def test_settings_that_are_none_are_told_at_start(settings):
    with pytest.raises(ConfigError, match=r"settings is .*, expected Settings\(") as caught:
        Authorizer.with_settings(VERIFIER, settings)
    assert caught.value.code == "authorizer"
