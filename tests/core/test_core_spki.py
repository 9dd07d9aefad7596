"""DER public keys: what is read without a parser is what the library's parser reads."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from hypothesis import given
from hypothesis import strategies as st
from tests.core import helpers

from kmsjwt import ConfigError, PublicKey

ALGS = ("RS256", "ES256", "ES384", "ES512", "ES256K", "Ed25519", "ML-DSA-44")


def der_of(public: Any) -> bytes:
    return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("alg", helpers.ALGS)
def test_a_key_is_the_same_by_either_way(alg: str):
    public = helpers.private_key(alg).public_key()

    assert PublicKey.from_spki(der_of(public), alg) == PublicKey(public, alg)


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_rsa_of_every_size_kms_has(bits: int):
    public = helpers.rsa_key(bits).public_key()

    assert PublicKey.from_spki(der_of(public), "PS512") == PublicKey(public, "PS512")


@pytest.mark.parametrize("alg", [alg for alg in helpers.ALGS if not alg.startswith("ML-DSA")])
def test_what_kms_makes_costs_no_large_import(alg: str, monkeypatch):
    sizes = [2048, 3072, 4096] if alg == "RS256" else [None]
    privates = [helpers.rsa_key(size) if size else helpers.private_key(alg) for size in sizes]
    ders = [der_of(private.public_key()) for private in privates]

    def parser(*_: object) -> None:
        raise AssertionError("the library's parser was asked")

    monkeypatch.setattr(serialization, "load_der_public_key", parser)
    for der in ders:
        PublicKey.from_spki(der, alg)


@pytest.mark.parametrize("first", [0x7F, 0x80, 0xFF])
def test_a_modulus_begins_with_a_set_bit(first: int):
    der = bytearray(der_of(helpers.rsa_key(3072).public_key()))
    assert der[32] == 0
    der[33] = first

    assert (ours(bytes(der), "RS256") is None) is (first < 0x80)
    assert ours(bytes(der), "RS256") == theirs(bytes(der), "RS256")


def test_forms_that_kms_does_not_use_are_read_as_well():
    odd_size = rsa.generate_private_key(65537, 2056).public_key()
    compressed = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = compressed.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    der = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point

    assert PublicKey.from_spki(der_of(odd_size), "RS256") == PublicKey(odd_size, "RS256")
    assert PublicKey.from_spki(der, "ES256") == PublicKey(compressed, "ES256")


def theirs(der: bytes, alg: str) -> PublicKey | None:
    """Return what the library's own parser makes of it."""
    try:
        return PublicKey(load_der_public_key(der), alg)  # type: ignore[arg-type]  # of any kind, which it refuses itself
    except Exception:  # noqa: BLE001  the library has many words for no
        return None


def ours(der: bytes, alg: str) -> PublicKey | None:
    try:
        return PublicKey.from_spki(der, alg)
    except ConfigError:
        return None


@pytest.mark.parametrize("alg", ["RS256", "ES256", "ES384", "ES512", "ES256K", "Ed25519"])
def test_each_octet_around_the_key_counts(alg: str):
    """One of them changed in any of three ways; of RSA's modulus the first octet is enough."""
    private = helpers.rsa_key(3072) if alg == "RS256" else helpers.private_key(alg)
    der = der_of(private.public_key())
    around = [*range(40), *range(len(der) - 6, len(der))]
    different = [
        (position, bit)
        for position in around
        for bit in (0x01, 0x02, 0x80)
        if (changed := der[:position] + bytes([der[position] ^ bit]) + der[position + 1 :])
        and ours(changed, alg) != theirs(changed, alg)
    ]

    assert different == []


@given(alg=st.sampled_from(ALGS), data=st.data())
def test_a_changed_key_is_read_as_the_library_reads_it(alg: str, data: Any):
    der = bytearray(der_of(helpers.private_key(alg).public_key()))
    position = data.draw(st.integers(0, len(der) - 1))
    kind = data.draw(st.sampled_from(["changed", "cut", "longer"]))
    if kind == "changed":
        der[position] ^= data.draw(st.integers(1, 255))
    elif kind == "cut":
        del der[position:]
    else:
        der.insert(position, data.draw(st.integers(0, 255)))

    assert ours(bytes(der), alg) == theirs(bytes(der), alg)


@pytest.mark.parametrize("der", [None, 5, 10**15, "text", b"", b"\x30", [48]], ids=repr)
@pytest.mark.parametrize("alg", ["RS256", "ES256", "Ed25519", "ML-DSA-44"])
def test_what_is_no_key_is_refused(der: Any, alg: str):
    with pytest.raises(ConfigError) as caught:
        PublicKey.from_spki(der, alg)

    assert caught.value.code == "spki"
