"""Events as an attacker, or an accident, would make them.

Whatever arrives: an answer, or `Unauthorized`; no policy wider than the API and stage of the
event's ARN; no token text in any answer, error or log line.
"""

from __future__ import annotations

import copy
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.hostility import (
    GOOD,
    HEADER_KINDS,
    MINT,
    OTHER,
    ask,
    assert_refused,
    effect_and_resource,
)
from tests.gateway.shapes import KINDS, arn_member, event_of


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/reset/5a" + "0f" * 20 + "/now", "/reset/…/now"),
        ("/a/eyJhbGciOiJub25lIn0", "/a/…"),
        ("/a" * 5_000, "/a" * 64 + "…"),
        ("/a\nb", "/a\\nb"),
        ("/żółw", "/\\u017c\\xf3\\u0142w"),
    ],
    ids=["long segment", "token without a dot", "long path", "control", "Polish"],
)
def test_what_the_log_tells_of_a_path(path, logged):
    assert ask(event_of("rest_request", f"Bearer {GOOD}", path))[1]["path"] == logged


@pytest.mark.parametrize("path", ["/$connect", "/a/$connect", "//$connect"])
def test_a_rest_path_that_ends_in_connect_is_no_websocket(path):
    answer, line = ask(event_of("rest_request", f"Bearer {GOOD}", path))
    assert effect_and_resource(answer)[0] == "Allow"
    assert line["kind"] == "rest_request"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "names",
    [{"kid": OTHER}, {"jti": OTHER}, {"kid": f"kid {OTHER}"}, {"jti": f"/{OTHER}/"}],
    ids=["kid", "jti", "within kid", "within jti"],
)
def test_somebody_else_s_token_in_a_name_stays_out_of_the_log(kind, names):
    stranger = ec.generate_private_key(ec.SECP256R1())
    answer, _ = ask(event_of(kind, f"Bearer {MINT.token(key=stranger, **names)}"))
    assert_refused(kind, answer)


PATHS = [
    "/", "/*", "/orders/*", "/?", "/or?ers", "/${aws:username}", "/${*}", "/$", "/$default",
    "/a:b", "/users/urn:x:1", "/arn:aws:execute-api:*:*:*", "//", "/../..", "/%2F%2A", "/żółw",
    "/\ud800", "/a b", "/\n*", "/\0", "/\u2028", "/" + "a" * 5_000, "/" + "*" * 5_000,
    f"/{GOOD}", f"/reset/{OTHER}/now", f"/x?{GOOD}", "",
]  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "websocket"])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: ascii(path[:20]))
def test_nothing_of_the_path_gets_into_the_policy(kind, path):
    event = event_of(kind, f"Bearer {GOOD}")
    event[arn_member(kind)] = f"arn:aws:execute-api:eu-central-1:123456789012:a1b2/prod/GET{path}"
    answer, line = ask(event)
    expected = "arn:aws:execute-api:eu-central-1:123456789012:a1b2/prod/*"
    assert effect_and_resource(answer) == ("Allow", expected)
    assert line["path"] is None or (len(line["path"]) < 200 and line["path"].isprintable())


