"""The tests of a written project notice what SAM and CloudFormation would not say, or say late."""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING

import pytest
from tests.runtime.environments import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HOW_TO = ROOT / "docs" / "how-to"
SETTING, BUNDLE = "test_the_template_takes_every_setting", "test_the_bundle_is_for"
STACK = "tests/test_stack.py"


@pytest.fixture
def tool() -> str:
    return "sam"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"Audience=orders"', '"Audience=orders, billing"', "SAM does not read 'billing'"),
        ("'VpcSubnetIds=\"\"',", "", "VpcSubnetIds is not set"),
        ("'IssuerUrl=\"\"',", "# 'IssuerUrl=\"\"',", "IssuerUrl is not set"),
        ("'IssuerUrl=\"\"'", '"IssuerUrl="', "SAM does not read 'IssuerUrl='"),
        ("'IssuerUrl=\"\"'", '"IssuerURL=https://id.example"', "is IssuerUrl meant?"),
        ('"TokenLifetime=15m"', '"TokenLifetme=5m"', "is TokenLifetime meant?"),
        ('"RotationPeriod=30d"', '"RotationPeriod=30"', "RotationPeriod is '30'"),
        ("'IssuerUrl=\"\"'", '"IssuerUrl=id.example"', "IssuerUrl is 'id.example'"),
        ("'VpcSubnetIds=\"\"'", '"VpcSubnetIds=subnet-1"', "VpcSecurityGroupIds is not"),
        ("'HostedZoneId=\"\"'", '"HostedZoneId=Z1"', "CertificateArn is not"),
        ('"TokenLifetime=15m"', '"TokenLifetime=2h"', "TokenLifetime is '2h', longer than Max"),
        ("parameter_overrides =", "parameters_overrides =", "parameter_overrides is missing"),
        ("[default.deploy.parameters]", "[default.deploy.parameter]", "overrides is missing"),
        ("[default.deploy.parameters]", "[default.build.parameters]", "overrides is missing"),
    ],
    ids=lambda value: value,
)
def test_settings_that_would_be_deployed_otherwise(project, told, old, new, why):
    file = project / "samconfig.toml"
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")

    said = told(STACK)

    assert said.returncode == 1
    assert f"FAILED tests/test_stack.py::{SETTING}[default]" in said.stdout
    failures, _, _ = said.stdout.partition("short test summary")  # which may repeat it all
    assert failures.count(why) == 1
    assert "def test_" not in said.stdout


def test_no_settings_at_all_is_a_failure(project, told):
    (project / "samconfig.toml").write_text("version = 0.1\n", "utf-8")

    said = told(STACK)

    assert said.returncode == 1
    assert f"FAILED tests/test_stack.py::{SETTING}[default]" in said.stdout
    assert "parameter_overrides is missing" in said.stdout


GLOBAL, DEPLOY = "[default.global.parameters]\n", "[default.deploy.parameters]\n"
SOME = 'parameter_overrides = ["Audience=orders"]\n'


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (lambda every: GLOBAL + every, None),
        (lambda every: GLOBAL + every.replace("IssueRate=20", "IssueRate=0"), "IssueRate is '0'"),
        (lambda every: GLOBAL + SOME + DEPLOY + every, None),
        (lambda every: GLOBAL + every + DEPLOY + SOME, "IssueRate is not set"),
    ],
    ids=["global", "global, wrong", "deploy wins", "deploy wins, wrong"],
)
def test_settings_are_those_of_global_and_of_deploy(project, told, written, why):
    """As SAM merges them (samcli.lib.config.samconfig, get_all)."""
    file = project / "samconfig.toml"
    _, name, every = file.read_text("utf-8").partition("parameter_overrides = ")
    file.write_text(f"version = 0.1\n{written(name + every)}", "utf-8")

    said = told(STACK)

    assert said.returncode == (1 if why else 0), said.stdout
    assert (why or "") in said.stdout


@pytest.mark.parametrize(
    "stage",
    [
        '[prod.global.parameters]\nstack_name = "prod"\n',
        '[prod.global.parameters]\nparameter_overrides = ["Audience=orders"]\n',
        '[prod.deploy.parameter]\nparameter_overrides = ["Audience=orders"]\n',
    ],
    ids=["none", "below global", "a typo"],
)
def test_every_stage_is_looked_at(project, told, stage):
    with (project / "samconfig.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{stage}")

    said = told(STACK)

    assert f"FAILED tests/test_stack.py::{SETTING}[prod]" in said.stdout
    assert f"FAILED tests/test_stack.py::{SETTING}[default]" not in said.stdout


