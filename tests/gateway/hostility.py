"""Asks an authorizer with a real verifier, and holds what must be true whatever the event."""

from __future__ import annotations

import json
from typing import Any

from tests.gateway.minting import Mint, Recorder, pieces
from tests.gateway.shapes import KINDS, RAISING

from kmsjwt.gateway import Authorizer, Unauthorized

MINT = Mint()
GOOD = MINT.token()
OTHER = MINT.token(jti="jti-2")
VERIFIER = MINT.verifier()
HEADER_KINDS = tuple(kind for kind in KINDS if kind != "rest_token")


def ask(event, **settings) -> Any:
    """Return the answer, or Unauthorized, and the log; anything else raised fails the test."""
    log = Recorder()
    authorizer = Authorizer(VERIFIER, log=log, **settings)
    answer, refusal = None, None
    try:
        answer = authorizer(event)
    except Unauthorized as error:
        refusal = error
    if refusal is not None:
        assert (str(refusal), refusal.__cause__, refusal.__context__) == (
            "Unauthorized",
            None,
            None,
        )
        assert_no_token(repr(refusal) + repr(refusal.reason) + repr(refusal.detail))
    assert_no_token(json.dumps(answer) + log.text())
    assert len(log.lines) == 1
    return answer, log.last


def assert_no_token(text) -> None:
    for token in (GOOD, OTHER):
        for piece in pieces(token):
            assert piece not in text


def effect_and_resource(answer) -> Any:
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    (resource,) = statement["Resource"]
    return statement["Effect"], resource


def assert_refused(kind, answer) -> None:
    if kind in RAISING:
        assert answer is None
    else:
        assert effect_and_resource(answer)[0] == "Deny"
