"""The tests of a CDK project read settings.py as the construct does, without Node or a bundle."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from kmsjwt.deploy import template

if TYPE_CHECKING:
    from pathlib import Path

CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/1"
SETTING = "FAILED tests/test_stack.py::test_the_construct_takes_every_setting"
AUDIENCE = 'AUDIENCE = ["orders"]'


@pytest.fixture
def tool() -> str:
    return "cdk"


def put(project: Path, old: str, new: str) -> None:
    """Change one setting."""
    file = project / "settings.py"
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('# "hosted_zone_id": ""', '"hosted_zone_id": "Z1"', "certificate_arn is not"),
        ('"token_lifetime"', '"token_lifetme"', "is token_lifetime meant?"),
        ('"rotation_period": "30d"', '"rotation_period": "30m"', "rotation_period is '30m'"),
        (
            '# "vpc_subnet_ids": []',
            '"vpc_subnet_ids": ["subnet-1"]',
            "vpc_security_group_ids is not",
        ),
        ('# "certificate_arn": ""', f'"certificate_arn": "{CERTIFICATE}"', "in us-east-1"),
        ('"ring_name": "my-auth"', '"ring_name": "my auth"', "ring_name is 'my auth'"),
        ('"authorizer_ttl": 60', '"authorizer_ttl": "60"', "expected a whole number"),
        ('"token_lifetime": "15m"', '"token_lifetime": "2h"', "longer than max_token_lifetime"),
        (AUDIENCE, 'AUDIENCE = "orders, billing"', "expected each in a text of its own"),
    ],
    ids=lambda value: value,
)
def test_settings_that_the_construct_refuses(project, told, old, new, why):
    put(project, old, new)

    said = told("tests/test_stack.py")

    assert said.returncode == 1
    assert SETTING in said.stdout
    assert why in said.stdout
    assert "During handling" not in said.stdout
    assert "def test_" not in said.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('# "issuer": ""', '"issuer": ""'),
        ('"token_lifetime": "15m",', ""),
        ('"authorizer_ttl": 60,', ""),
        (AUDIENCE, 'AUDIENCE = ("orders", "billing")'),
        (AUDIENCE, 'AUDIENCE = "${Token[Later.7]}"'),
        ('# "vpc_subnet_ids": []', '"vpc_subnet_ids": []'),
    ],
    ids=lambda value: value,
)
def test_its_tests_pass_with_settings_that_the_construct_takes(project, told, old, new):
    put(project, old, new)

    said = told()

    assert said.returncode == 0, said.stdout


def test_what_is_set_has_the_constructs_names(project):
    """The template's are those of SAM's project."""
    names = set(template()["Parameters"]) - {"Audience", "Algorithm"}

    for file in project.rglob("*"):
        if file.is_file():
            words = set(re.findall(r"\w+", file.read_text("utf-8")))
            # The project's own tests read what the construct makes of them.
            assert file.name == "conftest.py" or not words & names, file


def test_what_is_unset_is_there_to_be_set(project):
    """Each by its name and with the kind of value that it has."""
    text = (project / "settings.py").read_text("utf-8")
    names: dict[str, Any] = {}
    exec(re.sub(r'^    # (".*,)$', r"    \1", text, flags=re.MULTILINE), names)

    parameters = template()["Parameters"]
    assert len(names["SETTINGS"]) == len(parameters) - 1
    lists = {name for name, value in names["SETTINGS"].items() if value == []}
    assert lists == {"signer_roles", "vpc_subnet_ids", "vpc_security_group_ids"}
