"""What is asked at each deployment, and the conditions that follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.deploy import names
from kmsjwt.deploy.intrinsics import not_equal, ref
from kmsjwt.deploy.lengths import pattern
from kmsjwt.key_names import RING_NAME

if TYPE_CHECKING:
    from kmsjwt.deploy.intrinsics import Json
    from kmsjwt.deploy.settings import StackSettings

_HOUR, _DAY = 3_600, 86_400
_HOST = r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?"
_ARN = r"^$|^arn:aws[a-z-]*:%s$"
# How long CloudWatch keeps log events, in days (CloudWatch Logs, PutRetentionPolicy).
_RETENTION = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653]


def parameters(settings: StackSettings) -> dict[str, Any]:
    """Return the template's parameters. Audience alone has no default."""
    algs = list(settings.algorithms)
    return {
        "Audience": _text(
            "Whom tokens are for: the aud that both authorizers demand and askers may choose from;"
            " several with commas between them",
            Type="CommaDelimitedList",
            # Of each (CloudFormation, "Parameters", AllowedPattern); the functions split at blanks.
            AllowedPattern=r"^\S+$",
            ConstraintDescription="one or more without blanks, with commas alone between them",
        ),
        "IssuerUrl": _issuer(settings.issuer_path),
        "CertificateArn": _text(
            "The certificate of IssuerUrl's host in us-east-1 (CloudFront reads it there alone)",
            "",
            AllowedPattern=_ARN % "acm:us-east-1:[0-9]{12}:certificate/.+",
            ConstraintDescription="the ARN of a certificate in us-east-1, where CloudFront reads"
            " it, or nothing: arn:aws:acm:us-east-1:ACCOUNT:certificate/ID",
        ),
        "HostedZoneId": _text(
            "The Route 53 zone of IssuerUrl's host; its records are made. Empty: make them"
            " yourself while the stack waits for the issuer's URL to answer",
            "",
            AllowedPattern="^[A-Z0-9]*$",
            ConstraintDescription="the id of a hosted zone, capitals and digits, or nothing",
        ),
        "RingName": _text(
            "The key ring: its keys are alias/NAME/1 and so on, in this account and Region; one for"
            " each stack, since two that share one refuse each other's tokens",
            "auth",
            AllowedPattern=f"^{RING_NAME}$",
            ConstraintDescription="letters, digits, _ and - alone, 240 at most",
        ),
        "ExistingKey": _text(
            "The ARN of a signing key to begin with, instead of a new one",
            "",
            AllowedPattern=_ARN % "kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+",
            ConstraintDescription="the ARN of a key, not of an alias, or nothing:"
            " arn:aws:kms:REGION:ACCOUNT:key/ID",
        ),
        "Algorithm": _text(
            "What the next generation of keys signs with. RS256 is what every authorizer of AWS's"
            " own accepts",
            algs[0],
            AllowedValues=algs,
        ),
        "SignerRoles": _text(
            "ARNs of the roles that alone may sign with keys made from now on; the stack's own"
            " IssueRoleArn is added to them. Empty: IAM policies decide, so that a later stack can"
            " go on with the keys",
            "",
            Type="CommaDelimitedList",
            AllowedPattern=_ARN % r"iam::[0-9]{12}:role/\S+",
            ConstraintDescription="ARNs of roles with commas alone between them, or nothing:"
            " arn:aws:iam::ACCOUNT:role/NAME",
        ),
        "TokenLifetime": _length(
            "How long a token is good if its asker does not say; no longer than MaxTokenLifetime",
            "15m",
            (1, _DAY, "24h at most, such as 15m"),
        ),
        "MaxTokenLifetime": _length(
            "The longest that an asker may have", "1h", (1, _DAY, "24h at most, such as 2h")
        ),
        "RotationPeriod": _length(
            "How long a key signs before its successor is made",
            "30d",
            (_HOUR, 3_650 * _DAY, "1h to 3650d, such as 90d"),
        ),
        "ConsumerCache": _length(
            "The longest time for which a consumer keeps the JWKS, whatever it is told; an HTTP"
            " API's own authorizer keeps it 2h. A new key waits that long",
            "2h",
            (1, 30 * _DAY, "30d at most, such as 2h"),
        ),
        "JwksInBundle": _text(
            "yes: consumers have the JWKS in their bundle, so the next key waits until kmsjwt key"
            " confirm. no: it does not. Empty: as the ring has it, which a stack makes with no",
            "",
            AllowedPattern="^(yes|no)?$",
            ConstraintDescription="yes, no or nothing",
        ),
        "AuthorizerTtl": _number(
            "For how many seconds the gateways keep an answer of the authorizer; a token is good"
            " for that much longer",
            60,
            MinValue=0,
            MaxValue=3600,
        ),
        "CorsOrigin": _text(
            "Which web pages may see the answers, refusals included",
            "*",
            # Access-Control-Allow-Origin has one, or all (Fetch, 3.3.3).
            AllowedPattern=r"^(\*|https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?)$",
            ConstraintDescription="one origin without a slash at its end, or * for all:"
            " https://app.example",
        ),
        "IssueConcurrency": _number(
            "How many tokens are signed at once at most (reserved concurrency). A young account has"
            " none to reserve, and its first deployment fails at IssueFunction: say 0 there, for no"
            " such limit",
            10,
            MinValue=0,
        ),
        "IssueRate": _number(
            "How many requests for a token a second, 1000 signs a second being the account's",
            20,
            MinValue=1,
            MaxValue=1000,
        ),
        "VpcSubnetIds": _text(
            "Subnets for the issue function and the authorizer, which then need a way to KMS and to"
            " the JWKS; with VpcSecurityGroupIds. Empty: in no VPC",
            "",
            Type="CommaDelimitedList",
        ),
        "VpcSecurityGroupIds": _text(
            "Security groups of those functions; with VpcSubnetIds",
            "",
            Type="CommaDelimitedList",
        ),
        "LogRetention": _number("Days for which logs are kept", 90, AllowedValues=_RETENTION),
        "AlarmTopicArn": _text(
            "The ARN of the SNS topic that alarms are sent to",
            "",
            AllowedPattern=_ARN % "sns:[a-z0-9-]+:[0-9]{12}:.+",
            ConstraintDescription="the ARN of an SNS topic, or nothing:"
            " arn:aws:sns:REGION:ACCOUNT:NAME",
        ),
    }


