"""Where the CDK is not installed, only who asks for the construct is told."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from kmsjwt.cdk.parameters import Parameters, parameter_name, values
from kmsjwt.cdk.settling import settled
from kmsjwt.deploy import template
from kmsjwt.deploy.deciding import is_met
from kmsjwt.errors import ConfigError

CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/1"
LATER = "${Token[Later.7]}"


def is_later(value: object) -> bool:
    return isinstance(value, str) and "Token" in value


def checked(**given: Any) -> dict[str, Any]:
    """Return every parameter's value as the construct fills it."""
    return values(template(), given, is_known_later=is_later)


def refused(**given: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        checked(**given)
    assert caught.value.code == "cdk_parameters"
    return caught.value.message


def test_each_parameter_of_the_template_is_an_argument():
    """Audience is the one that must be given, and stands before the others."""
    arguments = {parameter_name(argument) for argument in Parameters.__annotations__}

    assert arguments == set(template()["Parameters"]) - {"Audience"}


@pytest.mark.parametrize(
    ("algorithm", "spec"),
    [
        ("RS256", "RSA_2048"),
        ("ES256", "ECC_NIST_P256"),
        (
            "${Token[Algorithm.7]}",
            {"Fn::FindInMap": ["Algorithms", {"Ref": "Algorithm"}, "KeySpec"]},
        ),
    ],
)
def test_a_mapping_is_looked_up_unless_its_key_is_known_later(algorithm, spec):
    made = settled(template(), checked(audience="orders", algorithm=algorithm))

    rotating = made["Resources"]["RotateFunction"]["Properties"]["Environment"]["Variables"]
    assert rotating["KMSJWT_SPEC"] == spec
    assert ("Mappings" in made) is isinstance(spec, dict)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"hosted_zone_id": "Z1"}, "hosted_zone_id is set, and certificate_arn is not"),
        ({"certificate_arn": CERTIFICATE}, "certificate_arn is set, and issuer is not"),
        ({"certificate_arn": LATER}, "certificate_arn is set, and issuer is not"),
    ],
    ids=["a zone without a certificate", "a certificate without an issuer", "known later"],
)
def test_the_templates_rules_are_arguments_rules(given, told):
    """And are said by the arguments' names, in the order of the template."""
    assert refused(audience="orders", **given) == told


@pytest.mark.parametrize(
    "given",
    [
        {"token_lifetime": "90m"},
        {"max_token_lifetime": "899"},
        {"token_lifetime": "2h", "max_token_lifetime": "119m"},
    ],
    ids=str,
)
def test_no_lifetime_is_longer_than_the_longest(given):
    """The issue function does not start with it."""
    told = refused(audience="orders", **given)

    assert told.startswith("token_lifetime is ")
    assert "longer than max_token_lifetime" in told


@pytest.mark.parametrize(
    "given",
    [
        {"token_lifetime": "60m"},
        {"token_lifetime": LATER, "max_token_lifetime": "1s"},
        {"token_lifetime": "1h", "max_token_lifetime": LATER},
    ],
    ids=["as long", "known later", "the longest known later"],
)
def test_one_that_may_be_good_is_taken(given):
    assert checked(audience="orders", **given)["TokenLifetime"] == given["token_lifetime"]


@pytest.mark.parametrize("missing", ["vpc_subnet_ids", "vpc_security_group_ids"])
def test_of_a_vpc_both_lists_are_given_or_neither(missing):
    both = {"vpc_subnet_ids": ["subnet-1"], "vpc_security_group_ids": ["sg-1"]}
    half = {name: value for name, value in both.items() if name != missing}

    told = refused(audience="orders", **half)

    assert "vpc_subnet_ids" in told
    assert "vpc_security_group_ids" in told
    assert checked(audience="orders", **both)["VpcSubnetIds"] == ["subnet-1"]


def test_rules_and_arguments_are_told_together():
    told = refused(audience=[], hosted_zone_id="Z1", ring_name="a b")

    assert "audience is empty" in told
    assert "ring_name is 'a b'" in told
    assert "hosted_zone_id is set, and certificate_arn is not" in told


def test_of_an_argument_that_makes_no_sense_no_rule_is_told():
    told = refused(audience="orders", certificate_arn=7, hosted_zone_id="Z1")

    assert told == "certificate_arn is 7, expected a text"


