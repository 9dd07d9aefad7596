"""The one place of the token: header, query parameter, cookie, subprotocol, on every kind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.minting import NOW, Mint, Recorder, pieces
from tests.gateway.shapes import KINDS, RAISING, bare_event

from kmsjwt.errors import ConfigError, TokenError
from kmsjwt.gateway import Authorizer, Unauthorized
from kmsjwt.gateway.places import token_place

MINT = Mint()
VERIFIER = MINT.verifier()
GOOD = MINT.token()
OTHER = MINT.token(jti="jti-2")
WHOLE = ("rest_request", "http_api_v1", "http_api_v2", "websocket")
"""Kinds whose events hold the whole request."""


def reason_of(event, place) -> Any:
    """Return the reason code; hold that nothing of any token gets out."""
    log = Recorder()
    answer = None
    try:
        answer = Authorizer(VERIFIER, token_from=place, log=log, clock=lambda: NOW)(event)
    except Unauthorized as refusal:
        text = repr((str(refusal), refusal.reason, refusal.detail))
    else:
        text = json.dumps(answer)
    (line,) = log.lines
    for token in (GOOD, OTHER):
        assert not any(piece in text + log.text() for piece in pieces(token))
    if answer is not None:
        is_allowed = answer.get("isAuthorized") or "Allow" in text
        assert is_allowed == (line["reason"] == "ok")
    else:
        assert event.get("type") == "TOKEN" or line["kind"] in RAISING
    return line["reason"]


def with_members(kind, **members) -> Any:
    return {**bare_event(kind), **members}


HEADER: dict[str, tuple[dict[str, Any], str]] = {
    # members of the event: reason, with the token in header:X-Token
    "there": ({"headers": {"X-Token": GOOD}}, "ok"),
    "lower case": ({"headers": {"x-token": GOOD}}, "ok"),
    "upper case": ({"headers": {"X-TOKEN": GOOD}}, "ok"),
    "multi-value": ({"multiValueHeaders": {"X-Token": [GOOD]}}, "ok"),
    "both alike": ({"headers": {"x-token": GOOD}, "multiValueHeaders": {"X-Token": [GOOD]}}, "ok"),
    "same twice": ({"multiValueHeaders": {"X-Token": [GOOD, GOOD]}}, "ok"),
    "empty beside": ({"multiValueHeaders": {"X-Token": ["", GOOD, None]}}, "ok"),
    "Authorization beside": ({"headers": {"X-Token": GOOD, "Authorization": "Bearer x"}}, "ok"),
    "none": ({}, "no_token"),
    "empty": ({"headers": {"X-Token": ""}}, "no_token"),
    "null": ({"headers": {"X-Token": None}}, "no_token"),
    "empty list": ({"multiValueHeaders": {"X-Token": []}}, "no_token"),
    "another name": ({"headers": {"X-Tokens": GOOD}}, "no_token"),
    "Authorization instead": ({"headers": {"Authorization": f"Bearer {GOOD}"}}, "no_token"),
    "query instead": ({"queryStringParameters": {"X-Token": GOOD}}, "no_token"),
    "headers null": ({"headers": None}, "no_token"),
    "headers a list": ({"headers": [["X-Token", GOOD]]}, "no_token"),
    "headers text": ({"headers": f"X-Token: {GOOD}"}, "no_token"),
    "Bearer before": ({"headers": {"X-Token": f"Bearer {GOOD}"}}, "bad_credentials"),
    "space before": ({"headers": {"X-Token": f" {GOOD}"}}, "bad_credentials"),
    "space after": ({"headers": {"X-Token": f"{GOOD} "}}, "bad_credentials"),
    "newline after": ({"headers": {"X-Token": f"{GOOD}\n"}}, "bad_credentials"),
    "quoted": ({"headers": {"X-Token": f'"{GOOD}"'}}, "bad_credentials"),
    "joined": ({"headers": {"X-Token": f"{GOOD},{GOOD}"}}, "bad_credentials"),
    "number": ({"headers": {"X-Token": 5}}, "bad_credentials"),
    "true": ({"headers": {"X-Token": True}}, "bad_credentials"),
    "object": ({"headers": {"X-Token": {"a": GOOD}}}, "bad_credentials"),
    "list in list": ({"multiValueHeaders": {"X-Token": [[GOOD]]}}, "bad_credentials"),
    "surrogate": ({"headers": {"X-Token": "\ud800"}}, "bad_credentials"),
    "not ASCII": ({"headers": {"X-Token": f"{GOOD}ż"}}, "bad_credentials"),
    "two differ": ({"multiValueHeaders": {"X-Token": [GOOD, OTHER]}}, "several_tokens"),
    "two cases differ": ({"headers": {"X-Token": GOOD, "x-token": OTHER}}, "several_tokens"),
    "maps differ": (
        {"headers": {"X-Token": GOOD}, "multiValueHeaders": {"X-Token": [OTHER, GOOD]}},
        "several_tokens",
    ),
    "text and number": ({"multiValueHeaders": {"X-Token": [GOOD, 5]}}, "several_tokens"),
    "rubbish": ({"headers": {"X-Token": "x.y"}}, "not_compact"),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize(("members", "reason"), HEADER.values(), ids=HEADER)
def test_a_header(kind, members, reason):
    assert reason_of(with_members(kind, **members), "header:X-Token") == reason


SINGLE, MANY = "queryStringParameters", "multiValueQueryStringParameters"
QUERY: dict[str, tuple[dict[str, Any], str]] = {
    "there": ({SINGLE: {"token": GOOD}}, "ok"),
    "multi-value": ({MANY: {"token": [GOOD]}}, "ok"),
    "both alike": ({SINGLE: {"token": GOOD}, MANY: {"token": [GOOD]}}, "ok"),
    "same twice": ({MANY: {"token": [GOOD, GOOD]}}, "ok"),
    "others beside": ({SINGLE: {"token": GOOD, "Token": OTHER, "access_token": OTHER}}, "ok"),
    "none": ({}, "no_token"),
    "null": ({SINGLE: None, MANY: None}, "no_token"),
    "empty": ({SINGLE: {"token": ""}, MANY: {"token": [""]}}, "no_token"),
    "another case": ({SINGLE: {"Token": GOOD}}, "no_token"),
    "header instead": ({"headers": {"token": GOOD}}, "no_token"),
    "in the raw query alone": ({"rawQueryString": f"token={GOOD}"}, "no_token"),
    "no object": ({SINGLE: [GOOD], MANY: GOOD}, "no_token"),
    "Bearer before": ({SINGLE: {"token": f"Bearer {GOOD}"}}, "bad_credentials"),
    "plus for a space": ({SINGLE: {"token": f"Bearer+{GOOD}"}}, "not_compact_or_alg"),
    "joined": ({SINGLE: {"token": f"{GOOD},{OTHER}"}}, "bad_credentials"),
    "number": ({SINGLE: {"token": 5}}, "bad_credentials"),
    "object": ({SINGLE: {"token": {"x": GOOD}}}, "bad_credentials"),
    "list in list": ({MANY: {"token": [[GOOD]]}}, "bad_credentials"),
    "two differ": ({MANY: {"token": [GOOD, OTHER]}}, "several_tokens"),
    "maps differ": ({SINGLE: {"token": OTHER}, MANY: {"token": [GOOD]}}, "several_tokens"),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize(("members", "reason"), QUERY.values(), ids=QUERY)
def test_a_query_parameter(kind, members, reason):
    found = reason_of(with_members(kind, **members), "query:token")
    if reason == "not_compact_or_alg":
        assert found not in ("ok", "no_token")
    else:
        assert found == reason


COOKIE: dict[str, tuple[dict[str, Any], str]] = {
    "header": ({"headers": {"Cookie": f"session={GOOD}"}}, "ok"),
    "header in lower case": ({"headers": {"cookie": f"session={GOOD}"}}, "ok"),
    "among others": ({"headers": {"Cookie": f"a=b; session={GOOD}; c=d"}}, "ok"),
    "no space between": ({"headers": {"Cookie": f"a=b;session={GOOD};c=d"}}, "ok"),
    "multi-value": ({"multiValueHeaders": {"Cookie": ["a=b", f"session={GOOD}"]}}, "ok"),
    "apart": ({"cookies": ["a=b", f"session={GOOD}"]}, "ok"),
    "apart and header": (
        {"cookies": [f"session={GOOD}"], "headers": {"cookie": f"session={GOOD}"}},
        "ok",
    ),
    "same twice": ({"headers": {"Cookie": f"session={GOOD}; session={GOOD}"}}, "ok"),
    "empty beside": ({"headers": {"Cookie": f"session=; session={GOOD}"}}, "ok"),
    "a name that ends alike": ({"cookies": [f"xsession={OTHER}", f"session={GOOD}"]}, "ok"),
    "none": ({}, "no_token"),
    "empty": ({"cookies": ["session="]}, "no_token"),
    "name alone": ({"cookies": ["session"]}, "no_token"),
    "another case": ({"cookies": [f"Session={GOOD}"]}, "no_token"),
    "space in the name": ({"cookies": [f"session ={GOOD}"]}, "no_token"),
    "cookies no list": ({"cookies": f"session={GOOD}"}, "no_token"),
    "cookies of other types": ({"cookies": [5, None, {"session": GOOD}, [GOOD]]}, "no_token"),
    "header no text": ({"headers": {"Cookie": {"session": GOOD}}}, "no_token"),
    "Set-Cookie": ({"headers": {"Set-Cookie": f"session={GOOD}"}}, "no_token"),
    "quoted": ({"cookies": [f'session="{GOOD}"']}, "bad_credentials"),
    "half quoted": ({"cookies": [f'session="{GOOD}']}, "bad_credentials"),
    "Bearer before": ({"cookies": [f"session=Bearer {GOOD}"]}, "bad_credentials"),
    "escaped": ({"cookies": [f"session=%20{GOOD}"]}, "bad_credentials"),
    "comma": ({"cookies": [f"session={GOOD},session={GOOD}"]}, "bad_credentials"),
    "tab inside": ({"cookies": [f"session={GOOD}\tx"]}, "bad_credentials"),
    "surrogate": ({"cookies": ["session=\ud800"]}, "bad_credentials"),
    "two differ": ({"headers": {"Cookie": f"session={GOOD}; session={OTHER}"}}, "several_tokens"),
    "two apart": ({"cookies": [f"session={GOOD}", f"session={OTHER}"]}, "several_tokens"),
    "places differ": (
        {"cookies": [f"session={GOOD}"], "headers": {"Cookie": f"session={OTHER}"}},
        "several_tokens",
    ),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize(("members", "reason"), COOKIE.values(), ids=COOKIE)
def test_a_cookie(kind, members, reason):
    assert reason_of(with_members(kind, **members), "cookie:session") == reason


SUBPROTOCOL: dict[str, tuple[Any, str]] = {
    "name and token": (f"auth, {GOOD}", "ok"),
    "no space": (f"auth,{GOOD}", "ok"),
    "spaces": (f"  auth ,  {GOOD}  ", "ok"),
    "others before": (f"graphql-ws, auth, {GOOD}", "ok"),
    "others after": (f"auth, {GOOD}, graphql-ws", "ok"),
    "same twice": (f"auth, {GOOD}, auth, {GOOD}", "ok"),
    "none": (None, "no_token"),
    "empty": ("", "no_token"),
    "token alone": (GOOD, "no_token"),
    "name alone": ("auth", "no_token"),
    "name last": (f"{GOOD}, auth", "no_token"),
    "name and nothing": ("auth, ", "no_token"),
    "another case": (f"Auth, {GOOD}", "no_token"),
    "glued": (f"auth.{GOOD}", "no_token"),
    "number": (5, "no_token"),
    "object": ({"auth": GOOD}, "no_token"),
    "something between": (f"auth, x, {GOOD}", "not_compact"),
    "Bearer before": (f"auth, Bearer {GOOD}", "bad_credentials"),
    "quoted": (f'auth, "{GOOD}"', "bad_credentials"),
    "two differ": (f"auth, {GOOD}, auth, {OTHER}", "several_tokens"),
    "name twice": (f"auth, auth, {GOOD}", "several_tokens"),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize(("value", "reason"), SUBPROTOCOL.values(), ids=SUBPROTOCOL)
def test_a_subprotocol(kind, value, reason):
    for members in (
        {"headers": {"Sec-WebSocket-Protocol": value}},
        {"multiValueHeaders": {"sec-websocket-protocol": [value]}},
    ):
        assert reason_of(with_members(kind, **members), "subprotocol:auth") == reason


TOKEN_EVENTS: dict[str, tuple[str, Any, str]] = {
    # a TOKEN authorizer is handed one header's value, whichever header it is
    "header": ("header:X-Token", GOOD, "ok"),
    "header with Bearer": ("header:X-Token", f"Bearer {GOOD}", "bad_credentials"),
    "Authorization in another case": ("header:authorization", f"Bearer {GOOD}", "ok"),
    "Authorization without Bearer": ("header:AUTHORIZATION", GOOD, "not_bearer"),
    "cookie": ("cookie:session", f"a=b; session={GOOD}", "ok"),
    "cookie of another name": ("cookie:session", f"other={GOOD}", "no_token"),
    "subprotocol": ("subprotocol:auth", f"auth, {GOOD}", "ok"),
    "query": ("query:token", GOOD, "no_token"),
    "null": ("header:X-Token", None, "no_token"),
    "empty": ("header:X-Token", "", "no_token"),
    "list": ("header:X-Token", [GOOD], "bad_credentials"),
    "false": ("header:X-Token", False, "bad_credentials"),
}


@pytest.mark.parametrize(("place", "value", "reason"), TOKEN_EVENTS.values(), ids=TOKEN_EVENTS)
def test_a_token_authorizer_is_handed_the_value_alone(place, value, reason):
    assert reason_of(with_members("rest_token", authorizationToken=value), place) == reason


@pytest.mark.parametrize("place", ["query:token", "cookie:session", "subprotocol:auth"])
@pytest.mark.parametrize("value", [GOOD, f"Bearer {GOOD}"], ids=["alone", "Bearer"])
def test_appsync_has_one_header_and_no_other_place(place, value):
    assert reason_of(with_members("appsync", authorizationToken=value), place) == "no_token"


# What the gateway keeps answers by must hold the token.

PLACED: dict[str, tuple[dict[str, Any], str]] = {
    "header:X-Token": ({"headers": {"x-token": GOOD}}, GOOD),
    "query:token": ({SINGLE: {"token": GOOD}}, GOOD),
    "cookie:session": ({"cookies": [f"a=b; session={GOOD}"]}, f"a=b; session={GOOD}"),
    "subprotocol:auth": (
        {"headers": {"sec-websocket-protocol": f"auth, {GOOD}"}},
        f"auth, {GOOD}",
    ),
    "header:Authorization": ({"headers": {"authorization": f"Bearer {GOOD}"}}, f"Bearer {GOOD}"),
}


@pytest.mark.parametrize("kind", ["http_api_v1", "http_api_v2"])
@pytest.mark.parametrize(("place", "placed"), PLACED.items(), ids=list(PLACED))
def test_identity_sources_must_hold_the_token(kind, place, placed):
    members, source = placed

    def reason(*sources) -> Any:
        joined = list(sources) if kind == "http_api_v2" else ",".join(sources)
        return reason_of(with_members(kind, **members, identitySource=joined), place)

    assert reason(source) == "ok"
    assert reason(GOOD) == "ok"  # the token alone
    assert reason(source, "GET /orders") == "ok"
    assert reason("GET /orders", source) == "ok"
    assert reason("203.0.113.7") == "identity_source"
    assert reason(OTHER) == "identity_source"
    assert reason(GOOD[:-1]) == "identity_source"
    assert reason("") == "ok"  # no source at all: nothing is kept


@pytest.mark.parametrize("sources", [5, {}, {"a": GOOD}, None, True, "", [], [None], ["", None]])
@pytest.mark.parametrize("place", PLACED)
def test_no_identity_sources_at_all(place, sources):
    members, source = PLACED[place]
    event = with_members("http_api_v2", **members, identitySource=sources)
    assert reason_of(event, place) == "ok"
    if isinstance(sources, list):
        event["identitySource"] = [*sources, source]
        assert reason_of(event, place) == "ok"
        event["identitySource"] = [*sources, "203.0.113.7"]
        assert reason_of(event, place) == "identity_source"


@pytest.mark.parametrize(
    "odd", [5, True, [GOOD], [[GOOD]], {"a": GOOD}], ids=["int", "bool", "list", "deep", "object"]
)
@pytest.mark.parametrize("place", PLACED)
def test_an_identity_source_that_is_no_text_holds_no_token(place, odd):
    members, source = PLACED[place]
    event = with_members("http_api_v2", **members, identitySource=[odd])
    assert reason_of(event, place) == "identity_source"
    event["identitySource"] = [odd, source]
    assert reason_of(event, place) == "ok"


OPAQUE = "0123456789abcdef0123"
OPAQUE_PLACES: dict[str, dict[str, Any]] = {
    "header:X-Token": {"headers": {"x-token": OPAQUE}},
    "query:token": {SINGLE: {"token": OPAQUE}},
    "cookie:session": {"headers": {"Cookie": f"a=b; session={OPAQUE}"}},
    "subprotocol:auth": {"headers": {"Sec-WebSocket-Protocol": f"auth, {OPAQUE}"}},
}


@pytest.mark.parametrize("kind", ["rest_request", "http_api_v1"])
@pytest.mark.parametrize(("place", "members"), OPAQUE_PLACES.items(), ids=list(OPAQUE_PLACES))
def test_an_opaque_token_that_the_path_repeats_stays_out_of_the_log(kind, place, members):
    class Sessions:
        def verify(self, token: str) -> Any:
            raise TokenError(f"unknown session {token}")

    log = Recorder()
    event = with_members(kind, **members)
    event["methodArn"] += f"/reset/{OPAQUE}/now"
    Authorizer(Sessions(), token_from=place, on_invalid="deny", log=log)(event)
    assert OPAQUE not in log.text()
    assert log.last["path"] == "…"


PLACES = {
    "empty": "",
    "no name": "header:",
    "no kind": ":token",
    "name alone": "Authorization",
    "kind alone": "header",
    "kind in capitals": "Header:X",
    "unknown kind": "body:token",
    "two names": "header:a,b",
    "space": "header: X",
    "space within": "header:X Token",
    "newline": "header:X\n",
    "two colons": "cookie:a:b",
    "equals": "cookie:a=b",
    "semicolon": "cookie:a;b",
    "not ASCII": "query:zażółć",
    "brackets": "query:token[]",
    "quoted": 'header:"X"',
    "too long": "header:" + "x" * 65,
    "surrogate": "query:\ud800",
    "None": None,
    "number": 5,
    "list": ["header:X"],
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_texts_that_name_no_place(place):
    from kmsjwt.gateway.places import token_place

    with pytest.raises(ConfigError) as caught:
        token_place(place)
    assert caught.value.code == "place"
    assert "expected header:NAME, query:NAME, cookie:NAME or subprotocol:NAME" in str(caught.value)
    with pytest.raises(ConfigError, match="token_from is") as caught:
        Authorizer(VERIFIER, token_from=place)
    assert caught.value.code == "authorizer"


@pytest.mark.parametrize("name", ["x" * 64, "a.b", "__Host-session", "!#$%&'*+.^_`|~-", "x"])
@pytest.mark.parametrize("kind", ["header", "query", "cookie"])
def test_names_of_any_token_characters(kind, name):
    members: dict[str, dict[str, Any]] = {
        "header": {"headers": {name: GOOD}},
        "query": {SINGLE: {name: GOOD}},
        "cookie": {"cookies": [f"{name}={GOOD}"]},
    }
    assert reason_of(with_members("http_api_v2", **members[kind]), f"{kind}:{name}") == "ok"


def test_authorization_is_a_name_like_others_but_for_a_header():
    query = with_members("http_api_v2", **{SINGLE: {"authorization": GOOD}})
    assert reason_of(query, "query:authorization") == "ok"
    cookie = with_members("http_api_v2", cookies=[f"Authorization={GOOD}"])
    assert reason_of(cookie, "cookie:Authorization") == "ok"
    header = with_members("http_api_v2", headers={"authorization": f"Bearer {GOOD}"})
    assert reason_of(header, "query:authorization") == "no_token"
    assert reason_of(header, "cookie:Authorization") == "no_token"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from([GOOD, OTHER, f"Bearer {GOOD}", f"t={GOOD}", f"t, {GOOD}", f"t={OTHER}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["t", "T", "Cookie", "cookie", "sec-websocket-protocol"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
MEMBERS = ["headers", "multiValueHeaders", SINGLE, MANY, "cookies", "identitySource"]


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    place=st.sampled_from(["header:t", "query:t", "cookie:t", "subprotocol:t"]),
    members=st.dictionaries(st.sampled_from([*MEMBERS, "authorizationToken"]), json_values),
)
def test_anything_anywhere_is_answered_and_two_tokens_never_let_in(kind, place, members):
    event = with_members(kind, **members)
    reason = reason_of(event, place)
    assert reason in {
        "ok",
        "no_token",
        "bad_credentials",
        "several_tokens",
        "identity_source",
        "not_compact",
        "header_base64",  # the name of a cookie and '=' before the token
    }
    if reason == "ok":
        assert GOOD in json.dumps(event) or OTHER in json.dumps(event)


def test_a_scheme_before_a_token_that_should_stand_alone_is_told():
    place = token_place("header:X-Token")
    with pytest.raises(TokenError) as caught:
        place.token(("Bearer aaaa.bbbb.cccc",), ())

    assert caught.value.code == "bad_credentials"
    assert caught.value.message == "header:X-Token begins with 'Bearer ', expected the token alone"
    with pytest.raises(TokenError, match="holds no token alone"):
        place.token(("two words",), ())
