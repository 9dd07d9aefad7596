"""What a samconfig.toml sets is read as SAM reads it, and checked as CloudFormation would."""

from __future__ import annotations

from typing import Any

import pytest
from tests.deploy.sam import as_sam_reads, as_sam_sends

from kmsjwt.deploy import overrides, template

GOOD: dict[str, str] = {
    name: str(each.get("Default", "orders")) for name, each in template()["Parameters"].items()
}
SUBNETS, GROUPS = "subnet-0a1b,subnet-0c2d", "sg-0a1b"
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/1"
ISSUER = "https://id.example"
OWN_ISSUER = {"IssuerUrl": ISSUER, "CertificateArn": CERTIFICATE}


def lines(**changed: str | None) -> list[str]:
    """Return items that set everything, but for what is None."""
    given = {**GOOD, **changed}
    return [f'{name}="{value}"' for name, value in given.items() if value is not None]


TEXTS = [
    ["A=b"],
    ["A=b", "C=d"],
    ["A=b C=d"],
    [" A=b "],
    ['A=""'],
    ["A=''"],
    ['A="b, c"'],
    ["A='b c'"],
    [r'A="b \" c"'],
    [r"A=b\ c"],
    ["A=b,c"],
    ["A=*"],
    ["A=arn:aws:kms:eu-central-1:1:key/a=b"],
    ["A=https://id.example:8443"],
    ["A=b", "A=c"],
]
READ_IN_PART = [["A=b, c"], ["A=b c"], ['A="b"c'], ["A=b", "C=d e"]]
"""SAM takes the beginning, and says nothing of the rest."""
REFUSED = [["A="], ["A= b"], ["A = b"], ["A_B=c"], ["A"]]


def test_it_is_read_as_sam_reads_it():
    read = [overrides.read(each) for each in (*TEXTS, *READ_IN_PART)]

    assert read == as_sam_reads([*TEXTS, *READ_IN_PART])


def test_what_sam_does_not_read_to_its_end_is_told():
    nothing: dict[str, Any] = {"Parameters": {}, "Rules": {}}
    assert as_sam_reads(REFUSED) == [None] * len(REFUSED)
    for each in (*READ_IN_PART, *REFUSED):
        assert any("SAM does not read" in fault for fault in overrides.faults(nothing, each)), each
    for each in TEXTS:
        assert not any("does not read" in one for one in overrides.faults(nothing, each)), each


def test_one_text_of_several_is_as_good():
    """As `sam deploy --guided` writes it."""
    assert overrides.read(" ".join(lines())) == GOOD
    assert overrides.faults(template(), " ".join(lines())) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("IssueRate", 'add "IssueRate=20", which is the default'),
        ("RotationPeriod", 'add "RotationPeriod=30d"'),
        ("Audience", 'add "Audience=..."'),
        ("JwksInBundle", "nothing is 'JwksInBundle=\"\"'"),
    ],
)
def test_the_line_that_is_missing_is_told(name: str, told: str):
    """One that may be added as it is, but for what has no default."""
    [fault] = overrides.faults(template(), lines(**{name: None}))

    assert told in fault


@pytest.mark.parametrize(
    "given",
    [
        "ParameterKey=Audience,ParameterValue=orders",
        ["ParameterKey=Audience,ParameterValue=orders"],
        ["Audience=orders", "IssueRate=20 ParameterKey=RingName,ParameterValue=auth"],
        {"Audience": "orders"},
        [["Audience=orders"]],
        ["file://parameters.yaml"],
        ["Audience=orders", 3],
        3,
        True,
    ],
    ids=str,
)
def test_what_sam_reads_and_we_do_not_is_not_said_of_sam(given: object):
    [fault] = overrides.faults(template(), given)

    assert "kmsjwt's tests read NAME=VALUE alone" in fault
    assert "SAM" not in fault
    assert isinstance(overrides.read(given), dict)


@pytest.mark.parametrize("given", [[], "", [""], [" "]], ids=repr)
def test_nothing_is_told_as_one(given: object):
    [fault] = overrides.faults(template(), given)

    assert "parameter_overrides is missing or empty" in fault


