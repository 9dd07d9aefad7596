"""Every algorithm: signed in KMS, read by libraries that are not ours, refused when tampered."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import load_der_public_key
from jwcrypto.jwk import JWK
from tests.core import oracles
from tests.kms import support
from tests.kms.support import ALGS, AUD, NOW, Through, header_of, issued, make_key, unb64

from kmsjwt import TokenError
from kmsjwt.errors import BadSignature, ClaimsRefused, ConfigError, KmsKeyUnusable, UnknownKey
from kmsjwt.kms import KmsKeys, KmsSigner, KmsVerify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.local import LocalKms

pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")

MESSAGE_TYPES = [
    *((alg, "RAW") for alg in ALGS),
    *((alg, "DIGEST") for alg in ALGS if alg[:2] in ("RS", "PS", "ES")),
    *((alg, "EXTERNAL_MU") for alg in ALGS if alg.startswith("ML")),
]
READERS = {
    alg: next(library for library, known in oracles.SPEAKS.items() if alg in known) for alg in ALGS
}


def public_key(kms: LocalKms, arn: str) -> Any:
    return load_der_public_key(kms.get_public_key(KeyId=arn)["PublicKey"])


def others_jwk(kms: LocalKms, arn: str, alg: str) -> dict[str, str]:
    """Return the JWK as jwcrypto makes it of KMS's own bytes: nothing of ours is in it."""
    jwk = JWK.from_pyca(public_key(kms, arn))
    return {**jwk.export_public(as_dict=True), "alg": alg, "kid": jwk.thumbprint()}


@pytest.mark.parametrize(("alg", "kind"), MESSAGE_TYPES)
def test_a_token_signed_in_kms_is_accepted_by_others_and_by_us(
    alg: str, kind: str, house: LocalKms, arns: Mapping[str, str]
):
    arn = arns[alg]
    token = issued(arn, house, alg=alg, message_type=kind)

    jwk = others_jwk(house, arn, alg)
    assert oracles.READ[READERS[alg]](token, jwk)["tenant"] == "t1"
    assert header_of(token) == {"alg": alg, "kid": jwk["kid"], "typ": "JWT"}
    for source in (KmsKeys, KmsVerify):
        verified = support.verifier(source(arn, client=house, alg=alg)).verify(token)
        assert (verified.claims["tenant"], verified.alg) == ("t1", alg)


@pytest.mark.parametrize("alg", ALGS)
@pytest.mark.parametrize("segment", [0, 1, 2], ids=["header", "payload", "signature"])
def test_a_tampered_token_is_refused_by_all(
    alg: str, segment: int, house: LocalKms, arns: Mapping[str, str]
):
    arn = arns[alg]
    token = issued(arn, house, alg=alg)
    sources = [source(arn, client=house, alg=alg) for source in (KmsKeys, KmsVerify)]
    jwk = others_jwk(house, arn, alg)
    for bit in (9, 77, 201):
        bad = support.tampered(token, segment, bit)
        for each in sources:
            with pytest.raises(TokenError):
                support.verifier(each).verify(bad)
        with pytest.raises(Exception):  # noqa: B017, PT011  each library has its own
            oracles.READ[READERS[alg]](bad, jwk)


@pytest.mark.parametrize("alg", [alg for alg in ALGS if alg[:2] not in ("RS", "PS")])
def test_another_key_under_this_ones_kid_is_refused(
    alg: str, house: LocalKms, arns: Mapping[str, str]
):
    """The forger's kid is right and the signature is a good one, of another key."""
    kid = header_of(issued(arns[alg], house, alg=alg))["kid"]
    head = support.b64(f'{{"alg":"{alg}","kid":"{kid}","typ":"JWT"}}'.encode())
    body = issued(arns[alg], house, alg=alg).split(".")[1]
    forger = KmsSigner(make_key(house, support.SPEC_OF[alg]), client=house, alg=alg).current()
    signature = forger.sign(f"{head}.{body}".encode()).value

    for source in (KmsKeys, KmsVerify):
        with pytest.raises(BadSignature, match=f"the {alg} signature does not verify"):
            support.verifier(source(arns[alg], client=house, alg=alg)).verify(
                f"{head}.{body}.{support.b64(signature)}"
            )


