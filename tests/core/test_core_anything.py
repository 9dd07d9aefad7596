"""Any input whatsoever: one family of errors, bounded work, read-only answers."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import time
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core import helpers
from tests.core.helpers import AUD, ISS, b64, forge

from kmsjwt import ANY, AnyOf, TokenError, VerifiedToken
from kmsjwt.compact import MAX_LENGTH, UnverifiedToken
from kmsjwt.errors import ClaimsRefused, Expired, MalformedToken, NotYetValid, shown

quick = settings(max_examples=250, deadline=None)

_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
)
_objects = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=6) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=4
        )
    ),
    max_leaves=15,
)
_segment_text = st.text("ABYZabyz0189-_+/= .\n", max_size=30)


def refused_or_verified(token: object) -> None:
    try:
        answer = helpers.verifier().verify(token)
    except TokenError as error:
        check_error(error)
    else:
        assert isinstance(answer, VerifiedToken)
        assert answer.claims["iss"] == ISS


def check_error(error: TokenError) -> None:
    assert error.code
    assert not error.retryable
    assert len(str(error)) < 400


@quick
@given(st.text() | st.binary() | _objects)
def test_arbitrary_objects(token: object):
    refused_or_verified(token)


@quick
@given(st.lists(_segment_text | st.binary(max_size=40).map(b64), min_size=1, max_size=5))
def test_arbitrary_segments(segments: list[str]):
    refused_or_verified(".".join(segments))


@quick
@given(st.data())
def test_mutated_good_tokens(data: st.DataObject):
    token = forge("Ed25519").good
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(token)))
        cut = data.draw(st.integers(0, 3))
        token = token[:at] + data.draw(st.text(max_size=3)) + token[at + cut :]
    if token != forge("Ed25519").good:
        with pytest.raises(TokenError):
            helpers.verifier().verify(token)


@quick
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_arbitrary_bytes_signed_with_the_trusted_key(header: bytes, payload: bytes):
    refused_or_verified(forge("Ed25519").token(header, payload))
    refused_or_verified(forge("Ed25519").token(claims=payload))


@quick
@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "iss", "exp", "x"]), _json))
def test_arbitrary_header_members_signed_with_the_trusted_key(members: dict[str, Any]):
    refused_or_verified(forge("Ed25519").token(forge("Ed25519").header(**members)))


@quick
@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "jti", "scope", "x"]),
        _json | st.sampled_from([ISS, AUD, [AUD], helpers.NOW, helpers.NOW + 600]),
    )
)
def test_arbitrary_claims_signed_with_the_trusted_key(members: dict[str, Any]):
    token = forge("Ed25519").token(claims=forge("Ed25519").claims(**members))
    refused_or_verified(token)
    with contextlib.suppress(TokenError):
        AnyOf(helpers.verifier(), helpers.verifier(issuer="https://b.example")).verify(token)


@quick
@given(_json)
def test_json_survives_unchanged_and_is_read_only(value: Any):
    token = forge("Ed25519").token(claims=forge("Ed25519").claims(x=value))
    verified = helpers.verifier().verify(token)

    assert json.dumps(verified.to_dict()["claims"]["x"]) == json.dumps(value)
    assert_read_only(verified.claims)


def assert_read_only(value: object) -> None:
    assert not isinstance(value, (dict, list, set, bytearray))
    if isinstance(value, MappingProxyType):
        for member in value.values():
            assert_read_only(member)
    elif isinstance(value, tuple):
        for item in value:
            assert_read_only(item)


def test_nothing_of_a_verified_token_can_be_changed():
    token = forge("Ed25519").token(claims=forge("Ed25519").claims(roles=["a"], org={"id": [{}]}))
    verified: Any = helpers.verifier().verify(token)

    for attribute in ("claims", "header", "kid", "alg", "anything"):
        with pytest.raises(AttributeError):
            setattr(verified, attribute, {})
    with pytest.raises(AttributeError):
        del verified.claims
    for mapping in (verified.claims, verified.header, verified.claims["org"]):
        with pytest.raises(TypeError):
            mapping["sub"] = "eve"
    with pytest.raises(TypeError):
        verified.claims["roles"][0] = "admin"
    with pytest.raises(TypeError):
        verified.claims["org"]["id"][0]["x"] = 1


def test_a_plain_copy_is_deep_and_separate():
    token = forge("Ed25519").token(claims=forge("Ed25519").claims(roles=["a"], org={"id": [{}]}))
    verified = helpers.verifier().verify(token)
    before = copy.deepcopy(verified.to_dict())

    taken = verified.to_dict()
    taken["claims"]["roles"].append("admin")
    taken["claims"]["org"]["id"][0]["x"] = 1
    taken["header"]["alg"] = "none"

    assert verified.to_dict() == before
    assert json.loads(json.dumps(before)) == before


def test_reprs_hold_no_token():
    issued = helpers.issuer().issue(sub="ala", aud=AUD, claims={"password": "open sesame 12345"})
    parsed = UnverifiedToken.parse(issued.token)
    verified = helpers.verifier().verify(issued.token)
    signature = helpers.held("Ed25519").sign(b"x")

    for value in (issued, parsed, verified, signature, helpers.verifier(), helpers.issuer()):
        told = repr(value) + str(value)
        assert "sesame" not in told
        assert not any(
            told[at : at + 12] in issued.token.partition(".")[2] for at in range(len(told) - 11)
        )
    assert issued.jti in repr(issued)


@pytest.mark.parametrize("limit", [MAX_LENGTH, 400])
def test_the_length_limit_is_exact(limit: int):
    verifier = helpers.verifier(max_length=limit)
    fitting = _of_length(limit)

    assert verifier.verify(fitting).kid
    with pytest.raises(MalformedToken) as caught:
        verifier.verify(fitting + "A")
    assert caught.value.code == "too_long"


def _of_length(length: int) -> str:
    """Return a good token of that many characters; some lengths need a longer header."""
    made = forge("Ed25519")
    for note in ("", "x", "xx"):
        header = made.header(note=note)
        short = len(made.token(header, made.claims(x="")))
        about = (length - short) * 3 // 4
        for filler in range(max(0, about - 3), about + 4):
            token = made.token(header, made.claims(x="x" * filler))
            if len(token) == length:
                return token
    raise AssertionError


def test_any_of_keeps_each_verifiers_length_limit():
    both = AnyOf(helpers.verifier(max_length=400), helpers.verifier(issuer="https://b.example"))
    token = forge("Ed25519").token(claims=forge("Ed25519").claims(x="x" * 600))

    with pytest.raises(MalformedToken) as caught:
        both.verify(token)
    assert caught.value.code == "too_long"


def test_any_of_reads_as_long_a_token_as_its_most_patient_verifier():
    patient = helpers.verifier(max_length=2 * MAX_LENGTH)
    both = AnyOf(patient, helpers.verifier(issuer="https://b.example"))

    assert both.verify(_of_length(MAX_LENGTH + 400)).kid


_COSTLY = {
    "brackets": lambda: "[" * 12_000,
    "braces": lambda: '{"a":' * 2_400,
    "quoted-brackets": lambda: '{"a":"' + "[{" * 5_900 + '"}',
    "digits": lambda: '{"a":' + "9" * 12_000 + "}",
    "many-long-ints": lambda: '{"a":[' + ",".join(["9" * 4000] * 2) + ',1],"b":[[]]}',
    "float-digits": lambda: '{"a":0.' + "9" * 12_000 + "}",
    "exponents": lambda: '{"a":[' + ",".join(["1e308"] * 1_900) + "]}",
    "escapes": lambda: '{"a":"' + "\\u0041" * 1_900 + '"}',
    "backslashes": lambda: '{"a":"' + "\\\\" * 5_900 + '"}',
    "members": lambda: "{" + ",".join(f'"{at}":0' for at in range(1_300)) + "}",
}


@pytest.mark.parametrize("name", _COSTLY)
def test_costly_documents_cost_little(name: str):
    """The length bounds the work; measured in processor time, generous for a busy machine."""
    token = f"{b64(_COSTLY[name]().encode())}.e30.AAAA"[:MAX_LENGTH]
    spent = []
    for _ in range(3):
        start = time.process_time()
        refused_or_verified(token)
        spent.append(time.process_time() - start)

    assert min(spent) < 0.02


@quick
@given(_objects | st.text() | st.binary())
def test_shown_values_are_short_plain_text(value: object):
    text = shown(value)

    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= 96


@pytest.mark.parametrize(
    "value",
    [10**5000, -(10**5000), "x" * 94, "x" * 95, b"\xff" * 99],
    ids=["int", "negative", "text-94", "text-95", "bytes"],
)
def test_shown_values_of_any_size(value: object):
    assert 10 < len(shown(value)) <= 96


_claim_values = st.recursive(
    _scalars | st.integers(10**4290, 10**4300) | st.just(float("nan")) | st.just("\ud800"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.dictionaries(st.text(max_size=6) | st.integers(), inner, max_size=4)
        | st.dictionaries(st.text(max_size=6), inner, max_size=4).map(MappingProxyType)
    ),
    max_leaves=8,
)


@quick
@given(
    claims=st.dictionaries(
        st.text(max_size=4) | st.sampled_from(["exp", "nbf", "scope", "iss"]) | st.integers(),
        _claim_values,
        max_size=4,
    ),
    sub=st.text(max_size=5) | _scalars,
    aud=st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=3) | _scalars,
)
def test_what_is_issued_is_accepted_and_the_rest_refused(claims: Any, sub: Any, aud: Any):
    try:
        issued = helpers.issuer().issue(sub=sub, aud=aud, claims=claims)
    except ClaimsRefused:
        return
    try:
        verified = helpers.verifier(audience=ANY).verify(issued.token)
    except NotYetValid:
        assert claims["nbf"] > helpers.NOW
        return
    assert verified.claims["sub"] == sub
    assert verified.claims["aud"]
    assert set(claims) <= set(verified.claims)


def test_a_refusal_crosses_processes_whole():
    """Worker pools pickle what they raise; nothing of a refusal is lost on the way."""
    refusal = Expired("exp passed 61 s ago", claim="exp", fix="ask for a new token")

    arrived = pickle.loads(pickle.dumps(refusal))

    assert (str(arrived), arrived.claim, arrived.code) == (str(refusal), "exp", "expired")
