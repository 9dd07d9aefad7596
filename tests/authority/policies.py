"""Policies of every role, and what a request may look like to them."""

from __future__ import annotations

from typing import Any

from kmsjwt.authority import iam, iam_guard
from kmsjwt.authority.iam_names import Place, Ring, read_keys

ACCOUNT, REGION = "111122223333", "eu-central-1"
PLACE = Place(REGION, ACCOUNT)
RING = Ring("auth", PLACE)
HERE = f"arn:aws:kms:{REGION}:{ACCOUNT}"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY = f"{HERE}:key/{KEY_ID}"
OTHER = f"{HERE}:key/{KEY_ID.replace('1234', '9999')}"
ROTATOR = f"arn:aws:iam::{ACCOUNT}:role/rotate"
FIXED = read_keys([KEY])
PUBLISH = {"where": "s3://my-issuer/prefix", "issuer": "https://id.example/t"}
ALL_ALGS = ("RS256", "ES256", "Ed25519", "ML-DSA-44")
MIXED = [RING, Ring("other", PLACE), *FIXED]

IDENTITY = {
    "issue, ring": iam.issue([RING]),
    "issue, key": iam.issue(FIXED),
    "issue, every kind": iam.issue(MIXED, algs=ALL_ALGS),
    "issue, raw": iam.issue([RING], message_type="RAW"),
    "verify with kms": iam.verify_with_kms(MIXED, algs=ALL_ALGS),
    "authorizer with kms": iam.authorizer([RING], keys_from="kms"),
    "authorizer with a key": iam.authorizer(FIXED, keys_from="kms"),
    "jwks": iam.jwks(MIXED),
    "publish": iam.publish([RING], **PUBLISH),
    "publish, key": iam.publish(FIXED, **PUBLISH),
    "rotate": iam.rotate(RING, distribution="E2QWRUHAPOMQZL", **PUBLISH),
    "confirm": iam.confirm(RING),
    "retire": iam.retire(RING),
    "doctor": iam.doctor(MIXED),
    "guard": iam_guard.guard(RING, may_change=[ROTATOR]),
}
KEY_POLICIES = {
    "key policy": iam_guard.key_policy(PLACE),
    "key policy, named": iam_guard.key_policy(PLACE, may_sign=[ROTATOR], may_change=[ROTATOR]),
}
EVERY = {**IDENTITY, **KEY_POLICIES}


def of(aliases: list[str], **tag: str) -> dict[str, Any]:
    return {
        "kms:ResourceAliases": aliases,
        "kms:MessageType": "DIGEST",
        "kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
        **{f"aws:ResourceTag/kmsjwt:{name}": value for name, value in tag.items()},
    }


MINE = of(["alias/auth/3", "alias/auth"])


def making(ring: str = "auth", *, also: str | None = None, **changes: str) -> dict[str, Any]:
    tagged = ["kmsjwt:ring", "kmsjwt:generation", *([also] if also else [])]
    return {
        "aws:RequestTag/kmsjwt:ring": ring,
        "aws:TagKeys": tagged,
        "kms:KeySpec": "RSA_2048",
        "kms:KeyUsage": "SIGN_VERIFY",
        **changes,
    }


TAGGED = {"aws:ResourceTag/kmsjwt:ring": "auth"}
UNTAGGED: dict[str, Any] = {}
STRANGE = {"aws:ResourceTag/kmsjwt:ring": "authz"}
POINTER, FIRST = f"{HERE}:alias/auth", f"{HERE}:alias/auth/1"
