"""What some parameters come to: in CloudFormation's stack, and in the CDK's, which settles them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.deploy.resolving import resolved

from kmsjwt.authority.iam_guard import key_policy
from kmsjwt.authority.iam_names import Place
from kmsjwt.cdk.parameters import values
from kmsjwt.cdk.settling import settled
from kmsjwt.deploy import template
from kmsjwt.errors import ConfigError
from kmsjwt.handlers import rotate
from kmsjwt.local import LocalKms

ACCOUNT, REGION = "123456789012", "eu-central-1"
OWN = f"arn:aws:iam::{ACCOUNT}:role/stack-IssueRole"
OTHERS = [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("till", "shop")]
NAMES = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "Distribution": "E2QWRUHAPO",
    "Documents": "documents-1",
    "Distribution.DomainName": "d1.cloudfront.net",
    "IssueRole.Arn": OWN,
}


def resources_of(**arguments: Any) -> dict[str, Any]:
    """Return a stack's resources once its parameters are given, conditions and lists settled."""
    described = template()
    given = {"audience": "orders", **arguments}
    filled = values(described, given, is_known_later=lambda _: False)
    made: dict[str, Any] = joined(settled(described, filled)["Resources"], filled)
    return made


def joined(value: Any, filled: dict[str, Any]) -> Any:
    """Return a value with parameters in their places, and texts joined."""
    if isinstance(value, list):
        return [joined(each, filled) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Ref"} and value["Ref"] in filled:
        return filled[value["Ref"]]
    value = {name: joined(member, filled) for name, member in value.items()}
    if value.keys() == {"Fn::Join"}:
        joiner, parts = value["Fn::Join"]
        return joiner.join(resolved(part, NAMES) for part in parts)
    return value


def environ_of(function: str, **arguments: Any) -> dict[str, str]:
    filled = {"RingName": "auth", "IssuerUrl": "", **NAMES}
    told = resources_of(**arguments)[f"{function}Function"]["Properties"]["Environment"]
    return {name: str(resolved(each, filled)) for name, each in told["Variables"].items()}


def test_the_stacks_own_issue_function_may_sign_whoever_else_may():
    environ = environ_of("Rotate", signer_roles=OTHERS)

    assert environ["KMSJWT_MAY_SIGN"].split() == [*OTHERS, OWN]
    wanted = key_policy(Place(REGION, ACCOUNT), algs=["RS256"], may_sign=[*OTHERS, OWN])
    assert made_policy(environ)["Statement"] == json.loads(json.dumps(wanted))


def test_without_signers_nobody_is_named():
    environ = environ_of("Rotate")

    assert "KMSJWT_MAY_SIGN" not in environ
    assert OWN not in json.dumps(made_policy(environ))


def made_policy(environ: dict[str, str]) -> Any:
    """Return the policy of the key that the rotate function makes."""
    kms = LocalKms()
    told = {**environ, "KMSJWT_REGION": REGION, "KMSJWT_TO": "kms"}
    for name in ("KMSJWT_PUBLIC", "KMSJWT_CDN", "KMSJWT_ISSUER"):
        told.pop(name)
    rotate.build(environ=told, client=kms, log=lambda *_, **__: None)({"start": True})
    key = kms.describe_key(KeyId="alias/auth/1")["KeyMetadata"]["KeyId"]
    return json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])


def test_the_template_says_the_same_to_cloudformation():
    told = template()["Resources"]["RotateFunction"]["Properties"]["Environment"]["Variables"]
    condition, yes, no = told["KMSJWT_MAY_SIGN"]["Fn::If"]

    assert (condition, no) == ("HasSignerRoles", {"Ref": "AWS::NoValue"})
    assert joined(yes, {"SignerRoles": OTHERS}).split() == [*OTHERS, OWN]


def test_a_person_is_told_which_role_that_is():
    assert template()["Outputs"]["IssueRoleArn"]["Value"] == {"Fn::GetAtt": ["IssueRole", "Arn"]}


@pytest.mark.parametrize(
    ("given", "expected"), [({}, None), ({"jwks_in_bundle": "yes"}, "yes")], ids=["left", "yes"]
)
def test_whether_consumers_have_the_jwks_in_their_bundle(given, expected):
    """Left alone it says nothing: a ring that was made so by hand stays so."""
    assert environ_of("Rotate", **given).get("KMSJWT_BUNDLE") == expected


SUBNETS, GROUPS = ["subnet-0a1b", "subnet-0c2d"], ["sg-0a1b"]


def test_two_functions_can_be_put_into_a_vpc_and_the_rest_stays_outside():
    made = resources_of(vpc_subnet_ids=SUBNETS, vpc_security_group_ids=GROUPS)

    wanted = {"SubnetIds": SUBNETS, "SecurityGroupIds": GROUPS}
    placed = {
        name: each["Properties"].get("VpcConfig")
        for name, each in made.items()
        if each["Type"] == "AWS::Lambda::Function"
    }
    attached = {
        name: resolved(each["Properties"]["ManagedPolicyArns"], NAMES)
        for name, each in made.items()
        if "ManagedPolicyArns" in each["Properties"]
    }
    assert placed == {
        "IssueFunction": wanted,
        "AuthorizerFunction": wanted,
        "RotateFunction": None,
        "BackendFunction": None,
    }
    needs = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    assert attached == {"IssueRole": [needs], "AuthorizerRole": [needs]}


def test_without_subnets_nothing_of_a_vpc_is_there():
    told = json.dumps(resources_of())

    assert "VpcConfig" not in told
    assert "ManagedPolicyArns" not in told


@pytest.mark.parametrize(
    "given", [{"vpc_subnet_ids": SUBNETS}, {"vpc_security_group_ids": GROUPS}], ids=list
)
def test_half_a_vpc_is_refused_before_anything_is_made(given):
    """Rather than a function outside the VPC that somebody believes to be in it."""
    with pytest.raises(ConfigError, match=r"vpc_\w+ is set, and vpc_\w+ is not"):
        resources_of(**given)


def test_a_missing_run_counts_as_none():
    alarm = template()["Resources"]["RotationStopped"]
    [filled, runs] = alarm["Properties"]["Metrics"]

    assert alarm["DependsOn"] == ["Ring"]
    assert filled["Expression"] == f"FILL({runs['Id']}, 0)"
    assert alarm["Properties"]["EvaluationPeriods"] * runs["MetricStat"]["Period"] == 6 * 3_600


def test_why_a_first_deployment_failed_is_kept():
    """The function's log is written while the stack is made, and rolled back with it if it can."""
    kept = {
        name
        for name, each in template()["Resources"].items()
        if each["Type"] == "AWS::Logs::LogGroup" and each.get("DeletionPolicy") == "Retain"
    }

    assert kept == {"RotateLogs"}


def test_the_example_tells_its_own_origin():
    """The REST API's answers come from the function; its refusals have the parameter already."""
    from kmsjwt.deploy import StackSettings

    made = template(StackSettings(backend="hello.handler"))["Resources"]["BackendFunction"]

    assert made["Properties"]["Environment"]["Variables"] == {"CORS_ORIGIN": {"Ref": "CorsOrigin"}}
