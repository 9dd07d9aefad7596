"""AppSync: what it sends, what it is told, and for how long."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.minting import NOW, Mint, Recorder, pieces
from tests.gateway.shapes import APPSYNC_ID, appsync_event

from kmsjwt.errors import CannotKnow, ConfigError, Forbidden, JwksUnavailable
from kmsjwt.gateway import Authorizer
from kmsjwt.rules import Rule, Rules, any_of, claim, scope

MINT = Mint()
VERIFIER = MINT.verifier()
GOOD = MINT.token()


def decided(event, verifier=VERIFIER, now=NOW, **more) -> Any:
    log = Recorder()
    answer = Authorizer(verifier, log=log, clock=lambda: now, **more)(event)
    assert len(log.lines) == 1
    return answer, log.last


def test_a_good_token_is_let_in_and_resolvers_are_told_of_it():
    answer, line = decided(appsync_event(f"Bearer {MINT.token(scope='read')}"))
    assert answer == {
        "isAuthorized": True,
        "resolverContext": {"sub": "ala", "scope": "read", "jti": "jti-1"},
    }
    assert (line["kind"], line["api_id"]) == ("appsync", APPSYNC_ID)
    assert (line["decision"], line["reason"]) == ("allow", "ok")
    assert (line["kid"], line["jti"]) == ("key-1", "jti-1")
    assert (line["stage"], line["method"], line["path"]) == (None, None, None)


DENIED = {"isAuthorized": False, "ttlOverride": 0}
TOKENS: dict[str, tuple[Any, str | None]] = {
    # the whole authorizationToken: reason it is refused for, None if it is good
    "with Bearer": (f"Bearer {GOOD}", None),
    "alone": (GOOD, None),
    "bearer in lower case": (f"bearer {GOOD}", None),
    "another scheme": (f"Basic {GOOD}", "not_bearer"),
    "two": (f"Bearer {GOOD} {GOOD}", "bad_credentials"),
    "two by a comma": (f"Bearer {GOOD}, Bearer {GOOD}", "several_tokens"),
    "leading space": (f" {GOOD}", "not_bearer"),
    "trailing space": (f"{GOOD} ", "not_bearer"),
    "Bearer alone": ("Bearer", "not_compact"),
    "Bearer and a space": ("Bearer ", "bad_credentials"),
    "a tab": (f"Bearer\t{GOOD}", "bad_credentials"),
    "newline after": (f"{GOOD}\n", "bad_credentials"),
    "quoted": (f'"{GOOD}"', "bad_credentials"),
    "cut": (GOOD[:-4], "signature"),
    "empty": ("", "no_token"),
    "null": (None, "no_token"),
    "number": (5, "bad_credentials"),
    "list": ([GOOD], "bad_credentials"),
    "object": ({"Bearer": GOOD}, "bad_credentials"),
    "surrogate": ("\ud800", "bad_credentials"),
    "a megabyte": ("A" * 1_000_000, "too_long"),
}


@pytest.mark.parametrize("on_invalid", ["401", "deny"])
@pytest.mark.parametrize(("value", "reason"), TOKENS.values(), ids=TOKENS)
def test_tokens_with_and_without_their_scheme(on_invalid, value, reason):
    answer, line = decided(appsync_event(value), on_invalid=on_invalid)
    assert answer["isAuthorized"] is (reason is None)
    if reason is not None:
        assert answer == DENIED
        assert line["reason"].startswith(reason)
    assert not any(piece in json.dumps([answer, line]) for piece in pieces(GOOD))


PATHS = {
    "route": Rules(Rule("GET /orders")),
    "everything": Rules(Rule("/*")),
    "connect": Rules(Rule("$connect")),
    "with a requirement": Rules(Rule("/*"), require=scope("api")),
}


@pytest.mark.parametrize("rules", PATHS.values(), ids=PATHS)
def test_rules_that_name_routes_are_a_mistake_which_the_event_brings_out(rules):
    log = Recorder()
    authorizer = Authorizer(VERIFIER, rules=rules, log=log)
    with pytest.raises(ConfigError) as caught:
        authorizer(appsync_event(GOOD))
    assert caught.value.code == "rules_without_routes"
    assert "this kind of API has none" in str(caught.value)
    assert log.last["kind"] == "appsync"
    assert (log.last["decision"], log.last["level"]) == ("error", "ERROR")
    # A token that is refused needs no rules.
    assert authorizer(appsync_event("x.y.z")) == DENIED


NEEDS = [
    (scope("api"), {"scope": "api x"}, True),
    (scope("api"), {"scope": "apis"}, False),
    (scope("a b"), {"scope": "a"}, False),
    (claim("tenant").equals("t1"), {"tenant": "t1"}, True),
    (claim("tenant").equals("t1"), {"tenant": "t2"}, False),
    (claim("tenant").equals("t1"), {}, False),
    (claim("roles").contains("admin"), {"roles": ["admin", "x"]}, True),
    (claim("roles").contains("admin"), {"roles": "admin"}, False),
    (any_of(scope("x"), claim("n").equals(1)), {"n": 1}, True),
    (any_of(scope("x"), claim("n").equals(1)), {"n": True}, False),
]


@pytest.mark.parametrize(("require", "claims", "allowed"), NEEDS, ids=repr)
def test_requirements_decide_by_the_token_alone(require, claims, allowed):
    answer, line = decided(
        appsync_event(MINT.token(**claims)), rules=Rules(require=require), cache_ttl=300
    )
    assert answer["isAuthorized"] is allowed
    assert line["reason"] == ("ok" if allowed else "require_unmet")
    if not allowed:
        assert answer == DENIED


TTLS = [
    # stated TTL, seconds that the token has left, expected
    (300, 890, 300),
    (3_600, 890, 890),
    (890, 890, 890),
    (891, 890, 890),
    (300, 1, 1),
    (300, 0, 0),
    (300, -30, 0),  # within the leeway
    (0, 890, 0),
    (None, 890, None),
]


@pytest.mark.parametrize(("ttl", "left", "expected"), TTLS)
def test_an_answer_is_kept_no_longer_than_the_token_lives(ttl, left, expected):
    token = MINT.token(iat=NOW - 100, exp=NOW + left)
    answer, _ = decided(appsync_event(token), MINT.verifier(leeway=60), cache_ttl=ttl)
    assert answer["isAuthorized"] is True
    assert answer.get("ttlOverride") == expected


@settings(max_examples=40, deadline=None)
@given(
    ttl=st.integers(0, 3_600),
    left=st.integers(-50, 80_000) | st.floats(-50, 80_000),
    part=st.floats(0, 0.999),
)
def test_the_ttl_is_a_whole_number_that_appsync_takes(ttl, left, part):
    now = NOW + part
    token = MINT.token(iat=NOW - 100, exp=now + left)
    verifier = MINT.verifier(clock=lambda: now, max_lifetime=86_400)
    answer, _ = decided(appsync_event(token), verifier, now, cache_ttl=ttl)
    override = answer["ttlOverride"]
    assert type(override) is int
    assert 0 <= override <= ttl
    assert override == 0 or now + override <= now + left
    assert override == ttl or override > left - 1  # no shorter than need be


def test_a_token_that_never_expires_gets_the_stated_ttl():
    class Session:
        def verify(self, token: str) -> Any:
            del token
            verified = MINT.verifier().verify(GOOD)
            claims = {name: value for name, value in verified.claims.items() if name != "exp"}
            return type(verified)(header={}, claims=claims, kid="", alg="opaque")

    answer, _ = decided(appsync_event("opaque"), Session(), cache_ttl=300)
    assert answer["isAuthorized"] is True
    assert answer["ttlOverride"] <= 300


def test_a_denial_says_nothing_of_the_token():
    def check(header, claims) -> Any:
        raise Forbidden("tenant closed")

    answer, line = decided(appsync_event(GOOD), MINT.verifier(check=check), cache_ttl=300)
    assert answer == DENIED
    assert (line["reason"], line["kid"], line["jti"]) == ("forbidden", "key-1", "jti-1")


def test_trouble_of_ours_is_no_denial():
    class Down:
        def verify(self, token: str) -> Any:
            raise JwksUnavailable(f"no answer about {len(token)} characters")

    with pytest.raises(CannotKnow):
        decided(appsync_event(GOOD), Down(), on_invalid="deny")


def without(*names) -> Any:
    event = appsync_event(GOOD)
    for name in names:
        del event[name]
    return event


BESIDE = {
    "no request headers": without("requestHeaders"),
    "request headers with another token": {
        **appsync_event(GOOD),
        "requestHeaders": {"authorization": "Bearer x.y.z"},
    },
    "request headers no object": {**appsync_event(GOOD), "requestHeaders": 5},
    "a version": {**appsync_event(GOOD), "version": "2.0"},
    "variables with a token": {**appsync_event(GOOD), "variables": {"token": "x.y.z"}},
    "API and nothing else": {
        "authorizationToken": GOOD,
        "requestContext": {"apiId": APPSYNC_ID},
    },
}


@pytest.mark.parametrize("event", BESIDE.values(), ids=BESIDE)
def test_members_that_are_not_read_change_nothing(event):
    assert decided(event)[0]["isAuthorized"] is True


def test_query_and_variables_are_kept_out_of_the_log():
    event = appsync_event(GOOD)
    event["requestContext"]["queryString"] = "query Secret { a }"
    event["requestContext"]["variables"] = {"password": "hunter2"}
    _, line = decided(event)
    assert "Secret" not in json.dumps(line)
    assert "hunter2" not in json.dumps(line)


def test_context_of_odd_types_is_flat():
    token = MINT.token(roles=["a", {"b": 1}], vip=True, n=7, none=None)
    answer, _ = decided(appsync_event(token), context=("roles", "vip", "n", "none"))
    assert answer["resolverContext"] == {"roles": '["a",{"b":1}]', "vip": True, "n": 7}
