"""Each function may do what `kmsjwt iam` prints for its role, write its own log, and nothing else.

The other side of the comparison is rendered for a real ring in a real place; here the template's
parameters are given those values.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.deploy.resolving import resolved

from kmsjwt.authority import iam
from kmsjwt.authority.iam_names import Place, Ring
from kmsjwt.deploy import StackSettings, template

REGION, ACCOUNT = "eu-central-1", "123456789012"
NAMES = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "RingName": "tokens",
    "Documents": "documents-1a2b",
    "Distribution": "E2QWRUHAPOMQZL",
    **{f"{each}Logs.Arn": f"arn:logs:{each}:*" for each in ("Issue", "Authorizer", "Rotate")},
    "BackendLogs.Arn": "arn:logs:Backend:*",
}
RING = Ring("tokens", Place(REGION, ACCOUNT))
IN_A_VPC = {"Issue", "Authorizer"}
"""Functions that may be put into a VPC; whoever makes and publishes keys needs the internet."""
ONLY_IN_A_VPC = {
    "Fn::If": [
        "HasVpc",
        [
            {
                "Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/"
                "AWSLambdaVPCAccessExecutionRole"
            }
        ],
        {"Ref": "AWS::NoValue"},
    ]
}
ALGORITHMS = {"ES384": "ECC_NIST_P384", "Ed25519": "ECC_NIST_EDWARDS25519"}
ROTATING: dict[str, Any] = {"where": "s3://documents-1a2b", "distribution": "E2QWRUHAPOMQZL"}


def expected(algorithms: dict[str, str]) -> dict[str, Any]:
    return {
        "Issue": iam.issue([RING], algs=algorithms),
        "Authorizer": [],
        "Rotate": iam.rotate(RING, specs=list(algorithms.values()), **ROTATING),
        "Backend": [],
    }


def granted(described: dict[str, Any], function: str) -> list[Any]:
    """Return every statement of the role that a function has, resolved."""
    resources = described["Resources"]
    [role, attribute] = resources[f"{function}Function"]["Properties"]["Role"]["Fn::GetAtt"]
    assert attribute == "Arn"
    properties = resources[role]["Properties"]
    attached = {"ManagedPolicyArns"} if function in IN_A_VPC else set()
    assert set(properties) == {"AssumeRolePolicyDocument", "Policies"} | attached
    if attached:  # and no other managed policy, nor this one without a VPC
        assert properties["ManagedPolicyArns"] == ONLY_IN_A_VPC
    documents = [each["PolicyDocument"] for each in properties["Policies"]]
    return [resolved(each, NAMES) for document in documents for each in document["Statement"]]


def functions(described: dict[str, Any]) -> list[str]:
    return [
        name.removesuffix("Function")
        for name, each in described["Resources"].items()
        if each["Type"] == "AWS::Lambda::Function"
    ]


@pytest.mark.parametrize(
    "algorithms", [{"RS256": "RSA_2048", "ES256": "ECC_NIST_P256"}, ALGORITHMS], ids=list
)
def test_a_role_is_its_iam_statements_and_the_right_to_its_own_log(algorithms):
    described = template(StackSettings(algorithms=algorithms))

    wanted = expected(algorithms)
    assert set(functions(described)) == set(wanted)
    for function, statements in wanted.items():
        log = {
            "Sid": "WriteOwnLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [f"arn:logs:{function}:*"],
        }
        assert granted(described, function) == [log, *statements]


def test_below_an_issuers_path_it_may_write_that_issuers_documents_alone():
    described = template(StackSettings(issuer_path="/auth"))

    [writing] = [each for each in granted(described, "Rotate") if "s3:PutObject" in each["Action"]]

    bucket = "arn:aws:s3:::documents-1a2b"
    assert writing["Resource"] == [
        f"{bucket}/auth/.well-known/jwks.json",
        f"{bucket}/auth/.well-known/openid-configuration",
        f"{bucket}/.well-known/oauth-authorization-server/auth",  # RFC 8414 section 3
    ]


@pytest.mark.parametrize("examples", [True, False])
def test_no_action_anywhere_has_a_wildcard_but_in_a_deny(examples):
    described = template(StackSettings(examples=examples))

    statements = list(every_statement(described))
    assert len(statements) > 10
    for statement in statements:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            assert "*" not in action or statement["Effect"] == "Deny"
        if statement["Effect"] == "Allow":
            assert statement.get("Principal") not in ("*", {"AWS": "*"})


def every_statement(value: Any) -> Any:
    if isinstance(value, list):
        for each in value:
            yield from every_statement(each)
    elif isinstance(value, dict):
        if "Effect" in value and "Action" in value:
            yield value
        for each in value.values():
            yield from every_statement(each)


def test_every_resource_is_open_only_where_kms_knows_none():
    """CreateKey, ListAliases: see docs/reference/iam.md."""
    described = template()
    wide = {
        statement["Sid"]
        for function in functions(described)
        for statement in granted(described, function)
        if "*" in statement["Resource"]
    }

    assert wide == {"MakeGenerations", "List"}


def test_the_authorizer_may_do_nothing_with_kms_and_is_told_of_no_key():
    described = template()
    properties = described["Resources"]["AuthorizerFunction"]["Properties"]

    assert "kms" not in json.dumps(granted(described, "Authorizer"))
    assert "KMSJWT_KEY" not in json.dumps(properties)
    assert json.dumps(properties).count("/.well-known/jwks.json") == 2  # either issuer's


def test_who_may_invoke_a_function_is_named_to_the_route():
    described = template()
    for name, each in described["Resources"].items():
        if each["Type"] == "AWS::Lambda::Permission":
            properties = each["Properties"]
            assert properties["Principal"] in ("apigateway.amazonaws.com", "events.amazonaws.com")
            source = json.dumps(properties["SourceArn"])
            assert "*/*" not in source, name
            assert properties["Action"] == "lambda:InvokeFunction"


def test_nobody_but_the_schedule_may_invoke_the_rotate_function():
    invokers = [
        each["Properties"]["Principal"]
        for each in template()["Resources"].values()
        if each["Type"] == "AWS::Lambda::Permission"
        and each["Properties"]["FunctionName"] == {"Ref": "RotateFunction"}
    ]

    assert invokers == ["events.amazonaws.com"]
