"""Each condition of the gateway's side at its limit: doors, answers, settings, log lines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.gateway.shapes import KINDS, event_of

from kmsjwt import VerifiedToken
from kmsjwt.errors import ConfigError, JwksUnavailable, TokenError
from kmsjwt.gateway import Authorizer, Unauthorized, policy
from kmsjwt.gateway.bearer import bearer_token

API = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3"
ANSWER = 8192
GONE: Any = object()


def kind_of(mint: Any, log: Any, event: dict[str, Any]) -> str:
    """Return the door that an event came through, or the reason why through none."""
    try:
        Authorizer(mint.verifier(), on_invalid="deny", log=log)(event)
    except Unauthorized as error:
        return error.reason
    return str(log.last["kind"])


def changed(event: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = {**event, **changes}
    return {name: value for name, value in merged.items() if value is not GONE}


@pytest.mark.parametrize("kind", KINDS)
def test_each_event_has_its_door(kind: str, mint, log):
    assert kind_of(mint, log, event_of(kind, "Bearer x")) == kind


@pytest.mark.parametrize(
    ("kind", "changes", "door"),
    [
        ("rest_token", {"type": GONE}, "unknown_event"),
        ("rest_token", {"type": "token"}, "unknown_event"),
        ("rest_token", {"methodArn": GONE}, "unknown_event"),
        ("rest_token", {"methodArn": 7}, "unknown_event"),
        ("rest_request", {"type": GONE}, "unknown_event"),
        ("rest_request", {"methodArn": GONE}, "unknown_event"),
        ("rest_request", {"version": None}, "unknown_event"),
        ("rest_request", {"version": "1.0"}, "http_api_v1"),
        ("rest_request", {"methodArn": f"{API}/prod/$connect"}, "websocket"),
        ("rest_request", {"methodArn": f"{API}/prod/GET/$connect"}, "rest_request"),
        ("rest_request", {"methodArn": f"{API}/prod/$disconnect"}, "rest_request"),
        ("http_api_v1", {"type": GONE}, "unknown_event"),
        ("http_api_v1", {"type": "TOKEN", "methodArn": GONE}, "unknown_event"),
        ("http_api_v1", {"version": "1"}, "unknown_event"),
        ("http_api_v1", {"version": 1.0}, "unknown_event"),
        ("http_api_v1", {"methodArn": GONE, "routeArn": f"{API}/prod/GET/x"}, "unknown_event"),
        ("http_api_v2", {"type": GONE}, "unknown_event"),
        ("http_api_v2", {"version": "2"}, "unknown_event"),
        ("http_api_v2", {"version": "1.0"}, "unknown_event"),
        ("http_api_v2", {"routeArn": GONE, "methodArn": f"{API}/prod/GET/x"}, "unknown_event"),
        ("websocket", {"type": GONE}, "unknown_event"),
        ("websocket", {"version": "2.0"}, "unknown_event"),
        ("websocket", {"version": "1.0"}, "http_api_v1"),
        ("websocket", {"methodArn": None}, "unknown_event"),
    ],
)
def test_an_event_with_another_member_is_another_event(
    kind: str, changes: dict[str, Any], door: str, mint, log
):
    assert kind_of(mint, log, changed(event_of(kind, "Bearer x"), changes)) == door


@pytest.mark.parametrize(
    ("credentials", "identity", "code"),
    [
        (["Bearer aaaa"], (), "accepted"),
        (["Bearer aaaa", "Bearer aaaa"], (), "accepted"),
        (["Bearer aaaa", "Bearer bbbb"], (), "several_tokens"),
        (["Bearer aaaa", None], (), "several_tokens"),
        ([None], (), "bad_credentials"),
        ([["Bearer aaaa"]], (), "bad_credentials"),
        (["Bearer "], (), "bad_credentials"),
        (["Bearer"], (), "bad_credentials"),
        (["Bearer  aaaa"], (), "bad_credentials"),
        (["Bearer aa aa"], (), "bad_credentials"),
        (["Bearer aaaa,Bearer bbbb"], (), "several_tokens"),
        (["Bearer aa\u00e4a"], (), "bad_credentials"),
        (["Basic aaaa"], (), "not_bearer"),
        (["aaaa"], (), "not_bearer"),
        (["Bearer aaaa"], ("Bearer aaaa",), "accepted"),
        (["Bearer aaaa"], ("Bearer aaaa", "203.0.113.7"), "accepted"),
        (["Bearer aaaa"], ("aaaa",), "accepted"),
        (["Bearer aaaa"], ("", None), "accepted"),
        (["Bearer aaaa"], ("203.0.113.7",), "identity_source"),
        (["Bearer aaaa"], ("203.0.113.7", "aaaa"), "accepted"),
        (["Bearer aaaa"], (7, "aaaa"), "accepted"),
        (["Bearer aaaa"], (7,), "identity_source"),
        (["Bearer aaaa"], ("aaaab",), "identity_source"),
        (["Bearer aaaa"], ("x aaaa", "Basic aaaa"), "identity_source"),
        (["Bearer aaaa"], ("Bearer bbbb",), "several_tokens"),
        (["Bearer aaaa"], ("Bearer aaaa", "Bearer bbbb"), "several_tokens"),
        (["Bearer aaaa"], (7, "bearer aaaa"), "several_tokens"),
    ],
)
def test_which_credentials_are_one_token(credentials: list[Any], identity: Any, code: str):
    try:
        found = bearer_token(tuple(credentials), identity)
    except TokenError as error:
        found = error.code
    assert found == ("aaaa" if code == "accepted" else code)


@pytest.mark.parametrize(
    ("kind", "source", "reason"),
    [
        ("http_api_v1", None, "ok"),
        ("http_api_v1", 7, "ok"),
        ("http_api_v1", ["203.0.113.7"], "ok"),
        ("http_api_v1", "203.0.113.7", "identity_source"),
        ("http_api_v2", None, "ok"),
        ("http_api_v2", 7, "ok"),
        ("http_api_v2", "203.0.113.7", "ok"),
        ("http_api_v2", ["203.0.113.7"], "identity_source"),
        ("http_api_v2", ("203.0.113.7",), "identity_source"),
    ],
)
def test_an_identity_source_counts_where_the_gateway_puts_it(
    kind: str, source: object, reason: str, mint, log
):
    event = event_of(kind, f"Bearer {mint.token()}")
    Authorizer(mint.verifier(), log=log)({**event, "identitySource": source})

    assert log.last["reason"] == reason


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"headers": None}, "no_token"),
        ({"headers": 7}, "no_token"),
        ({"headers": ["authorization"]}, "no_token"),
        ({"headers": {7: "Bearer x", None: "Bearer y", "Authorization": "GOOD"}}, "ok"),
        ({"headers": {"authorizations": "Bearer x", "AUTHORIZATION": "GOOD"}}, "ok"),
        ({"headers": {"authorizatiom": "Bearer x", "authorization": "GOOD"}}, "ok"),
        ({"headers": {"authorization": None}}, "no_token"),
        ({"headers": {"authorization": None, "Authorization": "GOOD"}}, "ok"),
        ({"headers": {}, "multiValueHeaders": {"Authorization": ["GOOD"]}}, "ok"),
        ({"headers": None, "multiValueHeaders": {"authorization": ["GOOD", "GOOD"]}}, "ok"),
        ({"multiValueHeaders": {"authorization": ["GOOD", "Bearer x"]}}, "several_tokens"),
        ({"multiValueHeaders": {"authorization": "Bearer x"}}, "several_tokens"),
    ],
    ids=str,
)
def test_every_place_of_the_header_is_looked_at(members: dict[str, Any], reason: str, mint, log):
    good = f"Bearer {mint.token()}"

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(member) for name, member in value.items()}
        if isinstance(value, list):
            return [filled(each) for each in value]
        return good if value == "GOOD" else value

    event = {**event_of("rest_request", good), "multiValueHeaders": None, **filled(members)}
    Authorizer(mint.verifier(), on_invalid="deny", log=log)(event)

    assert log.last["reason"] == reason


def test_a_token_event_without_a_token(mint, log):
    event = changed(event_of("rest_token", "Bearer x"), {"authorizationToken": None})

    Authorizer(mint.verifier(), on_invalid="deny", log=log)(event)
    assert log.last["reason"] == "no_token"


def test_what_is_passed_on_by_default(mint):
    claims = {"client_id": "app", "scope": "read", "jti": "j", "sub": "ala", "note": "private"}
    answer = Authorizer(mint.verifier(), log=None)(
        event_of("rest_token", f"Bearer {mint.token(**claims)}")
    )
    del claims["note"]

    assert answer["context"] == claims


class Vouches:
    """A verifier of somebody else's that lets any claims through."""

    def __init__(self, **claims: object) -> None:
        self.claims = claims

    def verify(self, token: str) -> Any:  # noqa: ARG002  the protocol's name
        return VerifiedToken(header={}, claims=self.claims, kid="k", alg="ES256")


