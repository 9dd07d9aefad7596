"""A door's answer that is a dict and counts as false is told by its type, not as ``{}``."""

from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.minting import NOW, Mint, Recorder
from tests.gateway.shapes import appsync_event

from kmsjwt.errors import ConfigError
from kmsjwt.gateway import Authorizer
from kmsjwt.gateway.appsync import AppSync

MINT = Mint()


class Falsy(dict[str, Any]):
    def __bool__(self) -> bool:
        return False


class Empty(dict[str, Any]):
    """Of a type of somebody's own."""


@pytest.mark.parametrize(
    ("answered", "told"),
    [
        (Falsy(isAuthorized=True), "a value of type Falsy, which counts as false"),
        (Empty(), "a value of type Empty, which counts as false"),
        ({}, "{}"),
        ([], "a value of type list"),
    ],
    ids=["false", "empty", "dict", "list"],
)
def test_what_counts_as_false_is_told_as_what_it_is(answered, told):
    class Answering(AppSync):
        __slots__ = ()
        kind = "answering"

        def answer(self, request, decision) -> Any:
            del request, decision
            return answered

    authorizer = Authorizer(MINT.verifier(), log=Recorder(), clock=lambda: NOW, doors=(Answering,))
    with pytest.raises(ConfigError) as caught:
        authorizer(appsync_event(f"Bearer {MINT.token()}"))
    assert f"the door 'answering' answered {told}, expected a dict" in str(caught.value)
