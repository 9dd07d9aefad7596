"""What KMS says itself that a key signs with: no other algorithm is bound to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.kms.support import ALGS, Through, issued
from tests.kms.test_kms_wrong_answers import answered

from kmsjwt.errors import KmsError, KmsKeyUnusable
from kmsjwt.kms import KmsKeys, KmsSigner, KmsVerify, create_ring, read_ring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt.local import LocalKms

# JOSE's name, and KMS's own from its guide.
KMS_NAMES = {
    "RS256": "RSASSA_PKCS1_V1_5_SHA_256",
    "RS384": "RSASSA_PKCS1_V1_5_SHA_384",
    "RS512": "RSASSA_PKCS1_V1_5_SHA_512",
    "PS256": "RSASSA_PSS_SHA_256",
    "PS384": "RSASSA_PSS_SHA_384",
    "PS512": "RSASSA_PSS_SHA_512",
    "ES256": "ECDSA_SHA_256",
    "ES384": "ECDSA_SHA_384",
    "ES512": "ECDSA_SHA_512",
    "ES256K": "ECDSA_SHA_256",
    "Ed25519": "ED25519_SHA_512",
    "EdDSA": "ED25519_SHA_512",
    "ML-DSA-44": "ML_DSA_SHAKE_256",
    "ML-DSA-65": "ML_DSA_SHAKE_256",
    "ML-DSA-87": "ML_DSA_SHAKE_256",
}


def asking(arn: str, wire: Through, alg: str | None = None) -> list[Callable[[], object]]:
    """Return each way to have a key's public half fetched."""
    return [
        KmsSigner(arn, client=wire, alg=alg).current,
        lambda: KmsKeys(arn, client=wire, alg=alg).key(None),
        KmsKeys(arn, client=wire, alg=alg).key_set,
        lambda: KmsVerify(arn, client=wire, alg=alg).key(None),
    ]


@pytest.mark.parametrize("alg", ALGS)
def test_an_algorithm_must_be_among_those_that_kms_lists(
    alg: str, house: LocalKms, arns: Mapping[str, str]
):
    arn, wire = arns[alg], Through(house)
    others = sorted({*KMS_NAMES.values(), "ED25519_PH_SHA_512"} - {KMS_NAMES[alg]})

    wire.after["get_public_key"] = answered(SigningAlgorithms=[*others, KMS_NAMES[alg]])
    for act in asking(arn, wire, alg):
        act()
    wire.after["get_public_key"] = answered(SigningAlgorithms=others)
    for act in asking(arn, wire, alg):
        with pytest.raises(KmsKeyUnusable) as told:
            act()
        assert (told.value.code, told.value.retryable) == ("kms_key_unusable", False)
        assert (told.value.action, told.value.key) == ("GetPublicKey", arn)
        assert f"expected {KMS_NAMES[alg]} for {alg}" in told.value.message
        assert told.value.fix
        assert len(str(told.value)) < 500


def test_a_key_that_signs_otherwise_says_how(house: LocalKms, arns: Mapping[str, str]):
    arn, wire = arns["RS256"], Through(house)
    wire.after["get_public_key"] = answered(
        SigningAlgorithms=["RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384"]
    )
    with pytest.raises(KmsKeyUnusable) as told:
        KmsSigner(arn, client=wire).current()

    assert told.value.message == (
        f"the KMS key {arn} signs with 'RSASSA_PSS_SHA_256, RSASSA_PSS_SHA_384',"
        " expected RSASSA_PKCS1_V1_5_SHA_256 for RS256 among them"
    )
    assert told.value.fix == (
        "name an alg that it signs, PS256 or PS384, or make another key with:"
        " kmsjwt key create NAME"
    )
    assert KmsSigner(arn, client=wire, alg="PS384").current().alg.name == "PS384"


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ([], "signs with nothing, expected ECDSA_SHA_256"),
        (["SM2DSA"], "signs with 'SM2DSA', expected ECDSA_SHA_256"),
        (["ECDSA_SHA_384"], "signs with 'ECDSA_SHA_384', expected ECDSA_SHA_256"),
        ([None, 5, ["ECDSA_SHA_256"]], "expected ECDSA_SHA_256"),
        (["ecdsa_sha_256", "ECDSA_SHA_256 "], "expected ECDSA_SHA_256"),
        (["x\n\u202e" * 999] * 999, "expected ECDSA_SHA_256"),
    ],
    ids=["nothing", "unknown", "of another spec", "no names", "nearly", "endless"],
)
def test_a_key_that_signs_no_jwt_is_unusable(
    listed: list[Any], says: str, house: LocalKms, arns: Mapping[str, str]
):
    arn, wire = arns["ES256"], Through(house)
    wire.after["get_public_key"] = answered(SigningAlgorithms=listed)
    for act in asking(arn, wire):
        with pytest.raises(KmsKeyUnusable) as told:
            act()
        assert says in told.value.message
        assert told.value.fix == "make another key with: kmsjwt key create NAME"
        assert str(told.value).isprintable()
        assert len(str(told.value)) < 500


@pytest.mark.parametrize("alg", ALGS)
def test_a_stand_in_that_lists_no_algorithms_is_believed(
    alg: str, house: LocalKms, arns: Mapping[str, str]
):
    wire = Through(house)

    def older(answer: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in answer.items() if name != "SigningAlgorithms"}

    wire.after["get_public_key"] = older
    assert issued(arns[alg], wire, alg=alg)


def test_a_key_of_a_ring_is_asked_as_strictly(kms: LocalKms):
    """Its reader takes the key for none of the ring's, and trusts nothing of it."""
    create_ring("auth", client=kms)
    ring = RingOver(kms)
    assert KmsKeys.ring("auth", client=ring).key_set()

    ring.after["get_public_key"] = answered(SigningAlgorithms=["ED25519_SHA_512"])
    (generation,) = read_ring(ring, "auth").ring.generations
    assert generation.doubt
    assert "signs no such JWT" in generation.doubt
    assert "signs with 'ED25519_SHA_512'" in generation.doubt
    with pytest.raises(KmsError, match="signs no such JWT"):
        KmsKeys.ring("auth", client=ring).key_set()
    with pytest.raises(KmsKeyUnusable, match="signs with 'ED25519_SHA_512'"):
        KmsSigner("ring:auth", client=ring).current()


class RingOver(Through):
    """A client in front of another, for all that a ring needs besides."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
