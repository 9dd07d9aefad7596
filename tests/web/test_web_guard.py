"""The guard itself: its settings, its places, trouble that is nobody's fault, hostile input."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.minting import Recorder
from tests.web import challenge, world

from kmsjwt.errors import (
    CannotKnow,
    ConfigError,
    Forbidden,
    JwksInvalid,
    JwksUnavailable,
    KmsAccessDenied,
    KmsThrottled,
)
from kmsjwt.rules import Requirement, Rule, Rules, scope
from kmsjwt.web import Guard, Refused
from kmsjwt.web.asgi import BearerMiddleware
from kmsjwt.web.aws_lambda import protect
from kmsjwt.web.fastapi import bearer
from kmsjwt.web.powertools import kmsjwt_middleware


class Raising:
    """A verifier of somebody's own, which raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def verify(self, _token: str) -> NoReturn:
        raise self._error


def refusal(guard, method="GET", path="/orders/1", event=None) -> Refused:
    with pytest.raises(Refused) as caught:
        guard.check(method, path, event if event is not None else {"headers": {}})
    return caught.value


BEARER = {"headers": {"authorization": f"Bearer {world.READER}"}}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"verifier": None}, "verifier is None, expected one with verify(token)"),
        ({"verifier": "x"}, "verifier is 'x'"),
        ({"rules": {"GET /": []}}, "rules is of type dict"),
        ({"log": "x"}, "log is 'x', expected log(level, event, **fields), or None"),
        ({"clock": None}, "clock is None, expected what returns seconds since 1970"),
        ({"realm": ""}, "realm is ''"),
        ({"realm": None}, "realm is None"),
        ({"realm": 'a"b'}, "realm is 'a\"b'"),
        ({"realm": "a\\b"}, "realm is"),
        ({"realm": "a\r\nSet-Cookie: x"}, "realm is"),
        ({"realm": "a\n"}, "realm is"),
        ({"realm": "żółw"}, "realm is"),
        ({"realm": "x" * 129}, "realm is"),
        ({"token_from": "body:token"}, "the token's place is 'body:token'"),
        ({"token_from": 7}, "the token's place is 7"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_settings_that_make_no_sense_are_refused(settings, told):
    with pytest.raises(ConfigError) as caught:
        world.guard(**settings)

    assert told in str(caught.value)


def test_every_wrong_setting_is_named_at_once():
    with pytest.raises(ConfigError) as caught:
        Guard(None, realm="", token_from="nowhere", rules=[])  # type: ignore[arg-type]  # wrong on purpose

    assert str(caught.value).count("expected") == 4


PLACES: dict[str, dict[str, Any]] = {
    "header:X-Token": {"headers": {"x-token": world.READER}},
    "query:token": {"headers": {}, "queryStringParameters": {"token": world.READER}},
    "cookie:session": {"headers": {}, "cookies": ["a=1", f"session={world.READER}"]},
    "subprotocol:jwt": {"headers": {"Sec-WebSocket-Protocol": f"jwt, {world.READER}"}},
}


@pytest.mark.parametrize("place", PLACES)
def test_the_token_is_read_from_its_one_place(place):
    guard = world.guard(token_from=place)

    assert guard.token_from == place
    assert guard.check("GET", "/orders/1", PLACES[place]).claims["sub"] == "ala"
    for other in {**PLACES, "header:Authorization": BEARER}.items():
        if other[0] != place:
            assert refusal(guard, event=other[1]).status == 401


TROUBLE = {
    "unavailable": (JwksUnavailable("no answer"), 503, "unavailable"),
    "throttled": (KmsThrottled("slow down"), 503, "unavailable"),
    "invalid": (JwksInvalid("no JWKS"), 500, "internal"),
    "denied": (KmsAccessDenied("no"), 500, "internal"),
    "own": (CannotKnow("?"), 500, "internal"),
}


@pytest.mark.parametrize("case", TROUBLE)
def test_not_knowing_is_no_denial(case):
    error, status, word = TROUBLE[case]
    log = Recorder()

    refused = refusal(world.guard(log, verifier=Raising(error)), event=BEARER)

    assert (refused.status, refused.body) == (status, {"error": word})
    assert ("Retry-After" in refused.headers) == (status == 503)
    assert "WWW-Authenticate" not in refused.headers
    assert refused.headers["Cache-Control"] == "no-store"
    assert [(line["level"], line["decision"], line["reason"]) for line in log.lines] == [
        ("ERROR", "error", error.code)
    ]


@pytest.mark.parametrize("error", [ValueError(world.READER), ConfigError("wired wrongly")])
def test_what_else_a_verifier_raises_comes_through_and_is_logged_by_its_type(error):
    log = Recorder()

    with pytest.raises(type(error)) as caught:
        world.guard(log, verifier=Raising(error)).check("GET", "/orders/1", BEARER)

    assert caught.value is error
    assert log.last["decision"] == "error"
    assert world.READER not in log.text()


def test_a_check_of_ones_own_that_forbids_is_a_403_that_names_no_scope():
    refused = refusal(world.guard(verifier=Raising(Forbidden("closed"))), event=BEARER)

    assert (refused.status, refused.headers) == (403, {"Cache-Control": "no-store"})


def test_without_rules_any_valid_token_may_use_any_path():
    guard = world.guard(rules=None)

    for path in ("/orders/1", "//", "/a/../b", "*", ""):
        assert guard.check("PURGE", path, BEARER).claims["sub"] == "ala"


def test_what_every_token_needs_is_told_by_its_scopes():
    rules = Rules(Rule("/open/*"), require=scope("api"))

    refused = refusal(world.guard(rules=rules), path="/open/x", event=BEARER)

    assert refused.body == {"error": "insufficient_scope", "scope": "api"}
    require_alone = world.guard(rules=Rules(require=scope("orders:read")))
    assert require_alone.check("GET", "/a/../b", BEARER).kid == "key-1"


def test_a_token_in_the_path_is_not_logged():
    log = Recorder()

    refusal(world.guard(log), path=f"/reset/{world.READER}", event=BEARER)

    world.assert_nothing_of_a_token(log.text(), world.bearer(world.READER))


def test_no_path_is_not_logged_as_one():
    log = Recorder()
    world.guard(log, rules=None).check("GET", "", BEARER)

    assert log.last["path"] is None


def test_the_clock_tells_the_duration_and_no_log_is_no_log():
    log = Recorder()
    times = iter((100.0, 100.25))

    world.guard(log, clock=lambda: next(times)).check("GET", "/orders/1", BEARER)

    assert log.last["duration_ms"] == 250
    assert world.guard(None).check("GET", "/orders/1", BEARER).kid == "key-1"


class Odd(Requirement):
    """A requirement of somebody's own, whose scopes are none by RFC 6749 section 3.3."""

    __slots__ = ()

    def is_met(self, _claims: object) -> bool:
        return False

    @property
    def scopes(self) -> tuple[str, ...]:
        return ('a"b', "c\r\nd", "e\\", "ż", "", "good:one")


def test_scopes_that_would_break_the_header_are_left_out_of_it():
    refused = refusal(world.guard(rules=Rules(Rule("/orders/*", Odd()))), event=BEARER)

    assert challenge.parsed(refused.headers["WWW-Authenticate"])["scope"] == "good:one"


HOSTILE = {
    "no headers": {},
    "null": {"headers": None},
    "a list": {"headers": [["authorization", "x"]]},
    "text": {"headers": "authorization: x"},
    "number": {"headers": {"authorization": 7}},
    "nested": {"headers": {"authorization": [["Bearer x"]]}},
    "name no text": {"headers": {7: "x"}, "multiValueHeaders": {None: ["x"]}},
    "surrogate": {"headers": {"authorization": "Bearer \ud800"}},
    "surrogate name": {"headers": {"authorizatio\udcff": "Bearer x"}},
    "beyond ASCII": {"headers": {"authorization": "Bearer żółw.żółw.żółw"}},
    "dotless i": {"headers": {"authorızation": f"Bearer {world.READER}"}},
    "huge": {"headers": {"authorization": "Bearer " + "a.b" * 2_000_000}},
    "many": {"multiValueHeaders": {"authorization": ["Bearer x"] * 9 + ["Bearer y"]}},
    "line feed": {"headers": {"authorization": f"Bearer {world.READER}\n"}},
    "comma": {"headers": {"authorization": f"Bearer {world.READER},"}},
    "in another place": {"queryStringParameters": {"Authorization": f"Bearer {world.READER}"}},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_events_are_refused_in_few_words(case):
    log = Recorder()

    refused = refusal(world.guard(log), event=HOSTILE[case])

    assert refused.status in (400, 401)
    assert challenge.parsed(refused.headers["WWW-Authenticate"])["realm"] == world.REALM
    assert len(json.dumps(refused.headers) + json.dumps(refused.body)) < 400
    assert len(log.text()) < 3_000
    assert world.READER not in log.text() + str(refused) + repr(refused)


values = st.one_of(
    st.text(), st.text().map("Bearer {}".format), st.none(), st.integers(), st.lists(st.text())
)


@given(value=values, name=st.sampled_from(["authorization", "Authorization", "x"]), path=st.text())
def test_whatever_is_sent_is_refused_with_a_challenge_that_can_be_read(value, name, path):
    refused = refusal(world.guard(), path=path, event={"headers": {name: value}})

    assert refused.status in (400, 401)
    challenge.parsed(refused.headers["WWW-Authenticate"])


@given(escaped=st.lists(st.booleans(), min_size=5, max_size=5), lower=st.booleans())
def test_no_spelling_of_a_narrower_route_gets_a_wider_ones_answer(escaped, lower):
    form = "%{:02x}" if lower else "%{:02X}"
    letters = zip("admin", escaped, strict=True)
    path = "/open/" + "".join(form.format(ord(c)) if yes else c for c, yes in letters)

    assert refusal(world.guard(), path=path, event=BEARER).status == 403


@pytest.mark.parametrize(
    ("path", "is_allowed"),
    [("/orders/1", True), ("/orders/1/", True), ("/orders/", False)],
)
def test_the_path_without_the_slash_at_its_end_must_be_allowed_too(path, is_allowed):
    """``/orders/*`` begins below ``/orders``, which many a framework would serve here."""
    guard = world.guard(rules=Rules(Rule("GET /orders/*")))
    if is_allowed:
        guard.check("GET", path, BEARER)
    else:
        assert refusal(guard, path=path, event=BEARER).status == 403


def test_every_path_by_which_a_request_is_known_must_be_allowed():
    guard = world.guard(rules=Rules(Rule("/*"), Rule("/admin", scope("admin"))))

    guard.check("GET", "/a", BEARER, also=["/b"])
    for also in (["/admin"], ["/b", "/admin/"], ["/b/../c"]):
        with pytest.raises(Refused):
            guard.check("GET", "/a", BEARER, also=also)


@pytest.mark.parametrize("text", ["/admin", "", b"/admin"], ids=repr)
def test_one_text_is_no_list_of_paths(text):
    guard = world.guard(rules=Rules(Rule("/*"), Rule("/admin", scope("admin"))))

    with pytest.raises(ConfigError, match="expected a list of paths"):
        guard.check("GET", "/a", BEARER, also=text)


def test_the_error_holds_status_and_word_alone():
    refused = refusal(world.guard(), event=BEARER | {"multiValueHeaders": {"authorization": "x"}})

    assert str(refused) == "400 invalid_request"


def test_importing_the_guard_and_the_lambda_adapter_loads_no_framework():
    heavy = (
        "boto3 botocore ssl http.client dataclasses logging asyncio socket urllib.request inspect "
        "email concurrent.futures pathlib tomllib starlette fastapi aws_lambda_powertools"
    )
    asked = (
        "import sys, kmsjwt.web.aws_lambda; "
        f"print(sorted(set({heavy!r}.split()) & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True, timeout=60
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "adapt",
    [
        protect,
        kmsjwt_middleware,
        bearer,
        lambda guard: BearerMiddleware(lambda *_: None, guard),  # type: ignore[arg-type]  # wrong on purpose
    ],
    ids=["protect", "powertools", "fastapi", "asgi"],
)
@pytest.mark.parametrize("none", [None, object(), len], ids=["none", "object", "function"])
def test_what_is_no_guard_is_told_at_once(adapt, none):
    """As of ``@protect`` without its parentheses, or a verifier in a guard's place."""
    with pytest.raises(ConfigError, match="expected a Guard") as caught:
        adapt(none)
    assert caught.value.code == "guard"