@pytest.mark.parametrize("spec", ["RSA_3072", "RSA_4096"])
def test_longer_rsa_keys(spec: str, house: LocalKms):
    arn = make_key(house, spec)
    token = issued(arn, house, alg="PS384")

    assert len(unb64(token.split(".")[2])) == int(spec[4:]) // 8
    assert oracles.READ["PyJWT"](token, others_jwk(house, arn, "PS384"))["sub"] == "ala"
    for source in (KmsKeys, KmsVerify):
        support.verifier(source(arn, client=house, alg="PS384")).verify(token)


@pytest.mark.parametrize(
    ("spec", "alg"),
    {
        "RSA_2048": "RS256",
        "ECC_NIST_P256": "ES256",
        "ECC_NIST_P384": "ES384",
        "ECC_NIST_P521": "ES512",
        "ECC_SECG_P256K1": "ES256K",
        "ECC_NIST_EDWARDS25519": "Ed25519",
        "ML_DSA_44": "ML-DSA-44",
        "ML_DSA_65": "ML-DSA-65",
        "ML_DSA_87": "ML-DSA-87",
    }.items(),
)
def test_the_default_algorithm_of_each_spec(
    spec: str, alg: str, house: LocalKms, arns: Mapping[str, str]
):
    assert header_of(issued(arns[alg], house))["alg"] == alg


@pytest.mark.parametrize("alg", ALGS)
def test_kid_is_the_thumbprint_others_compute_or_the_key_id(
    alg: str, house: LocalKms, arns: Mapping[str, str]
):
    arn = arns[alg]
    by_thumbprint = header_of(issued(arn, house, alg=alg))["kid"]
    by_id = issued(arn, house, alg=alg, kid="key-id")

    assert by_thumbprint == JWK.from_pyca(public_key(house, arn)).thumbprint()
    assert header_of(by_id)["kid"] == arn.rpartition("/")[2]
    for source in (KmsKeys, KmsVerify):
        support.verifier(source(arn, client=house, alg=alg, kid="key-id")).verify(by_id)
        with pytest.raises(UnknownKey):
            support.verifier(source(arn, client=house, alg=alg)).verify(by_id)


@pytest.mark.parametrize(("alg", "kind"), MESSAGE_TYPES)
def test_what_is_sent_to_kms(alg: str, kind: str, house: LocalKms, arns: Mapping[str, str]):
    """DIGEST: the hash alone. EXTERNAL_MU: FIPS 204's mu, as `cryptography` computes it."""
    wire = Through(house)
    token = issued(arns[alg], wire, alg=alg, message_type=kind)
    signed = token.rpartition(".")[0].encode()

    (request,) = [request for name, request in wire.calls if name == "sign"]
    if kind == "DIGEST":
        sent = hashlib.new(f"sha{alg[2:5]}", signed).digest()
    elif kind == "EXTERNAL_MU":
        hasher = mldsa.MLDSAMuHasher(public_key(house, arns[alg]))
        hasher.update(signed)
        sent = hasher.finalize()
    else:
        sent = signed
    assert (request["Message"], request["MessageType"]) == (sent, kind)
    assert request["KeyId"] == arns[alg]


@pytest.mark.parametrize(
    ("alg", "kind"),
    [
        ("RS256", None),
        ("ES256", None),
        ("Ed25519", None),
        ("ML-DSA-44", None),
        ("ES256", "DIGEST"),
        ("RS256", "RAW"),
        ("ML-DSA-65", "RAW"),
    ],
)
def test_the_default_message_type_has_no_limit_and_raw_has(
    alg: str, kind: str | None, house: LocalKms, arns: Mapping[str, str]
):
    wire = Through(house)
    key = KmsSigner(arns[alg], client=wire, alg=alg, message_type=kind).current()
    source = KmsVerify(arns[alg], client=house, alg=alg).key(key.kid)
    raw = kind == "RAW" or alg == "Ed25519"

    for length in (4096, 4097, 20_000):
        data = b"a" * length
        if raw and length > 4096:
            with pytest.raises(ClaimsRefused, match=f"are {length} bytes, .* at most 4096") as no:
                key.sign(data)
            assert no.value.code == "too_long_for_raw"
        else:
            source.verify(key.sign(data).value, data)
    assert wire.count("sign") == (1 if raw else 3)


@pytest.mark.parametrize("alg", ["Ed25519", "ES256"])
def test_a_token_kms_could_not_have_signed_is_a_bad_token(
    alg: str, house: LocalKms, arns: Mapping[str, str]
):
    key = KmsVerify(arns[alg], client=house, alg=alg).key(None)
    with pytest.raises(BadSignature):
        key.verify(b"\1" * 64, b"a" * 5000)


