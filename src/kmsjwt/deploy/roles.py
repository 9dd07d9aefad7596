"""One role for each function, with the statements of `kmsjwt.authority.iam` and its own log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kmsjwt.authority import iam
from kmsjwt.authority.iam_names import Place, Ring
from kmsjwt.deploy import names
from kmsjwt.deploy.intrinsics import att, only_if, sub, substituted, var

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kmsjwt.deploy.intrinsics import Resource
    from kmsjwt.deploy.settings import StackSettings

# A ring's name is checked before a policy is made of it, and "${RingName}" is none.
_STAND_IN = "ring-name-of-the-stack"
_HERE = Place("${AWS::Region}", "${AWS::AccountId}")
_OF_A_NEW_LINE = ("logs:CreateLogStream", "logs:PutLogEvents")
# AWS Lambda developer guide, "Giving Lambda functions access to resources in an Amazon VPC".
_INTO_A_VPC = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"


def issuing(settings: StackSettings) -> list[iam.Statement]:
    """Return what the issue function may do."""
    return _named(iam.issue([_ring()], algs=settings.algorithms))


def authorizing() -> list[iam.Statement]:
    """Return what the authorizer may do: nothing, since it reads the published JWKS."""
    return iam.authorizer()


def rotating(settings: StackSettings) -> list[iam.Statement]:
    """Return what the rotate function may do."""
    return _named(
        iam.rotate(
            _ring(),
            specs=list(dict.fromkeys(settings.algorithms.values())),
            where=f"s3://{var(names.BUCKET)}",
            issuer=f"https://{_STAND_IN}{settings.issuer_path}",
            distribution=var(names.DISTRIBUTION),
        )
    )


def role(name: str, statements: Sequence[iam.Statement] = (), *, in_vpc: bool = False) -> Resource:
    """Return the role of a function.

    Args:
        name: which function's.
        statements: what it may do besides writing its log.
        in_vpc: whether it may be put into a VPC; then its role has what Lambda needs for it.
    """
    log = iam.allow("WriteOwnLog", _OF_A_NEW_LINE, [])
    policies: list[Any] = [{**iam.policy([{**log, "Resource": [att(names.logs(name), "Arn")]}])}]
    if statements:
        policies.append(substituted(iam.policy(statements)))
    attached = {"ManagedPolicyArns": only_if(names.HAS_VPC, [sub(_INTO_A_VPC)])}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": iam.policy(
                [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ]
            ),
            "Policies": [
                {"PolicyName": policy_name, "PolicyDocument": document}
                for policy_name, document in zip(("log", "kmsjwt"), policies, strict=False)
            ],
            **(attached if in_vpc else {}),
        },
    }


def _ring() -> Ring:
    return Ring(_STAND_IN, _HERE)


def _named(statements: list[iam.Statement]) -> list[iam.Statement]:
    """Return the statements with the parameter in the place of the ring's name."""
    named: list[iam.Statement] = json.loads(
        json.dumps(statements).replace(_STAND_IN, "${RingName}")
    )
    return named
