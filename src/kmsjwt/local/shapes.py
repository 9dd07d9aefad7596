"""What each operation takes, member by member, as KMS's API reference states it.

Enum values stand in the order in which AWS itself lists them in its messages, where a message was
recorded; values added since then follow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["OPERATIONS", "Member"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a request.

    Attributes:
        kind: its JSON type; a blob is base64 on the wire and bytes in Python.
        required: whether KMS refuses the request without it.
        minimum: of a number its value, of text, blob or list its length.
        maximum: likewise.
        pattern: regular expression that the whole text must match.
        choices: the enum, empty if there is none.
        item: what a list holds.
        members: what a structure holds.
    """

    kind: Literal["text", "blob", "flag", "number", "list", "structure"] = "text"
    required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    pattern: str | None = None
    choices: tuple[str, ...] = ()
    item: Member | None = None
    members: dict[str, Member] = field(default_factory=dict)


def _text(low: int, high: int, *, required: bool = False, pattern: str | None = None) -> Member:
    return Member(required=required, minimum=low, maximum=high, pattern=pattern)


def _enum(*choices: str, required: bool = False) -> Member:
    return Member(required=required, choices=choices)


def _blob(high: int) -> Member:
    return Member(kind="blob", required=True, minimum=1, maximum=high)


def _number(low: int, high: int) -> Member:
    return Member(kind="number", minimum=low, maximum=high)


def _many(item: Member, *, required: bool = False, high: int | None = None) -> Member:
    return Member(kind="list", required=required, item=item, maximum=high)


_FLAG = Member(kind="flag")
_KEY_ID = _text(1, 2048, required=True)
_ALIAS = _text(1, 256, required=True, pattern=r"^[a-zA-Z0-9:/_-]+$")
_DESCRIPTION = _text(0, 8192)
_POLICY = _text(1, 131072, pattern=r"[\u0009\u000A\u000D\u0020-\u00FF]+")
_POLICY_NAME = _text(1, 128, pattern=r"[\w]+")
_REGION = _text(1, 32, required=True, pattern=r"^([a-z]+-){2,3}\d+$")
_TAG_KEY = _text(1, 128, required=True)
_TAG = Member(
    kind="structure", members={"TagKey": _TAG_KEY, "TagValue": _text(0, 256, required=True)}
)
_TAGS = _many(_TAG)
_GRANT_TOKENS = _many(_text(1, 8192), high=10)
_MARKER = _text(1, 1024, pattern=r"[\u0020-\u00FF]*")
_MESSAGE = _blob(4096)
_MAC_ALGORITHM = _enum(
    "HMAC_SHA_384", "HMAC_SHA_256", "HMAC_SHA_224", "HMAC_SHA_512", required=True
)
_MESSAGE_TYPE = _enum("RAW", "DIGEST", "EXTERNAL_MU")
_SIGNING_ALGORITHM = _enum(
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
    "ECDSA_SHA_256",
    "ECDSA_SHA_384",
    "ECDSA_SHA_512",
    "SM2DSA",
    "ML_DSA_SHAKE_256",
    "ED25519_SHA_512",
    "ED25519_PH_SHA_512",
    required=True,
)
_OLD_SPECS = (
    "RSA_2048",
    "ECC_NIST_P384",
    "ECC_NIST_P256",
    "ECC_NIST_P521",
    "HMAC_384",
    "RSA_3072",
    "ECC_SECG_P256K1",
    "RSA_4096",
    "SYMMETRIC_DEFAULT",
    "HMAC_256",
    "HMAC_224",
    "HMAC_512",
    "SM2",
)
_NEW_SPECS = (
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
)


def _paged(high: int) -> dict[str, Member]:
    return {"Limit": _number(1, high), "Marker": _MARKER}


