"""CloudWatch's embedded metric format, read as its specification says."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from tests.handlers.support import NOW, Recorder

from kmsjwt.errors import CannotKnow, ConfigError
from kmsjwt.handlers import authorizer, issue
from kmsjwt.local import LocalKms
from kmsjwt.rules import Rule, Rules
from kmsjwt.testing import events
from kmsjwt.web import with_metrics

UNITS = {"Count", "Milliseconds"}


def metrics_of(line) -> Any:
    """Return metric values by name and dimension set, or fail where CloudWatch would.

    CloudWatch user guide, "Specification: Embedded metric format".
    """
    root = json.loads(json.dumps(line))
    metadata = root["_aws"]
    assert set(metadata) == {"Timestamp", "CloudWatchMetrics"}
    assert type(metadata["Timestamp"]) is int
    assert abs(metadata["Timestamp"] - NOW * 1_000) <= 1_000
    found: dict[tuple[str, ...], Any] = {}
    assert metadata["CloudWatchMetrics"]
    for directive in metadata["CloudWatchMetrics"]:
        assert set(directive) <= {"Namespace", "Dimensions", "Metrics"}
        assert 1 <= len(directive["Namespace"]) <= 1_024
        assert isinstance(directive["Namespace"], str)
        assert directive["Dimensions"]
        for dimensions in directive["Dimensions"]:
            assert isinstance(dimensions, list)
            assert len(dimensions) <= 30
            assert len(set(dimensions)) == len(dimensions)
            for name in dimensions:
                assert 1 <= len(name) <= 250
                assert isinstance(root[name], str)
                assert 1 <= len(root[name]) <= 1_024
                assert root[name].isascii()
        assert 1 <= len(directive["Metrics"]) <= 100
        for metric in directive["Metrics"]:
            assert set(metric) <= {"Name", "Unit", "StorageResolution"}
            assert metric["Unit"] in UNITS
            value = root[metric["Name"]]
            assert type(value) in (int, float)
            for dimensions in directive["Dimensions"]:
                key = (metric["Name"], *(root[name] for name in dimensions))
                assert key not in found
                found[key] = value
    return found


@pytest.fixture
def token(environ, kms, clock) -> Any:
    function = issue.build(environ=environ, client=kms, log=Recorder(), clock=clock)
    return function({"sub": "ala"})["access_token"]


@pytest.fixture
def lines(environ, kms, clock) -> Any:
    """Return a function that asks an authorizer and returns the lines of the decision."""

    def asked(event, given=None, client=None, **settings) -> list[dict[str, Any]]:
        log = Recorder()
        function = authorizer.build(
            environ={**environ, **settings},
            client=client or kms,
            log=log,
            clock=clock,
            **(given or {}),
        )
        log.lines.clear()
        with suppress(authorizer.Unauthorized, ConfigError, CannotKnow, KeyError):
            function(event)
        return log.lines

    return asked


def rest(token, path="/orders") -> Any:
    return events.rest_token("GET", path, authorization=f"Bearer {token}")


def closed(header, claims) -> Any:
    raise authorizer.Forbidden("closed", code="tenant_closed")


def broken(header, claims) -> Any:
    raise KeyError("tenant")


def odd(header, claims) -> Any:
    return "yes"


RULES = Rules(Rule("GET /orders"))
CASES: dict[str, tuple[str, str, dict[str, Any], dict[str, str], str]] = {
    # decision, reason, build's arguments, settings, path
    "allow": ("allow", "ok", {}, {}, "/"),
    "allowed by rule": ("allow", "ok", {"rules": RULES}, {}, "/orders"),
    "no rule": ("deny", "no_rule", {"rules": RULES}, {}, "/x"),
    "forbidden": ("deny", "tenant_closed", {"check": closed}, {}, "/"),
    "refused": ("unauthorized", "wrong_audience", {}, {"KMSJWT_AUDIENCE": "billing"}, "/"),
    "refused and denied": (
        "deny",
        "wrong_audience",
        {},
        {"KMSJWT_AUDIENCE": "billing", "KMSJWT_ON_INVALID": "deny"},
        "/",
    ),
    "another's error": ("error", "unexpected_error", {"check": broken}, {}, "/"),
    "our error": ("error", "check_answer", {"check": odd}, {}, "/"),
}


@pytest.mark.parametrize("name", ["", "authorizer-prod"], ids=["unnamed", "named"])
@pytest.mark.parametrize(
    ("decision", "reason", "given", "settings", "path"), CASES.values(), ids=CASES
)
def test_each_decision_is_counted_once_by_its_reason(
    lines, token, name, decision, reason, given, settings, path
):
    function = {"AWS_LAMBDA_FUNCTION_NAME": name} if name else {}
    (line,) = lines(rest(token, path), given, **settings, **function, KMSJWT_METRICS="emf")
    found = metrics_of(line)
    by = (name,) if name else ()
    assert found == {
        ("decisions", *by, decision): 1,
        ("decisions", *by, decision, reason): 1,
        ("duration_ms", *by, decision): line["duration_ms"],
        ("duration_ms", *by, decision, reason): line["duration_ms"],
    }
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "kmsjwt"


@pytest.mark.parametrize(
    ("decision", "reason", "given", "settings", "path"), CASES.values(), ids=CASES
)
@pytest.mark.parametrize("setting", ["", " ", "off"])
def test_off_by_default_and_else_the_same_line(
    lines, token, setting, decision, reason, given, settings, path
):
    (without,) = lines(rest(token, path), given, **settings, KMSJWT_METRICS=setting)
    (line,) = lines(rest(token, path), given, **settings, KMSJWT_METRICS="emf")
    assert (without["decision"], without["reason"]) == (decision, reason)
    added = {name: line.pop(name) for name in ("_aws", "decisions")}
    assert added["decisions"] == 1
    assert line == without


@pytest.mark.parametrize("text", ["EMF", "on", "1", "true", "emf,off", "statsd"])
def test_other_values_are_refused(environ, kms, text):
    with pytest.raises(ConfigError, match=r"KMSJWT_METRICS is .* expected emf or off"):
        authorizer.build(environ={**environ, "KMSJWT_METRICS": text}, client=kms)


STRANGE = {
    "no event": None,
    "an event of no kind": {"Records": [1]},
    "no token": events.rest_request("GET", "/"),
    "no API": {"type": "TOKEN", "methodArn": "arn", "authorizationToken": "x"},
    "AppSync": {"authorizationToken": "x.y.z", "requestContext": {"apiId": "abc123"}},
}


@pytest.mark.parametrize("event", STRANGE.values(), ids=STRANGE)
def test_strange_events_are_counted_too(lines, event):
    (line,) = lines(event, {"rules": RULES}, KMSJWT_METRICS="emf")
    found = metrics_of(line)
    assert found["decisions", line["decision"], line["reason"]] == 1


def test_rules_without_routes_are_counted_as_an_error(lines, token):
    event = {"authorizationToken": token, "requestContext": {"apiId": "abc123"}}
    (line,) = lines(event, {"rules": RULES}, KMSJWT_METRICS="emf")
    assert metrics_of(line)["decisions", "error", "rules_without_routes"] == 1


def test_kms_trouble_is_counted_as_an_error(lines, environ):
    kms = LocalKms()
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    sign = issue.build(environ={**environ, "KMSJWT_KEY": key}, client=kms, log=Recorder(),
                       clock=lambda: NOW)  # fmt: skip
    token = sign({"sub": "ala"})["access_token"]
    with kms.faults.add("GetPublicKey", kind="access_denied", times=None):
        (line,) = lines(rest(token), client=kms, KMSJWT_KEY=key, KMSJWT_METRICS="emf")
    assert metrics_of(line)["decisions", "error", "kms_access_denied"] == 1


def test_the_start_line_is_no_metric(environ, kms, log):
    authorizer.build(environ={**environ, "KMSJWT_METRICS": "emf"}, client=kms, log=log)
    (line,) = log.lines
    assert line["event"] == "start"
    assert "_aws" not in line
    assert line["function"] == "authorizer"


def test_a_line_that_tells_no_decision_goes_through_as_it_is(log):
    with_metrics(log, function="a")("WARN", "jwks_fetch_failed", code="jwks_status", keys_kept=1)

    told = {"event": "jwks_fetch_failed", "code": "jwks_status", "keys_kept": 1}
    assert log.last == {"level": "WARN", **told}


def test_as_printed_it_is_one_line_of_json(environ, kms, clock, token, capsys):
    function = authorizer.build(
        environ={**environ, "KMSJWT_METRICS": "emf", "AWS_LAMBDA_FUNCTION_NAME": "a"},
        client=kms,
        clock=clock,
    )
    function(rest(token))
    start, decision = capsys.readouterr().out.splitlines()
    assert "_aws" not in json.loads(start)
    assert metrics_of(json.loads(decision))["decisions", "a", "allow", "ok"] == 1
    assert len(decision.encode()) < 2_000  # CloudWatch takes far more
    assert not any(part in decision for part in token.split("."))
