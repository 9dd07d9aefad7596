"""The template as it is rendered: what must be in it, what must not, and its two texts."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from kmsjwt.deploy import StackSettings, as_json, template
from kmsjwt.errors import ConfigError
from kmsjwt.handlers import authorizer, issue, rotate
from kmsjwt.key_names import ring_name
from kmsjwt.local import LocalKms


@pytest.mark.parametrize("examples", [True, False])
def test_no_key_and_no_alias_is_in_it(examples):
    kinds = {
        each["Type"] for each in template(StackSettings(examples=examples))["Resources"].values()
    }

    assert not [kind for kind in kinds if "::KMS::" in kind]


@pytest.mark.parametrize("examples", [True, False])
def test_every_name_in_it_is_of_something_in_it(examples):
    described = template(StackSettings(examples=examples))
    known = {*described["Parameters"], *described["Resources"]}
    text = json.dumps(described)

    referred = set(re.findall(r'"Ref": "([^":]+)"', text))
    referred |= set(re.findall(r'"Fn::GetAtt": \["([^"]+)"', text))
    referred |= {name.partition(".")[0] for name in re.findall(r"\$\{([A-Za-z0-9.]+)\}", text)}
    assert referred <= known
    assert set(described["Parameters"]) <= referred
    conditions = set(re.findall(r'"(?:Fn::If": \[|Condition": )"([^"]+)"', text))
    assert conditions == set(described["Conditions"])


def test_what_reads_discovery_waits_for_the_ring():
    described = template()["Resources"]
    native = [
        each
        for each in described.values()
        if each["Type"] == "AWS::ApiGatewayV2::Authorizer"
        and each["Properties"]["AuthorizerType"] == "JWT"
    ]

    assert [each["DependsOn"] for each in native] == [["Ring"]]


def test_a_deployment_of_the_rest_api_is_another_if_the_api_is():
    from kmsjwt.deploy import rest_api

    def deployment(resources: dict[str, Any]) -> tuple[str, set[str]]:
        [(name, made)] = [
            (name, each)
            for name, each in resources.items()
            if each["Type"] == "AWS::ApiGateway::Deployment"
        ]
        return name, set(made["DependsOn"])

    before, waits = deployment(rest_api.rest_api())
    parts = {
        name
        for name, each in rest_api.rest_api().items()
        if each["Type"].rpartition("::")[2] in ("Method", "GatewayResponse", "Authorizer")
    }
    assert parts <= waits
    assert deployment(template()["Resources"])[0] == before


def test_functions_take_the_environment_that_they_are_given(monkeypatch):
    """Each default of a parameter, as the function reads it."""
    monkeypatch.delenv("AWS_REGION", raising=False)
    described = template()
    given = {name: each.get("Default", "orders") for name, each in described["Parameters"].items()}

    def environ(function: str) -> dict[str, str]:
        told = described["Resources"][f"{function}Function"]["Properties"]["Environment"]
        return {
            name: value
            for name, each in told["Variables"].items()
            if (value := plain(each, given)) is not None
        }

    def quiet(*_: object, **__: object) -> None:
        pass

    kms = LocalKms()
    kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    issue.build(environ=environ("Issue"), client=kms, log=quiet)
    authorizer.build(environ=environ("Authorizer"), log=quiet)
    region = {"KMSJWT_REGION": "eu-central-1"}
    rotate.build(environ={**environ("Rotate"), **region}, client=kms, log=quiet)


def plain(value: Any, given: dict[str, Any]) -> str | None:
    """Return what a value comes to in a stack whose optional parameters are left out."""
    if isinstance(value, str):
        return value
    [(function, argument)] = value.items()
    if function == "Fn::If":
        return plain(argument[2], given)
    if function == "Fn::Join":
        return str(given[argument[1]["Ref"]])
    if function == "Fn::FindInMap":
        return str(template()["Mappings"]["Algorithms"][given["Algorithm"]][argument[2]])
    if function == "Fn::Sub":
        made = {"Distribution.DomainName": "d1.cloudfront.net", "Documents": "documents-1", **given}
        return re.sub(r"\$\{([^}]+)\}", lambda match: str(made[match[1]]), argument)
    made = {"AWS::NoValue": None, "AWS::AccountId": "123456789012", "Distribution": "E2QWRUHAPO"}
    found = {**given, **made}[argument]
    return None if found is None else str(found)


@pytest.mark.parametrize("name", ["auth", "a_b-C9", "x" * 240])
def test_the_ring_names_that_it_takes_are_rings(name):
    pattern = template()["Parameters"]["RingName"]["AllowedPattern"]

    assert re.search(pattern, name)
    assert ring_name(name) == name
    assert not re.search(pattern, f"{name}/1")


@pytest.mark.parametrize(
    ("issuer", "good"),
    [
        ("", True),
        ("https://id.example", True),
        ("http://id.example", False),
        ("https://id.example/", False),
        ("https://id.example/a", False),
        ("https://id.example?x", False),
        ("https://ID.example:8443", True),
    ],
)
def test_an_issuer_is_a_host_over_https_or_none(issuer, good):
    pattern = template()["Parameters"]["IssuerUrl"]["AllowedPattern"]

    assert bool(re.search(pattern, issuer)) is good


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"runtime": "python3"}, "runtime is 'python3'"),
        ({"architecture": "arm"}, "architecture is 'arm'"),
        ({"backend": "orders"}, "backend is 'orders'"),
        ({"algorithms": {}}, "no algorithm is named"),
        ({"algorithms": {"RS256": "ECC_NIST_P256"}}, "alg is 'RS256'"),
        ({"algorithms": {"HS256": "HMAC_256"}}, "signs no JWT"),
        ({"runtime": "x", "architecture": "y"}, "architecture is 'y'"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_settings_that_make_no_sense_are_refused(settings, told):
    with pytest.raises(ConfigError, match=told):
        StackSettings(**settings)


def test_its_text_says_the_same_and_is_short_enough():
    described = template()

    assert json.loads(as_json(described)) == described
    assert len(json.dumps(described)) < 51_200  # CloudFormation's limit of a template in a request
