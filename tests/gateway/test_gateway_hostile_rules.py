"""Hostile events for an authorizer that has rules, a place and AppSync; and how many there are.

Whatever arrives: an answer, Unauthorized, ConfigError or CannotKnow; no resource outside the API
and stage of the event's ARN, none that the rules do not grant; no token text anywhere.
"""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway import (
    test_gateway_appsync,
    test_gateway_credentials,
    test_gateway_hostile,
    test_gateway_places,
)
from tests.gateway.hostility import GOOD, MINT, OTHER, VERIFIER, assert_no_token
from tests.gateway.minting import NOW, Recorder
from tests.gateway.shapes import KINDS, ROUTED, appsync_event, arn_member, event_of, routed_event
from tests.gateway.trusting import Trusting

from kmsjwt.errors import CannotKnow, ConfigError
from kmsjwt.gateway import Authorizer, Unauthorized
from kmsjwt.rules import Rule, Rules, claim, scope
from kmsjwt.testing import events
from kmsjwt.testing.answers import read_answer

RULES = Rules(
    Rule("GET /orders/*"),
    Rule("POST /orders", scope("w")),
    Rule("/users/{sub}/*"),
    Rule("/users/{sub}/keys", claim("mfa").equals(value=True)),
    Rule("$connect"),
)
API = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Worked out by hand: what the rules grant a plain token of ala's, below a stage.
GRANTED = {
    "GET/orders/*",
    "$connect",
    *(f"{method}/users/ala/*" for method in METHODS),
}
REFUSED = {f"{method}/users/ala/keys{end}" for method in METHODS for end in ("", "/")}


def told(event, verifier=VERIFIER, **more) -> Any:
    """Return the answer, or None if an exception came, which must be one of three."""
    log = Recorder()
    setup = {"rules": RULES, "clock": lambda: NOW, **more}
    answer = None
    try:
        answer = Authorizer(verifier, log=log, **setup)(event)
    except (Unauthorized, ConfigError, CannotKnow) as error:
        text = repr(error) + str(error) + repr(getattr(error, "detail", ""))
        assert_no_token(text.encode("utf-8", "backslashreplace").decode())
    assert_no_token(json.dumps(answer) + log.text())
    assert len(log.lines) == 1
    return answer, log.last


def resources(answer, effect) -> set[str]:
    return {
        resource
        for statement in answer["policyDocument"]["Statement"]
        if statement["Effect"] == effect
        for resource in statement["Resource"]
    }


def stage_of(arn) -> str:
    return "/".join(arn.split("/", 2)[:2]) + "/"


def assert_within_rules(answer, arn, granted=GRANTED) -> None:
    """Hold every resource against the ARN's own stage and what was granted by hand."""
    stage = stage_of(arn)
    for statement in answer["policyDocument"]["Statement"]:
        assert set(statement) == {"Action", "Effect", "Resource"}
        assert statement["Action"] == "execute-api:Invoke"
        assert all(resource.startswith(stage) for resource in statement["Resource"])
    assert {each.removeprefix(stage) for each in resources(answer, "Allow")} <= granted
    read_answer(answer, simple=False, flat_context=True)


PATHS = {
    "star": "/orders/*",
    "star alone": "/*",
    "stars": "/" + "*" * 2_000,
    "question mark": "/users/al?",
    "question marks": "/users/???/x",
    "variable": "/users/${aws:username}/x",
    "star variable": "/users/${*}/x",
    "dollar": "/users/$/x",
    "braces": "/users/{sub}/x",
    "colon": "/users/urn:ala/x",
    "an ARN": f"/{API}/GET/orders/1",
    "dots": "/orders/../users/ala/keys",
    "dots first": "/../orders/1",
    "escaped slash": "/users%2Fala%2Fkeys",
    "escaped star": "/orders/%2A",
    "double slash": "//orders/1",
    "double slash within": "/users//keys",
    "slash after": "/users/ala/keys/",
    "backslash": "/users\\ala\\keys",
    "upper case": "/USERS/ALA/KEYS",
    "query in the path": f"/orders/1?token={GOOD}",
    "fragment": "/orders/1#x",
    "semicolon": "/users/ala;x=1/keys",
    "null": "/users/ala\0/keys",
    "newline": "/users/ala/keys\n",
    "tab": "/users/ala\t/keys",
    "space": "/users/ala /keys",
    "right to left": "/users/\u202eala/keys",
    "combining": "/users/ala\u0301/keys",
    "full width": "/users/\uff41la/keys",
    "Polish": "/zażółć/gęślą",
    "surrogate": "/users/\ud800/keys",
    "long": "/orders/" + "x" * 20_000,
    "deep": "/orders" + "/x" * 5_000,
    "a token": f"/orders/{GOOD}",
    "another token": f"/users/{OTHER}/keys",
    "empty": "",
    "connect": "/$connect",
    "default": "/$default",
}