@pytest.mark.parametrize(
    "given",
    [
        {"issuer": "https://id.example", "certificate_arn": CERTIFICATE, "hosted_zone_id": "Z1"},
        {"issuer": LATER, "certificate_arn": LATER, "hosted_zone_id": LATER},
    ],
    ids=["known", "known later"],
)
def test_what_keeps_the_rules_is_taken(given):
    filled = checked(audience="orders", **given)

    assert filled["CertificateArn"] == given["certificate_arn"]


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ({"Fn::EachMemberEquals": [{"Ref": "None"}, ""]}, True),
        ({"Fn::EachMemberEquals": [{"Ref": "Two"}, "a"]}, False),
        ({"Fn::EachMemberEquals": [{"Ref": "Same"}, {"Ref": "A"}]}, True),
        ({"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Fn::Equals": [{"Ref": "A"}, "a"]}]}, True),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_functions_of_rules(condition, met):
    """CloudFormation guide, "Rule-specific intrinsic functions"."""
    given = {"None": [], "Two": ["a", "b"], "Same": ["a", "a"], "A": "a"}

    assert is_met(condition, given) is met


def test_a_function_that_is_not_known_is_no_rule_that_is_kept():
    with pytest.raises(KeyError, match="Fn::Nothing"):
        is_met({"Fn::Nothing": ["a", "b"]}, {})


@pytest.mark.parametrize(
    ("audience", "told"),
    [
        ([], "audience is empty, expected: Whom tokens are for"),
        ("", "audience is empty, expected: Whom tokens are for"),
        ([""], "audience has '', expected each in a text of its own"),
        ("orders,billing", "audience has 'orders,billing', expected each in a text of its own"),
        (["orders", "billing, till"], "audience has 'billing, till', expected each in a text"),
        ("orders billing", "without commas and spaces, such as"),
        (["orders", 7], "audience is of type list, expected a list of texts"),
    ],
    ids=str,
)
def test_an_audience_that_the_functions_would_read_otherwise(audience, told):
    assert told in refused(audience=audience)


def test_so_are_other_lists_which_may_be_empty():
    assert "signer_roles has 'a b'" in refused(audience="orders", signer_roles=["a b"])
    assert checked(audience="orders", signer_roles="")["SignerRoles"] == []


@pytest.mark.parametrize(
    "audience",
    [
        "orders",
        ["orders", "https://billing.example/"],
        LATER,
        ["orders", LATER],
        [f"{LATER} {LATER}"],
    ],
    ids=str,
)
def test_good_audiences_arrive_as_a_list(audience):
    expected = [audience] if isinstance(audience, str) else audience

    assert checked(audience=audience)["Audience"] == expected


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("token_lifetme", "; is token_lifetime meant?"),
        ("RingName", "; is ring_name meant?"),
        ("issuer_url", "; is issuer meant?"),
        ("zzz", "token_lifetime"),
    ],
)
def test_an_argument_that_is_none_may_be_misspelt(argument, told):
    said = refused(audience="orders", **{argument: "https://id.example"})

    assert said.startswith(f"{argument} is no argument of TokenAuthority")
    assert said.endswith(told) is (argument != "zzz")


def test_what_was_expected_is_said_by_the_arguments_names():
    """Not by those of the template's parameters, which are SAM's."""
    told = refused(hosted_zone_id="z", certificate_arn="c", token_lifetime="1w", audience="")

    assert not [name for name in template()["Parameters"] if re.search(rf"\b{name}\b", told)]


def test_the_cdks_own_text_for_a_value_is_known_without_it():
    filled = values(template(), {"audience": LATER, "issuer": f"https://{LATER}"})

    assert (filled["Audience"], filled["IssuerUrl"]) == ([LATER], f"https://{LATER}")


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        ("import kmsjwt.cdk; print('aws_cdk' in sys.modules)", "False"),
        (
            "import kmsjwt.cdk; kmsjwt.cdk.TokenAuthority",
            "aws_cdk is not installed, which kmsjwt.cdk is made of; pip install 'kmsjwt[cdk]'",
        ),
        ("import kmsjwt.cdk; kmsjwt.cdk.Nothing", "has no attribute 'Nothing'"),
    ],
    ids=["imported", "used", "misspelt"],
)
def test_it_says_what_to_install(program, printed):
    hidden = "import sys; sys.modules['aws_cdk'] = None; del sys.modules['aws_cdk']\n"
    block = (
        "class Missing:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.partition('.')[0] == 'aws_cdk':\n"
        "            raise ModuleNotFoundError('gone', name='aws_cdk')\n"
        "sys.meta_path.insert(0, Missing())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{hidden}{block}{program}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert printed in done.stdout + done.stderr