def test_what_is_not_named_sam_leaves_as_it_was():
    """The reason why everything is to be named."""
    sent = as_sam_sends(lines(VpcSubnetIds=None, IssuerUrl=""), template())

    kept = [each["ParameterKey"] for each in sent if each.get("UsePreviousValue")]
    assert kept == ["VpcSubnetIds"]
    assert {"ParameterKey": "IssuerUrl", "ParameterValue": ""} in sent


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"Audience": "orders,billing"},
        {**OWN_ISSUER, "HostedZoneId": "Z0PROD"},
        {"VpcSubnetIds": SUBNETS, "VpcSecurityGroupIds": GROUPS},
        {"SignerRoles": "arn:aws:iam::111122223333:role/a,arn:aws:iam::111122223333:role/b/c"},
        {"ExistingKey": "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234"},
        {"AlarmTopicArn": "arn:aws-us-gov:sns:us-gov-west-1:111122223333:night"},
        {"JwksInBundle": "yes", "RotationPeriod": "3600", "LogRetention": "14"},
        {"IssueConcurrency": "0", "CorsOrigin": ISSUER},
        {"CorsOrigin": "http://localhost:5173"},
        {"TokenLifetime": "60m", "MaxTokenLifetime": "3600"},
    ],
    ids=str,
)
def test_what_the_template_takes_is_no_fault(changed):
    assert overrides.faults(template(), lines(**changed)) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"IssuerURL": ISSUER}, "IssuerURL is no parameter"),
        ({"CorsOrigin": ""}, "CorsOrigin is '', expected one origin"),
        ({"CorsOrigin": "https://a,https://b"}, "CorsOrigin is 'https://a,https://b', expected"),
        ({"CorsOrigin": "https://a/"}, "without a slash at its end"),
        (
            {"TokenLifetime": "61m"},
            "TokenLifetime is '61m', longer than MaxTokenLifetime, which is '1h'",
        ),
        ({"TokenLifetme": "5m"}, "is TokenLifetime meant?"),
        ({"VpcSubnetIds": None}, "VpcSubnetIds is not set, so it stays what was deployed last"),
        ({"RotationPeriod": "30"}, "RotationPeriod is '30', expected 1h to 3650d"),
        ({"IssuerUrl": "id.example"}, "IssuerUrl is 'id.example', expected https://HOST"),
        ({"IssuerUrl": f"{ISSUER}/auth"}, "without a path"),
        ({"VpcSubnetIds": SUBNETS}, "VpcSubnetIds is set, and VpcSecurityGroupIds is not"),
        ({"VpcSecurityGroupIds": GROUPS}, "VpcSecurityGroupIds is set, and VpcSubnetIds is not"),
        ({"IssuerUrl": ISSUER, "HostedZoneId": "Z1"}, "HostedZoneId is set, and CertificateArn"),
        ({"CertificateArn": CERTIFICATE}, "CertificateArn is set, and IssuerUrl is not"),
        (
            {
                "IssuerUrl": ISSUER,
                "CertificateArn": CERTIFICATE.replace("us-east-1", "eu-central-1"),
            },
            "expected the ARN of a certificate in us-east-1",
        ),
        ({"SignerRoles": "x"}, "SignerRoles is 'x', expected ARNs of roles"),
        ({"AlarmTopicArn": "x"}, "AlarmTopicArn is 'x', expected the ARN of an SNS topic"),
        ({"RingName": "a b"}, "RingName is 'a b', expected letters, digits, _ and -"),
        (
            {**OWN_ISSUER, "HostedZoneId": "z"},
            "HostedZoneId is 'z', expected the id of a hosted zone",
        ),
        ({"ExistingKey": "alias/x"}, "ExistingKey is 'alias/x', expected the ARN of a key"),
        ({"Algorithm": "HS256"}, "expected one of RS256, ES256"),
        ({"LogRetention": "91"}, "LogRetention is '91', expected one of 1, 3, 5"),
        ({"IssueRate": "0"}, "IssueRate is '0', expected 1 or more"),
        ({"AuthorizerTtl": "7200"}, "AuthorizerTtl is '7200', expected 3600 at most"),
        ({"AuthorizerTtl": "1m"}, "AuthorizerTtl is '1m', expected a whole number"),
        ({"Audience": "orders, billing"}, "expected one or more without blanks"),
        ({"Audience": "orders,"}, "expected no comma without something"),
        ({"Audience": ""}, "Audience is '', expected one or more"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_goes_wrong_is_told(changed: dict[str, Any], told: str):
    [fault] = overrides.faults(template(), lines(**changed))

    assert told in fault


def test_a_second_value_of_one_name_is_told():
    [fault] = overrides.faults(template(), [*lines(), "IssueRate=30"])

    assert fault == "IssueRate is set twice"


def test_each_pattern_says_what_it_takes():
    """CloudFormation quotes it, and without it the pattern."""
    silent = [
        name
        for name, each in template()["Parameters"].items()
        if "AllowedPattern" in each and "ConstraintDescription" not in each
    ]

    assert silent == []
