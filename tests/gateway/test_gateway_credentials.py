"""Credentials as an attacker, or an accident, would send them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.hostility import (
    GOOD,
    HEADER_KINDS,
    OTHER,
    ask,
    assert_refused,
    effect_and_resource,
)
from tests.gateway.shapes import KINDS, event_of

VALUES: dict[str, tuple[Any, str | None]] = {
    # value of the Authorization header: reason it is refused for, None if it is good
    "bearer in lower case": (f"bearer {GOOD}", None),
    "BEARER": (f"BEARER {GOOD}", None),
    "bEaReR": (f"bEaReR {GOOD}", None),
    "empty": ("", "no_token"),
    "a space": (" ", "not_bearer"),
    "Bearer alone": ("Bearer", "bad_credentials"),
    "Bearer and a space": ("Bearer ", "bad_credentials"),
    "two spaces": (f"Bearer  {GOOD}", "bad_credentials"),
    "a tab": (f"Bearer\t{GOOD}", "not_bearer"),
    "no-break space": (f"Bearer\u00a0{GOOD}", "not_bearer"),
    "leading space": (f" Bearer {GOOD}", "not_bearer"),
    "trailing space": (f"Bearer {GOOD} ", "bad_credentials"),
    "trailing newline": (f"Bearer {GOOD}\n", "bad_credentials"),
    "another header smuggled": (f"Bearer {GOOD}\r\nX-Admin: 1", "bad_credentials"),
    "two tokens": (f"Bearer {GOOD} {OTHER}", "bad_credentials"),
    "comma, the same twice": (f"Bearer {GOOD},Bearer {GOOD}", "several_tokens"),
    "comma, two": (f"Bearer {GOOD}, Bearer {OTHER}", "several_tokens"),
    "comma, bare": (f"Bearer {GOOD},{OTHER}", "several_tokens"),
    "parameter after": (f"Bearer {GOOD};a=b", "bad_credentials"),
    "quoted": (f'Bearer "{GOOD}"', "bad_credentials"),
    "no scheme": (GOOD, "not_bearer"),
    "scheme glued on": (f"Bearer{GOOD}", "not_bearer"),
    "colon": (f"Bearer: {GOOD}", "not_bearer"),
    "Basic": ("Basic YWxhOmtvdA==", "not_bearer"),
    "Negotiate": (f"Negotiate {GOOD}", "not_bearer"),
    "DPoP": (f"DPoP {GOOD}", "not_bearer"),
    "JWT": (f"JWT {GOOD}", "not_bearer"),
    "Bearers": (f"Bearers {GOOD}", "not_bearer"),
    "token as the scheme": (f"{GOOD} Bearer", "not_bearer"),
    "full-width B": (f"\uff22earer {GOOD}", "not_bearer"),
    "long s": (f"Bearer {GOOD}\u017f", "bad_credentials"),
    "NUL": (f"Bearer {GOOD}\0", "bad_credentials"),
    "lone surrogate": ("Bearer \ud800", "bad_credentials"),
    "surrogate before": (f"\udfffBearer {GOOD}", "not_bearer"),
    "null": ("Bearer null", "not_compact"),
    "undefined": ("Bearer undefined", "not_compact"),
    "dots": ("Bearer ...", "not_compact"),
    "wildcard": ("Bearer *", "bad_credentials"),
    "a megabyte": ("Bearer " + "A" * 1_000_000, None),
    "a megabyte of spaces": ("Bearer" + " " * 1_000_000, "bad_credentials"),
    "a megabyte of commas": ("Bearer " + "," * 1_000_000, "several_tokens"),
    "number": (5, "bad_credentials"),
    "true": (True, "bad_credentials"),
    "object": ({"Bearer": GOOD}, "bad_credentials"),
    "list in a list": ([[f"Bearer {GOOD}"]], "bad_credentials"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("value", "reason"), VALUES.values(), ids=VALUES)
def test_credentials(kind, value, reason):
    event = event_of(kind, "placeholder")
    if kind == "rest_token":
        event["authorizationToken"] = value
    else:
        event["headers"] = {"Authorization": value}
        event.pop("multiValueHeaders", None)
        event["identitySource"] = None
    answer, line = ask(event)
    if reason is None and GOOD in value:
        assert effect_and_resource(answer)[0] == "Allow"
    else:
        assert_refused(kind, answer)
        assert reason is None or line["reason"].startswith(reason)


HEADERS: dict[str, tuple[Any, Any, str | None]] = {
    "name in lower case": ({"authorization": f"Bearer {GOOD}"}, None, None),
    "name in upper case": ({"AUTHORIZATION": f"Bearer {GOOD}"}, None, None),
    "multi-value alone": (None, {"Authorization": [f"Bearer {GOOD}"]}, None),
    "both agree": (
        {"Authorization": f"Bearer {GOOD}"},
        {"authorization": [f"Bearer {GOOD}"]},
        None,
    ),
    "the same twice": (None, {"Authorization": [f"Bearer {GOOD}"] * 2}, None),
    "two in one map": (
        {"Authorization": f"Bearer {GOOD}", "authorization": f"Bearer {OTHER}"},
        None,
        "several_tokens",
    ),
    "two values": (
        {"Authorization": f"Bearer {GOOD}"},
        {"Authorization": [f"Bearer {OTHER}", f"Bearer {GOOD}"]},
        "several_tokens",
    ),
    "maps differ": (
        {"Authorization": f"Bearer {GOOD}"},
        {"Authorization": [f"Bearer {OTHER}"]},
        "several_tokens",
    ),
    "Basic beside Bearer": (
        None,
        {"Authorization": ["Basic YWxhOmtvdA==", f"Bearer {GOOD}"]},
        "several_tokens",
    ),
    "number beside Bearer": (None, {"Authorization": [f"Bearer {GOOD}", 5]}, "several_tokens"),
    "multi-value is text": (None, {"Authorization": f"Bearer {GOOD}"}, None),
    "null value": ({"Authorization": None}, None, "no_token"),
    "empty list": ({}, {"Authorization": []}, "no_token"),
    "no headers": (None, None, "no_token"),
    "headers is a list": ([f"Bearer {GOOD}"], None, "no_token"),
    "headers is text": (f"Authorization: Bearer {GOOD}", None, "no_token"),
    "headers is a number": (5, 5, "no_token"),
    "name with a space": ({"Authorization ": f"Bearer {GOOD}"}, None, "no_token"),
    "look-alike name": ({"Authorizat\u0131on": f"Bearer {GOOD}"}, None, "no_token"),
    "another header": ({"X-Authorization": f"Bearer {GOOD}"}, None, "no_token"),
    "Proxy-Authorization": ({"Proxy-Authorization": f"Bearer {GOOD}"}, None, "no_token"),
    "cookie": ({"Cookie": f"Authorization=Bearer {GOOD}"}, None, "no_token"),
    "ten thousand headers": (
        {**{f"x-{n}": "v" for n in range(10_000)}, "Authorization": f"Bearer {GOOD}"},
        None,
        None,
    ),
}


@pytest.mark.parametrize("kind", HEADER_KINDS)
@pytest.mark.parametrize(("headers", "multi", "reason"), HEADERS.values(), ids=HEADERS)
def test_headers(kind, headers, multi, reason):
    event = event_of(kind, None)
    event["headers"] = headers
    event["multiValueHeaders"] = multi
    answer, line = ask(event)
    if reason is None:
        assert effect_and_resource(answer)[0] == "Allow"
    else:
        assert_refused(kind, answer)
        assert line["reason"] == reason


@pytest.mark.parametrize("kind", HEADER_KINDS)
@pytest.mark.parametrize("where", ["query", "cookies", "identitySource", "authorizationToken"])
def test_a_token_counts_in_the_authorization_header_alone(kind, where):
    event = event_of(kind, None)
    value = f"Bearer {GOOD}"
    event["queryStringParameters"] = {"Authorization": value, "access_token": GOOD}
    event["cookies"] = [f"Authorization={value}"]
    event["identitySource"] = [value] if kind == "http_api_v2" else value
    event["authorizationToken"] = value
    answer, line = ask(event)
    assert_refused(kind, answer)
    assert line["reason"] == "no_token"


@pytest.mark.parametrize("kind", ["http_api_v1", "http_api_v2"])
def test_the_gateway_s_own_identity_source_must_not_hold_another_token(kind):
    """The cache is keyed by the identity source: another token's verdict would be stored."""
    event = event_of(kind, f"Bearer {GOOD}")
    identity = ["tenant-1", f"Bearer {OTHER}"]
    event["identitySource"] = identity if kind == "http_api_v2" else ",".join(identity)
    answer, line = ask(event)
    assert_refused(kind, answer)
    assert line["reason"] == "several_tokens"
    event["identitySource"] = ["tenant-1", f"Bearer {GOOD}"]
    assert effect_and_resource(ask(event)[0])[0] == "Allow"


