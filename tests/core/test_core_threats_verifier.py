"""Threats that one odd token does not show: what a refusal gives away, where nothing is fetched."""

from __future__ import annotations

import inspect
import json
import re
import socket
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from tests.core import helpers
from tests.core.helpers import AUD, ISS, NOW, unb64
from tests.core.oracles import public_pem

from kmsjwt import AnyOf, ConfigError, Issuer, TokenError, Verifier
from kmsjwt.algorithms import ALGORITHMS
from kmsjwt.errors import ClaimsRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

_FAULTY: dict[str, tuple[str, dict[str, Any] | bytes]] = {
    "none": ("accepted", {}),
    "expired": ("expired", {"exp": NOW - 900, "iat": NOW - 1800}),
    "not-yet-valid": ("not_yet_valid", {"nbf": NOW + 900}),
    "for-days": ("lifetime_too_long", {"exp": NOW + 10**6}),
    "issuer": ("wrong_issuer", {"iss": "https://evil.example"}),
    "audience": ("wrong_audience", {"aud": "billing"}),
    "type": ("invalid_claim", {"sub": 5}),
    "no-json": ("payload_json", b"{"),
    "no-utf8": ("payload_utf8", b'{"a":"\xff"}'),
    "twice": ("payload_duplicate_member", b'{"exp":1,"exp":2}'),
}


@pytest.mark.parametrize("alg", ["RS256", "ES256", "Ed25519"])
def test_a_forger_is_told_the_same_whatever_the_claims_are(alg: str):
    """The signature comes first: claims that nobody vouches for are not even looked at."""
    forge = helpers.forge(alg)
    stranger = helpers.private_key(alg, "attacker")
    several = AnyOf(helpers.verifier(alg), helpers.verifier(alg, issuer="https://b.example"))
    told = set()
    for code, faulty in _FAULTY.values():
        claims = faulty if isinstance(faulty, bytes) else forge.claims(**faulty)
        assert _outcome(helpers.verifier(alg), forge.token(claims=claims)) == code
        with pytest.raises(TokenError) as caught:
            helpers.verifier(alg).verify(forge.token(claims=claims, private=stranger))
        told.add((caught.value.code, str(caught.value)))
        if not isinstance(faulty, bytes) and "iss" not in faulty:
            forged = forge.token(claims=claims, private=stranger)
            assert _outcome(several, forged) == "bad_signature"

    assert len(told) == 1
    assert next(iter(told))[0] == "bad_signature"


def test_of_several_issuers_none_is_told_what_an_unverified_token_says():
    """The ``iss`` chooses a verifier, so one that chooses none is told before the signature."""
    forge = helpers.forge("Ed25519")
    several = AnyOf(helpers.verifier(), helpers.verifier(issuer="https://b.example"))
    stranger = helpers.private_key("Ed25519", "attacker")
    told = set()
    for iss in ("https://evil.example", "https://worse.example", 5, None, ["a"]):
        claims = forge.claims(iss=iss, sub="eve")
        for token in (forge.token(claims=claims), forge.token(claims=claims, private=stranger)):
            with pytest.raises(TokenError) as caught:
                several.verify(token)
            told.add((caught.value.code, str(caught.value)))

    assert told == {
        (
            "wrong_issuer",
            "the token's iss is none of these, expected 'https://id.example' or 'https://b.example'",
        )
    }


def _outcome(verifier: Verifier | AnyOf, token: str) -> str:
    try:
        verifier.verify(token)
    except TokenError as error:
        return error.code
    return "accepted"


@pytest.mark.parametrize("member", ["jku", "x5u", "jwk", "x5c", "kid", "iss", "url", "jwks_uri"])
def test_no_address_in_a_token_is_ever_visited(member: str, visited: Visited):
    """RFC 8725 section 3.10: neither the header nor the unverified issuer is a place to look."""
    forge = helpers.forge("ES256")
    values = {"jwk": {"kty": "EC", "x5u": visited.url}, "x5c": [visited.url]}
    value = values.get(member, visited.url)
    tokens = [
        forge.token(forge.header(**{member: value})),
        forge.token(forge.header(**{member: value}), private=helpers.private_key("ES256", "x")),
        forge.token(claims=forge.claims(**{member: value})),
    ]
    for token in tokens:
        for verifier in (helpers.verifier("ES256"), AnyOf(helpers.verifier("ES256"))):
            _outcome(verifier, token)

    assert not visited.by_anyone()