@pytest.mark.parametrize("alg", ALGS)
@pytest.mark.parametrize("length", [0, 1, 63, 65, 6145, 9000])
def test_a_signature_of_another_length_is_bad_and_never_sent(
    alg: str, length: int, house: LocalKms, arns: Mapping[str, str]
):
    """KMS answers ValidationException past 6,144 bytes, which would be a 500 for a forgery."""
    wire = Through(house)
    key = KmsVerify(arns[alg], client=wire, alg=alg).key(None)
    with pytest.raises(BadSignature) as bad:
        key.verify(b"\1" * length, b"a.b")
    assert bad.value.code == "signature_length"
    assert wire.count("verify") == 0


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "ES256K"])
@pytest.mark.parametrize("value", [b"\0", b"\xff"], ids=["zeros", "ones"])
def test_an_impossible_ecdsa_signature_is_a_bad_token(
    alg: str, value: bytes, house: LocalKms, arns: Mapping[str, str]
):
    width = {"ES256": 32, "ES384": 48, "ES512": 66, "ES256K": 32}[alg]
    for source in (KmsKeys, KmsVerify):
        with pytest.raises(BadSignature):
            source(arns[alg], client=house, alg=alg).key(None).verify(value * width * 2, b"a.b")


def test_short_r_and_s_are_padded_to_full_width(house: LocalKms, arns: Mapping[str, str]):
    """P-521 fills 521 bits of 528: three signatures in four have a zero octet in front."""
    key = KmsSigner(arns["ES512"], client=house).current()
    numbers = public_key(house, arns["ES512"])
    shorter = 0
    for i in range(40):
        value = key.sign(b"%d" % i).value
        assert len(value) == 132
        shorter += value[0] == 0 or value[66] == 0
        r, s = (int.from_bytes(half, "big") for half in (value[:66], value[66:]))
        numbers.verify(encode_dss_signature(r, s), b"%d" % i, ec.ECDSA(SHA512()))
    assert shorter > 0


@pytest.mark.parametrize(
    ("spec", "options", "code"),
    [
        ("ECC_NIST_P256", {"alg": "RS256"}, "alg_mismatch"),
        ("RSA_2048", {"alg": "ES256"}, "alg_mismatch"),
        ("ECC_NIST_EDWARDS25519", {"message_type": "DIGEST"}, "message_type"),
        ("ML_DSA_44", {"message_type": "DIGEST"}, "message_type"),
        ("ECC_NIST_P256", {"message_type": "EXTERNAL_MU"}, "message_type"),
    ],
)
def test_what_the_spec_cannot_do_is_told_before_anything_is_signed(
    spec: str, options: dict[str, Any], code: str, house: LocalKms, arns: Mapping[str, str]
):
    alg = next(name for name, its in support.SPEC_OF.items() if its == spec)
    wire = Through(house)
    with pytest.raises((ConfigError, KmsKeyUnusable)) as error:
        issued(arns[alg], wire, **options)
    assert error.value.code == code
    assert wire.count("sign") == 0


@pytest.mark.parametrize(
    "options",
    [
        {"message_type": "raw"},
        {"message_type": ""},
        {"alg": "HS256"},
        {"alg": "none"},
        {"alg": ""},
        {"kid": "arn"},
        {"kid": ""},
        {"alg": "Ed25519", "message_type": "DIGEST"},
    ],
    ids=str,
)
def test_a_senseless_setting_is_refused_when_the_signer_is_made(
    options: dict[str, Any], house: LocalKms
):
    with pytest.raises(ConfigError):
        KmsSigner("alias/auth", client=house, **options)


def test_the_signing_times_and_names_are_in_the_issued_token(
    house: LocalKms, arns: Mapping[str, str]
):
    wire = Through(house)
    answers: list[dict[str, Any]] = []

    def keep(answer: dict[str, Any]) -> dict[str, Any]:
        answers.append(answer)
        return answer

    wire.after["sign"] = keep
    token = support.issuer(arns["ES256"], wire).issue(sub="ala", aud=AUD)

    (answer,) = answers
    assert token.kms_request_id == answer["ResponseMetadata"]["RequestId"] != ""
    assert (token.alg, token.expires_at) == ("ES256", NOW + 900)
    assert token.token not in repr(token)
