"""The authorizer function's newer settings: rules, the token's place, cache time, context."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.handlers.support import NOW

from kmsjwt.errors import ConfigError
from kmsjwt.handlers import authorizer, issue
from kmsjwt.rules import Rule, Rules, scope
from kmsjwt.testing import Gateway, events

FILE = """
[[rule]]
route = "GET /orders/*"
scope = "read"

[[rule]]
route = "/users/{sub}/*"

[[rule]]
route = "$connect"
"""


@pytest.fixture
def rules_file(tmp_path) -> Any:
    def written(text=FILE) -> str:
        path = tmp_path / "rules.toml"
        path.write_text(text)
        return str(path)

    return written


@pytest.fixture
def token(environ, kms, log, clock) -> Any:
    function = issue.build(environ=environ, client=kms, log=log, clock=clock)
    return function({"sub": "ala", "claims": {"tenant": "t1", "scope": "read", "plan": "p-1"}})[
        "access_token"
    ]


@pytest.fixture
def build(environ, kms, log, clock) -> Any:
    def built(given=None, **settings) -> Any:
        return authorizer.build(
            environ={**environ, **settings},
            client=kms,
            log=log,
            clock=clock,
            **(given or {}),
        )

    return built


def fault(build, given=None, **settings) -> str:
    with pytest.raises(ConfigError) as caught:
        build(given, **settings)
    assert caught.value.code == "environment"
    return str(caught.value)


def bearer(token) -> Any:
    return {"Authorization": f"Bearer {token}"}


ROUTES = [
    ("GET", "/orders/1", 200),
    ("GET", "/orders", 403),
    ("POST", "/orders/1", 403),
    ("PUT", "/users/ala/x", 200),
    ("PUT", "/users/bob/x", 403),
]


@pytest.mark.parametrize("kind", ["rest_token", "rest_request", "http_api_v1", "http_api_v2"])
def test_a_file_of_rules_is_kept_to_with_the_gateway_s_cache_on(build, token, rules_file, kind):
    gateway = Gateway(build(KMSJWT_RULES=rules_file()), kind=kind, clock=lambda: NOW)
    for routes in (ROUTES, ROUTES[::-1]):
        for method, path, status in routes:
            assert gateway.request(method, path, headers=bearer(token)).status == status
        gateway.flush()


def test_rules_in_code_are_the_same(build, token):
    rules = Rules(Rule("GET /orders/*", scope("read")))
    gateway = Gateway(build({"rules": rules}), clock=lambda: NOW)
    assert gateway.request("GET", "/orders/1", headers=bearer(token)).status == 200
    assert gateway.request("GET", "/else", headers=bearer(token)).status == 403


def test_rules_both_in_code_and_in_a_file(build, rules_file):
    message = fault(build, {"rules": Rules(Rule("/a"))}, KMSJWT_RULES=rules_file())
    assert "KMSJWT_RULES is set and rules= is passed, expected one" in message


def test_a_file_that_is_not_there(build, tmp_path):
    missing = str(tmp_path / "nowhere.toml")
    assert "cannot be read" in fault(build, KMSJWT_RULES=missing)


def test_every_fault_of_the_file_and_of_the_environment_at_once(build, rules_file):
    text = FILE + '\n[[rule]]\nroute = "FETCH /x"\n\n[[rule]]\nroute = "/a/*/b"\n'
    message = fault(
        build,
        KMSJWT_RULES=rules_file(text),
        KMSJWT_TOKEN_FROM="body:x",
        KMSJWT_CACHE_TTL="2h",
        KMSJWT_METRICS="statsd",
        KMSJWT_RESPONSE="plain",
        KMSJWT_ON_INVALID="403",
    )
    for part in (
        "line 13",
        "line 16",
        "FETCH",
        "KMSJWT_TOKEN_FROM is 'body:x'",
        "KMSJWT_CACHE_TTL is 7200, expected 0 to 3600 seconds",
        "KMSJWT_METRICS is 'statsd', expected emf or off",
        "KMSJWT_RESPONSE is 'plain'",
        "KMSJWT_ON_INVALID is '403'",
    ):
        assert part in message


@pytest.mark.parametrize(
    "text",
    ["-1", "ten", "1.5", "5 m", "3601", "61m", "1d", "PT2H", "null", "300,", "٣"],
)
def test_cache_times_that_no_gateway_has(build, text):
    assert "KMSJWT_CACHE_TTL is" in fault(build, KMSJWT_CACHE_TTL=text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("300", 300),
        ("5m", 300),
        ("PT5M", 300),
        ("1h", 3_600),
        ("3600", 3_600),
        (" ", None),
    ],
)
def test_cache_times_in_any_spelling(build, log, text, seconds):
    build(KMSJWT_CACHE_TTL=text)
    assert log.last["cache_ttl"] == seconds


@pytest.mark.parametrize("text", ["body:x", "header:", "Header:X", "x", "cookie:a b", "query:"])
def test_places_that_are_none(build, text):
    message = fault(build, KMSJWT_TOKEN_FROM=text)
    assert "KMSJWT_TOKEN_FROM" in message
    assert "expected header:NAME, query:NAME, cookie:NAME or subprotocol:NAME" in message


def test_the_token_is_read_from_the_place_alone(build, token, log):
    check = build(KMSJWT_TOKEN_FROM="header:X-Token")
    assert log.last["token_from"] == "header:X-Token"
    event = events.rest_request("GET", "/", headers={"x-token": token})
    assert check(event)["principalId"] == "ala"
    with pytest.raises(authorizer.Unauthorized):
        check(events.rest_request("GET", "/", headers=bearer(token)))
    assert log.last["reason"] == "no_token"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tenant", {"tenant": "t1"}),
        ("tenant scope", {"tenant": "t1", "scope": "read"}),
        ("tenant, scope,tenant", {"tenant": "t1", "scope": "read"}),
        ("nothing tenant", {"tenant": "t1"}),
    ],
)
def test_the_context_is_named_in_the_environment(build, token, text, expected):
    check = build(KMSJWT_CONTEXT=text)
    event = events.rest_token("GET", "/", authorization=f"Bearer {token}")
    assert check(event)["context"] == expected


def test_context_both_passed_and_set(build):
    message = fault(build, {"context": ("sub",)}, KMSJWT_CONTEXT="tenant")
    assert "KMSJWT_CONTEXT is set and context= is passed" in message


def test_who_asks_for_no_context_gets_none(build, token):
    check = build({"context": ()})
    event = events.rest_token("GET", "/", authorization=f"Bearer {token}")
    assert "context" not in check(event)


def test_the_reserved_name_is_refused_at_start(build):
    with pytest.raises(ConfigError, match="'claims', which API Gateway keeps for itself"):
        build(KMSJWT_CONTEXT="sub claims")


def test_what_the_authorizer_refuses_is_told_beside_the_other_faults(build, rules_file):
    message = fault(
        build,
        KMSJWT_RULES=rules_file(),
        KMSJWT_RESPONSE="simple",
        KMSJWT_CONTEXT="claims",
        KMSJWT_METRICS="statsd",
    )
    for part in ("KMSJWT_METRICS", "finer than route keys", "'claims', which API Gateway keeps"):
        assert part in message


def test_the_usage_claim_is_a_setting(build, token):
    event = events.rest_token("GET", "/", authorization=f"Bearer {token}")
    assert build(KMSJWT_USAGE_CLAIM="plan")(event)["usageIdentifierKey"] == "p-1"
    assert "usageIdentifierKey" not in build(KMSJWT_USAGE_CLAIM="no")(event)
    assert "usageIdentifierKey" not in build()(event)


def test_simple_answers_and_finer_rules_do_not_start_unless_nothing_is_kept(build, rules_file):
    settings = {"KMSJWT_RULES": rules_file(), "KMSJWT_RESPONSE": "simple"}
    for ttl in ("", "300"):
        with pytest.raises(ConfigError, match="finer than route keys"):
            build(**settings, KMSJWT_CACHE_TTL=ttl)
    build(**settings, KMSJWT_CACHE_TTL="0")


def test_rules_too_many_for_any_policy_do_not_start(build, rules_file):
    many = "\n".join(f'[[rule]]\nroute = "/{n:060d}"\n' for n in range(60))
    with pytest.raises(ConfigError, match=r"at least [0-9,]+ bytes"):
        build(KMSJWT_RULES=rules_file(many))


# The line that is written at start.

OVERRUN = "an expired token is let in for up to"
SIMPLE = "$context.routeKey"
WARNINGS: list[Any] = [
    # settings, parts of the warnings
    ({}, ()),
    ({"KMSJWT_CACHE_TTL": "0"}, ()),
    ({"KMSJWT_CACHE_TTL": "225"}, ()),  # a quarter of 15 minutes
    ({"KMSJWT_CACHE_TTL": "226"}, (OVERRUN,)),
    ({"KMSJWT_CACHE_TTL": "300"}, (OVERRUN,)),
    ({"KMSJWT_CACHE_TTL": "300", "KMSJWT_LIFETIME": "20m"}, ()),
    ({"KMSJWT_CACHE_TTL": "301", "KMSJWT_LIFETIME": "20m"}, (OVERRUN,)),
    ({"KMSJWT_CACHE_TTL": "1h", "KMSJWT_LIFETIME": "1m"}, (OVERRUN,)),
    ({"KMSJWT_LIFETIME": "1m"}, ()),
    ({"KMSJWT_RESPONSE": "simple"}, (SIMPLE,)),
    ({"KMSJWT_RESPONSE": "simple", "KMSJWT_CACHE_TTL": "0"}, ()),
    ({"KMSJWT_RESPONSE": "simple", "KMSJWT_CACHE_TTL": "1h"}, (OVERRUN, SIMPLE)),
]


@pytest.mark.parametrize(("settings", "expected"), WARNINGS)
def test_what_the_start_line_warns_of(build, log, settings, expected):
    build({"rules": Rules(Rule("GET /orders"))}, **settings)
    (line,) = log.lines
    assert line["event"] == "start"
    warnings = line["warnings"] or []
    assert len(warnings) == len(expected)
    for part in expected:
        assert any(part in warning for warning in warnings)
    assert line["level"] == ("WARN" if expected else "INFO")


def test_simple_answers_by_the_token_alone_are_not_warned_of(build, log):
    for given in ({}, {"rules": Rules(require=scope("read"))}):
        build(given, KMSJWT_RESPONSE="simple")
        assert (log.last["warnings"], log.last["level"]) == (None, "INFO")


def test_the_start_line_tells_where_rules_and_token_come_from(build, log, rules_file):
    build()
    assert (log.last["rules"], log.last["token_from"]) == (None, "header:Authorization")
    build({"rules": Rules(Rule("GET /"))})
    assert log.last["rules"] == "in code"
    path = rules_file()
    build(KMSJWT_RULES=path, KMSJWT_TOKEN_FROM="cookie:session", KMSJWT_CACHE_TTL="1m")
    assert (log.last["rules"], log.last["token_from"]) == (path, "cookie:session")
    assert log.last["cache_ttl"] == 60


def test_the_principal_is_named_in_the_environment(build, token):
    check = build(KMSJWT_PRINCIPAL_CLAIM="tenant")
    event = events.rest_token("GET", "/", authorization=f"Bearer {token}")
    assert check(event)["principalId"] == "t1"


def test_the_principal_both_passed_and_set(build):
    message = fault(build, {"principal_claim": "sub"}, KMSJWT_PRINCIPAL_CLAIM="tenant")
    assert "KMSJWT_PRINCIPAL_CLAIM is set and principal_claim= is passed" in message


def some_rules(count, needs=(), route="GET /users/{{sub}}/{n:02d}") -> Rules:
    return Rules(*(Rule(route.format(n=n), *needs) for n in range(count)))


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (some_rules(50), []),
        (some_rules(54), ["a token that meets them all gets a policy of some 6,"]),
        (some_rules(70), ["meets them all gets a policy of some 8,"]),
        (some_rules(10, route="/users/{{sub}}/{n:02d}"), ["meets them all"]),
        (Rules(Rule("GET /*"), Rule("GET /users/{sub}", scope("x"))), []),
        (
            Rules(*(Rule(f"GET /{{sub}}/{n}", scope("x")) for n in range(30)), Rule("GET /*")),
            ["meets no requirement"],
        ),
    ],
    ids=["room", "near", "nearer", "seven methods", "few", "taken out"],
)
def test_rules_near_the_gateways_limit_are_warned_of(build, log, rules, told):
    """With claims of 36 characters; 8,192 bytes are all there is."""
    build({"rules": rules})
    warnings = log.last.get("warnings") or []

    assert len(warnings) == len(told)
    assert all(each in warning for each, warning in zip(told, warnings, strict=True))
    build({"rules": rules}, KMSJWT_RESPONSE="simple", KMSJWT_CACHE_TTL="0")
    assert not log.last.get("warnings")


def test_what_is_told_of_a_policys_size_is_near_its_real_one(build, log, environ, kms, clock):
    rules = some_rules(56)
    check = build({"rules": rules})
    (found,) = re.findall(r"some ([0-9,]+) bytes", log.last["warnings"][0])
    told = int(found.replace(",", ""))
    subject = "0f8fad5b-d9cb-469f-a165-70867728950e"
    token = issue.build(environ=environ, client=kms, log=log, clock=clock)({"sub": subject})
    answer = check(events.rest_token("GET", "/", authorization=f"Bearer {token['access_token']}"))

    real = len(json.dumps(answer["policyDocument"]))  # as it is sent
    assert abs(told - real) < 100