@pytest.mark.parametrize(
    ("own", "old", "good"),
    [
        ('stack_name = "prod"', "", False),
        ("", "", False),
        ('stack_name = "my-auth"', "", True),
        ('stack_name = "prod"', "RingName=my-auth", True),
        ('stack_name = "prod"\nprofile = "prod"', "", True),
        ('stack_name = "prod"\nregion = "eu-west-1"', "", True),
    ],
    ids=["copied", "unnamed", "the same stack", "its own ring", "another account", "Region"],
)
def test_two_stacks_do_not_share_a_ring(project, told, own, old, good):
    file = project / "samconfig.toml"
    plain = file.read_text("utf-8")
    copy = plain.partition("[default.deploy.parameters]")[2]
    copy = copy.replace(old, "RingName=prod") if old else copy
    prod = f"[prod.global.parameters]\n{own}\n[prod.deploy.parameters]{copy}"
    file.write_text(f"{plain}\n{prod}", "utf-8")

    said = told(STACK)

    assert said.returncode == (0 if good else 1), said.stdout
    assert ("FAILED tests/test_stack.py::test_no_two_stacks" in said.stdout) is not good
    assert ("default and prod have one RingName=my-auth" in said.stdout) is not good
    assert "def test_" not in said.stdout


@pytest.mark.parametrize(
    ("change", "good"),
    [
        (lambda text: re.sub(r"  IssueRate:\n(    .*\n)*", "", text, count=1), False),
        (lambda text: text.replace("\nRules:", "\n  Own:\n    Type: String\nRules:", 1), False),
        (lambda text: text.replace("\nParameters:\n", "\nParameters:\n# Ours\n\n", 1), True),
    ],
    ids=["one is missing", "one's own", "comments"],
)
def test_a_template_of_other_parameters(project, told, change, good):
    """What SAM would pass over, and what an upgrade without the new template leaves."""
    file = project / "template.yaml"
    text = file.read_text("utf-8")
    assert change(text) != text
    file.write_text(change(text), "utf-8")

    said = told(STACK)

    assert said.returncode == (0 if good else 1), said.stdout
    assert ("FAILED tests/test_stack.py::test_the_template_here" in said.stdout) is not good
    assert ("take template.yaml from a new `kmsjwt init`" in said.stdout) is not good
    assert "def test_" not in said.stdout


def bundle(project: Path, arch: str, python: str, *modules: str) -> None:
    """Write what is looked at of a bundle."""
    (project / "dist").mkdir()
    with zipfile.ZipFile(project / "dist" / "function.zip", "w") as archive:
        archive.writestr("kmsjwt-bundle.json", json.dumps({"arch": arch, "python": python}))
        for module in ("issue", "authorizer", "rotate"):
            archive.writestr(f"kmsjwt/handlers/{module}.py", "")
        for module in modules:
            archive.writestr(module, "")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (("arm64", "3.13", "hello.py"), None),
        (("x86_64", "3.13", "hello.py"), "is for python3.13 on x86_64, and template.yaml runs it"),
        (("arm64", "3.12", "hello.py"), "is for python3.12 on arm64, and template.yaml runs it"),
        (("arm64", "3.13"), "has no module 'hello'"),
        (("arm64", "2.7"), "is no function's bundle"),
    ],
    ids=["the template's", "another processor", "another Python", "without hello.py", "of none"],
)
def test_a_bundle_for_something_else(project, told, made, why):
    bundle(project, *made)

    said = told(STACK)

    assert said.returncode == (1 if why else 0)
    assert (f"FAILED tests/test_stack.py::{BUNDLE}" in said.stdout) is bool(why)
    if why:
        assert why in said.stdout
        make = "kmsjwt bundle --arch arm64 --python 3.13 --with hello.py"
        assert f"\n  fix: {make}\n" in said.stdout
        assert f"`{make} && sam deploy`" in (project / "README.md").read_text("utf-8")
        assert "def test_" not in said.stdout


def test_functions_of_ones_own_may_run_on_anything(project, told):
    """What is compared is what runs the bundle."""
    file = project / "template.yaml"
    own = "Resources:\n  Own:\n    Type: AWS::Lambda::Function\n    Properties:\n"
    own += "      Runtime: nodejs22.x\n      Code: own.zip\n"
    file.write_text(file.read_text("utf-8").replace("Resources:\n", own, 1), "utf-8")
    bundle(project, "arm64", "3.13", "hello.py")

    assert told(STACK).returncode == 0


def page(name: str) -> str:
    return (HOW_TO / f"{name}.md").read_text("utf-8")


def test_the_page_calls_the_api_as_the_projects_readme_does(project):
    """Where the stack is and whose credentials they are comes from the environment."""
    readme = (project / "README.md").read_text("utf-8")
    lines = re.findall(
        r"^[$>] +(.*)$", readme.partition("## Use it")[2].partition("## ")[0], re.MULTILINE
    )

    assert len(lines) == 4
    shown = [line.strip() for line in page("deploy-with-sam").splitlines()]
    assert [line for line in lines if line not in shown] == []


def test_no_command_for_a_bundle_writes_over_a_file_of_the_project(project):
    written = set(re.findall(r"(?:-o|--out|>) (\S+)", page("package-the-functions")))

    assert "bundle.txt" in written
    assert [name for name in written if (project / name).exists()] == []
