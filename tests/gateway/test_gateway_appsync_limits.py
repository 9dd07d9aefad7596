"""AppSync at its limits: the longest API id, a token in another place, a time that never comes."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tests.gateway.minting import NOW, Mint, Recorder
from tests.gateway.shapes import appsync_event
from tests.gateway.trusting import Trusting

from kmsjwt.gateway import Authorizer, Unauthorized
from kmsjwt.gateway.appsync import AppSync
from kmsjwt.gateway.decision import ALLOW, Decision
from kmsjwt.gateway.places import token_place
from kmsjwt.gateway.settings import Settings

MINT = Mint()
GOOD = MINT.token()


def decided(event, verifier=None, **settings) -> Any:
    """Return the answer and the reason that was logged."""
    log = Recorder()
    answer = Authorizer(
        verifier or MINT.verifier(), on_invalid="deny", log=log, clock=lambda: NOW, **settings
    )(event)
    return answer, log.last["reason"]


def event_of(api_id) -> Any:
    event = appsync_event(GOOD)
    event["requestContext"]["apiId"] = api_id
    return event


@pytest.mark.parametrize("length", [1, 63, 64])
def test_an_api_id_may_be_as_long_as_the_limit(length):
    answer, reason = decided(event_of("a" * length))
    assert (answer["isAuthorized"], reason) == (True, "ok")


@pytest.mark.parametrize("length", [0, 65, 66, 100_000])
def test_what_is_longer_is_no_api_id_and_the_event_nobodys(length):
    log = Recorder()
    with pytest.raises(Unauthorized):
        Authorizer(MINT.verifier(), log=log)(event_of("a" * length))
    assert log.last["reason"] == "unknown_event"


PLACES: dict[str, tuple[str, str, str | None]] = {
    # the place, the whole authorizationToken, the reason it is refused for
    "header, alone": ("header:X-Session", GOOD, None),
    "header, with a scheme": ("header:X-Session", f"Bearer {GOOD}", "bad_credentials"),
    "cookie": ("cookie:session", f"session={GOOD}", None),
    "cookie among others": ("cookie:session", f"a=1; session={GOOD}; b=2", None),
    "cookie of another name": ("cookie:session", f"other={GOOD}", "no_token"),
    "cookie, alone": ("cookie:session", GOOD, "no_token"),
    "subprotocol": ("subprotocol:jwt", f"jwt, {GOOD}", None),
    "subprotocol, close together": ("subprotocol:jwt", f"jwt,{GOOD}", None),
}


@pytest.mark.parametrize(("place", "value", "refused"), PLACES.values(), ids=PLACES)
def test_only_the_authorization_header_has_a_scheme(place, value, refused):
    answer, reason = decided(appsync_event(value), token_from=place)
    assert answer["isAuthorized"] is (refused is None)
    assert reason == (refused or "ok")


@pytest.mark.parametrize("exp", [math.inf, -math.inf, math.nan, None, "tomorrow", [NOW + 60]])
def test_a_token_without_an_end_that_could_be_told_is_not_kept(exp):
    answer, reason = decided(
        appsync_event("opaque"), Trusting({"sub": "ala", "exp": exp}), cache_ttl=300
    )
    assert (answer["isAuthorized"], answer["ttlOverride"], reason) == (True, 0, "ok")


@pytest.mark.parametrize("ttl", [None, 0, 300])
def test_an_allow_without_a_token_says_nothing_of_time(ttl):
    door = AppSync(Settings(cache_ttl=ttl, clock=lambda: NOW))
    request = door.read(appsync_event(GOOD), token_place("header:Authorization"))
    assert door.answer(request, Decision(verdict=ALLOW, reason="ok")) == {"isAuthorized": True}
