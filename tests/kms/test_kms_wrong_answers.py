"""Answers that cannot be true: nothing is issued on them, and nothing is let in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kms import support
from tests.kms.support import ALGS, AUD, Through, issued, make_key

from kmsjwt.errors import BadSignature, ConfigError, KmsError
from kmsjwt.kms import KmsKeys, KmsSigner, KmsVerify
from kmsjwt.local import LocalKms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def answered(**members: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda answer: {**answer, **members}


def require_wrong(act: Callable[[], object], action: str, key: str) -> None:
    with pytest.raises(KmsError) as told:
        act()
    assert (told.value.code, told.value.retryable) == ("kms_wrong_answer", False)
    assert (told.value.action, told.value.key) == (action, key)
    assert "nothing was trusted" in str(told.value)
    assert len(str(told.value)) < 500


@pytest.mark.parametrize("alg", ALGS)
def test_a_corrupted_signature_is_never_issued(alg: str, house: LocalKms, arns: Mapping[str, str]):
    wire = Through(house)
    issuer = support.issuer(arns[alg], wire, alg=alg)

    def flip(answer: dict[str, Any]) -> dict[str, Any]:
        signature = bytearray(answer["Signature"])
        signature[-5] ^= 4
        return {**answer, "Signature": bytes(signature)}

    wire.after["sign"] = flip
    require_wrong(lambda: issuer.issue(sub="ala", aud=AUD), "Sign", arns[alg])
    assert wire.count("sign") == 1


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\1" * 64,  # r || s where DER is expected
        b"\x30\x06\x02\x01\x00\x02\x01\x00",
        encode_dss_signature(1, 2**300),
        encode_dss_signature(1, 1) + b"\0",
        encode_dss_signature(1, 1),
        None,
        "text",
    ],
    ids=[
        "empty",
        "cut",
        "indefinite length",
        "not DER",
        "zero",
        "too wide",
        "trailing byte",
        "wrong",
        "none",
        "text",
    ],
)
def test_bad_der_is_never_issued(signature: Any, house: LocalKms, arns: Mapping[str, str]):
    wire = Through(house)
    issuer = support.issuer(arns["ES256"], wire)
    wire.after["sign"] = answered(Signature=signature)
    require_wrong(lambda: issuer.issue(sub="ala", aud=AUD), "Sign", arns["ES256"])


@settings(max_examples=150, deadline=None)
@given(signature=st.binary(max_size=80))
def test_any_bytes_for_a_signature_are_a_wrong_answer(signature: bytes):
    wire = Through(_KMS)
    wire.after["sign"] = answered(Signature=signature)
    key = KmsSigner(_ARN, client=wire).current()
    require_wrong(lambda: key.sign(b"a.b"), "Sign", _ARN)


_KMS = LocalKms()
_ARN = make_key(_KMS, "ECC_NIST_P256")


@pytest.mark.parametrize("named", [None, "", "another", "alias"])
def test_a_signature_of_a_key_that_was_not_asked_is_never_issued(
    named: str | None, house: LocalKms, arns: Mapping[str, str]
):
    arn = arns["ES256"]
    names = {
        "another": make_key(house, "ECC_NIST_P256"),
        "alias": arn.rpartition(":")[0] + ":alias/auth",
    }
    wire = Through(house)
    wire.after["sign"] = answered(KeyId=names.get(named or "", named))
    issuer = support.issuer(arn, wire)
    require_wrong(lambda: issuer.issue(sub="ala", aud=AUD), "Sign", arn)


def test_another_key_really_signed(house: LocalKms, arns: Mapping[str, str]):
    """What stands between swaps the key and lies about it: the signature gives it away."""
    other = make_key(house, "ECC_NIST_P256")
    wire = Through(house)
    wire.before["sign"] = lambda request: request.update(KeyId=other)
    issuer = support.issuer(arns["ES256"], wire)
    require_wrong(lambda: issuer.issue(sub="ala", aud=AUD), "Sign", arns["ES256"])
    wire.after["sign"] = answered(KeyId=arns["ES256"])
    require_wrong(lambda: issuer.issue(sub="ala", aud=AUD), "Sign", arns["ES256"])


WRONG_KEYS: dict[str, dict[str, Any]] = {
    "no key id": {"KeyId": None},
    "another key": {"KeyId": "arn:aws:kms:eu-central-1:111122223333:key/" + "1234abcd-" + "0" * 4},
    "another real key": {
        "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    },
    "an alias": {"KeyId": "arn:aws:kms:eu-central-1:111122223333:alias/auth"},
    "no public key": {"PublicKey": None},
    "garbage": {"PublicKey": b"garbage"},
    "text": {"PublicKey": "text"},
    "every other octet": {"PublicKey": memoryview(b"abcd")[::2]},
    "algorithms that are none": {"SigningAlgorithms": None},
    "algorithms in a text": {"SigningAlgorithms": "ECDSA_SHA_256"},
    "algorithms by name": {"SigningAlgorithms": {"ECDSA_SHA_256": True}},
    "another spec's key": {
        "PublicKey": _KMS.get_public_key(KeyId=make_key(_KMS, "ECC_NIST_P384"))["PublicKey"]
    },
}


@pytest.mark.parametrize("members", WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_a_public_key_that_cannot_be_is_not_trusted(
    members: dict[str, Any], house: LocalKms, arns: Mapping[str, str]
):
    arn = arns["ES256"]
    wire = Through(house)
    wire.after["get_public_key"] = answered(**members)
    for act in (
        KmsSigner(arn, client=wire).current,
        lambda: KmsKeys(arn, client=wire).key(None),
        KmsKeys(arn.rpartition("/")[2], client=wire).key_set,
        lambda: KmsVerify(arn, client=wire).key(None),
    ):
        with pytest.raises(KmsError) as told:
            act()
        assert told.value.code == "kms_wrong_answer"


def test_an_alias_is_never_taken_for_the_key_behind_it(kms: LocalKms, arn: str, wire: Through):
    """Signed by, it might have moved; in ``kid``, it would name another key tomorrow."""
    kms.create_alias(AliasName="alias/auth", TargetKeyId=arn)
    alias_arn = arn.rpartition(":")[0] + ":alias/auth"
    wire.after["get_public_key"] = answered(KeyId=alias_arn)
    for named in ("alias/auth", alias_arn):
        require_wrong(KmsSigner(named, client=wire).current, "GetPublicKey", named)


def test_a_wrong_answer_does_not_replace_a_good_key(
    house: LocalKms, arns: Mapping[str, str], clock: support.Clock
):
    wire = Through(house)
    keys = KmsKeys(arns["ES256"], client=wire, clock=clock, max_age=100)
    good = keys.key(None)
    wire.after["get_public_key"] = answered(PublicKey=b"garbage")
    clock.move(100)
    assert keys.key(good.kid) is good
    assert wire.count("get_public_key") == 2


@pytest.mark.parametrize(
    ("members", "error", "code"),
    [
        ({"SignatureValid": False}, BadSignature, "bad_signature"),
        ({"SignatureValid": None}, KmsError, "kms_wrong_answer"),
        ({"SignatureValid": "true"}, KmsError, "kms_wrong_answer"),
        ({"SignatureValid": 1}, KmsError, "kms_wrong_answer"),
        ({"KeyId": None}, KmsError, "kms_wrong_answer"),
        ({"KeyId": "another"}, KmsError, "kms_wrong_answer"),
    ],
    ids=str,
)
def test_kms_must_say_that_the_signature_is_good(
    members: dict[str, Any],
    error: type[Exception],
    code: str,
    house: LocalKms,
    arns: Mapping[str, str],
):
    """AWS never answers false, moto does; a login page answers nothing at all."""
    wire = Through(house)
    verifier = support.verifier(KmsVerify(arns["ES256"], client=wire))
    token = issued(arns["ES256"], house)
    verifier.verify(token)
    wire.after["verify"] = answered(**members)
    with pytest.raises(error) as told:
        verifier.verify(token)
    assert told.value.code == code  # type: ignore[attr-defined]  # of an error of ours


def test_an_empty_answer_to_verify_lets_nobody_in(house: LocalKms, arns: Mapping[str, str]):
    wire = Through(house)
    verifier = support.verifier(KmsVerify(arns["ES256"], client=wire))
    token = issued(arns["ES256"], house)
    verifier.verify(token)
    wire.after["verify"] = lambda _: {"ResponseMetadata": {}}
    with pytest.raises(KmsError, match="does not say"):
        verifier.verify(token)


# --- the Region, and whose client ---


def test_an_arn_s_region_wins_over_the_environment_s(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    arn = "arn:aws:kms:ap-southeast-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    for made in (
        KmsSigner(arn),
        KmsSigner(arn.replace("key/1234abcd-12ab-34cd-56ef-1234567890ab", "alias/auth")),
        KmsSigner(arn, region="eu-west-3"),
        KmsVerify(arn),
    ):
        assert made._client.meta.region_name == "ap-southeast-2"  # type: ignore[attr-defined]  # a client is Any here
    assert KmsSigner("alias/auth")._client.meta.region_name == "us-east-1"  # type: ignore[attr-defined]  # a client is Any here
    named = KmsSigner("alias/auth", region="eu-west-3")
    assert named._client.meta.region_name == "eu-west-3"  # type: ignore[attr-defined]  # a client is Any here


def test_the_client_made_gives_up_before_an_authorizer_is_cut_off():
    config = KmsSigner("alias/auth", region="eu-west-3")._client.meta.config  # type: ignore[attr-defined]  # a client is Any here
    attempts = config.retries["total_max_attempts"]
    pause = 1  # botocore's longest back-off before the second attempt
    assert attempts * (config.connect_timeout + config.read_timeout) + pause < 10


@pytest.mark.parametrize("make", [KmsSigner, KmsKeys, KmsVerify])
def test_a_client_in_another_region_is_a_wiring_fault(make: Callable[..., Any], kms: LocalKms):
    arn = make_key(kms.in_region("us-east-1"), "ECC_NIST_P256")
    with pytest.raises(ConfigError, match=r"eu-central-1.*us-east-1") as error:
        make(arn, client=kms)
    assert error.value.code == "client_region"
    assert "region_name='us-east-1'" in str(error.value)
    make(arn, client=kms.in_region("us-east-1"))


@pytest.mark.parametrize("make", [KmsSigner, KmsKeys, KmsVerify])
def test_no_region_at_all(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    with pytest.raises(ConfigError, match="no AWS Region is set") as error:
        make("1234abcd-12ab-34cd-56ef-1234567890ab")
    assert error.value.code == "no_region"
    # What the message proposes works.
    assert error.value.fix
    assert "AWS_REGION" in error.value.fix
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    make("1234abcd-12ab-34cd-56ef-1234567890ab")


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ML_DSA_44"])
def test_boto3_s_own_client_and_one_of_nothing_but_three_methods(spec: str, kms: LocalKms):
    import boto3

    arn = make_key(kms, spec)
    genuine = kms.attach(boto3.client("kms", region_name="eu-central-1"))
    bare = SimpleNamespace(get_public_key=kms.get_public_key, sign=kms.sign, verify=kms.verify)
    for client in (genuine, bare):
        token = issued(arn, client)
        for source in (KmsKeys, KmsVerify):
            support.verifier(source(arn, client=client)).verify(token)


def test_a_stand_in_that_knows_only_the_older_field_name(kms: LocalKms, arn: str):
    wire = Through(kms)

    def older(answer: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in answer.items() if name != "KeySpec"}

    wire.after["get_public_key"] = older
    assert issued(arn, wire)


def test_no_repr_shows_more_than_names(kms: LocalKms, arn: str):
    token = issued(arn, kms)
    shown = [
        KmsSigner(arn, client=kms),
        KmsSigner(arn, client=kms).current(),
        KmsSigner(arn, client=kms).current().sign(b"a.b"),
        KmsKeys(arn, client=kms),
        KmsVerify(arn, client=kms),
        KmsVerify(arn, client=kms).key(None),
    ]
    for each in shown:
        assert token.rpartition(".")[2] not in repr(each)
        assert len(repr(each)) < 220