@pytest.mark.parametrize(
    "value", ["\ud800", "a\udfff", float("nan"), float("inf"), -float("inf")], ids=ascii
)
@pytest.mark.parametrize("kind", ["rest_token", "http_api_v2"])
def test_no_context_holds_what_json_cannot_say(value: object, kind: str):
    authorizer = Authorizer(Vouches(note=value), context=("note",), response="simple", log=None)

    with pytest.raises(ConfigError) as caught:
        authorizer(event_of(kind, "Bearer aaaa"))
    assert caught.value.code == "policy_context"


@pytest.mark.parametrize(
    ("context", "code"),
    [
        ({"note": 1}, "accepted"),
        ({"n\u00f6te": "\u00e9"}, "accepted"),
        ({"n\ud800te": 1}, "policy_context"),
        ({"note": "\ud800"}, "policy_context"),
        ({"note": float("nan")}, "policy_context"),
        ({"note": 1.5}, "accepted"),
        ({"note": None}, "policy_context"),
        ({"note": [1]}, "policy_context"),
        ({"": 1}, "policy_context"),
        ({7: 1}, "policy_context"),
        ({"claims": 1}, "policy_context"),
        ([("note", 1)], "policy_context"),
        ("note", "policy_context"),
    ],
    ids=ascii,
)
def test_what_a_policy_s_context_may_hold(context: Any, code: str):
    try:
        policy("ala", "Allow", f"{API}/prod/*", context)
        found = "accepted"
    except ConfigError as error:
        found = error.code
    assert found == code


