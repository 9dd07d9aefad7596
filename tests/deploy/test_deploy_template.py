"""The template as it is rendered: what must be in it, what must not, and its two texts."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from tests.handlers.support import Recorder

from kmsjwt.deploy import StackSettings, as_json, template
from kmsjwt.errors import ConfigError
from kmsjwt.handlers import authorizer, issue, rotate
from kmsjwt.key_names import ring_name
from kmsjwt.local import LocalKms
from kmsjwt.testing import Tokens, events


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


@pytest.mark.parametrize("is_there", [True, False], ids=["with the keys", "without"])
def test_the_authorizer_begins_with_the_keys_that_a_bundle_has(is_there, tmp_path, monkeypatch):
    """By the variables of the template, in the folder that the bundle was unpacked into."""
    described = template()
    given = {name: each.get("Default", "orders") for name, each in described["Parameters"].items()}
    told = described["Resources"]["AuthorizerFunction"]["Properties"]["Environment"]["Variables"]
    tokens = Tokens(issuer="https://d1.cloudfront.net")
    environ = {name: str(plain(value, given)) for name, value in told.items()}
    read = {"read_at": int(time.time()), "read_from": environ["KMSJWT_JWKS"]}
    seed = json.dumps({**tokens.jwks, **read})
    (tmp_path / ("jwks-seed.json" if is_there else "other.json")).write_text(seed)
    monkeypatch.chdir(tmp_path)
    log = Recorder()

    function = authorizer.build(environ=environ, log=log)

    assert log.lines[0]["seed"] == ("jwks-seed.json" if is_there else None)
    if is_there:  # else it would ask that host
        answer = function(events.rest_token(authorization=f"Bearer {tokens.good()}"), None)
        assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"


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
    ("issuer", "good"),
    [
        ("https://id.example/auth/v1.0", True),
        ("https://id.example:8443/auth/v1.0", True),
        ("", False),  # the documents are written below the path, and CloudFront's address has none
        ("https://id.example", False),
        ("https://id.example/auth/v1.0/", False),
        ("https://id.example/auth/v1x0", False),
        ("https://id.example/other/auth/v1.0", False),
    ],
)
def test_an_issuer_has_the_path_that_was_settled(issuer, good):
    declared = template(StackSettings(issuer_path="/auth/v1.0"))["Parameters"]["IssuerUrl"]

    assert bool(re.search(declared["AllowedPattern"], issuer)) is good
    assert "Default" not in declared
    assert declared["ConstraintDescription"].startswith("https://HOST/auth/v1.0,")


@pytest.mark.parametrize("path", ["auth", "/auth/", "//auth", "/../auth", "/.auth", "/a b", "/a?b"])
def test_a_path_that_is_no_files_name_is_refused(path):
    with pytest.raises(ConfigError, match="issuer_path is"):
        StackSettings(issuer_path=path)


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


UNIT = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
BOUNDS = {
    "TokenLifetime": (1, 86_400),
    "MaxTokenLifetime": (1, 86_400),
    "RotationPeriod": (3_600, 3_650 * 86_400),
    "ConsumerCache": (1, 30 * 86_400),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_length_of_time_is_taken_within_its_bounds_and_not_beyond(name):
    """Each whole number around each end, and powers of ten, in each unit."""
    least, most = BOUNDS[name]
    pattern = template()["Parameters"][name]["AllowedPattern"]
    for unit, seconds in UNIT.items():
        ends = [least // seconds, most // seconds, *(10**power for power in range(10))]
        for number in {end + step for end in ends for step in range(-12, 13)}:
            if number >= 0:
                good = number > 0 and least <= number * seconds <= most
                assert bool(re.search(pattern, f"{number}{unit}")) is good, f"{number}{unit}"
    for text in ("", "0", "1w", "01h", "1.5h", "1h ", " 1h", "-1h", "PT1H", "h", "1hh"):
        assert not re.search(pattern, text), text


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("TokenLifetime", "30d"),
        ("MaxTokenLifetime", "30d"),
        ("RotationPeriod", "59m"),
        ("ConsumerCache", "31d"),
    ],
)
def test_what_no_function_starts_with_is_not_taken(name, refused):
    """And what is taken, each does: the longest and the shortest."""
    told = template()["Parameters"][name]
    least, most = BOUNDS[name]
    kms = LocalKms()

    def starts(value: str) -> bool:
        variables = {
            "TokenLifetime": {"KMSJWT_LIFETIME": value},
            "MaxTokenLifetime": {"KMSJWT_MAX_LIFETIME": value},
            "RotationPeriod": {"KMSJWT_PERIOD": value},
            "ConsumerCache": {"KMSJWT_CONSUMER_CACHE": value},
        }[name]
        issuer = {"KMSJWT_ISSUER": "https://id.example", "KMSJWT_KEY": "ring:auth"}
        ring = {"KMSJWT_RING": "auth", "KMSJWT_TO": "kms"}
        try:
            if name in ("TokenLifetime", "MaxTokenLifetime"):
                issue.build(environ={**issuer, **variables}, client=kms, log=lambda *_, **__: None)
            else:
                rotate.build(environ={**ring, **variables}, client=kms, log=lambda *_, **__: None)
        except ConfigError:
            return False
        return True

    assert not starts(refused)
    assert not re.search(told["AllowedPattern"], refused)
    assert starts(str(least))
    assert starts(str(most))


def test_what_a_person_needs_afterwards_is_told():
    told = template(StackSettings(examples=False))["Outputs"]

    assert told["AuthorizerFunctionArn"]["Value"] == {"Fn::GetAtt": ["AuthorizerFunction", "Arn"]}
    assert told["TokenRouteArn"]["Value"]["Fn::Sub"].endswith("${HttpApi}/$default/POST/token")
    # A ring's last key never retires, and what has not retired is refused by this.
    assert "key delete" not in json.dumps(told["AfterDeletion"])
