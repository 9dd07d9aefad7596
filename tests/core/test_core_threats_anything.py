"""Objects made to be awkward: a refusal like any other, told in one short line."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core import helpers
from tests.core.awkward import OBJECTS

from kmsjwt import AnyOf, TokenError
from kmsjwt.compact import UnverifiedToken
from kmsjwt.errors import shown, shown_type

_VERIFIER = helpers.verifier()
_READERS: dict[str, Any] = {
    "verifier": _VERIFIER.verify,
    "any-of": AnyOf(_VERIFIER, helpers.verifier(issuer="https://b.example")).verify,
    "parser": UnverifiedToken.parse,
}


@pytest.mark.parametrize("reader", _READERS)
@pytest.mark.parametrize("name", OBJECTS)
def test_an_awkward_object_is_a_bad_token(name: str, reader: str):
    with pytest.raises(TokenError) as caught:
        _READERS[reader](OBJECTS[name])

    text = str(caught.value)
    assert caught.value.code in {"not_text", "too_long", "not_compact"}
    assert caught.value.retryable is False
    assert len(text) < 200
    assert text.isascii()
    assert text.isprintable()
    assert helpers.forge("Ed25519").good[:12] not in text


@pytest.mark.parametrize("name", OBJECTS)
def test_an_awkward_object_is_named_in_a_message_without_asking_it(name: str):
    for text in (shown(OBJECTS[name]), shown_type(OBJECTS[name])):
        assert 0 < len(text) <= 120
        assert text.isascii()
        assert text.isprintable()
