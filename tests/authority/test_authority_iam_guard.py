"""The Deny for everybody else, and the policy of the keys themselves."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import pytest
from tests.authority.evaluator import Request, deciding
from tests.authority.policies import (
    ACCOUNT,
    FIRST,
    HERE,
    IDENTITY,
    KEY,
    KEY_POLICIES,
    MINE,
    OTHER,
    POINTER,
    RING,
    ROTATOR,
    STRANGE,
    TAGGED,
    making,
)

from kmsjwt.authority import iam_guard

OUTSIDER = {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/rotate-other"}
INSIDER = {"aws:PrincipalArn": ROTATOR}
GUARDED = {
    "name a generation": ("CreateAlias", f"{HERE}:alias/auth/9", {}),
    "move the pointer": ("UpdateAlias", POINTER, {}),
    "drop a generation": ("DeleteAlias", FIRST, {}),
    "write a fact": ("TagResource", KEY, TAGGED | {"aws:TagKeys": ["x", "kmsjwt:published"]}),
    "remove a fact": ("UntagResource", KEY, TAGGED | {"aws:TagKeys": ["kmsjwt:ring"]}),
    "tag a key into the ring": ("TagResource", OTHER, making()),
    "make a key of the ring": ("CreateKey", "*", making()),
}
UNGUARDED = {
    "name another ring": ("CreateAlias", f"{HERE}:alias/authz/1", {}),
    "name something else": ("CreateAlias", f"{HERE}:alias/author", {}),
    "write a tag of the house": ("TagResource", KEY, TAGGED | {"aws:TagKeys": ["cost-center"]}),
    "tag another ring": ("TagResource", KEY, STRANGE | {"aws:TagKeys": ["kmsjwt:published"]}),
    "make a key of another ring": ("CreateKey", "*", making("authz")),
    "make a key of none": ("CreateKey", "*", {}),
    "sign": ("Sign", KEY, TAGGED | MINE),
}


@pytest.mark.parametrize(("action", "resource", "context"), GUARDED.values(), ids=GUARDED)
def test_the_guard_keeps_everybody_else_out(action, resource, context):
    guard = IDENTITY["guard"]

    def verdict(who: dict[str, Any]) -> Any:
        return deciding(guard, Request(f"kms:{action}", resource, context | who))

    assert verdict(OUTSIDER)["Effect"] == "Deny"
    assert verdict({})["Effect"] == "Deny"  # somebody without an ARN
    assert verdict(INSIDER) is None


@pytest.mark.parametrize(("action", "resource", "context"), UNGUARDED.values(), ids=UNGUARDED)
def test_the_guard_is_in_nobodys_way(action, resource, context):
    request = Request(f"kms:{action}", resource, context | OUTSIDER)

    assert deciding(IDENTITY["guard"], request) is None


def test_a_permission_set_may_be_named_with_its_random_end():
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Keys_*"
    guard = iam_guard.guard(RING, may_change=[ROTATOR, arn])
    role = arn.replace("/*/", "/eu-central-1/").replace("_*", "_0123456789abcdef")

    assert deciding(guard, Request("kms:UpdateAlias", POINTER, {"aws:PrincipalArn": role})) is None


def by_sid(statements: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in statements}


@pytest.mark.parametrize("policy", KEY_POLICIES.values(), ids=KEY_POLICIES)
def test_a_key_policy_lets_nobody_in_by_a_wildcard(policy):
    for statement in policy:
        if statement["Effect"] == "Allow":
            for principal in statement["Principal"]["AWS"]:
                assert re.fullmatch(r"arn:aws:iam::\d{12}:(root|role/[a-z]+)", principal)
        else:
            assert statement["Condition"]["ArnNotLike"] == {"aws:PrincipalArn": [ROTATOR]}


def test_a_key_policy_parts_administration_from_use():
    policy = by_sid(KEY_POLICIES["key policy"])
    using = {"kms:Sign", "kms:CreateGrant", "kms:Decrypt", "kms:GenerateMac"}

    assert using.isdisjoint(policy["Administer"]["Action"])
    assert "kms:PutKeyPolicy" in policy["Administer"]["Action"]  # or nobody could mend it
    assert policy["Sign"]["Action"] == ["kms:Sign"]
    assert policy["Sign"]["Principal"] == policy["Administer"]["Principal"]


NOT_ADMINISTERED = {
    "uses the key": "Decapsulate Decrypt DeriveSharedSecret Encapsulate Encrypt GenerateDataKey"
    " GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext"
    " GenerateMac ReEncrypt Sign VerifyMac",
    "gives its use away": "CreateGrant RetireGrant",
    "is for everybody who verifies": "DescribeKey GetPublicKey ListResourceTags Verify",
    "is for symmetric keys alone": "DisableKeyRotation EnableKeyRotation GetKeyRotationStatus"
    " ListKeyRotations RotateKeyOnDemand",
    "is for imported material": "DeleteImportedKeyMaterial GetParametersForImport"
    " ImportKeyMaterial",
    "asks for no key's policy": "ConnectCustomKeyStore CreateCustomKeyStore CreateKey"
    " DeleteCustomKeyStore DescribeCustomKeyStores DisconnectCustomKeyStore GenerateRandom"
    " ListAliases ListKeys ListRetirableGrants UpdateCustomKeyStore",
}


def test_a_key_policy_lets_the_account_administer_all_that_kms_has_to_administer():
    """Who is not let in by the key's own policy is let in by none."""
    model = botocore.session.Session().get_service_model("kms")
    others = {name for names in NOT_ADMINISTERED.values() for name in names.split()}

    administered = {f"kms:{name}" for name in set(model.operation_names) - others}

    assert set(by_sid(KEY_POLICIES["key policy"])["Administer"]["Action"]) == administered


def test_named_signers_sign_and_the_account_does_not():
    policy = by_sid(KEY_POLICIES["key policy, named"])

    assert policy["Sign"]["Principal"] == {"AWS": [ROTATOR]}
    assert [sid for sid, one in policy.items() if "kms:Sign" in one["Action"]] == ["Sign"]


def test_the_key_policy_lets_every_role_do_its_part():
    """The account's statements have to cover what roles are allowed by IAM policies."""
    actions = {
        action
        for statement in KEY_POLICIES["key policy"]
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
    }
    on_keys = {
        action
        for name, policy in IDENTITY.items()
        if name != "guard"
        for statement in policy
        for action in statement["Action"]
        if action.startswith("kms:")
    }

    assert on_keys - {"kms:CreateKey", "kms:ListAliases", "kms:ListKeys"} <= actions