@pytest.mark.parametrize("kind", ["http_api_v1", "http_api_v2"])
def test_a_cache_that_leaves_out_the_token_is_refused(kind):
    """Keyed by another header alone, the cached Allow of one token would let any other in."""
    event = event_of(kind, f"Bearer {GOOD}")
    event["identitySource"] = ["shared"] if kind == "http_api_v2" else "shared"
    answer, line = ask(event)
    assert_refused(kind, answer)
    assert line["reason"] == "identity_source"
    event["identitySource"] = [] if kind == "http_api_v2" else ""
    assert effect_and_resource(ask(event)[0])[0] == "Allow"


SHAPES: dict[str, tuple[Any, str | None]] = {
    # all headers of an event without multi-value ones: reason it is refused for, None if good
    "a list of names": (["authorization"], "no_token"),
    "text": ("authorization", "no_token"),
    "an empty value": ({"authorization": ""}, "no_token"),
    "a null": ({"authorization": None}, "no_token"),
    "a list of one": ({"authorization": [f"Bearer {GOOD}"]}, None),
    "a list of two": ({"authorization": [f"Bearer {GOOD}", f"Bearer {OTHER}"]}, "several_tokens"),
    "a number": ({"authorization": 7}, "bad_credentials"),
    "a name that is a number": ({7: "x", "authorization": f"Bearer {GOOD}"}, None),
    "both cases": ({"authorization": "Bearer x", "Authorization": "Bearer y"}, "several_tokens"),
}


@pytest.mark.parametrize(("headers", "reason"), SHAPES.values(), ids=SHAPES)
def test_headers_of_any_shape_are_looked_through(headers, reason):
    event = {**event_of("http_api_v2", None), "headers": headers}
    for member in ("multiValueHeaders", "identitySource"):
        event.pop(member, None)
    answer, line = ask(event, on_invalid="deny")

    assert line["reason"] == (reason or "ok")
    assert effect_and_resource(answer)[0] == ("Deny" if reason else "Allow")