@pytest.mark.parametrize("kind", ROUTED)
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_hostile_path_is_judged_as_it_stands_and_never_copied(kind, path):
    event = routed_event(kind, "GET", "/x", f"Bearer {GOOD}")
    member = arn_member(kind)
    event[member] = stage_of(event[member]) + "GET" + path
    answer, line = told(event)
    assert_within_rules(answer, event[member])
    assert resources(answer, "Allow") == {stage_of(event[member]) + each for each in GRANTED}
    assert resources(answer, "Deny") == {stage_of(event[member]) + each for each in REFUSED}
    verdict = read_answer(answer, simple=False, flat_context=True).verdict(event[member])
    assert (verdict == "allowed") == (line["decision"] == "allow")


NAMES: dict[str, Any] = {
    "star": "*",
    "stars": "**",
    "star after": "ala*",
    "star before": "*a",
    "question mark": "al?",
    "question marks": "???",
    "variable": "${aws:username}",
    "star variable": "${*}",
    "question variable": "${?}",
    "dollar": "$",
    "open variable": "${",
    "braces": "{sub}",
    "slash": "ala/keys",
    "slash star": "ala/*",
    "slash alone": "/",
    "up": "..",
    "here": ".",
    "up within": "ala/../bob",
    "escaped slash": "ala%2Fkeys",
    "escaped star": "%2A",
    "colon": "urn:ala",
    "an ARN": f"{API}/*",
    "backslash": "ala\\keys",
    "quote": 'ala"',
    "comma": "ala,bob",
    "space": "ala bob",
    "space after": "ala ",
    "newline": "ala\n",
    "null": "ala\0",
    "Polish": "żaneta",
    "digits of another script": "\u0661\u0662",
    "full width": "\uff41la",
    "combining": "ala\u0301",
    "astral": "\U0001f600",
    "129 characters": "a" * 129,
    "7,000 characters": "a" * 7_000,
}


@pytest.mark.parametrize("kind", ROUTED)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_hostile_name_meets_no_rule_that_has_it_in_its_path(kind, name):
    token = MINT.token(sub=name)
    event = routed_event(kind, "GET", f"/users/{name}/x", f"Bearer {token}")
    answer, line = told(event, context=())
    assert line["decision"] in ("deny", "error")
    if answer is not None:
        assert resources(answer, "Allow") == {
            stage_of(event[arn_member(kind)]) + each for each in ("GET/orders/*", "$connect")
        }
        assert answer["principalId"].isascii()
        assert answer["principalId"].isprintable()


TYPES: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "float": 1.5,
    "huge number": 10**300,
    "negative": -1,
    "list": ["ala"],
    "tuple": ("ala",),
    "object": {"ala": 1},
    "bytes": b"ala",
    "surrogate": "\ud800",
    "empty": "",
    "set": frozenset({"ala"}),
}


@pytest.mark.parametrize("value", TYPES.values(), ids=TYPES)
@pytest.mark.parametrize("kind", ["rest_token", "http_api_v2"])
def test_a_name_of_another_type_widens_nothing(kind, value):
    event = routed_event(kind, "GET", "/users/ala/keys", "Bearer x")
    answer, _ = told(event, Trusting({"sub": value, "client_id": value}), context=())
    allowed = {each.removeprefix(stage_of(event[arn_member(kind)])) for each in
               resources(answer, "Allow")}  # fmt: skip
    own = {f"{method}/users/{value}/*" for method in METHODS} if value == -1 else set()
    assert allowed == {"GET/orders/*", "$connect", *own}


def both(first, second) -> Any:
    return {**first, **second}


