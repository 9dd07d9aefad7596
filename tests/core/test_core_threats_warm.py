"""What a verifier remembers helps nobody: the whole table again, on verifiers that are warm.

Warm is a verifier that accepted headers like the hostile ones before, and, with the cache on,
the very tokens that the hostile ones were made of.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.core import helpers
from tests.core.attacks import built
from tests.core.goods import GOODS
from tests.core.helpers import NOW

from kmsjwt import ANY, ConfigError, Forbidden, TokenError, Verifier
from kmsjwt.errors import JwksUnavailable, UnknownKey
from kmsjwt.jwks import StaticKeys
from kmsjwt.keys import KeySet, PublicKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.algorithms import Algorithm

_ALGS = ("RS256", "PS256", "ES256", "ES384", "ES512", "ES256K", "Ed25519", "ML-DSA-44")


def _outcome(verifier: Verifier, token: object) -> str:
    try:
        verifier.verify(token)
    except TokenError as error:
        return error.code
    return "accepted"


@pytest.mark.parametrize("alg", _ALGS)
def test_the_whole_table_on_warm_verifiers(alg: str):
    """Without a cache, with one that holds everything, and with one that holds next to nothing."""
    forge = helpers.forge(alg)
    goods = {name: build(forge) for name, build in GOODS.items()} | {"first": forge.good}
    table = built(alg)
    assert len(table) >= 640
    for size in (0, 1000, 2):
        verifier = helpers.verifier(alg, cache_size=size)
        wrong = [name for name, good in goods.items() if _outcome(verifier, good) != "accepted"]
        claims = verifier.verify(forge.good).claims
        wrong += [
            f"{attack.name}: {code}, expected {attack.code}, with a cache of {size}"
            for _ in range(2 if size == 1000 else 1)
            for attack, token in table
            if (code := _outcome(verifier, token)) != attack.code
        ]
        wrong += [name for name, good in goods.items() if _outcome(verifier, good) != "accepted"]

        assert wrong == []
        assert verifier.verify(forge.good).claims == claims


class Source:
    """A key source that tests change between two tokens."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.failure: Exception | None = None

    def key(self, kid: str | None) -> Any:
        if self.failure is not None:
            raise self.failure
        for key in self.keys:
            if kid in (None, key.kid):
                return key
        raise UnknownKey(f"kid is {kid}")


class Counting:
    """A key that counts how often it is asked."""

    def __init__(self, public: PublicKey) -> None:
        self._public = public
        self.asked = 0

    @property
    def kid(self) -> str:
        return self._public.kid

    @property
    def alg(self) -> Algorithm:
        return self._public.alg

    def verify(self, signature: bytes, signing_input: bytes) -> None:
        self.asked += 1
        self._public.verify(signature, signing_input)


def _cached(**settings: Any) -> Verifier:
    return helpers.verifier("ES256", **{"cache_size": 10, **settings})


def _token(**claims: Any) -> str:
    forge = helpers.forge("ES256")
    return forge.token(claims=forge.claims(**claims))


def test_a_token_remembered_expires_like_any_other():
    now = [float(NOW)]
    verifier = _cached(clock=lambda: now[0])
    token = _token(exp=NOW + 60)
    for moment, outcome in ((0, "accepted"), (89, "accepted"), (90, "expired"), (90, "expired")):
        now[0] = NOW + moment
        assert _outcome(verifier, token) == outcome


def test_a_token_remembered_is_not_valid_before_its_time():
    """A clock that is set right, backwards, takes the token along."""
    now = [NOW + 3600.0]
    verifier = _cached(clock=lambda: now[0])
    token = _token(nbf=NOW + 3600, exp=NOW + 7200)
    assert _outcome(verifier, token) == "accepted"
    now[0] = NOW
    assert _outcome(verifier, token) == "not_yet_valid"


_TIMES = st.integers(-400, 400)


@given(
    exp=st.integers(1, 800),
    nbf=st.none() | _TIMES,
    iat=st.none() | _TIMES,
    leeway=st.sampled_from([0, 0.5, 30, 300]),
    max_lifetime=st.sampled_from([60, 400.5, 86_400, ANY]),
    edge=st.sampled_from(["exp", "nbf", "iat", "lifetime"]),
    near=st.sampled_from([-1, -0.5, 0, 0.5, 1]),
)
def test_at_any_time_a_token_remembered_fares_like_a_new_one(
    exp: int,
    nbf: int | None,
    iat: int | None,
    leeway: float,
    max_lifetime: Any,
    edge: str,
    near: float,
):
    """Whatever its times, and wherever the clock goes, backwards too; tried at their edges."""
    now = float(NOW)
    settings: dict[str, Any] = {
        "leeway": leeway,
        "max_lifetime": max_lifetime,
        "clock": lambda: now,
    }
    times = {"exp": exp, "nbf": nbf, "iat": iat}
    claims = {name: None if time is None else NOW + time for name, time in times.items()}
    forge = helpers.forge("ES256")
    body = {**forge.claims(), **claims}
    token = forge.token(claims={name: value for name, value in body.items() if value is not None})
    warm = _cached(**settings)
    _outcome(warm, token)

    lifetime = 0 if max_lifetime is ANY else max_lifetime
    edges = {
        "exp": exp + leeway,
        "nbf": (nbf or 0) - leeway,
        "iat": (iat or 0) - leeway,
        "lifetime": exp - lifetime,
    }
    now = NOW + edges[edge] + near
    assert _outcome(warm, token) == _outcome(_cached(**settings), token)