_USE = {"KeyId": _KEY_ID, "GrantTokens": _GRANT_TOKENS}
_SIGN = {
    **_USE,
    "Message": _MESSAGE,
    "MessageType": _MESSAGE_TYPE,
    "SigningAlgorithm": _SIGNING_ALGORITHM,
    "DryRun": _FLAG,
}
_MAC = {**_USE, "Message": _MESSAGE, "MacAlgorithm": _MAC_ALGORITHM, "DryRun": _FLAG}
_ONLY_KEY = {"KeyId": _KEY_ID}
_NAME_AND_TARGET = {"AliasName": _ALIAS, "TargetKeyId": _KEY_ID}
_MAKE = {
    "Policy": _POLICY,
    "Description": _DESCRIPTION,
    "BypassPolicyLockoutSafetyCheck": _FLAG,
    "Tags": _TAGS,
}

OPERATIONS: dict[str, dict[str, Member]] = {
    "CreateKey": {
        **_MAKE,
        "KeyUsage": _enum(
            "ENCRYPT_DECRYPT",
            "SIGN_VERIFY",
            "GENERATE_VERIFY_MAC",
            "KEY_AGREEMENT",
            "ENCAPSULATE_DECAPSULATE",
        ),
        "CustomerMasterKeySpec": _enum(*_OLD_SPECS),
        "KeySpec": _enum(*_OLD_SPECS, *_NEW_SPECS),
        "Origin": _enum("AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"),
        "CustomKeyStoreId": _text(1, 64),
        "MultiRegion": _FLAG,
        "XksKeyId": _text(1, 128, pattern=r"^[a-zA-Z0-9-_.]+$"),
    },
    "DescribeKey": _USE,
    # The API reference states the page sizes: 1 to 1,000 keys, 1 to 100 aliases, 1 to 50 tags.
    "ListKeys": {
        **_paged(1000),
        "ResourceOwners": _many(_enum("SELF", "OTHER_ACCOUNTS_VIA_RAM"), high=2),
    },
    "GetPublicKey": _USE,
    "Sign": _SIGN,
    "Verify": {**_SIGN, "Signature": _blob(6144)},
    "GenerateMac": _MAC,
    "VerifyMac": {**_MAC, "Mac": _blob(6144)},
    "CreateAlias": _NAME_AND_TARGET,
    "UpdateAlias": _NAME_AND_TARGET,
    "DeleteAlias": {"AliasName": _ALIAS},
    "ListAliases": {"KeyId": _text(1, 2048), **_paged(100)},
    "TagResource": {**_ONLY_KEY, "Tags": _many(_TAG, required=True)},
    "UntagResource": {**_ONLY_KEY, "TagKeys": _many(_text(1, 128), required=True)},
    "ListResourceTags": {**_ONLY_KEY, **_paged(50)},
    "EnableKey": _ONLY_KEY,
    "DisableKey": _ONLY_KEY,
    # The shape allows 1 to 365, the text of the reference 7 to 30: the operation checks that.
    "ScheduleKeyDeletion": {**_ONLY_KEY, "PendingWindowInDays": _number(1, 365)},
    "CancelKeyDeletion": _ONLY_KEY,
    "ReplicateKey": {**_MAKE, **_ONLY_KEY, "ReplicaRegion": _REGION},
    "UpdateKeyDescription": {
        **_ONLY_KEY,
        "Description": _text(0, 8192, required=True),
    },
    "GetKeyPolicy": {**_ONLY_KEY, "PolicyName": _POLICY_NAME},
    "PutKeyPolicy": {
        **_ONLY_KEY,
        "PolicyName": _POLICY_NAME,
        "Policy": _text(1, 131072, required=True, pattern=_POLICY.pattern),
        "BypassPolicyLockoutSafetyCheck": _FLAG,
    },
    "ListKeyPolicies": {**_ONLY_KEY, **_paged(1000)},
    "GetKeyLastUsage": _ONLY_KEY,
    "Encrypt": {
        **_USE,
        "Plaintext": _MESSAGE,
        "EncryptionContext": Member(kind="structure"),
        "EncryptionAlgorithm": _enum(
            "SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"
        ),
        "DryRun": _FLAG,
    },
    "EnableKeyRotation": {**_ONLY_KEY, "RotationPeriodInDays": _number(90, 2560)},
}
"""Every operation the local KMS has, and the members of its request."""