HEADER = {"Authorization": f"Bearer {GOOD}"}
REST_ARN, OTHER_ARN = f"{API}/GET/orders/1", f"{API.replace('a1b2c3d4e5', 'zzzz')}/GET/orders/1"
TWO_AT_ONCE: dict[str, Any] = {
    "TOKEN with headers": both(
        events.rest_token("GET", "/orders/1", authorization="Bearer x.y.z"), {"headers": HEADER}
    ),
    "TOKEN of version 2.0": both(
        events.rest_token("GET", "/orders/1", authorization=f"Bearer {GOOD}"),
        {"version": "2.0", "routeArn": OTHER_ARN},
    ),
    "REQUEST with a TOKEN's member": both(
        events.rest_request("GET", "/orders/1", headers=HEADER), {"authorizationToken": "x.y.z"}
    ),
    "2.0 with a methodArn": both(
        events.http_api_v2("GET", "/orders/1", headers=HEADER), {"methodArn": OTHER_ARN}
    ),
    "1.0 with a routeArn": both(
        events.http_api_v1("GET", "/orders/1", headers=HEADER), {"routeArn": OTHER_ARN}
    ),
    "AppSync with a type": both(appsync_event(GOOD), {"type": "TOKEN"}),
    "AppSync with a methodArn": both(appsync_event(GOOD), {"methodArn": REST_ARN}),
    "AppSync and a TOKEN": both(
        appsync_event(GOOD), events.rest_token("GET", "/orders/1", authorization=f"Bearer {GOOD}")
    ),
    "AppSync and HTTP 2.0": both(
        appsync_event(GOOD), events.http_api_v2("GET", "/orders/1", headers=HEADER)
    ),
    "WebSocket with a method": both(
        events.websocket_connect(headers=HEADER), {"httpMethod": "GET", "path": "/orders/1"}
    ),
    "WebSocket of version 1.0": both(events.websocket_connect(headers=HEADER), {"version": "1.0"}),
    "WebSocket and a TOKEN": both(
        events.websocket_connect(headers=HEADER),
        {"type": "TOKEN", "authorizationToken": f"Bearer {GOOD}"},
    ),
    "REST whose path is $connect": both(
        events.rest_request("GET", "/orders/1", headers=HEADER),
        {"methodArn": f"{API}/GET/$connect"},
    ),
    "REST whose method is $connect": both(
        events.rest_request("GET", "/orders/1", headers=HEADER), {"methodArn": f"{API}/$connect/x"}
    ),
    "function URL and AppSync": {
        "version": "2.0",
        "rawPath": "/",
        "headers": HEADER,
        "authorizationToken": GOOD,
        "requestContext": {"apiId": "abc"},
    },
}


TAKEN_FOR = {
    "TOKEN with headers": "rest_token",
    "TOKEN of version 2.0": "rest_token",
    "REQUEST with a TOKEN's member": "rest_request",
    "2.0 with a methodArn": "http_api_v2",
    "1.0 with a routeArn": "http_api_v1",
    "AppSync with a type": None,
    "AppSync with a methodArn": None,
    "AppSync and a TOKEN": "rest_token",
    "AppSync and HTTP 2.0": "http_api_v2",
    "WebSocket with a method": "websocket",
    "WebSocket of version 1.0": "http_api_v1",
    "WebSocket and a TOKEN": "rest_token",
    "REST whose path is $connect": "rest_request",
    "REST whose method is $connect": "rest_request",
    "function URL and AppSync": "appsync",
}


@pytest.mark.parametrize("settings_", [{}, {"on_invalid": "deny"}], ids=["401", "deny"])
@pytest.mark.parametrize("name", TWO_AT_ONCE)
def test_events_that_claim_two_kinds_at_once(name, settings_):
    event = TWO_AT_ONCE[name]
    answer, line = told(copy.deepcopy(event), **settings_)
    assert line.get("kind") == TAKEN_FOR[name]
    assert (line["reason"] == "unknown_event") == (TAKEN_FOR[name] is None)
    if answer is not None and "policyDocument" in answer:
        arn = event["routeArn"] if line["kind"] == "http_api_v2" else event["methodArn"]
        assert_within_rules(answer, arn)


@pytest.mark.parametrize("event", TWO_AT_ONCE.values(), ids=TWO_AT_ONCE)
def test_no_event_is_recognised_by_two_doors(event):
    from kmsjwt.gateway.doors import DOORS
    from kmsjwt.gateway.settings import Settings

    doors = [door(Settings()) for door in DOORS]
    assert sum(door.recognises(event) for door in doors) <= 1


PARTITIONS = ("aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc")


@pytest.mark.parametrize("kind", ROUTED)
@pytest.mark.parametrize("partition", PARTITIONS)
def test_grants_are_of_the_event_s_partition(kind, partition):
    event = routed_event(kind, "GET", "/orders/1", f"Bearer {GOOD}")
    member = arn_member(kind)
    event[member] = event[member].replace("arn:aws:", f"arn:{partition}:")
    answer, line = told(event)
    assert line["decision"] == "allow"
    assert_within_rules(answer, event[member])


