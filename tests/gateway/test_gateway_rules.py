"""Rules from event to answer: what one answer allows is what deciding each request would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.minting import NOW, Recorder
from tests.gateway.ruling import VERIFIER, allowed_of, allows, arn_of, bearer, decided
from tests.gateway.shapes import ROUTED, event_of, routed_event
from tests.gateway.trusting import Trusting

from kmsjwt.errors import ConfigError
from kmsjwt.gateway import Authorizer
from kmsjwt.rules import Rule, Rules, any_of, claim, scope

RULES = Rules(
    Rule("GET /orders/*", scope("orders:read")),
    Rule("POST /orders", scope("orders:write")),
    Rule("DELETE /orders/*", any_of(scope("orders:admin"), claim("roles").contains("admin"))),
    Rule("/orders/internal", claim("roles").contains("staff")),
    Rule("/users/{sub}/*"),
    Rule("/users/{sub}/keys", claim("mfa").equals(value=True)),
    Rule("GET /open"),
    Rule("$connect", scope("live")),
)
REQUESTS = (
    ("GET", "/orders/1"),
    ("GET", "/orders/"),
    ("GET", "/orders"),
    ("POST", "/orders"),
    ("DELETE", "/orders/1/lines/2"),
    ("GET", "/orders/internal"),
    ("PUT", "/orders/internal"),
    ("GET", "/users/ala/x/y"),
    ("PATCH", "/users/ala/keys"),
    ("GET", "/users/bob/x"),
    ("GET", "/users/ala"),
    ("GET", "/open"),
    ("POST", "/open"),
    ("GET", "/open/"),
    ("GET", "/nowhere"),
    ("GET", "/users/*/x"),
)
# Worked out by hand from the rules above, never by asking them.
OPEN = {("GET", "/open")}
OWN = OPEN | {("GET", "/users/ala/x/y")}
WHO: dict[str, tuple[dict[str, Any], set[tuple[str, str]]]] = {
    "nobody": ({"sub": None}, OPEN),
    "ala": ({"sub": "ala"}, OWN),
    "a reader": (
        {"sub": "ala", "scope": "orders:read"},
        OWN | {("GET", "/orders/1"), ("GET", "/orders/")},
    ),
    "a writer": ({"sub": "ala", "scope": "x orders:write"}, OWN | {("POST", "/orders")}),
    "an admin by scope": (
        {"sub": "ala", "scope": "orders:admin"},
        OWN | {("DELETE", "/orders/1/lines/2")},
    ),
    "an admin by role": (
        {"sub": "ala", "roles": ["admin"]},
        OWN | {("DELETE", "/orders/1/lines/2")},
    ),
    "a text that has the role in it": ({"sub": "ala", "roles": "admin"}, OWN),
    "staff": (
        {"sub": "ala", "roles": ["staff"]},
        OWN | {("GET", "/orders/internal"), ("PUT", "/orders/internal")},
    ),
    "ala with a second factor": ({"sub": "ala", "mfa": True}, OWN | {("PATCH", "/users/ala/keys")}),
    "1 is not true": ({"sub": "ala", "mfa": 1}, OWN),
    "bob": ({"sub": "bob"}, OPEN | {("GET", "/users/bob/x")}),
    "a wildcard for a name": ({"sub": "*"}, OPEN),
    "a question mark for a name": ({"sub": "al?"}, OPEN),
    "a variable for a name": ({"sub": "${*}"}, OPEN),
    "a path for a name": ({"sub": "ala/x"}, OPEN),
    "dots for a name": ({"sub": ".."}, OPEN),
    "a colon in a name": ({"sub": "urn:ala"}, OPEN),
    "a name too long": ({"sub": "a" * 129}, OPEN),
}


@pytest.mark.parametrize("kind", ROUTED)
@pytest.mark.parametrize(("claims", "expected"), WHO.values(), ids=WHO)
def test_whichever_request_was_asked_about_the_policy_is_right_for_each(kind, claims, expected):
    asked = [routed_event(kind, *request, bearer(claims)) for request in REQUESTS]
    decisions = [decided(event, RULES) for event in asked]
    kept = decisions[0][0]
    verdicts = zip(REQUESTS, allowed_of(kept, map(arn_of, asked)), strict=True)
    assert {request for request, passes in verdicts if passes} == expected
    for (answer, line), request in zip(decisions, REQUESTS, strict=True):
        assert answer == kept
        assert line["decision"] == ("allow" if request in expected else "deny")
        assert line["level"] == "INFO"


@pytest.mark.parametrize(("claims", "expected"), WHO.values(), ids=WHO)
def test_simple_answers_that_are_not_kept_follow_the_same_rules(claims, expected):
    for request in REQUESTS:
        event = routed_event("http_api_v2", *request, bearer(claims))
        answer, _ = decided(event, RULES, response="simple", cache_ttl=0)
        assert answer["isAuthorized"] is (request in expected)


@pytest.mark.parametrize(
    ("claims", "allowed", "reason"),
    [({"scope": "live"}, True, "ok"), ({"scope": "orders:read"}, False, "rule_unmet")],
)
def test_a_websocket_is_let_in_by_its_own_rule(claims, allowed, reason):
    event = event_of("websocket", bearer(claims))
    answer, line = decided(event, RULES)
    assert (allows(answer, arn_of(event)), line["reason"]) == (allowed, reason)
    assert not allows(answer, arn_of(event).replace("$connect", "sendmessage"))


def test_rules_for_other_routes_keep_a_websocket_out():
    event = event_of("websocket", bearer({}))
    answer, line = decided(event, rules=Rules(Rule("/*")))
    assert (allows(answer, arn_of(event)), line["reason"]) == (False, "no_rule")


REASONS = {
    "allowed": ({"scope": "orders:read"}, "GET", "/orders/1", "allow", "ok"),
    "unmet": ({}, "GET", "/orders/1", "deny", "rule_unmet"),
    "unnamed": ({}, "GET", "/nowhere", "deny", "no_rule"),
    "unnamed method": ({}, "TRACE", "/open", "deny", "no_rule"),
    "method in lower case": ({}, "get", "/open", "deny", "no_rule"),
    "another's": ({"sub": "ala"}, "GET", "/users/bob/x", "deny", "no_rule"),
}


@pytest.mark.parametrize("kind", ROUTED)
@pytest.mark.parametrize(
    ("claims", "method", "path", "decision", "reason"), REASONS.values(), ids=REASONS
)
def test_what_the_log_says_of_a_ruling(kind, claims, method, path, decision, reason):
    _, line = decided(routed_event(kind, method, path, bearer(claims)), RULES)
    assert (line["decision"], line["reason"]) == (decision, reason)
    assert (line["kid"], line["jti"]) == ("key-1", "jti-1")
    assert (line["message"] is None) == (decision == "allow")


@pytest.mark.parametrize("kind", [*ROUTED, "websocket"])
@pytest.mark.parametrize(
    "rules",
    [
        Rules(require=scope("api")),
        Rules(Rule("/*"), Rule("$connect"), require=scope("api")),
    ],
    ids=["alone", "with routes"],
)
def test_what_every_token_needs(kind, rules):
    event = event_of(kind, bearer({"scope": "api"}))
    answer, line = decided(event, rules=rules)
    assert (allows(answer, arn_of(event)), line["reason"]) == (True, "ok")

    answer, line = decided(event_of(kind, bearer({"scope": "apis"})), rules=rules)
    assert line["reason"] == "require_unmet"
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert not allows(answer, arn_of(event))
    assert "context" not in answer


def test_without_rules_any_valid_token_may_use_everything():
    for kind in ROUTED:
        answer, _ = decided(routed_event(kind, "TRACE", "/x", bearer({})), rules=None)
        assert allows(answer, arn_of(routed_event(kind, "GET", "/else", "x")))


def test_the_backend_is_told_though_this_very_request_is_refused():
    """The gateway keeps the answer for routes that are allowed, and these need the context."""
    answer, line = decided(
        routed_event("rest_token", "GET", "/nowhere", bearer({"sub": "ala"})), RULES
    )
    assert line["decision"] == "deny"
    assert answer["context"]["sub"] == "ala"
    assert answer["principalId"] == "ala"


@pytest.mark.parametrize("kind", ROUTED)
def test_a_policy_never_names_more_than_its_own_stage(kind):
    event = routed_event(kind, "GET", "/orders/1", bearer({"scope": "orders:read"}))
    answer, _ = decided(event, RULES)
    stage = "/".join(arn_of(event).split("/")[:2]) + "/"
    for statement in answer["policyDocument"]["Statement"]:
        assert all(resource.startswith(stage) for resource in statement["Resource"])
    assert not allows(answer, arn_of(event).replace(stage, stage.replace("/prod", "/test")[:-1]))


# Random rules, tokens and pairs of requests.

SEGMENTS = ("a", "b", "ala", "{sub}", "{client_id}")
NAMES = ("a", "b", "ala", "*", "?", "${*}", "a/b", "..", "A", "", 7, True, "x" * 129, "a:b")
route = st.builds(
    lambda method, parts, is_open: (
        method + "/" + "/".join([*parts, "*"] if is_open else parts) if parts or is_open else "/"
    ),
    st.sampled_from(["", "", "GET ", "POST ", "OPTIONS "]),
    st.lists(st.sampled_from(SEGMENTS), max_size=3),
    st.booleans(),
)
need = st.sampled_from([(), (scope("r"),), (scope("w"),), (claim("n").equals(1),)])
request = st.tuples(
    st.sampled_from(["GET", "POST", "OPTIONS", "DELETE", "get", "*", "TRACE"]),
    st.lists(
        st.sampled_from(["a", "b", "ala", "*", "?", "7", "..", "", "${*}", "a:b", "x", "A", "\n"]),
        min_size=1,
        max_size=4,
    ).map(lambda parts: "/" + "/".join(parts)),
)
claims_made = st.fixed_dictionaries(
    {"scope": st.sampled_from(["", "r", "w", "r w"]), "n": st.sampled_from([1, True, "1"])},
    optional={"sub": st.sampled_from(NAMES), "client_id": st.sampled_from(NAMES)},
)


@st.composite
def rule_sets(draw) -> Any:
    """Return rules: of the drawn ones all that can stand beside those before them."""
    kept: list[Rule] = []
    for text, needs in draw(st.lists(st.tuples(route, need), min_size=1, max_size=6)):
        try:
            Authorizer(VERIFIER, rules=Rules(*kept, Rule(text, *needs)))  # may be too long
        except ConfigError:
            continue
        kept.append(Rule(text, *needs))
    require = draw(st.sampled_from([None, None, None, scope("r")])) if kept else scope("r")
    return Rules(*kept, require=require)


def sound(claims) -> Any:
    """Leave out what no verified token has: sub and client_id are text, not empty."""
    given = {"sub": None, **claims}
    for name in ("sub", "client_id"):
        if not isinstance(given.get(name), str) or not given[name]:
            given[name] = None
    return given


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(ROUTED),
    rules=rule_sets(),
    claims=claims_made,
    pairs=st.lists(st.tuples(request, request), min_size=1, max_size=8),
)
def test_an_answer_kept_from_one_request_is_right_for_another(kind, rules, claims, pairs):
    authorizer = Authorizer(Trusting(claims), rules=rules, log=Recorder(), clock=lambda: NOW)
    for first, second in pairs:
        kept = authorizer(routed_event(kind, first[0], first[1], "Bearer x"))
        event = routed_event(kind, second[0], second[1], "Bearer x")
        log = Recorder()
        Authorizer(Trusting(claims), rules=rules, log=log, clock=lambda: NOW)(event)
        assert allows(kept, arn_of(event)) == (log.last["decision"] == "allow")
        bounds_of(kept, arn_of(event))


@settings(max_examples=25, deadline=None)
@given(rules=rule_sets(), claims=claims_made, first=request, second=request)
def test_so_it_is_with_signed_tokens(rules, claims, first, second):
    header = bearer(sound(claims))
    kept, _ = decided(routed_event("rest_token", first[0], first[1], header), rules=rules)
    event = routed_event("rest_token", second[0], second[1], header)
    fresh, line = decided(event, rules=rules)
    assert allows(kept, arn_of(event)) == (line["decision"] == "allow")
    assert kept["policyDocument"] == fresh["policyDocument"]


def bounds_of(answer, arn) -> None:
    """Hold that each resource is of this stage, with at most one wildcard, and that last."""
    stage = "/".join(arn.split("/", 2)[:2]) + "/"
    for statement in answer["policyDocument"]["Statement"]:
        for resource in statement["Resource"]:
            rest = resource.removeprefix(stage)
            assert rest != resource
            assert "*" not in rest[:-1]
            assert rest == "*" or rest[-1] != "*" or rest.endswith("/*")
            assert "?" not in resource
            assert "${" not in resource
            assert len(resource) <= 512


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "rules of another type": ({"rules": ["GET /"]}, "rules is"),
    "a rule alone": ({"rules": Rule("GET /")}, "rules is"),
    "ttl negative": ({"cache_ttl": -1}, "cache_ttl is -1"),
    "ttl above an hour": ({"cache_ttl": 3_601}, "cache_ttl is 3601"),
    "ttl a float": ({"cache_ttl": 1.0}, "cache_ttl is"),
    "ttl true": ({"cache_ttl": True}, "cache_ttl is"),
    "ttl text": ({"cache_ttl": "300"}, "cache_ttl is"),
    "usage claim empty": ({"usage_claim": ""}, "usage_claim is"),
    "usage claim no text": ({"usage_claim": 5}, "usage_claim is"),
    "place": ({"token_from": "body:x"}, "token_from is"),
    "place no text": ({"token_from": None}, "token_from is"),
}


@pytest.mark.parametrize(("setting", "named"), SETTINGS.values(), ids=SETTINGS)
def test_settings_that_make_no_sense(setting, named):
    with pytest.raises(ConfigError) as caught:
        Authorizer(VERIFIER, **setting)
    assert caught.value.code == "authorizer"
    assert named in str(caught.value)


def test_every_new_setting_that_makes_no_sense_is_named_at_once():
    wrong: dict[str, Any] = {"rules": "x", "usage_claim": "", "token_from": "x", "on_invalid": "x"}
    with pytest.raises(ConfigError) as caught:
        Authorizer(VERIFIER, **wrong)
    for name in ("rules is", "usage_claim", "token_from is", "on_invalid"):
        assert name in str(caught.value)


def test_a_wrong_ttl_does_not_hide_wrong_rules():
    wrong: dict[str, Any] = {"rules": "x", "cache_ttl": -1}
    with pytest.raises(ConfigError, match="rules is") as caught:
        Authorizer(VERIFIER, **wrong)
    assert "cache_ttl is" in str(caught.value)


def test_a_usage_key_is_a_rest_api_s_alone():
    header = bearer({"plan": "key-of-a-plan"})
    for kind in (*ROUTED, "websocket"):
        answer, _ = decided(event_of(kind, header), rules=None, usage_claim="plan")
        assert answer.get("usageIdentifierKey") == (
            "key-of-a-plan" if kind.startswith("rest") else None
        )


@pytest.mark.parametrize("plan", [None, "", 5, True, ["k"], {"k": 1}], ids=repr)
def test_a_usage_key_that_is_no_text_is_left_out(plan):
    event = event_of("rest_token", bearer({"plan": plan}))
    assert "usageIdentifierKey" not in decided(event, rules=None, usage_claim="plan")[0]


def test_who_has_no_good_token_has_no_usage_key():
    """Where it is denied rather than told by an exception."""
    event = event_of("rest_token", "Bearer x")
    answer, _ = decided(event, rules=None, usage_claim="plan", on_invalid="deny")
    assert [each["Effect"] for each in answer["policyDocument"]["Statement"]] == ["Deny"]
    assert "usageIdentifierKey" not in answer


def test_a_usage_key_too_large_is_a_failure_and_not_cut():
    event = event_of("rest_token", bearer({"plan": "k" * 8_100}))
    with pytest.raises(ConfigError) as caught:
        decided(event, rules=None, usage_claim="plan", context=())
    assert caught.value.code == "answer_too_large"
