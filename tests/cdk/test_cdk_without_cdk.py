"""Where the CDK is not installed, only who asks for the construct is told."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kmsjwt.cdk.parameters import Parameters, parameter_name, values
from kmsjwt.cdk.settling import settled
from kmsjwt.deploy import template


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
    described = template()
    given = {"audience": "orders", "algorithm": algorithm}
    filled = values(described, given, is_known_later=lambda value: "Token" in str(value))

    made = settled(described, filled)

    rotating = made["Resources"]["RotateFunction"]["Properties"]["Environment"]["Variables"]
    assert rotating["KMSJWT_SPEC"] == spec
    assert ("Mappings" in made) is isinstance(spec, dict)


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
