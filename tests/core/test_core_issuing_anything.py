"""Whatever is to be issued: signed as it was checked, or refused by the one error, at once."""

from __future__ import annotations

import json
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core import helpers
from tests.core.awkward import OBJECTS, Awkward, raises
from tests.core.helpers import AUD, NOW, unb64

from kmsjwt.errors import ClaimsRefused
from kmsjwt.jwks import StaticKeys

if TYPE_CHECKING:
    from collections.abc import Iterator


def refused(max_length: int = 8192, **arguments: Any) -> ClaimsRefused:
    """Return why it is refused; nothing may have been signed."""
    signer = helpers.HeldKey("Ed25519")
    with pytest.raises(ClaimsRefused) as caught:
        helpers.issuer(signer=signer, max_length=max_length).issue(
            **{"sub": "ala", "aud": AUD, **arguments}
        )
    text = str(caught.value)
    assert signer.signed == []
    assert len(text) < 250
    assert text.isascii()
    return caught.value


@pytest.mark.parametrize("name", [name for name in OBJECTS if name != "ellipsis"])
@pytest.mark.parametrize("argument", ["sub", "aud", "lifetime", "client_id", "claims"])
def test_an_awkward_argument_is_refused_like_any_other(name: str, argument: str):
    refused(**{argument: OBJECTS[name]})


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("wrap", [lambda it: it, lambda it: [it], lambda it: {"y": (it,)}])
def test_an_awkward_value_is_signed_or_refused(name: str, wrap: Any):
    signer = helpers.HeldKey("Ed25519")
    issuer = helpers.issuer(signer=signer)
    try:
        issued = issuer.issue(sub="ala", aud=AUD, claims={"x": wrap(OBJECTS[name])})
    except ClaimsRefused:
        assert signer.signed == []
    else:
        verifier = helpers.verifier(keys=StaticKeys([signer.public]))
        assert "x" in verifier.verify(issued.token).claims


class Shows(dict[str, Any]):
    """Holds one thing and shows another."""

    def __init__(self, shown: Any) -> None:
        super().__init__(held=1)
        self.shown = shown

    def items(self) -> Any:
        return self.shown

    def __iter__(self) -> Any:
        return iter(())


class Endless(list[int]):
    def __iter__(self) -> Iterator[int]:
        while True:
            yield 0


class Raising(list[int]):
    __iter__ = __len__ = __bool__ = raises


def endless() -> Iterator[tuple[str, int]]:
    number = 0
    while True:
        yield f"n{(number := number + 1)}", 0


_UNREADABLE: dict[str, Any] = {
    "raises": lambda: Shows(map(raises, [1])),
    "no-pairs": lambda: Shows([1, 2]),
    "threes": lambda: Shows([("a", 1, 2)]),
    "no-iterable": lambda: Shows(5),
    "no-names": lambda: Shows([([], 1)]),
    "awkward-name": lambda: Shows([(Awkward(), 1)]),
    "list": Raising,
}


@pytest.mark.parametrize("name", _UNREADABLE)
def test_what_cannot_be_read_is_refused(name: str):
    error = refused(claims={"x": [_UNREADABLE[name]()]})
    assert error.code == "claims_type"
    assert "a claim is of type" in str(error)
    if name != "list":
        error = refused(claims=_UNREADABLE[name]())
        assert error.code == "claims_type"
        assert "claims is of type Shows, expected a mapping that can be read" in str(error)


@pytest.mark.parametrize("wrap", [lambda it: it, lambda it: {"x": it}, lambda it: {"x": [it]}])
def test_a_mapping_is_signed_as_it_shows_itself_and_looked_at_once(wrap: Any):
    claims = wrap(Shows(iter([("role", "admin"), ("n", 1)])))
    issued = helpers.issuer().issue(sub="ala", aud=AUD, claims=claims)

    text = unb64(issued.token.split(".")[1]).decode()
    assert '"role":"admin","n":1}' in text
    assert "held" not in text
    assert text.count('"role"') == 1


@pytest.mark.parametrize("wrap", [lambda it: it, lambda it: {"x": it}, lambda it: {"x": [it]}])
def test_no_name_can_hide_from_who_looks_through_the_names(wrap: Any):
    assert refused(claims=wrap(Shows([("1", 2), (1, 3)]))).code == "claims_name"


def _doubled(times: int) -> list[Any]:
    value: list[Any] = [0]
    for _ in range(times):
        value = [value, value]
    return value


_COSTLY: dict[str, Any] = {
    "one-list-in-many-places": {"x": _doubled(29)},
    "one-object-in-many-places": {"x": [{"a": [{"b": 1}] * 4000}] * 4000},
    "many-items": {"x": [0] * 3_000_000},
    "many-empty-lists": {"x": [[]] * 3_000_000},
    "many-members": {"x": {str(number): 0 for number in range(200_000)}},
    "many-claims": {str(number): 0 for number in range(200_000)},
    "long-text": {"x": "x" * 20_000_000},
    "long-text-in-a-list": {"x": ["x" * 20_000_000]},
    "long-name": {"x" * 20_000_000: 1},
    "many-digits": {"x": [10**4200] * 900},
    "endless-list": {"x": Endless()},
    "endless-mapping": {"x": Shows(endless())},
    "endless-claims": Shows(endless()),
}


@pytest.mark.parametrize("name", _COSTLY)
def test_costly_claims_cost_little(name: str):
    """The length bounds the work; measured in processor time, generous for a busy machine."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        error = refused(max_length=1000, claims=_COSTLY[name])
        spent.append(time.process_time() - start)

    assert error.code == "too_long"
    assert "over 1000 characters, expected at most 1000" in str(error)
    assert min(spent) < 0.02


@pytest.mark.parametrize("sub", ["x" * 20_000_000, "\u017c" * 9_000], ids=["20 MB", "two bytes"])
def test_a_long_subject_is_refused_like_long_claims(sub: str):
    assert refused(sub=sub).code == "too_long"
    assert refused(aud=[AUD, sub]).code == "too_long"


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**60, 2**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(_TEXT, inner, max_size=6)
        | st.dictionaries(_TEXT, inner, max_size=6).map(MappingProxyType)
    ),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(value=_VALUES)
def test_what_fits_to_the_character_is_issued(value: Any):
    """Counting what goes in before it is encoded refuses nothing that would fit."""
    arguments: dict[str, Any] = {"sub": "ala", "aud": AUD, "claims": {"x": value}}
    issued = helpers.issuer(max_length=100_000, new_jti=lambda: "j").issue(**arguments)
    length = len(issued.token)

    tight = helpers.issuer(max_length=length, new_jti=lambda: "j").issue(**arguments)
    assert tight.token == issued.token
    assert json.loads(unb64(tight.token.split(".")[1]))["exp"] > NOW
    with pytest.raises(ClaimsRefused) as caught:
        helpers.issuer(max_length=length - 1, new_jti=lambda: "j").issue(**arguments)
    assert caught.value.code == "too_long"
