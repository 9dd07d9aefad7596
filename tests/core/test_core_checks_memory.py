"""What a verifier remembers: bounded, off unless asked for, and never a way round a check."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.core.helpers import AUD, NOW, forge, held, private_key, verifier

from kmsjwt import AnyOf, ConfigError, PublicKey, TokenError
from kmsjwt._memory import AcceptedHeaders, VerifiedTokens
from kmsjwt.compact import Header
from kmsjwt.errors import AlgorithmNotAllowed, WrongIssuer
from kmsjwt.jwks import StaticKeys

FEW = 64


class Counted:
    """A key source whose one key counts how often it verifies."""

    def __init__(self) -> None:
        self.public = held("Ed25519").public
        self.kid, self.alg = self.public.kid, self.public.alg
        self.verified = 0

    def key(self, kid: str | None) -> Counted:  # noqa: ARG002  the protocol's name
        return self

    def verify(self, signature: bytes, signing_input: bytes) -> None:
        self.verified += 1
        self.public.verify(signature, signing_input)


@pytest.mark.parametrize(("keys", "most"), [(0, FEW), (1, FEW), (32, FEW), (33, 66), (100, 200)])
def test_accepted_headers_are_bounded_by_the_keys_there_are(keys: int, most: int):
    """However many come and go, as with an issuer that rotates, or names each token anew."""
    headers: AcceptedHeaders[str] = AcceptedHeaders()
    largest = 0
    for number in range(10 * most):
        header = Header({"alg": "RS256", "kid": f"k{number}"})
        headers.remember(str(number).encode(), header, f"key {number}", keys)
        largest = max(largest, len(headers))

    assert largest == most


def test_a_verifier_remembers_enough_for_the_keys_it_has():
    """A thousand keys, whose tokens come by turns, push none of each other out."""
    public = [
        PublicKey(private_key("Ed25519").public_key(), "Ed25519", kid=f"k{n}") for n in range(99)
    ]
    checks = verifier(keys=StaticKeys(public))
    tokens = [
        forge("Ed25519").token({"alg": "Ed25519", "typ": "JWT", "kid": key.kid}) for key in public
    ]
    for token in tokens:
        checks.verify(token)

    assert len(checks._headers) == 99


def test_a_header_that_comes_with_another_key_drops_all_others():
    """The keys have changed; what went with the former ones is of no use."""
    headers: AcceptedHeaders[str] = AcceptedHeaders()
    header = Header({"alg": "RS256", "kid": "k"})
    for segment, key in ((b"a", "old"), (b"b", "old"), (b"a", "new")):
        headers.remember(segment, header, key, 1)

    assert dict(headers) == {b"a": (header, "new")}


def remember(tokens: VerifiedTokens[str, str], *names: bytes) -> None:
    for name in names:
        tokens.remember(name, "the kid", "the key", (0, 1), "the token")


def test_a_token_remembered_twice_pushes_no_other_out():
    """Two threads may verify one token at a time."""
    tokens: VerifiedTokens[str, str] = VerifiedTokens(2)
    remember(tokens, b"a", b"b", b"b")

    assert set(tokens) == {b"a", b"b"}


def test_verified_tokens_are_bounded_and_the_oldest_makes_room():
    tokens: VerifiedTokens[str, str] = VerifiedTokens(3)
    remember(tokens, b"a", b"b", b"c", b"d")

    assert set(tokens) == {b"b", b"c", b"d"}
    tokens.forget(b"c")
    tokens.forget(b"never there")
    assert set(tokens) == {b"b", b"d"}


@pytest.mark.parametrize(
    ("settings", "times"), [({}, 2), ({"cache_size": 0}, 2), ({"cache_size": 1}, 1)], ids=str
)
def test_no_token_is_remembered_unless_asked_for(settings: dict[str, Any], times: int):
    keys = Counted()
    remembering = verifier(keys=keys, **settings)
    for _ in range(2):
        remembering.verify(forge("Ed25519").good)

    assert keys.verified == times


def test_the_longest_token_is_remembered_too():
    token = forge("Ed25519").good
    keys = Counted()
    remembering = verifier(keys=keys, cache_size=1, max_length=len(token))
    for _ in range(2):
        remembering.verify(token)

    assert keys.verified == 1
    with pytest.raises(TokenError):
        remembering.verify(f"{token}A")


def test_a_list_changed_afterwards_allows_nothing_more():
    allowed = ["RS256"]
    strict = verifier(algorithms=allowed)
    allowed.append("Ed25519")

    with pytest.raises(AlgorithmNotAllowed):
        strict.verify(forge("Ed25519").good)


@pytest.mark.parametrize("name", [["RS256"], {"RS256": 1}, None, 7, "rs256", "none", "HS256"])
def test_what_is_no_algorithm_is_not_allowed(name: object):
    with pytest.raises(ConfigError) as caught:
        verifier(algorithms=["RS256", name])
    assert caught.value.code == "verifier"


@pytest.mark.parametrize("iss", [{}, {"a": 1}, [], [{}], ["https://id.example"], 7, None, True])
def test_an_issuer_of_any_type_is_refused_among_several(iss: object):
    maker = forge("Ed25519")

    with pytest.raises(WrongIssuer):
        AnyOf(verifier()).verify(maker.token(claims=maker.claims(iss=iss)))


def test_a_key_of_an_algorithm_nobody_knows_is_an_error_of_ours():
    der = (
        private_key("Ed25519")
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    unknown = der.replace(bytes.fromhex("06032b6570"), bytes.fromhex("06032b657f"))
    assert unknown != der

    with pytest.raises(ConfigError) as caught:
        PublicKey.from_spki(unknown, "Ed25519")
    assert caught.value.code == "spki"


@pytest.mark.parametrize("cache_size", [0, 4])
def test_an_accepted_header_vouches_for_no_other_part(cache_size: int):
    """Its algorithm and type need not be looked at again; everything else is."""
    maker = forge("Ed25519")
    warm = verifier(cache_size=cache_size)
    warm.verify(maker.good)
    refused = {
        "bad_signature": maker.with_signature(bytes(64)),
        "expired": maker.token(claims=maker.claims(exp=NOW - 30, iat=NOW - 900)),
        "wrong_audience": maker.token(claims=maker.claims(aud=[f"{AUD}2"])),
        "payload_json": maker.token(claims=b"{"),
        "signature_base64": f"{maker.signing_input}.!!!!",
    }
    for code, token in refused.items():
        for _ in range(2):
            with pytest.raises(TokenError) as caught:
                warm.verify(token)
            assert caught.value.code == code


@pytest.mark.parametrize("size", [0, 1, 1_000_000])
def test_a_cache_may_have_this_size(size: int):
    assert verifier(cache_size=size).verify(forge("Ed25519").good).alg == "Ed25519"


@pytest.mark.parametrize("size", [-1, 1_000_001, 10**40, True, None, "100", 1.0])
def test_a_cache_of_no_such_size_is_refused(size: Any):
    with pytest.raises(ConfigError, match=r"cache_size is .*, expected a whole number of tokens"):
        verifier(cache_size=size)
