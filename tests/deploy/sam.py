"""What SAM makes of ``parameter_overrides``, by SAM's own code in its own environment."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from tests.runtime.environments import environment, python_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_READS = """
import json, sys
import click
from samcli.cli.types import CfnParameterOverridesType

def read(overrides):
    try:
        return CfnParameterOverridesType().convert(overrides, None, None)
    except click.BadParameter:
        return None

print(json.dumps([read(each) for each in json.load(sys.stdin)]))
"""
_SENDS = """
import json, sys
from samcli.cli.types import CfnParameterOverridesType
from samcli.commands.deploy.deploy_context import DeployContext

overrides, template = json.load(sys.stdin)
read = CfnParameterOverridesType().convert(overrides, None, None)
print(json.dumps(DeployContext.merge_parameters(template, read)))
"""


def as_sam_reads(several: Sequence[Sequence[str]]) -> Any:
    """Return what SAM reads of each, by the parameters' names; None if it refuses."""
    return _run(_READS, list(several))


def as_sam_sends(overrides: Sequence[str], template: Mapping[str, Any]) -> Any:
    """Return the parameters as SAM gives them to CloudFormation."""
    return _run(_SENDS, [list(overrides), template])


def _run(script: str, given: Any) -> Any:
    done = subprocess.run(
        [str(python_of(environment(".venv-deploy"))), "-c", script],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
