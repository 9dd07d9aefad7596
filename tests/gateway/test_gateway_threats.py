"""Every hostile token of the verifier's table, through whole authorizers and into their logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.core import helpers
from tests.core.attacks import built
from tests.core.goods import GOODS
from tests.gateway.hostility import assert_refused, effect_and_resource
from tests.gateway.minting import pieces
from tests.gateway.shapes import KINDS, RAISING, event_of

from kmsjwt.gateway import Authorizer, Unauthorized

if TYPE_CHECKING:
    from tests.core.attacks import Attack

_SECRETS = {
    "x-api-key": "k3y-of-somebody-0123456789",
    "Cookie": "session=s3ss10n-of-somebody",
    "X-Amz-Security-Token": "IQoJb3JpZ2luX2VjEXAMPLE",
    "X-Forwarded-For": "198.51.100.7",
}


def _hostile() -> list[tuple[Attack, str]]:
    return [(attack, token) for attack, token in built("RS256") if type(token) is str]


@pytest.mark.parametrize("kind", KINDS)
def test_no_hostile_token_gets_an_allow_or_an_error_of_ours(kind, capsys):
    """401 or a denial; never a 500, which would page somebody; nothing of the token told."""
    authorizer = Authorizer(helpers.verifier("RS256"))
    told = []
    for attack, token in _hostile():
        event = event_of(kind, f"Bearer {token}")
        answer = None
        try:
            answer = authorizer(event)
        except Unauthorized as refusal:
            assert str(refusal) == "Unauthorized"  # noqa: PT017  the refusal may come or not
        assert_refused(kind, answer)
        line = capsys.readouterr().out
        assert line.count("\n") == 1
        text = line + json.dumps(answer)
        told += [attack.name for piece in pieces(token)[:3] if len(piece) > 24 and piece in text]

    assert told == []


@pytest.mark.parametrize("kind", KINDS)
def test_odd_but_good_tokens_get_an_allow(kind):
    authorizer = Authorizer(helpers.verifier("RS256"), log=lambda *_, **__: None)
    refused = []
    for name, build in GOODS.items():
        answer = authorizer(event_of(kind, f"Bearer {build(helpers.forge('RS256'))}"))
        if effect_and_resource(answer)[0] != "Allow":
            refused.append(name)

    assert refused == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "rest_token"])
@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
def test_nothing_else_of_the_event_is_logged_or_passed_on(kind, good, capsys):
    """API keys, cookies and addresses come with every event; AWS's sample prints them all."""
    forge = helpers.forge("RS256")
    token = forge.good if good else forge.token(claims=forge.claims(aud="billing"))
    event = event_of(kind, f"Bearer {token}")
    event["headers"] = {**event["headers"], **_SECRETS}
    event["multiValueHeaders"] = {name: [value] for name, value in _SECRETS.items()}
    event["queryStringParameters"] = {"code": "c0de-of-somebody"}
    event["stageVariables"] = {"password": "p4ssword-of-somebody"}

    answer = None
    try:
        answer = Authorizer(helpers.verifier("RS256"))(event)
    except Unauthorized:
        assert not good
        assert kind in RAISING

    told = capsys.readouterr()
    text = told.out + told.err + json.dumps(answer)
    hidden = [*_SECRETS.values(), "c0de-of-somebody", "p4ssword-of-somebody", *pieces(token)]
    assert [each for each in hidden if each in text] == []
    assert json.loads(told.out)["reason"] == ("ok" if good else "wrong_audience")
