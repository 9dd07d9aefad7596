"""What policies are made of, whatever they say; and the judge that the other tests ask.

What KMS asks for and which condition keys it knows is written down here from AWS's service
authorization reference, what a policy may look like from the IAM user guide's grammar.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from botocore.session import Session
from tests.authority.evaluator import holds, like
from tests.authority.policies import (
    EVERY,
    IDENTITY,
)

from kmsjwt.authority import iam

STATEMENTS = [
    pytest.param(statement, id=f"{name}: {statement['Sid']}")
    for name, statements in EVERY.items()
    for statement in statements
]

# AWS's service authorization reference: the condition keys of each action, beside the global ones
# (aws:PrincipalArn) and those of the resource "key" below.
OF_KEY = {"aws:ResourceTag/", "kms:ResourceAliases", "kms:KeySpec", "kms:KeyUsage"}
OF_ACTION = {
    "kms:Sign": {"kms:MessageType", "kms:SigningAlgorithm", "kms:RequestAlias"},
    "kms:Verify": {"kms:MessageType", "kms:SigningAlgorithm", "kms:RequestAlias"},
    "kms:GetPublicKey": {"kms:RequestAlias"},
    "kms:DescribeKey": {"kms:RequestAlias"},
    "kms:ListResourceTags": set(),
    "kms:CreateKey": {"aws:RequestTag/", "aws:TagKeys", "kms:KeySpec", "kms:KeyUsage"},
    "kms:TagResource": {"aws:RequestTag/", "aws:TagKeys"},
    "kms:UntagResource": {"aws:TagKeys"},
    "kms:CreateAlias": set(),
    "kms:UpdateAlias": set(),
    "kms:DeleteAlias": set(),
    "kms:ListAliases": set(),
    "kms:ListKeys": set(),
    "kms:DisableKey": set(),
    "kms:ScheduleKeyDeletion": {"kms:ScheduleKeyDeletionPendingWindowInDays"},
    "kms:GetKeyLastUsage": set(),  # younger than the copy of the reference that was read
}
WITHOUT_RESOURCE = {"kms:CreateKey", "kms:ListAliases", "kms:ListKeys"}
# The only permission that is not called as its operation (S3 user guide).
OPERATION = {"s3:ListBucket": "s3:ListObjectsV2"}


def action_of(statement: dict[str, Any]) -> list[str]:
    return list(statement["Action"])


@pytest.fixture(scope="module")
def operations() -> dict[str, frozenset[str]]:
    """The operations of AWS's own service models."""
    session = Session()
    return {
        service: frozenset(session.get_service_model(service).operation_names)
        for service in ("kms", "s3", "cloudfront")
    }


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_action_is_an_operation_of_aws(statement, operations):
    for action in action_of(statement):
        service, _, name = OPERATION.get(action, action).partition(":")
        assert name in operations[service]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_has_the_form_of_one(statement):
    """IAM user guide, grammar of the IAM JSON policy language."""
    is_key_policy = "Principal" in statement
    assert {"Sid", "Effect", "Action", "Resource"} <= set(statement)
    assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}
    assert re.fullmatch("[A-Za-z0-9]{1,64}", statement["Sid"])
    assert statement["Effect"] in ("Allow", "Deny")
    assert action_of(statement) != []
    assert len(set(action_of(statement))) == len(action_of(statement))
    for resource in statement["Resource"]:
        assert re.fullmatch(r"\*|arn:aws:(kms|s3|cloudfront):[^:]*:[^:]*:.+", resource)
        assert not is_key_policy or resource == "*"
    for operator, keys in statement.get("Condition", {}).items():
        assert re.fullmatch(
            "(ForAnyValue:|ForAllValues:)?(String|Arn)(Not)?(Equals|Like)|Null", operator
        )
        assert keys != {}
        for wanted in keys.values():
            values = [wanted] if isinstance(wanted, str) else wanted
            assert values != []
            assert all(isinstance(value, str) for value in values)


