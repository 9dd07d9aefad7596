"""A guard by the environment: the same keys, rules and metrics as an authorizer's, within."""

from __future__ import annotations

from typing import Any

import pytest
from tests.handlers.support import Recorder
from tests.handlers.test_handlers_metrics import metrics_of

from kmsjwt.errors import ConfigError
from kmsjwt.handlers import authorizer, issue
from kmsjwt.rules import Rule, Rules
from kmsjwt.web import Guard, Refused, with_metrics

RULES = '[[rule]]\nroute = "GET /orders/*"\nscope = "read"\n'


@pytest.fixture
def header(environ, kms, clock) -> Any:
    function = issue.build(environ=environ, client=kms, log=Recorder(), clock=clock)
    asked = {"sub": "ala", "claims": {"scope": "read"}}
    return {"authorization": f"Bearer {function(asked)['access_token']}"}


@pytest.fixture
def guard(environ, kms, log, clock) -> Any:
    def made(given=None, **settings) -> Guard:
        told = {**environ, **settings}
        return Guard(
            **authorizer.for_guard(environ=told, client=kms, log=log, clock=clock, **(given or {}))
        )

    return made


def closed(header, claims) -> Any:
    return False


def test_keys_issuer_and_rules_are_the_environments(guard, header, log, tmp_path):
    (tmp_path / "rules.toml").write_text(RULES)
    made = guard(KMSJWT_RULES=str(tmp_path / "rules.toml"))

    assert (log.last["function"], log.last["rules"]) == ("guard", str(tmp_path / "rules.toml"))
    assert made.check("GET", "/orders/1", {"headers": header}).claims["sub"] == "ala"
    with pytest.raises(Refused) as refused:
        made.check("GET", "/users", {"headers": header})
    assert (refused.value.status, log.last["reason"]) == (403, "no_rule")


def test_the_place_of_the_token_and_a_check_of_ones_own(guard, header):
    made = guard({"check": closed}, KMSJWT_TOKEN_FROM="header:X-Token")
    token = header["authorization"].removeprefix("Bearer ")

    with pytest.raises(Refused) as refused:
        made.check("GET", "/", {"headers": {"x-token": token}})
    assert refused.value.status == 403


def test_rules_too_many_for_a_policy_are_none_too_many_for_a_guard(guard, header):
    rules = Rules(*(Rule(f"GET /{n:020d}") for n in range(200)))
    with pytest.raises(ConfigError):
        authorizer.build(rules=rules, environ={})
    made = guard({"rules": rules})

    assert made.check("GET", f"/{7:020d}", {"headers": header})


def test_every_fault_is_told_at_once(guard):
    with pytest.raises(ConfigError) as caught:
        guard(KMSJWT_TOKEN_FROM="body:x", KMSJWT_ISSUER="", KMSJWT_RULES="nowhere.toml")
    for name in ("KMSJWT_TOKEN_FROM is", "KMSJWT_ISSUER is unset", "KMSJWT_RULES: the rules file"):
        assert name in str(caught.value)


@pytest.mark.parametrize("function", ["", "orders"], ids=["unnamed", "named"])
def test_a_guards_decisions_are_counted_as_an_authorizers(guard, header, log, function):
    made = guard(
        KMSJWT_METRICS="emf", **({"AWS_LAMBDA_FUNCTION_NAME": function} if function else {})
    )
    made.check("GET", "/", {"headers": header})
    by = (function,) * bool(function)

    found = metrics_of(log.last)
    assert found["decisions", *by, "allow"] == found["decisions", *by, "allow", "ok"] == 1
    with pytest.raises(Refused):
        made.check("GET", "/", {"headers": {}})
    assert metrics_of(log.last)["decisions", *by, "unauthorized", "no_token"] == 1


@pytest.mark.parametrize("name", [None, "orders"])
def test_metrics_of_a_guard_made_by_hand(guard, header, environ, kms, clock, monkeypatch, name):
    """The function's own name, as Lambda has it in the process's environment."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "a-function")
    log = Recorder()
    told = authorizer.for_guard(environ=environ, client=kms, log=log, clock=clock)
    told["log"] = with_metrics(log, function=name, clock=clock)
    Guard(**told).check("GET", "/", {"headers": header})

    assert metrics_of(log.last)["decisions", name or "a-function", "allow"] == 1


def test_what_only_a_gateways_answer_has_is_let_be(guard, header, log):
    made = guard(KMSJWT_RESPONSE="xml", KMSJWT_CACHE_TTL="5h", KMSJWT_ON_INVALID="403")

    assert (log.last["token_from"], log.last["cache_ttl"]) == ("header:Authorization", None)
    assert made.check("GET", "/", {"headers": header})


def test_rules_are_in_a_file_or_in_code_but_not_both(guard, header, log, tmp_path):
    (tmp_path / "rules.toml").write_text(RULES)
    with pytest.raises(ConfigError, match="KMSJWT_RULES is set and rules= is passed"):
        guard({"rules": Rules(Rule("GET /"))}, KMSJWT_RULES=str(tmp_path / "rules.toml"))

    made = guard({"rules": Rules(Rule("GET /"))})
    assert log.last["rules"] == "in code"
    assert made.check("GET", "/", {"headers": header})
