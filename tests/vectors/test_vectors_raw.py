"""Wycheproof's raw signatures, through `PublicKey.verify` and the DER decoder: no deviation."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from kmsjwt import ConfigError, PublicKey
from kmsjwt.algorithms import ALGORITHMS, ecdsa_der_to_jose
from kmsjwt.errors import BadSignature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Vectors = Callable[[str], Any]

_HASHES = {"SHA-256": "256", "SHA-384": "384", "SHA-512": "512"}


def key_of(group: dict[str, Any], alg: str) -> PublicKey:
    return PublicKey.from_spki(bytes.fromhex(group["publicKeyDer"]), alg)


def is_good(key: PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except BadSignature:
        return False
    return True


def cases(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for group in document["testGroups"]:
        for test in group["tests"]:
            yield group, test


def said(test: dict[str, Any], key: PublicKey) -> bool:
    return is_good(key, bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"]))


def line(test: dict[str, Any], answer: object) -> str:
    return f"{test['tcId']} {test['comment']} {test['flags']}: {test['result']}, we say {answer}"


_PKCS1 = [(bits, sha) for bits in (2048, 3072, 4096) for sha in (256, 384, 512)]
# Groups whose exponent is 3: refused when the key is loaded, so none of their cases is reached.
_SMALL_EXPONENT = {(2048, 256): 2, (2048, 512): 1, (3072, 256): 1, (3072, 512): 1}


@pytest.mark.parametrize(("bits", "sha"), _PKCS1)
def test_rsa_pkcs1(bits: int, sha: int, vectors: Vectors):
    document = vectors(f"wycheproof/rsa_signature_{bits}_sha{sha}_test.json")
    wrong, counted = [], Counter[str]()
    for group in document["testGroups"]:
        alg = f"RS{_HASHES[group['sha']]}"
        try:
            key = key_of(group, alg)
        except ConfigError as error:
            assert error.code == "jwk_weak"  # noqa: PT017  the refusal may come or not
            assert int(group["publicKey"]["publicExponent"], 16) < 65537
            counted["refused at load"] += len(group["tests"])
            continue
        for test in group["tests"]:
            # "acceptable": the DigestInfo lacks its NULL, which RFC 8017 does not write.
            answer = said(test, key)
            counted["checked"] += 1
            if answer != (test["result"] == "valid"):
                wrong.append(line(test, answer))

    assert wrong == []
    assert counted["refused at load"] == _SMALL_EXPONENT.get((bits, sha), 0)
    assert counted["checked"] > 250


_PSS = {
    "rsa_pss_2048_sha256_mgf1_32": "PS256",
    "rsa_pss_2048_sha384_mgf1_48": "PS384",
    "rsa_pss_3072_sha256_mgf1_32": "PS256",
    "rsa_pss_4096_sha256_mgf1_32": "PS256",
    "rsa_pss_4096_sha384_mgf1_48": "PS384",
    "rsa_pss_4096_sha512_mgf1_64": "PS512",
}
_NOT_JOSE_PSS = {  # another salt length, or another hash in the mask: PSxxx has neither
    "rsa_pss_2048_sha256_mgf1_0": "PS256",
    "rsa_pss_2048_sha256_mgf1sha1_20": "PS256",
    "rsa_pss_4096_sha512_mgf1_32": "PS512",
}


@pytest.mark.parametrize("name", _PSS)
def test_rsa_pss(name: str, vectors: Vectors):
    wrong = []
    document = vectors(f"wycheproof/{name}_test.json")
    for group, test in cases(document):
        answer = said(test, key_of(group, _PSS[name]))
        if answer != (test["result"] == "valid"):
            wrong.append(line(test, answer))

    assert wrong == []


@pytest.mark.parametrize("name", _NOT_JOSE_PSS)
def test_pss_with_other_parameters_is_refused(name: str, vectors: Vectors):
    accepted = [
        test["comment"]
        for group, test in cases(vectors(f"wycheproof/{name}_test.json"))
        if said(test, key_of(group, _NOT_JOSE_PSS[name]))
    ]

    # The one signature that is wrong for the file, since its salt is as long as PS256 wants it.
    assert accepted == (["s_len changed to 32"] if name.endswith("mgf1_0") else [])


_CURVES = {
    "secp256r1_sha256": "ES256",
    "secp384r1_sha384": "ES384",
    "secp521r1_sha512": "ES512",
    "secp256k1_sha256": "ES256K",
}


@pytest.mark.parametrize("name", _CURVES)
def test_ecdsa_p1363(name: str, vectors: Vectors):
    wrong, jwks = [], 0
    for group in vectors(f"wycheproof/ecdsa_{name}_p1363_test.json")["testGroups"]:
        key = key_of(group, _CURVES[name])
        if "publicKeyJwk" in group:
            jwks += 1
            assert PublicKey.from_jwk(group["publicKeyJwk"]).thumbprint == key.thumbprint
        for test in group["tests"]:
            answer = said(test, key)
            if answer != (test["result"] == "valid"):
                wrong.append(line(test, answer))

    assert wrong == []
    assert jwks > 80


@pytest.mark.parametrize("name", _CURVES)
def test_ecdsa_der(name: str, vectors: Vectors):
    """The issuer's path: KMS's DER becomes r || s, or is refused."""
    alg = ALGORITHMS[_CURVES[name]]
    assert alg.signature_length is not None
    wrong, refused = [], 0
    for group in vectors(f"wycheproof/ecdsa_{name}_test.json")["testGroups"]:
        key = key_of(group, alg.name)
        for test in group["tests"]:
            try:
                jose = ecdsa_der_to_jose(bytes.fromhex(test["sig"]), alg.signature_length)
            except ValueError:
                answer, refused = False, refused + 1
            else:
                assert len(jose) == alg.signature_length
                answer = is_good(key, jose, bytes.fromhex(test["msg"]))
            if answer != (test["result"] == "valid"):
                wrong.append(line(test, answer))

    assert wrong == []
    assert refused > 200


@pytest.mark.parametrize("der", ["3006020100020101", "3006020101020100", "30070201010202 0100"])
def test_a_zero_or_too_wide_integer_is_no_signature(der: str):
    width = 1 if der.startswith("3007") else 32
    with pytest.raises(ValueError, match="r "):
        ecdsa_der_to_jose(bytes.fromhex(der), 2 * width)


@pytest.mark.parametrize("alg", ["Ed25519", "EdDSA"])
def test_ed25519(alg: str, vectors: Vectors):
    wrong, weak = [], 0
    for group in vectors("wycheproof/ed25519_test.json")["testGroups"]:
        try:
            key = PublicKey.from_jwk(group["publicKeyJwk"], alg=alg)
        except ConfigError as error:
            assert error.code == "jwk_weak"  # noqa: PT017  the refusal may come or not
            assert {test["result"] for test in group["tests"]} == {"invalid"}
            weak += 1
            continue
        assert key.thumbprint == key_of(group, alg).thumbprint
        for test in group["tests"]:
            answer = said(test, key)
            if answer != (test["result"] == "valid"):
                wrong.append(line(test, answer))

    assert wrong == []
    assert weak <= 2


def test_ed448_is_no_algorithm_of_ours(vectors: Vectors):
    for group in vectors("wycheproof/ed448_test.json")["testGroups"]:
        for alg in ("Ed25519", "EdDSA"):
            with pytest.raises(ConfigError):
                key_of(group, alg)
        with pytest.raises(ConfigError):
            PublicKey.from_jwk(group["publicKeyJwk"])