class Visited:
    """A server of this machine that notices whether anybody calls."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/jwks.json"

    def by_anyone(self) -> bool:
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def visited() -> Iterator[Visited]:
    server = Visited()
    yield server
    server.close()


def test_the_server_of_the_test_above_would_notice(visited: Visited):
    host, port = visited.url.split("/")[2].split(":")
    socket.create_connection((host, int(port))).close()

    assert visited.by_anyone()


_PATTERNS: dict[str, Any] = {
    "compiled": re.compile(r"https://id\.example"),
    "equal-to-anything": mock.ANY,
    "function": lambda _value: True,
    "bytes": ISS.encode(),
}


@pytest.mark.parametrize("setting", ["issuer", "audience", "typ"])
@pytest.mark.parametrize("name", _PATTERNS)
def test_what_is_expected_is_text_and_never_a_pattern(name: str, setting: str):
    """A pattern in the place of a name is how one issuer comes to pass for another."""
    with pytest.raises(ConfigError) as caught:
        helpers.verifier(**{setting: _PATTERNS[name]})
    assert f"{setting} is" in str(caught.value)


@pytest.mark.parametrize("written", [".*", "https://id.exampl.", "*", "(a+)+$", ISS + "|x"])
def test_text_that_looks_like_a_pattern_matches_itself_alone(written: str):
    forge = helpers.forge("Ed25519")
    for name, claim in (("issuer", "iss"), ("audience", "aud")):
        verifier = helpers.verifier(**{name: written})

        assert _outcome(verifier, forge.good) == f"wrong_{name}"
        assert _outcome(verifier, forge.token(claims=forge.claims(**{claim: written}))) == (
            "accepted"
        )
    typed = helpers.verifier(typ=written)
    assert _outcome(typed, forge.good) == "wrong_type"


def test_nothing_here_is_a_shared_secret():
    """With no HMAC in the house, a public key cannot be taken for the secret of one."""
    assert [name for name in ALGORITHMS if name.startswith(("HS", "none"))] == []
    assert {each.kty for each in ALGORITHMS.values()} == {"RSA", "EC", "OKP", "AKP"}


def test_no_switch_turns_verification_off():
    """CVE-2022-29217 and its kin: what can be switched off will be."""
    settings = inspect.signature(Verifier.__init__).parameters

    assert [
        name for name in settings if re.search("verify|skip|insecure|options|strict", name)
    ] == []
    assert list(inspect.signature(Verifier.verify).parameters) == ["self", "token"]


@pytest.mark.parametrize("alg", ["RS256", "ES256", "Ed25519"])
def test_what_is_handed_out_is_what_was_signed_octet_by_octet(alg: str):
    """Nothing is written a second time between the signature and the token."""
    signer = helpers.HeldKey(alg)
    claims = {"ż": "\u2028</script>", "n": 1e22, "m": [1.0, 10**20], "e": "", "z": {"b": 1, "a": 2}}

    issued = helpers.issuer(signer=signer).issue(sub="ala", aud=[AUD], claims=claims)

    assert [issued.token.rpartition(".")[0].encode()] == signer.signed
    signature = unb64(issued.token.rpartition(".")[2])
    signer.public.verify(signature, signer.signed[0])
    assert json.loads(unb64(issued.token.split(".")[1]))["z"] == {"b": 1, "a": 2}


def test_the_caller_writes_no_header():
    """Only the key says alg and kid; a claim of that name stays a claim."""
    taken = inspect.signature(Issuer.issue).parameters
    wanted = {"alg": "none", "kid": "evil", "typ": "JWS", "crit": ["x"], "jku": "https://e.example"}

    issued = helpers.issuer("ES256").issue(sub="ala", aud=AUD, claims=wanted)

    header = json.loads(unb64(issued.token.split(".")[0]))
    assert header == {"alg": "ES256", "kid": helpers.held("ES256").kid, "typ": "JWT"}
    assert set(taken) == {"self", "sub", "aud", "lifetime", "claims", "client_id"}


@pytest.mark.parametrize("name", ["exp", "iat", "iss", "sub", "aud", "jti", "client_id"])
def test_no_claim_is_smuggled_past_the_issuers_own(name: str):
    """A lifetime beyond the bound, or another's name, cannot come in by the claims."""
    with pytest.raises(ClaimsRefused) as caught:
        helpers.issuer().issue(sub="ala", aud=AUD, claims={name: NOW + 10**9})
    assert caught.value.code == "claims_reserved"


def test_a_public_key_given_as_text_is_no_key():
    """The PEM that HMAC confusion feeds on has no way in."""
    with pytest.raises(ConfigError):
        helpers.verifier(keys=public_pem(helpers.private_key("RS256").public_key()))
