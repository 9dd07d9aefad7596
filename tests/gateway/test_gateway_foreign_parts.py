"""Parts of the user's own that fail, a door, a clock, an exception, a claim, let nobody in."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from tests.gateway.minting import NOW, Mint, Recorder
from tests.gateway.shapes import appsync_event, event_of
from tests.gateway.trusting import Trusting

from kmsjwt.errors import CannotKnow, ConfigError
from kmsjwt.gateway import DOORS, Authorizer
from kmsjwt.gateway.appsync import AppSync
from kmsjwt.testing import Gateway

MINT = Mint()
GOOD = f"Bearer {MINT.token()}"


class Answering(AppSync):
    """A door whose answer is anything."""

    __slots__ = ("_answered",)
    kind = "answering"

    def __init__(self, settings, answered=None) -> None:
        super().__init__(settings)
        self._answered = answered

    def answer(self, request, decision) -> Any:
        del request, decision
        return self._answered


@pytest.mark.parametrize("answered", [False, "", {}, [], 0, None, True, "yes", ["yes"]], ids=repr)
@pytest.mark.parametrize("header", [GOOD, "Bearer a.b.c"], ids=["good", "bad"])
def test_what_is_no_answer_is_an_error_in_the_log_too(answered, header):
    log = Recorder()
    authorizer = Authorizer(
        MINT.verifier(),
        log=log,
        clock=lambda: NOW,
        doors=(partial(Answering, answered=answered), *DOORS),
    )
    with pytest.raises(ConfigError, match=r"the door 'answering' answered .*, expected a dict"):
        authorizer(appsync_event(header))
    assert [(line["level"], line["decision"]) for line in log.lines] == [("ERROR", "error")]


class Unreadable(Exception):
    """Its text raises, and what it raises reads as a refusal."""

    def __str__(self) -> str:
        raise OSError("Unauthorized")


@pytest.mark.parametrize(
    "error", [Exception("Unauthorized"), Unreadable()], ids=["reads", "raises"]
)
@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("kind", ["rest_token", "rest_request", "http_api_v2"])
def test_a_clock_that_fails_is_no_401(error, call, kind):
    calls = []

    def clock() -> float:
        calls.append(1)
        if len(calls) == call:
            raise error
        return NOW

    authorizer = Authorizer(MINT.verifier(), log=Recorder(), clock=clock)
    with pytest.raises(CannotKnow) as caught:
        authorizer(event_of(kind, GOOD))
    assert caught.value.code == "disguised_error"
    assert caught.value.__cause__ is error


class Raising:
    """A verifier of the user's own."""

    def verify(self, token: str) -> Any:
        raise Unreadable(token)


@pytest.mark.parametrize("log", [None, Recorder()], ids=["no log", "log"])
def test_an_exception_without_a_text_is_no_401(log):
    with pytest.raises(CannotKnow, match="Unreadable") as caught:
        Authorizer(Raising(), log=log)(event_of("rest_token", GOOD))
    assert caught.value.code == "disguised_error"
    assert "a.b.c" not in str(caught.value)


def test_the_simulated_gateway_answers_500_to_it():
    def handler(event, context) -> Any:
        raise Unreadable

    answer = Gateway(handler).request("GET", "/orders", headers={"Authorization": GOOD})
    assert (answer.status, answer.reason) == (500, "authorizer_error")


@pytest.mark.parametrize(
    ("exp", "kept"),
    [
        (10**400, 300),
        (-(10**400), 0),
        (1e308, 300),
        (NOW + 300, 300),
        (NOW + 299, 299),
        (NOW + 1.5, 1),
        (NOW, 0),
        (NOW - 1, 0),
    ],
)
def test_appsync_keeps_an_answer_no_longer_than_a_token_of_any_end(exp, kept):
    authorizer = Authorizer(Trusting({"sub": "ala", "exp": exp}), cache_ttl=300, clock=lambda: NOW)
    answer = authorizer(appsync_event("opaque"))
    assert (answer["isAuthorized"], answer["ttlOverride"]) == (True, kept)
