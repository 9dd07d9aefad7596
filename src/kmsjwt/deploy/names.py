"""Logical ids that more than one part of the stack names, and the values made of them."""

from __future__ import annotations

from kmsjwt.deploy.intrinsics import either, ref, sub, var

BUCKET, DISTRIBUTION = "Documents", "Distribution"
ISSUE, AUTHORIZER, ROTATE, BACKEND = "Issue", "Authorizer", "Rotate", "Backend"
RING = "Ring"
HTTP_API, REST_API = "HttpApi", "RestApi"

HAS_ISSUER, HAS_CERTIFICATE, HAS_ZONE = "HasIssuerUrl", "HasCertificate", "HasHostedZone"
HAS_EXISTING_KEY, HAS_SIGNERS = "HasExistingKey", "HasSignerRoles"
HAS_VPC, HAS_JWKS_IN_BUNDLE = "HasVpc", "HasJwksInBundle"
HAS_ALARM_TOPIC, HAS_CONCURRENCY = "HasAlarmTopic", "HasIssueConcurrency"


def issuer(more: str = "") -> object:
    """Return the issuer's URL, with more after it: the one that was given, or CloudFront's."""
    ours = sub(f"https://{var(f'{DISTRIBUTION}.DomainName')}{more}")
    return either(HAS_ISSUER, sub("${IssuerUrl}" + more), ours)


def host() -> object:
    """Return the host of the issuer's URL that was given."""
    return {"Fn::Select": [2, {"Fn::Split": ["/", ref("IssuerUrl")]}]}


def audiences() -> object:
    """Return the audiences as the functions read them."""
    return {"Fn::Join": [" ", ref("Audience")]}


def function(name: str) -> str:
    """Return the logical id of a function."""
    return f"{name}Function"


def role(name: str) -> str:
    """Return the logical id of a function's role."""
    return f"{name}Role"


def logs(name: str) -> str:
    """Return the logical id of a function's log group."""
    return f"{name}Logs"
