"""Simple answers that a gateway keeps: never finer than what it keeps them by."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.ruling import VERIFIER, allows, arn_of, bearer, decided
from tests.gateway.shapes import routed_event
from tests.gateway.trusting import Trusting

from kmsjwt.errors import ConfigError
from kmsjwt.gateway import Authorizer
from kmsjwt.rules import Rule, Rules, claim, scope
from kmsjwt.testing import events

FINE = {
    "open path": "GET /orders/*",
    "claim": "/users/{sub}",
    "any path": "/*",
    "connect": "$connect",
}


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
@pytest.mark.parametrize("ttl", [None, 1, 300, 3_600])
def test_rules_finer_than_route_keys_and_simple_answers_that_are_kept(text, ttl):
    rules = Rules(Rule("GET /orders"), Rule(text))
    with pytest.raises(ConfigError, match="cache_ttl=0"):
        Authorizer(VERIFIER, rules=rules, response="simple", cache_ttl=ttl)
    Authorizer(VERIFIER, rules=rules, response="simple", cache_ttl=0)
    Authorizer(VERIFIER, rules=rules, response="iam", cache_ttl=ttl)


KEYED = Rules(
    Rule("GET /orders", scope("r")),
    Rule("/any", scope("w")),
    Rule("POST /both", scope("w")),
    Rule("/"),
)


def keyed(key, claims, path=None, sources=None) -> Any:
    method, _, named = key.partition(" ")
    event = routed_event(
        "http_api_v2",
        method if method.isalpha() and method != "ANY" else "GET",
        path or named or "/orders",
        bearer(claims),
    )
    event["routeKey"] = key
    event["requestContext"]["routeKey"] = key
    event["identitySource"] = [bearer(claims), key] if sources is None else sources
    return event


KEYS = {
    "met": ("GET /orders", {"scope": "r"}, True, "ok"),
    "unmet": ("GET /orders", {"scope": "w"}, False, "rule_unmet"),
    "another method": ("POST /orders", {"scope": "r"}, False, "no_rule"),
    "any, by a method": ("GET /any", {"scope": "w"}, True, "ok"),
    "any, by ANY": ("ANY /any", {"scope": "w"}, True, "ok"),
    "any, unmet": ("ANY /any", {"scope": "r"}, False, "rule_unmet"),
    "ANY, of which one method is named": ("ANY /both", {"scope": "w"}, False, "no_rule"),
    "ANY, of which GET is named": ("ANY /orders", {"scope": "r"}, False, "no_rule"),
    "root": ("GET /", {}, True, "ok"),
    "$default": ("$default", {"scope": "r w"}, False, "no_rule"),
    "greedy": ("GET /{proxy+}", {"scope": "r w"}, False, "no_rule"),
    "variable": ("GET /orders/{id}", {"scope": "r w"}, False, "no_rule"),
    "slash after": ("GET /orders/", {"scope": "r w"}, False, "no_rule"),
    "lower case": ("get /orders", {"scope": "r w"}, False, "no_rule"),
    "empty": ("", {"scope": "r w"}, False, "no_rule"),
}


@pytest.mark.parametrize("ttl", [None, 300])
@pytest.mark.parametrize(("key", "claims", "allowed", "reason"), KEYS.values(), ids=KEYS)
def test_simple_answers_decide_by_the_route_key(ttl, key, claims, allowed, reason):
    for path in ("/orders", "/any", "/", "/else"):
        answer, line = decided(
            keyed(key, claims, path), rules=KEYED, response="simple", cache_ttl=ttl
        )
        assert (answer["isAuthorized"], line["reason"]) == (allowed, reason)


UNKEYED: dict[str, Any] = {
    "token alone": ["TOKEN"],
    "another key": ["TOKEN", "GET /other"],
    "part of the key": ["TOKEN", "GET /order"],
    "the path": ["TOKEN", "/orders"],
    "none": [],
    "null": None,
    "text": "GET /orders",
    "no list": {"GET /orders": 1},
}


@pytest.mark.parametrize("sources", UNKEYED.values(), ids=UNKEYED)
def test_route_keys_must_be_what_the_gateway_keeps_answers_by(sources):
    header = bearer({"scope": "r"})
    if isinstance(sources, list):
        sources = [header if source == "TOKEN" else source for source in sources]
    event = keyed("GET /orders", {"scope": "r"})
    event["identitySource"] = sources
    with pytest.raises(ConfigError) as caught:
        decided(event, rules=KEYED, response="simple")
    assert caught.value.code == "route_key_not_cached"
    assert "$context.routeKey" in str(caught.value)


@pytest.mark.parametrize("key", [None, 5, ["GET /orders"], {}], ids=repr)
def test_a_route_key_that_is_no_text(key):
    event = keyed("GET /orders", {"scope": "r"})
    event["routeKey"] = key
    event["identitySource"] = [bearer({"scope": "r"}), key]
    with pytest.raises(ConfigError) as caught:
        decided(event, rules=KEYED, response="simple")
    assert caught.value.code == "route_key_not_cached"


def test_cookies_that_are_no_text_say_no_route_key():
    event = keyed("GET /orders", {"scope": "r"})
    event["cookies"] = [5, None, {"a": "GET /orders"}, "a=b"]
    assert decided(event, rules=KEYED, response="simple")[0]["isAuthorized"] is True


def test_simple_answers_by_the_token_alone_need_no_route_key():
    event = keyed("GET /orders", {"scope": "api"}, sources=[bearer({"scope": "api"})])
    for rules in (None, Rules(require=scope("api"))):
        assert decided(event, rules=rules, response="simple")[0]["isAuthorized"] is True
    assert decided(event, rules=Rules(require=scope("b")), response="simple")[0] == {
        "isAuthorized": False,
        "context": {"sub": "ala", "scope": "api", "jti": "jti-1"},
    }


need = st.sampled_from([(), (scope("r"),), (scope("w"),), (claim("n").equals(1),)])
claims_made = st.fixed_dictionaries(
    {"scope": st.sampled_from(["", "r", "w", "r w"]), "n": st.sampled_from([1, True, "1"])}
)
literal = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2).map(lambda p: "/" + "/".join(p))
key_methods = st.sampled_from(["", "GET ", "POST "])


@settings(max_examples=150, deadline=None)
@given(
    texts=st.dictionaries(st.tuples(key_methods, literal), need, min_size=1, max_size=5),
    claims=claims_made,
    path=literal,
    method=st.sampled_from(["GET", "POST", "PUT"]),
    others=st.lists(literal, min_size=1, max_size=3),
)
def test_by_route_key_is_one_answer_and_what_the_policy_says(texts, claims, path, method, others):
    rules = Rules(*(Rule(one + where, *needs) for (one, where), needs in texts.items()))
    simple = Authorizer(Trusting(claims), rules=rules, response="simple", log=None)
    by_policy = Authorizer(Trusting(claims), rules=rules, log=None)

    def answered(where) -> Any:
        event = routed_event("http_api_v2", method, where, "Bearer x")
        event["routeKey"] = f"{method} {path}"
        event["identitySource"] = ["Bearer x", event["routeKey"]]
        return simple(event)

    first = answered(path)
    assert all(answered(other) == first for other in others)
    event = routed_event("http_api_v2", method, path, "Bearer x")
    assert first["isAuthorized"] is allows(by_policy(event), arn_of(event))


NARROWER = Rules(Rule("/orders", scope("r")), Rule("DELETE /orders", scope("admin")))


@pytest.mark.parametrize("method", ["DELETE", "GET"])
def test_an_any_route_key_heeds_the_rules_of_each_method(method):
    """One answer is kept for every method of ``ANY /orders``, DELETE among them."""
    reader = {"scope": "r"}
    event = routed_event("http_api_v2", method, "/orders", bearer(reader))
    event["routeKey"] = "ANY /orders"
    event["identitySource"] = [bearer(reader), "ANY /orders"]
    assert decided(event, rules=NARROWER, response="simple")[0]["isAuthorized"] is False


def test_an_http_api_of_format_1_takes_policies_whatever_the_response():
    header = bearer({"scope": "r"})
    event = events.http_api_v1("GET", "/orders", headers={"Authorization": header})
    answer, _ = decided(event, rules=KEYED, response="simple")
    assert allows(answer, arn_of(event))