def conditions() -> dict[str, Json]:
    """Return the template's conditions."""
    given = {
        names.HAS_ISSUER: "IssuerUrl",
        names.HAS_CERTIFICATE: "CertificateArn",
        names.HAS_ZONE: "HostedZoneId",
        names.HAS_EXISTING_KEY: "ExistingKey",
        names.HAS_ALARM_TOPIC: "AlarmTopicArn",
        names.HAS_JWKS_IN_BUNDLE: "JwksInBundle",
    }
    subnets, groups = _has_any("VpcSubnetIds"), _has_any("VpcSecurityGroupIds")
    return {
        **{name: not_equal(ref(parameter), "") for name, parameter in given.items()},
        names.HAS_SIGNERS: _has_any("SignerRoles"),
        # Of either: Lambda refuses one without the other, by name.
        names.HAS_VPC: {"Fn::Or": [subnets, groups]},
        names.HAS_CONCURRENCY: not_equal(ref("IssueConcurrency"), "0"),
    }


def mappings(settings: StackSettings) -> dict[str, Any]:
    """Return the KMS key spec of each algorithm."""
    return {
        "Algorithms": {alg: {"KeySpec": spec} for alg, spec in settings.algorithms.items()},
    }


def _issuer(path: str) -> dict[str, Any]:
    stays = "It cannot be changed later without refusing live tokens"
    if path:
        dots_alone = path.replace(".", r"\.")
        return _text(
            f"The iss of the tokens, https://HOST{path}. {stays}",
            AllowedPattern=f"^{_HOST}{dots_alone}$",
            ConstraintDescription=f"https://HOST{path}, which the template was rendered for",
        )
    return _text(
        "The iss of the tokens, https://HOST without a path. Empty: the address that CloudFront"
        f" gives. {stays}",
        "",
        AllowedPattern=f"^$|^{_HOST}$",
        ConstraintDescription="https://HOST, without a path and without a slash at its end; a path"
        " is settled when the template is rendered, by issuer_path='/PATH'",
    )


def _text(description: str, default: str | None = None, **more: Any) -> dict[str, Any]:
    rest = {} if default is None else {"Default": default}
    return {"Type": "String", "Description": description, **rest, **more}


def _length(description: str, default: str, bounds: tuple[int, int, str]) -> dict[str, Any]:
    least, most, told = bounds
    return _text(
        f"{description}; {told}",
        default,
        AllowedPattern=pattern(least, most),
        ConstraintDescription=f"{told}: a whole number and s, m, h or d",
    )


def _number(description: str, default: int, **more: Any) -> dict[str, Any]:
    return {"Type": "Number", "Description": description, "Default": default, **more}


def _has_any(parameter: str) -> Json:
    """Return a condition that a list is not empty, which an empty text of it is."""
    return not_equal({"Fn::Join": ["", ref(parameter)]}, "")
