"""The limits of what a verifier accepts, at the limit itself and one beside it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.helpers import AUD, NOW, b64, dumps, forge, verifier

from kmsjwt import ANY, ConfigError, TokenError
from kmsjwt._encoding import b64url_decode

LONGEST = 16_384
REGISTERED = {
    "iss": "https://other.example",
    "sub": "eve",
    "aud": "billing",
    "exp": NOW + 601,
    "nbf": NOW - 1,
    "iat": NOW - 1,
    "jti": "another",
}


def code_of(token: object, **settings: Any) -> str:
    try:
        verifier(**settings).verify(token)
    except TokenError as error:
        return error.code
    return "accepted"


def of_length(length: int) -> str:
    """Return a good token of exactly that many characters."""
    maker = forge("Ed25519")
    spare = length - len(maker.token(claims=maker.claims(x="")))
    for padding in range(spare * 3 // 4 - 3, spare * 3 // 4 + 4):
        for name in ("x", "xy", "xyz"):
            token = maker.token(claims=maker.claims(**{name: "x" * padding}))
            if len(token) == length:
                return token
    raise AssertionError("no such length")


@pytest.mark.parametrize("limit", [LONGEST, 1000])
def test_how_long_a_token_may_be(limit: int):
    settings = {} if limit == LONGEST else {"max_length": limit}

    assert code_of(of_length(limit), **settings) == "accepted"
    assert code_of(of_length(limit + 2), **settings) == "too_long"
    assert code_of(of_length(limit) + "A", **settings) == "too_long"


@pytest.mark.parametrize("name", REGISTERED)
def test_each_claim_repeated_in_the_header_must_agree(name: str):
    """RFC 7519 section 5.3."""
    maker = forge("Ed25519")
    claims = {**maker.claims(), name: maker.claims().get(name, NOW)}
    without = {other: value for other, value in claims.items() if other != name}

    assert code_of(maker.token(maker.header(**{name: claims[name]}), claims)) == "accepted"
    differing = maker.token(maker.header(**{name: REGISTERED[name]}), claims)
    assert code_of(differing) == "invalid_claim"
    absent = maker.token(maker.header(**{name: claims[name]}), without)
    assert code_of(absent) == "invalid_claim"


@pytest.mark.parametrize(
    ("aud", "audience", "code"),
    [
        (AUD, AUD, "accepted"),
        (AUD, AUD[0], "wrong_audience"),
        (AUD[0], AUD, "wrong_audience"),
        ([AUD], AUD[0], "wrong_audience"),
        (["o", "r"], AUD, "wrong_audience"),
        (AUD, list(AUD), "wrong_audience"),
        (["x", AUD], ["y", AUD], "accepted"),
    ],
)
def test_an_audience_is_no_heap_of_characters(aud: object, audience: Any, code: str):
    maker = forge("Ed25519")

    assert code_of(maker.token(claims=maker.claims(aud=aud)), audience=audience) == code


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 2**53 - 1}, "accepted"),
        ({"exp": 2**53}, "invalid_claim"),
        ({"exp": 2**53 - 1.0}, "accepted"),
        ({"exp": float(2**53)}, "invalid_claim"),
        ({"iat": 1}, "accepted"),
        ({"iat": 0.5}, "accepted"),
        ({"iat": 0}, "invalid_claim"),
        ({"iat": 0.0}, "invalid_claim"),
        ({"nbf": 0}, "accepted"),
        ({"nbf": -0.5}, "invalid_claim"),
        ({"nbf": -1}, "invalid_claim"),
    ],
    ids=str,
)
def test_which_numbers_are_dates(claims: dict[str, float], code: str):
    maker = forge("Ed25519")
    token = maker.token(claims=maker.claims(**claims))

    assert code_of(token, max_lifetime=ANY) == code


@pytest.mark.parametrize(
    ("settings", "claims", "code"),
    [
        ({"leeway": 0}, {"exp": NOW + 1}, "accepted"),
        ({"leeway": 0}, {"exp": NOW}, "expired"),
        ({"leeway": 300}, {"exp": NOW - 299, "iat": NOW - 900}, "accepted"),
        ({"leeway": 300}, {"exp": NOW - 300, "iat": NOW - 900}, "expired"),
        ({}, {"exp": NOW - 29, "iat": NOW - 900}, "accepted"),
        ({}, {"exp": NOW - 30, "iat": NOW - 900}, "expired"),
        ({}, {"nbf": NOW + 30}, "accepted"),
        ({}, {"nbf": NOW + 31}, "not_yet_valid"),
        ({}, {"iat": NOW + 30}, "accepted"),
        ({}, {"iat": NOW + 31}, "not_yet_valid"),
        ({"leeway": 0}, {"nbf": NOW}, "accepted"),
        ({"leeway": 0}, {"nbf": NOW + 0.5}, "not_yet_valid"),
        ({}, {"exp": NOW + 86_400}, "accepted"),
        ({}, {"exp": NOW + 86_401}, "lifetime_too_long"),
        ({"max_lifetime": 600}, {"exp": NOW + 600}, "accepted"),
        ({"max_lifetime": 600}, {"exp": NOW + 600.5}, "lifetime_too_long"),
        ({"max_lifetime": 1}, {"exp": NOW + 1}, "accepted"),
    ],
    ids=str,
)
def test_the_times_of_a_token(settings: dict[str, Any], claims: dict[str, float], code: str):
    maker = forge("Ed25519")

    assert code_of(maker.token(claims=maker.claims(**claims)), **settings) == code


def test_without_iat_the_lifetime_counts_from_now():
    maker = forge("Ed25519")
    claims = {name: value for name, value in maker.claims().items() if name != "iat"}

    assert code_of(maker.token(claims={**claims, "exp": NOW + 86_400})) == "accepted"
    assert code_of(maker.token(claims={**claims, "exp": NOW + 86_401})) == "lifetime_too_long"


@pytest.mark.parametrize(
    "settings",
    [
        {"leeway": 0},
        {"leeway": 300},
        {"leeway": 0.5},
        {"max_lifetime": 1},
        {"max_lifetime": 0.5},
        {"max_length": 1},
        {"cache_size": 1},
        {"cache_size": 0},
    ],
    ids=str,
)
def test_settings_at_their_limits(settings: dict[str, Any]):
    verifier(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"leeway": -1},
        {"leeway": -0.5},
        {"leeway": 300.5},
        {"leeway": 301},
        {"leeway": True},
        {"leeway": float("nan")},
        {"leeway": float("inf")},
        {"max_lifetime": 0},
        {"max_lifetime": -1},
        {"max_lifetime": True},
        {"max_lifetime": float("inf")},
        {"max_lifetime": float("nan")},
        {"max_length": 0},
        {"max_length": True},
        {"max_length": 1000.0},
        {"cache_size": -1},
        {"cache_size": True},
        {"cache_size": 1.0},
        {"cache_size": None},
    ],
    ids=str,
)
def test_settings_beyond_their_limits(settings: dict[str, Any]):
    with pytest.raises(ConfigError):
        verifier(**settings)


@pytest.mark.parametrize("name", ["audience", "typ"])
@pytest.mark.parametrize("value", [[1], ["a", 1], ["a", ""], [""], [None], [b"a"], [["a"]], 1, ""])
def test_what_is_no_list_of_texts_is_no_demand(name: str, value: object):
    settings: dict[str, Any] = {name: value}

    with pytest.raises(ConfigError):
        verifier(**settings)


def test_arrays_within_arrays_are_read_only_too():
    maker = forge("Ed25519")
    token = maker.token(claims=maker.claims(x=[[[1]], {"y": [[2]]}], z=[{}]))

    claims = verifier().verify(token).claims

    assert claims["x"] == (((1,),), {"y": ((2,),)})
    assert type(claims["x"][0]) is tuple
    assert type(claims["x"][1]["y"][0]) is tuple
    with pytest.raises(TypeError):
        claims["z"][0]["new"] = 1


@pytest.mark.parametrize("depth", [31, 32, 33])
def test_how_deep_claims_may_be(depth: int):
    maker = forge("Ed25519")
    nested = "[" * (depth - 1) + "]" * (depth - 1)
    payload = dumps(maker.claims())[:-1] + b',"x":' + nested.encode() + b"}"

    code = code_of(maker.token(claims=payload))

    assert code == ("accepted" if depth <= 32 else "payload_depth")


def test_nothing_decodes_to_nothing():
    assert b64url_decode(b"") == b""
    assert b64(b"") == ""
