"""A front door from outside: AWS IoT Core's custom authorizer, in one file, this one.

Its event and its answer are those of the IoT Core developer guide ("Defining your Lambda
function" for custom authentication). Nothing of it was verified against AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.gateway.minting import NOW, Mint, pieces
from tests.gateway.shapes import KINDS, appsync_event, event_of

from kmsjwt.errors import ConfigError
from kmsjwt.gateway import DOORS, Authorizer, FrontDoor, Settings, Unauthorized
from kmsjwt.gateway.arn import Api
from kmsjwt.gateway.decision import ALLOW
from kmsjwt.gateway.judging import by_token
from kmsjwt.gateway.request import AuthRequest, UnknownEvent
from kmsjwt.rules import Rule, Rules, scope

MINT = Mint()
VERIFIER = MINT.verifier()
GOOD = MINT.token()
ENDPOINT = "a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com"
THINGS = "arn:aws:iot:eu-central-1:123456789012"


class IotCore(FrontDoor):
    """Decides once, when a device connects; IoT Core asks again when it is told to."""

    __slots__ = ("_things",)
    kind = "iot_core"
    judge = staticmethod(by_token)

    def __init__(self, settings: Settings, things: str = THINGS) -> None:
        super().__init__(settings)
        self._things = things

    def recognises(self, event):
        return isinstance(event.get("protocolData"), Mapping)

    def read(self, event, place):
        data = event["protocolData"]
        token = event.get("token")
        if token:
            found = place.read_header(f"Bearer {token}" if place.has_scheme else token)
        else:
            http = data.get("http", {})
            query = parse_qs(http.get("queryString", "").removeprefix("?"))
            found = place.read(
                {"headers": http.get("headers"), "multiValueQueryStringParameters": query}
            )
        return AuthRequest(api=Api(data["tls"]["serverName"]), credentials=found)

    def answer(self, request, decision):
        del request
        if decision.verdict != ALLOW:
            return {"isAuthenticated": False}
        left = int(decision.verified.claims["exp"] - self._settings.clock())
        client = f"{self._things}:client/{decision.verified.claims['sub']}"
        statement = {"Action": "iot:Connect", "Effect": "Allow", "Resource": client}
        return {
            "isAuthenticated": True,
            "principalId": sha256(decision.principal.encode()).hexdigest(),
            "policyDocuments": [{"Version": "2012-10-17", "Statement": [statement]}],
            "disconnectAfterInSeconds": left,
            "refreshAfterInSeconds": left,
        }


def iot_event(token=None, **http) -> Any:
    """Return what IoT Core sends when a device connects by MQTT over WebSocket."""
    sent = {} if token is None else {"token": token, "signatureVerified": False}
    return {
        **sent,
        "protocols": ["tls", "http", "mqtt"],
        "protocolData": {
            "tls": {"serverName": ENDPOINT},
            "http": {"headers": {}, "queryString": "", **http},
            "mqtt": {"username": "ala", "password": "c2Vuc29y", "clientId": "ala"},
        },
        "connectionMetadata": {"id": "0d5c4ac7-3dd1-4b4b-9b8a-4f6c50a1b2c3"},
    }


def wired(log, *doors, verifier=VERIFIER, **arguments) -> Authorizer:
    return Authorizer(
        verifier,
        doors=(*DOORS, *(doors or (IotCore,))),
        log=log,
        clock=lambda: NOW,
        **arguments,
    )


def test_a_good_token_is_answered_in_the_words_of_the_new_gateway(log):
    answer = wired(log)(iot_event(GOOD))

    assert answer.pop("principalId").isalnum()
    assert answer == {
        "isAuthenticated": True,
        "policyDocuments": [
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Action": "iot:Connect", "Effect": "Allow", "Resource": f"{THINGS}:client/ala"}
                ],
            }
        ],
        "disconnectAfterInSeconds": 890,
        "refreshAfterInSeconds": 890,
    }
    line = log.last
    assert (line["decision"], line["reason"], line["jti"]) == ("allow", "ok", "jti-1")
    assert (line["kind"], line["api_id"], line["stage"]) == ("iot_core", ENDPOINT, None)
    assert (line["method"], line["path"]) == (None, None)


@pytest.mark.parametrize("on_invalid", ["401", "deny"])
@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (None, "no_token"),
        (MINT.token(exp=NOW - 100), "expired"),
        (f"{GOOD} {GOOD}", "bad_credentials"),
    ],
    ids=["none", "expired", "two"],
)
def test_a_bad_one_is_an_answer_too_and_nothing_of_it_is_told(token, reason, on_invalid, log):
    assert wired(log, on_invalid=on_invalid)(iot_event(token)) == {"isAuthenticated": False}
    assert log.last["reason"] == reason
    for piece in pieces(token or GOOD):
        assert piece not in log.text()


PLACES = {
    "header:Authorization": {"headers": {"authorization": f"Bearer {GOOD}"}},
    "header:X-Token": {"headers": {"X-Token": GOOD}},
    "query:token": {"queryString": f"?token={GOOD}"},
    "cookie:session": {"headers": {"Cookie": f"a=b; session={GOOD}"}},
    "subprotocol:mqtt": {"headers": {"Sec-WebSocket-Protocol": f"mqtt, {GOOD}"}},
}


@pytest.mark.parametrize(("place", "http"), PLACES.items(), ids=PLACES)
def test_the_place_of_the_token_is_the_settings_affair(place, http, log):
    assert wired(log, token_from=place)(iot_event(**http))["isAuthenticated"] is True
    assert wired(log, token_from="header:Elsewhere")(iot_event(**http))["isAuthenticated"] is False


@pytest.mark.parametrize(("granted", "passes"), [("iot", True), ("orders", False)])
def test_rules_ask_for_claims(granted, passes, log):
    rules = Rules(require=scope("iot"))
    answer = wired(log, rules=rules)(iot_event(MINT.token(scope=granted)))

    assert answer["isAuthenticated"] is passes


def test_rules_that_name_routes_are_an_error_where_there_are_none(log):
    with pytest.raises(ConfigError) as caught:
        wired(log, rules=Rules(Rule("GET /orders")))(iot_event(GOOD))
    assert caught.value.code == "rules_without_routes"


@pytest.mark.parametrize("kind", [*KINDS, "appsync"])
def test_every_other_event_still_comes_through_its_own_door(kind, log):
    header = f"Bearer {GOOD}"
    event = appsync_event(header) if kind == "appsync" else event_of(kind, header)

    answers = [wired(log)(event), Authorizer(VERIFIER, log=None, clock=lambda: NOW)(event)]
    assert answers[0] == answers[1]
    assert log.last["kind"] == kind


def test_a_door_may_be_told_more_than_settings(log):
    elsewhere = THINGS.replace("eu-central-1", "us-east-1")
    answer = wired(log, partial(IotCore, things=elsewhere))(iot_event(GOOD))

    (document,) = answer["policyDocuments"]
    assert document["Statement"][0]["Resource"] == f"{elsewhere}:client/ala"


def test_without_the_door_its_event_is_unknown(log):
    with pytest.raises(Unauthorized):
        Authorizer(VERIFIER, log=log)(iot_event(GOOD))
    assert log.last["reason"] == "unknown_event"

    with pytest.raises(Unauthorized):
        Authorizer(VERIFIER, doors=[IotCore], log=log)(event_of("rest_token", GOOD))
    assert log.last["message"].partition(" expected one of ")[2].startswith("iot_core")


@pytest.mark.parametrize(
    "doors", [None, (), IotCore, "doors", ("rest",), (IotCore, "rest")], ids=repr
)
def test_what_is_no_door_is_told_at_start(doors):
    for wire in (Authorizer, partial(Authorizer.with_settings, settings=Settings())):
        with pytest.raises(ConfigError, match=r"doors is .*\(\*DOORS, MyDoor\)") as caught:
            wire(VERIFIER, doors=doors)
        assert caught.value.code == "authorizer"


def made_of_nothing(_settings):
    return None


@pytest.mark.parametrize("door", [made_of_nothing, lambda _: "door"], ids=["None", "text"])
def test_what_makes_no_door_is_told_at_start(door):
    with pytest.raises(ConfigError, match=r"one of doors made .*, expected a FrontDoor"):
        Authorizer(VERIFIER, doors=(*DOORS, door))


class Silent(IotCore):
    """A door whose answer was forgotten."""

    def answer(self, request, decision) -> Any:
        del request, decision


class Puzzled(IotCore):
    """A door that raises what only reading an event may raise."""

    def answer(self, request, decision) -> Any:
        raise UnknownEvent(f"{request!r} {decision!r}")


@pytest.mark.parametrize(
    ("door", "raised", "reason"),
    [(Silent, ConfigError, "authorizer"), (Puzzled, UnknownEvent, "unknown_event")],
)
def test_a_door_that_fails_to_answer_is_our_trouble_and_no_refusal(door, raised, reason, log):
    """Were it a 401, a client with a good token would be told that it is bad."""
    with pytest.raises(raised) as caught:
        Authorizer(VERIFIER, doors=[door], log=log)(iot_event(GOOD))
    assert str(caught.value) != "Unauthorized"
    (line,) = log.lines
    assert (line["level"], line["decision"], line["reason"]) == ("ERROR", "error", reason)