@pytest.mark.parametrize("policy", EVERY.values(), ids=EVERY)
def test_a_policy_is_json_of_a_size_that_iam_takes(policy):
    text = json.dumps(iam.policy(policy), separators=(",", ":"))

    assert json.loads(text) == {"Version": "2012-10-17", "Statement": policy}
    assert len({statement["Sid"] for statement in policy}) == len(policy)
    assert len(text) < 6_144  # a managed policy; IAM and STS quotas


def test_the_guard_fits_an_scp():
    text = json.dumps(iam.policy(IDENTITY["guard"]))

    assert len(text) < 5_120  # AWS Organizations quotas, service control policies


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_action_has_a_wildcard(statement):
    assert not any("*" in action or "?" in action for action in action_of(statement))


@pytest.mark.parametrize("statement", STATEMENTS)
def test_everything_is_the_resource_only_where_kms_knows_no_other(statement):
    if "Principal" in statement or statement["Effect"] == "Deny":
        return
    if "*" in statement["Resource"]:
        assert set(action_of(statement)) <= WITHOUT_RESOURCE
    # Every key of the place, only with a condition that says which.
    if any(resource.endswith(":key/*") for resource in statement["Resource"]):
        condition = json.dumps(statement["Condition"])
        assert (
            "alias/auth/*" in condition
            or '/kmsjwt:ring": "auth"' in condition
            or "other" in condition
        )


@pytest.mark.parametrize("statement", STATEMENTS)
def test_each_condition_is_one_that_each_of_its_actions_knows(statement):
    """A key that an action does not know makes an Allow say nothing, and a Deny too."""
    keys = {
        re.sub("(?<=Tag/).*", "", key)
        for operator in statement.get("Condition", {}).values()
        for key in operator
    }
    for action in action_of(statement):
        of_key = (
            set()
            if action in WITHOUT_RESOURCE or ":alias/" in str(statement["Resource"])
            else OF_KEY
        )
        assert keys - {"aws:PrincipalArn"} <= OF_ACTION.get(action, set()) | of_key


@pytest.mark.parametrize("statement", STATEMENTS)
def test_aliases_are_no_condition_of_a_key_policy(statement):
    """kms:ResourceAliases is for IAM policies alone (KMS guide, condition keys)."""
    if "Principal" in statement:
        assert "ResourceAliases" not in json.dumps(statement)


@pytest.mark.parametrize("policy", EVERY.values(), ids=EVERY)
def test_who_signs_does_nothing_else_and_nobody_else_signs(policy, request):
    signs = [each for each in policy if "kms:Sign" in action_of(each)]

    for each in signs:
        assert action_of(each) == ["kms:Sign"]
        assert each["Condition"]["StringEquals"]["kms:SigningAlgorithm"]
    if not request.node.callspec.id.startswith(("issue", "key policy")):
        assert signs == []


# The judge itself, against what AWS's guide says of it.


@pytest.mark.parametrize(
    ("operator", "context", "verdict"),
    [
        ("StringEquals", {}, False),
        ("StringEquals", {"k": "a"}, True),
        ("StringEquals", {"k": "A"}, False),
        ("ForAllValues:StringEquals", {}, True),
        ("ForAllValues:StringEquals", {"k": ["a", "b"]}, False),
        ("ForAnyValue:StringEquals", {}, False),
        ("ForAnyValue:StringEquals", {"k": ["a", "b"]}, True),
        ("ArnNotLike", {}, True),
        ("ArnNotLike", {"k": "a"}, False),
    ],
)
def test_the_judge_reads_conditions_as_the_guide_does(operator, context, verdict):
    assert holds(operator, "k", ["a"], context) is verdict


@pytest.mark.parametrize(
    ("pattern", "text", "verdict"),
    [
        ("alias/auth/*", "alias/auth/1", True),
        ("alias/auth/*", "alias/authz/1", False),
        ("alias/auth/*", "alias/auth", False),
        ("alias/auth*", "alias/authz/1", True),
        ("a.c", "abc", False),
        ("a?c", "abc", True),
    ],
)
def test_the_judge_reads_wildcards_as_the_guide_does(pattern, text, verdict):
    assert like(pattern, text) is verdict
