"""What CloudFormation is to check of the parameters together before it makes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.deploy.intrinsics import not_equal, ref

if TYPE_CHECKING:
    from kmsjwt.deploy.intrinsics import Json


def rules() -> dict[str, Json]:
    """Return the template's rules."""
    subnets, groups = _is_empty("VpcSubnetIds"), _is_empty("VpcSecurityGroupIds")
    return {
        "CertificateIsOfAnIssuer": _rule(
            not_equal(ref("CertificateArn"), ""),
            ("CertificateArn is set, and IssuerUrl is not", not_equal(ref("IssuerUrl"), "")),
        ),
        "RecordsAreOfACertificate": _rule(
            not_equal(ref("HostedZoneId"), ""),
            (
                "HostedZoneId is set, and CertificateArn is not",
                not_equal(ref("CertificateArn"), ""),
            ),
        ),
        # Lambda refuses one without the other too, when half of the stack is made.
        "BothListsOfAVpcOrNeither": _rule(
            {"Fn::Not": [{"Fn::And": [subnets, groups]}]},
            ("VpcSecurityGroupIds is set, and VpcSubnetIds is not", {"Fn::Not": [subnets]}),
            ("VpcSubnetIds is set, and VpcSecurityGroupIds is not", {"Fn::Not": [groups]}),
        ),
    }


def _rule(condition: Json, *assertions: tuple[str, Json]) -> Json:
    return {
        "RuleCondition": condition,
        "Assertions": [{"Assert": test, "AssertDescription": told} for told, test in assertions],
    }


def _is_empty(parameter: str) -> Json:
    """Return a test of a list: no member, or an empty one. Rules know no ``Fn::Join``."""
    return {"Fn::EachMemberEquals": [ref(parameter), ""]}