@pytest.mark.parametrize("answers", [Vouches(sub="ala"), None], ids=["allows", "raises"])
@pytest.mark.parametrize("kind", ["rest_token", "http_api_v2"])
def test_without_a_log_all_goes_on(answers: Any, kind: str, mint):
    quiet = Authorizer(answers or Unsure(), log=None)

    if answers is None:
        with pytest.raises(JwksUnavailable):
            quiet(event_of(kind, "Bearer aaaa"))
    else:
        assert quiet(event_of(kind, "Bearer aaaa"))["principalId"] == "ala"
    with pytest.raises(Unauthorized):
        Authorizer(mint.verifier(), log=None)({})


@pytest.mark.parametrize(
    ("segment", "shown"), [("x" * 40, "x" * 40), ("x" * 41, "\u2026")], ids=["40", "41"]
)
def test_how_much_of_a_path_is_logged(segment: str, shown: str, mint, log):
    event = event_of("rest_token", f"Bearer {mint.token()}", path=f"/orders/{segment}/x")
    Authorizer(mint.verifier(), log=log)(event)

    assert log.last["path"] == f"/orders/{shown}/x"


@pytest.mark.parametrize(
    ("secret", "path"), [("s" * 15, f"/{'s' * 15}"), ("s" * 16, "\u2026")], ids=["15", "16"]
)
def test_no_secret_of_the_header_is_logged_with_the_path(secret: str, path: str, mint, log):
    event = event_of("rest_request", f"Basic {secret}", path=f"/{secret}")
    Authorizer(mint.verifier(), on_invalid="deny", log=log)(event)

    assert log.last["path"] == path


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"x" * 40: 1}, f"{{{'x' * 40}: int}}"),
        ({"x" * 41: 1}, "{\u2026: int}"),
        ({"a b": 1}, "{\u2026: int}"),
        ({7: 1}, "{\u2026: int}"),
        ({"eyJhbGciOiJFUzI1NiJ9": 1}, "{\u2026: int}"),
        ({f"m{n}": n for n in range(20)}, "m19: int}"),
        ({f"m{n}": n for n in range(21)}, "m19: int, \u2026}"),
        ([], "of type list"),
    ],
    ids=["40", "41", "space", "number", "a token", "20 members", "21 members", "list"],
)
def test_an_unknown_event_is_told_by_its_members(event: Any, says: str, mint, log):
    with pytest.raises(Unauthorized):
        Authorizer(mint.verifier(), log=log)(event)
    assert says in log.last["message"]