GOOD_ARNS = {
    "China": "arn:aws-cn:execute-api:cn-north-1:123456789012:a1b2/prod",
    "GovCloud": "arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:a1b2/prod",
    "ISO": "arn:aws-iso:execute-api:us-iso-east-1:123456789012:a1b2/prod",
    "European sovereign": "arn:aws-eusc:execute-api:eusc-de-east-1:123456789012:a1b2/prod",
    "stage with dashes": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/v1_beta-2",
    "$default stage": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/$default",
    "console's test stage": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/test-invoke-stage",
    "longest parts": f"arn:aws:execute-api:eu-west-1:123456789012:{'a' * 64}/{'s' * 128}",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("arn", GOOD_ARNS.values(), ids=GOOD_ARNS)
def test_the_policy_names_partition_api_and_stage_of_the_arn(kind, arn):
    event = event_of(kind, f"Bearer {GOOD}")
    event[arn_member(kind)] = f"{arn}/$connect" if kind == "websocket" else f"{arn}/GET/orders/1"
    assert effect_and_resource(ask(event)[0]) == ("Allow", f"{arn}/*")


BAD_ARNS = {
    "missing": None,
    "number": 5,
    "list": ["arn:aws:execute-api:eu-west-1:123456789012:a1b2/prod/GET/"],
    "empty": "",
    "arn alone": "arn",
    "another service": "arn:aws:lambda:eu-west-1:123456789012:a1b2/prod/GET/",
    "too few parts": "arn:aws:execute-api:eu-west-1:a1b2/prod/GET/",
    "no stage": "arn:aws:execute-api:eu-west-1:123456789012:a1b2",
    "empty stage": "arn:aws:execute-api:eu-west-1:123456789012:a1b2//GET/",
    "empty API": "arn:aws:execute-api:eu-west-1:123456789012:/prod/GET/",
    "API *": "arn:aws:execute-api:eu-west-1:123456789012:*/prod/GET/",
    "API with *": "arn:aws:execute-api:eu-west-1:123456789012:a*/prod/GET/",
    "API with ?": "arn:aws:execute-api:eu-west-1:123456789012:a?b2/prod/GET/",
    "API with ${": "arn:aws:execute-api:eu-west-1:123456789012:${aws:x}/prod/GET/",
    "API with a colon": "arn:aws:execute-api:eu-west-1:123456789012:a1:b2/prod/GET/",
    "stage with *": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/prod*/GET/",
    "stage **": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/**/GET/",
    "stage ?": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/?/GET/",
    "stage ${*}": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/${*}/GET/",
    "stage $": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/$/GET/",
    "stage $other": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/$other/GET/",
    "stage $DEFAULT": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/$DEFAULT/GET/",
    "stage in Polish": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/wdrożenie/GET/",
    "stage with newline": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/prod\n/GET/",
    "stage too long": f"arn:aws:execute-api:eu-west-1:123456789012:a1b2/{'s' * 129}/GET/",
    "account *": "arn:aws:execute-api:eu-west-1:*:a1b2/prod/GET/",
    "account in other digits": "arn:aws:execute-api:eu-west-1:１２３:a1b2/prod/GET/",
    "Region *": "arn:aws:execute-api:*:123456789012:a1b2/prod/GET/",
    "Region empty": "arn:aws:execute-api::123456789012:a1b2/prod/GET/",
    "partition *": "arn:*:execute-api:eu-west-1:123456789012:a1b2/prod/GET/",
    "space before": " arn:aws:execute-api:eu-west-1:123456789012:a1b2/prod/GET/",
    "surrogate": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/\ud800/GET/",
    "a token": f"arn:{GOOD}",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("on_invalid", ["401", "deny"])
@pytest.mark.parametrize("arn", BAD_ARNS.values(), ids=BAD_ARNS)
def test_an_arn_that_no_policy_may_be_made_of(kind, on_invalid, arn):
    event = event_of(kind, f"Bearer {GOOD}")
    event[arn_member(kind)] = arn
    answer, line = ask(event, on_invalid=on_invalid)
    assert answer is None
    assert (line["level"], line["reason"]) == ("ERROR", "unknown_event")


@pytest.mark.parametrize("kind", KINDS)
def test_a_stage_that_is_a_wildcard_is_denied(kind):
    event = event_of(kind, f"Bearer {GOOD}")
    route = "$connect" if kind == "websocket" else "GET/"
    event[arn_member(kind)] = f"arn:aws:execute-api:eu-west-1:123456789012:a1b2/*/{route}"
    answer, line = ask(event)
    expected = "arn:aws:execute-api:eu-west-1:123456789012:a1b2/*/*"
    assert effect_and_resource(answer) == ("Deny", expected)
    assert line["reason"] == "stage_unnamed"


def test_a_stage_that_is_a_wildcard_is_denied_in_simple_answers_too():
    event = event_of("http_api_v2", f"Bearer {GOOD}")
    event["routeArn"] = "arn:aws:execute-api:eu-west-1:123456789012:a1b2/*/GET/"
    assert ask(event, response="simple")[0] == {"isAuthorized": False}


ARN = "arn:aws:execute-api:eu-west-1:123456789012:a1b2/prod/GET/"
STRANGERS = {
    "null": None,
    "number": 5,
    "true": True,
    "text": f"Bearer {GOOD}",
    "list": [f"Bearer {GOOD}"],
    "bytes": b"{}",
    "empty": {},
    "a client's own JSON": {"authorizationToken": f"Bearer {GOOD}", "sub": "ala"},
    "a token as a member": {GOOD: 1, f"Bearer {GOOD}": 2},
    "members of odd names": {"\ud800": 1, "a b": 2, "\n": 3, "ż": 4, "x" * 1000: 5},
    "a thousand members": {f"m{n}": n for n in range(1000)},
    "members that are no text": {1: "x", None: "y", (1, 2): "z"},
    "type in lower case": {"type": "token", "authorizationToken": "x", "methodArn": ARN},
    "type a list": {"type": ["TOKEN"], "authorizationToken": "x", "methodArn": ARN},
    "type alone": {"type": "TOKEN"},
    "REQUEST alone": {"type": "REQUEST"},
    "version 3.0": {"type": "REQUEST", "version": "3.0", "methodArn": ARN, "routeArn": ARN},
    "version a number": {"type": "REQUEST", "version": 2.0, "routeArn": ARN},
    "version 3.0 of $connect": {
        "type": "REQUEST",
        "version": "3.0",
        "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:a1b2/prod/$connect",
    },
    "2.0 with a methodArn": {"type": "REQUEST", "version": "2.0", "methodArn": ARN},
    "1.0 with a routeArn": {"type": "REQUEST", "version": "1.0", "routeArn": ARN},
    "no type": {"version": "2.0", "routeArn": ARN, "headers": {}},
    "function URL": {"version": "2.0", "routeKey": "$default", "requestContext": {}, "headers": {}},
    "load balancer": {"requestContext": {"elb": {}}, "httpMethod": "GET", "headers": {}},
    "IoT Core": {"token": GOOD, "signatureVerified": True, "protocolData": {}},
    "AppSync without an API": {"authorizationToken": f"Bearer {GOOD}", "requestContext": {}},
    "AppSync of no id": {"authorizationToken": GOOD, "requestContext": {"apiId": "a/../b"}},
    "queue": {"Records": [{"messageId": "1", "body": GOOD}]},
    "schedule": {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
}


@pytest.mark.parametrize("on_invalid", ["401", "deny"])
@pytest.mark.parametrize("event", STRANGERS.values(), ids=STRANGERS)
def test_an_event_of_no_known_kind_is_logged_and_unauthorized(event, on_invalid):
    answer, line = ask(event, on_invalid=on_invalid)
    assert answer is None
    assert (line["level"], line["decision"]) == ("ERROR", "unauthorized")
    assert line["reason"] == "unknown_event"
    assert len(line["message"]) <= 501
    assert "invoke it as nothing else" in line["message"]


MEMBERS = (
    "requestContext",
    "headers",
    "path",
    "resource",
    "queryStringParameters",
    "stageVariables",
)


@pytest.mark.parametrize("kind", HEADER_KINDS)
@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("value", [None, 5, "x", [], {}, "missing"], ids=repr)
def test_missing_and_mistyped_members_matter_only_where_they_are_read(kind, member, value):
    event = event_of(kind, f"Bearer {GOOD}")
    event["multiValueHeaders"] = {"Authorization": [f"Bearer {GOOD}"]}
    if value == "missing":
        event.pop(member, None)
    else:
        event[member] = value
    assert effect_and_resource(ask(event)[0])[0] == "Allow"


MEMBER_NAMES = (
    "type",
    "version",
    "methodArn",
    "routeArn",
    "headers",
    "authorizationToken",
    "Authorization",
    "multiValueHeaders",
    "identitySource",
    "requestContext",
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=20)
    | st.sampled_from([GOOD, f"Bearer {GOOD}", ARN, "TOKEN", "REQUEST", "1.0", "2.0", "*", "${x}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(MEMBER_NAMES) | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=15,
)


def assert_within_stage(event, answer) -> None:
    effect, resource = effect_and_resource(answer)
    arn = event["routeArn"] if event.get("version") == "2.0" else event["methodArn"]
    parts = arn.split(":", 5)
    api, stage, _ = (parts[5] + "//").split("/", 2)
    assert resource == ":".join([*parts[:5], f"{api}/{stage}/*"])
    if effect == "Allow":
        assert re.fullmatch(r"[^*?]+/\*", resource)
        assert "${" not in resource


@settings(max_examples=300, deadline=None)
@given(event=json_values)
def test_any_json_is_answered_or_unauthorized(event):
    answer, _ = ask(event)
    if answer is not None:
        assert_within_stage(event, answer)


@settings(max_examples=500, deadline=None)
@given(data=st.data(), kind=st.sampled_from(KINDS), simple=st.booleans())
def test_real_events_with_members_exchanged(data, kind, simple):
    event = copy.deepcopy(event_of(kind, f"Bearer {GOOD}"))
    for _ in range(data.draw(st.integers(1, 3))):
        member = data.draw(st.sampled_from(sorted(event)))
        event[member] = data.draw(json_values)
    answer, _ = ask(event, response="simple" if simple else "iam")
    if answer is not None and "isAuthorized" not in answer:
        assert_within_stage(event, answer)


arn_text = st.text(st.sampled_from(list("ab1:/*?${}-_.~%\n ż$")) | st.characters(), max_size=12)


@settings(max_examples=500, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    parts=st.tuples(arn_text, arn_text, arn_text, arn_text, arn_text, arn_text),
    plain=st.sets(st.integers(0, 4)),
)
def test_any_text_in_any_part_of_the_arn(kind, parts, plain):
    sound = ("aws", "eu-west-1", "123456789012", "a1b2", "prod")
    chosen = [sound[n] if n in plain else parts[n] for n in range(5)]
    partition, region, account, api, stage = chosen
    arn = f"arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/GET/{parts[5]}"
    event = event_of(kind, f"Bearer {GOOD}")
    event[arn_member(kind)] = arn
    answer, _ = ask(event)
    if answer is not None:
        assert_within_stage(event, answer)