HUGE: dict[str, Any] = {
    "a header of a megabyte": {"headers": {**HEADER, "X": "x" * 1_000_000}},
    "ten thousand headers": {"headers": {**HEADER, **{f"x{n}": "y" for n in range(10_000)}}},
    "a thousand tokens": {"multiValueHeaders": {"Authorization": [f"Bearer {GOOD}"] * 1_000}},
    "a name of a megabyte": {"headers": {**HEADER, "x" * 1_000_000: "y"}},
    "surrogates in headers": {"headers": {**HEADER, "\ud800": "\udfff"}},
    "no text in headers": {"headers": {**HEADER, 1: 2, None: None, (1,): ["x"]}},
    "ten thousand cookies": {"headers": {**HEADER, "Cookie": "a=b;" * 10_000}},
    "deep": {"headers": HEADER, "requestContext": None, "deep": "DEEP"},
    "deep in a header": {"headers": {**HEADER, "X": "DEEP"}},
    "deep in Authorization": {"headers": {"Authorization": "DEEP"}},
    "deep in the identity": {"headers": HEADER, "identitySource": "DEEP"},
    "deep in cookies": {"headers": HEADER, "cookies": "DEEP"},
}


def nested(depth=50_000) -> Any:
    value: Any = GOOD
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("kind", ["rest_request", "http_api_v1", "http_api_v2", "websocket"])
@pytest.mark.parametrize("members", HUGE.values(), ids=HUGE)
def test_huge_and_deep_members(kind, members):
    deep = nested()
    event = event_of(kind, f"Bearer {GOOD}")
    event.pop("multiValueHeaders", None)
    event.update({name: deep if value == "DEEP" else value for name, value in members.items()})
    if isinstance(event.get("headers"), dict):
        event["headers"] = {
            name: deep if value == "DEEP" else value for name, value in event["headers"].items()
        }
    answer, line = told(event)
    if "policyDocument" in (answer or {}):
        assert_within_rules(answer, event[arn_member(kind)])
    assert line["reason"] in ("ok", "bad_credentials", "no_rule", "identity_source")


# Any event whatever.

MEMBER_NAMES = (
    *("type", "version", "methodArn", "routeArn", "headers", "authorizationToken", "routeKey"),
    *("multiValueHeaders", "identitySource", "requestContext", "apiId", "cookies", "Cookie"),
    *("Authorization", "queryStringParameters"),
)
ARNS = (REST_ARN, f"{API}/$connect", f"{API}/*/*", f"{API}*/GET/x", f"{API}/GET/users/${{*}}/x")
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=20)
    | st.sampled_from([GOOD, f"Bearer {GOOD}", f"t={GOOD}", "TOKEN", "REQUEST", "1.0", "2.0"])
    | st.sampled_from(ARNS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(MEMBER_NAMES) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=15,
)
PLACES = st.sampled_from(
    ["header:Authorization", "header:X", "cookie:t", "query:t", "subprotocol:t"]
)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), kind=st.sampled_from([*KINDS, "appsync"]), place=PLACES)
def test_real_events_with_members_exchanged(data, kind, place):
    event = appsync_event(GOOD) if kind == "appsync" else event_of(kind, f"Bearer {GOOD}")
    for _ in range(data.draw(st.integers(1, 3))):
        event[data.draw(st.sampled_from(sorted(event) + list(MEMBER_NAMES)))] = data.draw(
            json_values
        )
    answer, line = told(event, token_from=place)
    if answer is not None and "policyDocument" in answer:
        arn = event["routeArn"] if line["kind"] == "http_api_v2" else event["methodArn"]
        assert_within_rules(answer, arn)


@settings(max_examples=200, deadline=None)
@given(event=json_values, simple=st.booleans())
def test_any_json_with_rules(event, simple):
    how: dict[str, Any] = {"response": "simple", "cache_ttl": 0} if simple else {}
    answer, line = told(event, **how)
    if answer is not None and "policyDocument" in answer:
        arn = event["routeArn"] if line["kind"] == "http_api_v2" else event["methodArn"]
        assert_within_rules(answer, arn)


TABLES: tuple[Any, ...] = (
    test_gateway_hostile.PATHS,
    test_gateway_hostile.BAD_ARNS,
    test_gateway_hostile.STRANGERS,
    test_gateway_credentials.VALUES,
    test_gateway_credentials.HEADERS,
    test_gateway_places.HEADER,
    test_gateway_places.QUERY,
    test_gateway_places.COOKIE,
    test_gateway_places.SUBPROTOCOL,
    test_gateway_places.TOKEN_EVENTS,
    test_gateway_appsync.TOKENS,
    PATHS,
    NAMES,
    TYPES,
    TWO_AT_ONCE,
    HUGE,
)


def test_there_are_at_least_150_different_hostile_events():
    """Each counted once, though most are sent as every kind of event."""
    tables = ((number, table) for number, table in enumerate(TABLES))
    entries = itertools.chain.from_iterable(
        ((number, ascii(each)) for each in (table.values() if isinstance(table, dict) else table))
        for number, table in tables
    )
    assert len(set(entries)) >= 150