def padded(size: int) -> dict[str, Any]:
    """Return the arguments of a policy whose answer has that many bytes."""
    arguments: dict[str, Any] = {"principal_id": "ala", "effect": "Allow", "context": {"x": ""}}
    least = len(json.dumps(policy(**arguments, resources=f"{API}/prod/*")))
    return {**arguments, "context": {"x": "x" * (size - least)}}


def test_how_large_an_answer_may_be():
    assert len(json.dumps(policy(**padded(ANSWER), resources=f"{API}/prod/*"))) == ANSWER
    with pytest.raises(ConfigError) as caught:
        policy(**padded(ANSWER + 1), resources=f"{API}/prod/*")
    assert caught.value.code == "answer_too_large"


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("x" * 500, True),
        ("x" * 7000, True),
        ("x" * 9000, False),
        ("\u00e9" * 1200, True),
        ("\u00e9" * 1500, False),
        ("\0" * 1500, False),
    ],
)
@pytest.mark.parametrize("response", ["iam", "simple"])
def test_no_answer_is_larger_than_api_gateway_takes(
    text: str, fits: bool, response: str, mint, log
):
    """Measured or not: what leaves here fits, and what does not is an error of ours."""
    authorizer = Authorizer(mint.verifier(), response=response, context=("note",), log=log)
    event = event_of("http_api_v2", f"Bearer {mint.token(note=text)}")

    if fits:
        assert len(json.dumps(authorizer(event))) <= ANSWER
    else:
        with pytest.raises(ConfigError) as caught:
            authorizer(event)
        assert caught.value.code == "answer_too_large"


@pytest.mark.parametrize(
    "settings",
    [
        {"principal_claim": ""},
        {"principal_claim": 7},
        {"principal_claim": ["sub"]},
        {"context": "sub"},
        {"context": [""]},
        {"context": [7]},
        {"context": [None, "sub"]},
        {"context": ["claims"]},
        {"on_invalid": 401},
        {"response": None},
        {"verifier": None},
        {"verifier": "verify"},
    ],
    ids=str,
)
def test_settings_that_make_no_sense(settings: dict[str, Any], mint):
    with pytest.raises(ConfigError) as caught:
        Authorizer(**{"verifier": mint.verifier(), **settings})
    assert caught.value.code == "authorizer"


class Unsure:
    """A verifier that cannot know."""

    def verify(self, token: str) -> Any:  # noqa: ARG002  the protocol's name
        raise JwksUnavailable("the server is silent", code="jwks_timeout", retryable=True)


class Broken:
    """A verifier with a fault of its own."""

    def verify(self, token: str) -> Any:
        raise RuntimeError(f"about {token}")


@pytest.mark.parametrize(
    ("verifier", "expected"),
    [
        (
            Unsure(),
            {"reason": "jwks_timeout", "message": "the server is silent", "retryable": True},
        ),
        (
            Broken(),
            {"reason": "unexpected_error", "message": "RuntimeError was raised", "retryable": None},
        ),
    ],
    ids=["unsure", "broken"],
)
def test_what_the_log_says_of_an_error(verifier: Any, expected: dict[str, object], mint, log):
    with pytest.raises((JwksUnavailable, RuntimeError)):
        Authorizer(verifier, log=log)(event_of("rest_token", f"Bearer {mint.token()}"))
    assert {name: log.last[name] for name in expected} == expected
    assert (log.last["level"], log.last["decision"]) == ("ERROR", "error")