def test_one_verifiers_answer_is_not_anothers():
    """CVE-2026-35039: two services in one process, one cache."""
    keys = StaticKeys([helpers.held("ES256").public])
    forge = helpers.forge("ES256")
    one = _cached(keys=keys)
    others: Mapping[str, Verifier] = {
        "wrong_audience": _cached(keys=keys, audience="billing"),
        "wrong_issuer": _cached(keys=keys, issuer="https://b.example"),
        "wrong_type": _cached(keys=keys, typ="at+jwt"),
        "algorithm_not_allowed": _cached(keys=keys, algorithms=["RS256"]),
        "lifetime_too_long": _cached(keys=keys, max_lifetime=60),
        "too_long": _cached(keys=keys, max_length=100),
        "forbidden": _cached(keys=keys, check=lambda _header, _claims: False),
    }
    for _ in range(2):
        assert _outcome(one, forge.good) == "accepted"
        assert {code: _outcome(each, forge.good) for code, each in others.items()} == {
            code: code for code in others
        }


@pytest.mark.parametrize("size", [0, 10], ids=["headers-alone", "tokens-too"])
def test_a_key_that_is_gone_or_replaced_verifies_no_more(size: int):
    forge = helpers.forge("ES256")
    source = Source(forge.key.public)
    verifier = _cached(keys=source, cache_size=size)
    same_name = PublicKey(
        helpers.private_key("ES256", "x").public_key(), "ES256", kid=forge.key.kid
    )
    as_another = PublicKey(helpers.private_key("ES384").public_key(), "ES384", kid=forge.key.kid)
    for keys, outcome in (
        ([forge.key.public], "accepted"),
        ([same_name], "bad_signature"),
        ([forge.key.public], "accepted"),
        ([as_another], "algorithm_not_allowed"),
        ([], "unknown_key"),
        ([], "unknown_key"),
        ([forge.key.public], "accepted"),
    ):
        source.keys = keys
        assert _outcome(verifier, forge.good) == outcome


def test_the_keys_are_asked_for_before_the_time():
    """A key source ages when it is asked: no answer comes of keys that nobody asked for."""
    now = [float(NOW)]
    forge = helpers.forge("ES256")
    source = Source(forge.key.public)
    verifier = _cached(keys=source, clock=lambda: now[0])
    assert _outcome(verifier, forge.good) == "accepted"
    now[0] = NOW + 10_000.0
    source.failure = JwksUnavailable("the issuer is away")
    with pytest.raises(JwksUnavailable):
        verifier.verify(forge.good)
    source.failure, source.keys = None, []

    assert _outcome(verifier, forge.good) == "unknown_key"


