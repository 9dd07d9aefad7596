"""Hostile keys are refused alone and skipped in a set; private ones refuse the set."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.core import helpers, jwks_cases

from kmsjwt import ConfigError, KeySet, PublicKey
from kmsjwt.errors import UnknownKey
from kmsjwt.jwks import JwksFile, StaticKeys

if TYPE_CHECKING:
    from pathlib import Path

_HOSTILE = jwks_cases.hostile()
_PRIVATE = jwks_cases.private()
_GOOD = jwks_cases.good()


def test_the_table_is_wide():
    assert len(_HOSTILE) + len(_PRIVATE) >= 58


@pytest.mark.parametrize("name", _HOSTILE)
def test_refused_alone(name: str):
    code, jwk = _HOSTILE[name]

    with pytest.raises(ConfigError) as caught:
        PublicKey.from_jwk(jwk)
    assert caught.value.code == code
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", _HOSTILE)
def test_skipped_in_a_set_with_the_reason(name: str):
    trusted = helpers.held("ES256")
    _, hostile = _HOSTILE[name]
    with pytest.raises(ConfigError) as alone:
        PublicKey.from_jwk(hostile)

    keys = KeySet.from_jwks({"keys": [hostile, trusted.public.to_jwk()]})

    assert keys.skipped == (f"key 0: {alone.value.message}",)
    assert [key.kid for key in keys] == [trusted.kid]
    verifier = helpers.verifier(keys=StaticKeys(keys))
    assert verifier.verify(helpers.forge("ES256").good).kid == trusted.kid


@pytest.mark.parametrize("name", _PRIVATE)
def test_private_members_are_refused_alone_and_refuse_the_set(name: str):
    with pytest.raises(ConfigError) as alone:
        PublicKey.from_jwk(_PRIVATE[name])
    assert alone.value.code == "jwk_private"

    with pytest.raises(ConfigError) as in_set:
        KeySet.from_jwks({"keys": [helpers.held("ES256").public.to_jwk(), _PRIVATE[name]]})
    assert in_set.value.code == "jwks_private"
    assert "AQAB" not in str(in_set.value)


@pytest.mark.parametrize("name", _GOOD)
def test_odd_but_good_keys_load(name: str):
    key = PublicKey.from_jwk(_GOOD[name])

    assert key.kid == _GOOD[name].get("kid", key.thumbprint)
    assert PublicKey.from_jwk(key.to_jwk()) == key
    assert [found.kid for found in KeySet.from_jwks({"keys": [_GOOD[name]]})] == [key.kid]


_SETS: dict[str, tuple[str, Any]] = {
    "null": ("jwks_malformed", None),
    "list": ("jwks_malformed", [jwks_cases.jwk("RS256")]),
    "text": ("jwks_malformed", "{}"),
    "one-jwk": ("jwks_malformed", jwks_cases.jwk("RS256")),
    "keys-missing": ("jwks_malformed", {}),
    "keys-null": ("jwks_malformed", {"keys": None}),
    "keys-object": ("jwks_malformed", {"keys": {"0": jwks_cases.jwk("RS256")}}),
    "keys-text": ("jwks_malformed", {"keys": "RSA"}),
    "keys-empty": ("jwks_no_usable_key", {"keys": []}),
    "none-usable": ("jwks_no_usable_key", {"keys": [{}, None, jwks_cases.jwk("RS256", use="enc")]}),
    "too-many-keys": ("jwks_too_many_keys", {"keys": [{}] * 1_001}),
    "same-key-twice": ("jwks_duplicate_kid", {"keys": [jwks_cases.jwk("RS256")] * 2}),
    "two-keys-one-kid": (
        "jwks_duplicate_kid",
        {"keys": [jwks_cases.jwk("RS256", kid="a"), jwks_cases.jwk("ES256", kid="a")]},
    ),
    "two-algs-one-kid": (
        "jwks_duplicate_kid",
        {"keys": [jwks_cases.jwk("RS256", kid="a"), jwks_cases.jwk("PS256", kid="a")]},
    ),
}


@pytest.mark.parametrize("name", _SETS)
def test_a_set_that_cannot_be_used(name: str):
    code, jwks = _SETS[name]

    with pytest.raises(ConfigError) as caught:
        KeySet.from_jwks(jwks)
    assert caught.value.code == code


def test_thousands_of_unusable_keys_make_no_endless_message():
    with pytest.raises(ConfigError) as caught:
        KeySet.from_jwks({"keys": [{}] * 5000})
    assert len(str(caught.value)) < 500
    assert "5000" in str(caught.value)


def test_the_largest_set_is_read():
    keys = KeySet.from_jwks({"keys": [*[{}] * 999, jwks_cases.jwk("RS256")]})

    assert (len(keys), len(keys.skipped)) == (1, 999)


def test_a_kid_shared_with_an_unusable_key_is_no_duplicate():
    usable = jwks_cases.jwk("RS256", kid="a")
    keys = KeySet.from_jwks({"keys": [usable, jwks_cases.jwk("ES256", kid="a", use="enc")]})

    assert len(keys) == 1
    assert len(keys.skipped) == 1


def test_a_token_without_kid_needs_a_single_key():
    two = StaticKeys([helpers.held("ES256").public, helpers.held("Ed25519").public])
    forge = helpers.forge("ES256")
    token = forge.token({"alg": "ES256", "typ": "JWT"})

    with pytest.raises(UnknownKey) as caught:
        helpers.verifier(keys=two).verify(token)
    assert caught.value.code == "kid_missing"
    assert helpers.verifier("ES256").verify(token).kid == helpers.held("ES256").kid


_FOREIGN_KEYS: dict[str, Any] = {
    "ed448": lambda: ed448.Ed448PrivateKey.generate().public_key(),
    "x25519": lambda: x25519.X25519PrivateKey.generate().public_key(),
    "p-224": lambda: ec.generate_private_key(ec.SECP224R1()).public_key(),
    "brainpool": lambda: ec.generate_private_key(ec.BrainpoolP256R1()).public_key(),
    "rsa-1024": lambda: rsa.generate_private_key(65537, 1024).public_key(),
    "private": lambda: helpers.private_key("RS256"),
    "text": lambda: "-----BEGIN PUBLIC KEY-----",
    "none": lambda: None,
}


@pytest.mark.parametrize("alg", ["RS256", "ES256", "Ed25519", "ML-DSA-44"])
@pytest.mark.parametrize("name", _FOREIGN_KEYS)
def test_foreign_keys_are_refused(name: str, alg: str):
    with pytest.raises(ConfigError) as caught:
        PublicKey(_FOREIGN_KEYS[name](), alg)
    assert caught.value.code.startswith("jwk_")


@pytest.mark.parametrize("alg", helpers.ALGS)
def test_a_key_of_another_type_is_refused(alg: str):
    kinds = {
        "RSA": "RS256",
        "P-256": "ES256",
        "P-521": "ES512",
        "OKP": "Ed25519",
        "AKP": "ML-DSA-65",
    }
    own = PublicKey(helpers.private_key(alg).public_key(), alg).to_jwk()
    for kind, other in kinds.items():
        if kind in (own["kty"], own.get("crv")) and (kind != "AKP" or alg == other):
            continue
        with pytest.raises(ConfigError) as caught:
            PublicKey(helpers.private_key(other).public_key(), alg)
        assert caught.value.code == "jwk_alg"


@pytest.mark.parametrize(
    "der",
    [b"", b"0", b"not der", bytes(300), b"-----BEGIN PUBLIC KEY-----\n"],
    ids=["empty", "cut", "text", "zeros", "pem"],
)
def test_what_is_no_spki_is_refused(der: bytes):
    with pytest.raises(ConfigError) as caught:
        PublicKey.from_spki(der, "RS256")
    assert caught.value.code == "spki"


def test_spki_with_trailing_bytes_or_another_curve_is_refused():
    public = helpers.private_key("ES256").public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for spoilt in (der + b"\0", der[:-1], helpers.flipped(der, len(der) * 8 - 3)):
        with pytest.raises(ConfigError):
            PublicKey.from_spki(spoilt, "ES256")
    with pytest.raises(ConfigError):
        PublicKey.from_spki(der, "ES384")
    small_order = bytes.fromhex("302a300506032b6570032100") + b"\1" + bytes(31)
    with pytest.raises(ConfigError):
        PublicKey.from_spki(small_order, "Ed25519")


def test_every_honest_ed25519_key_loads():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    for seed in range(200):
        public = Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big")).public_key()
        assert PublicKey(public, "Ed25519").to_jwk()["x"] == helpers.b64(public.public_bytes_raw())


@pytest.mark.parametrize("kid", ["", 5, b"x", []], ids=repr)
def test_a_kid_must_be_text(kid: Any):
    with pytest.raises(ConfigError) as caught:
        PublicKey(helpers.private_key("ES256").public_key(), "ES256", kid=kid)
    assert caught.value.code == "jwk_kid"


_FILES: dict[str, tuple[str, bytes]] = {
    "empty": ("jwks_malformed", b""),
    "html": ("jwks_malformed", b"<!doctype html><title>404</title>"),
    "not-json": ("jwks_malformed", b"keys"),
    "list": ("jwks_malformed", b"[]"),
    "utf-16": ("jwks_malformed", '{"keys":[]}'.encode("utf-16")),
    "duplicate-member": ("jwks_malformed", b'{"keys":[],"keys":[]}'),
    "deep": ("jwks_malformed", b'{"keys":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    "no-keys": ("jwks_no_usable_key", b'{"keys":[]}'),
    "too-large": ("jwks_file", b" " * 150_001),
}


@pytest.mark.parametrize("name", _FILES)
def test_a_jwks_file_that_cannot_be_used(name: str, tmp_path: Path):
    code, contents = _FILES[name]
    path = tmp_path / "jwks.json"
    path.write_bytes(contents)

    with pytest.raises(ConfigError) as caught:
        JwksFile(path)
    assert caught.value.code == code


@pytest.mark.parametrize("path", ["missing.json", "", ".", "a\0b", "\ud800"], ids=ascii)
def test_a_jwks_file_that_cannot_be_read(path: str, tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        JwksFile(str(tmp_path / path))
    assert caught.value.code == "jwks_file"


def test_a_jwks_file_is_read(tmp_path: Path):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [helpers.held("ES256").public.to_jwk()]}))

    verified = helpers.verifier(keys=JwksFile(path)).verify(helpers.forge("ES256").good)
    assert verified.kid == helpers.held("ES256").kid


@pytest.mark.parametrize(
    "keys",
    [None, 5, "jwks.json", b"{}", [jwks_cases.jwk("RS256")], [None], ["key"]],
    ids=["none", "int", "path", "bytes", "jwks-in-a-list", "list-of-none", "list-of-text"],
)
def test_what_is_no_key_set_is_refused(keys: Any):
    with pytest.raises(ConfigError):
        StaticKeys(keys)


def test_an_alg_of_the_callers_own_is_named_when_it_cannot_be():
    with pytest.raises(ConfigError) as caught:
        PublicKey.from_jwk(jwks_cases.jwk("RS256", "alg"), alg="HS256")
    assert "HS256" in str(caught.value)
    assert PublicKey.from_jwk(jwks_cases.jwk("RS256", "alg"), alg="PS384").alg.name == "PS384"
    assert PublicKey.from_jwk(jwks_cases.jwk("RS256"), alg="PS384").alg.name == "RS256"


def test_keys_are_values():
    one, same = (PublicKey.from_jwk(jwks_cases.jwk("ES256")) for _ in range(2))

    assert one == same
    assert hash(one) == hash(same)
    assert one != PublicKey.from_jwk(jwks_cases.jwk("ES256", kid="other"))
    assert one != "text"
    with pytest.raises(AttributeError):
        one.kid = "changed"
    one.to_jwk()["x"] = "changed"
    assert one == same