class SaysItIsTheSame(Counting):
    """Another key, which says that it equals whatever it is compared with."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = Counting.__hash__


@pytest.mark.parametrize("size", [0, 10])
def test_a_key_is_the_same_only_if_it_is_the_very_object(size: int):
    forge = helpers.forge("Ed25519")
    source = Source(SaysItIsTheSame(forge.key.public))
    verifier = helpers.verifier(keys=source, cache_size=size)
    assert _outcome(verifier, forge.good) == "accepted"
    stranger = helpers.private_key("Ed25519", "x").public_key()
    source.keys = [SaysItIsTheSame(PublicKey(stranger, "Ed25519", kid=forge.key.kid))]
    assert _outcome(verifier, forge.good) == "bad_signature"
    source.keys = [SaysItIsTheSame(forge.key.public)]
    assert _outcome(verifier, forge.good) == "accepted"
    eddsa = PublicKey(forge.key.private.public_key(), "EdDSA", kid=forge.key.kid)
    source.keys = [SaysItIsTheSame(eddsa)]

    assert _outcome(verifier, forge.good) == "algorithm_not_allowed"


def test_an_outage_of_the_keys_is_no_denial_of_what_is_remembered_and_no_allow():
    forge = helpers.forge("ES256")
    source = Source(forge.key.public)
    verifier = _cached(keys=source)
    assert _outcome(verifier, forge.good) == "accepted"
    source.failure = JwksUnavailable("the issuer is away")
    for _ in range(2):
        with pytest.raises(JwksUnavailable):
            verifier.verify(forge.good)
    source.failure = None
    assert _outcome(verifier, forge.good) == "accepted"


def test_a_check_of_ones_own_is_asked_each_time_and_may_change_its_mind():
    """A deny-list of jti lives there."""
    revoked: set[str] = set()

    def check(_header: Any, claims: Any) -> None:
        if claims["jti"] in revoked:
            raise Forbidden("revoked")

    verifier = _cached(check=check)
    first, second = _token(jti="a"), _token(jti="b")
    assert [_outcome(verifier, token) for token in (first, second)] == ["accepted"] * 2
    revoked.add("a")
    assert [_outcome(verifier, token) for token in (first, second)] == ["forbidden", "accepted"]
    revoked.clear()
    assert _outcome(verifier, first) == "accepted"


def test_the_cache_is_bounded_and_no_refused_token_takes_a_place():
    key = Counting(helpers.held("ES256").public)
    verifier = _cached(keys=Source(key), cache_size=2)
    tokens = [_token(jti=str(n)) for n in range(3)]

    def asked_for(token: str) -> int:
        before = key.asked
        _outcome(verifier, token)
        return key.asked - before

    assert [asked_for(token) for token in tokens] == [1, 1, 1]
    assert [asked_for(token) for token in reversed(tokens)] == [0, 0, 1]
    kept = tokens[0]
    for n in range(50):
        asked_for(_token(jti=str(n), aud="billing"))
        asked_for(tokens[1][:-3] + "AAA")
    assert asked_for(kept) == 0


def test_the_other_half_of_a_signature_is_verified_for_itself():
    """Two spellings of one token are two tokens to the cache, so neither speaks for the other."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    forge = helpers.forge("ES256")
    key = Counting(forge.key.public)
    verifier = _cached(keys=Source(key))
    halves = forge.signature[:32], int.from_bytes(forge.signature[32:], "big")
    mirrored = forge.with_signature(halves[0] + (order - halves[1]).to_bytes(32, "big"))

    assert [_outcome(verifier, token) for token in (forge.good, mirrored)] == ["accepted"] * 2
    assert key.asked == 2


def test_what_two_requests_share_neither_can_change():
    verifier = _cached()
    token = _token(roles=["a"], org={"id": [{}]})
    for _ in range(2):  # verified, and remembered
        answer: Any = verifier.verify(token)
        for change in (
            lambda it: it.claims.update(sub="eve"),
            lambda it: it.claims["roles"].append("admin"),
            lambda it: it.claims["org"]["id"][0].update(x=1),
            lambda it: it.header.update(kid="x"),
            lambda it: setattr(it, "claims", {}),
        ):
            with pytest.raises((AttributeError, TypeError)):
                change(answer)
        answer.to_dict()["claims"]["roles"].append("admin")

    assert verifier.verify(token).to_dict()["claims"]["roles"] == ["a"]
    assert verifier.verify(token).claims["sub"] == "ala"


@pytest.mark.parametrize("size", [-1, 1.5, True, None, "10"], ids=repr)
def test_a_size_that_is_none_is_refused(size: Any):
    with pytest.raises(ConfigError) as caught:
        _cached(cache_size=size)
    assert "cache_size is" in str(caught.value)


def test_headers_remembered_belong_to_their_key():
    """A header learnt with one key says nothing for another key of the same name."""
    forge = helpers.forge("Ed25519")
    eddsa = PublicKey(forge.key.private.public_key(), "EdDSA", kid=forge.key.kid)
    source = Source(forge.key.public)
    verifier = helpers.verifier(keys=source)
    assert _outcome(verifier, forge.good) == "accepted"
    source.keys = [eddsa]
    assert _outcome(verifier, forge.good) == "algorithm_not_allowed"
    assert _outcome(verifier, forge.token(forge.header(alg="EdDSA"))) == "accepted"
    source.keys = [forge.key.public]
    assert _outcome(verifier, forge.good) == "accepted"


def test_many_keys_are_told_apart_when_warm():
    """Each of many keys signs only under its own name, however often it was seen."""
    held = [
        helpers.HeldKey("Ed25519", Ed25519PrivateKey.generate(), kid=f"k{n}") for n in range(150)
    ]
    verifier = helpers.verifier(
        keys=StaticKeys(KeySet([each.public for each in held])), cache_size=20
    )
    made = [helpers.issuer(signer=each).issue(sub="ala", aud=helpers.AUD).token for each in held]
    for _ in range(2):
        assert {_outcome(verifier, token) for token in made} == {"accepted"}
    for one, other in pairwise(made):
        head, body, _ = one.split(".")
        assert _outcome(verifier, f"{head}.{body}.{other.rpartition('.')[2]}") == "bad_signature"
