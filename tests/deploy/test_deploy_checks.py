"""What others' tools say of the template: cfn-lint, SAM's validation, checkov. All offline."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.runtime.environments import environment

from kmsjwt.deploy import StackSettings, as_yaml, template

if TYPE_CHECKING:
    from pathlib import Path

# Why each finding of checkov is as it should be. One that is named here and not found is an error
# too, so that nothing is excused for long.
EXCUSED = {
    "CKV_AWS_18": "access logs of a bucket that holds public documents, read through CloudFront",
    "CKV_AWS_68": "a web application firewall costs more than what is behind it: public keys",
    "CKV_AWS_73": "X-Ray is the deployer's choice; the example's REST API needs no permission",
    "CKV_AWS_76": "a REST API's access log takes a role of the whole account; the HTTP API has one",
    "CKV_AWS_86": "access logs of public keys say who verifies tokens: nobody needs to keep that",
    "CKV_AWS_115": "the issue function alone is limited: the others must not refuse requests",
    "CKV_AWS_116": "a dead letter queue is for events that must not be lost; a gateway waits for"
    " its answer, and an hour later the next run does what the last one did not",
    "CKV_AWS_117": "nothing here is within a VPC; docs tell what to do if yours is",
    "CKV_AWS_120": "API Gateway's own cache would answer one caller with what another was told",
    "CKV_AWS_158": "no token and no secret is in a log; CloudWatch encrypts with a key of its own",
    "CKV_AWS_173": "no secret is in an environment; Lambda encrypts it with a key of its own",
    "CKV_AWS_174": "without a domain there is CloudFront's own certificate, whose policy is fixed",
}


@pytest.fixture(scope="module")
def tools() -> Path:
    return environment(".venv-deploy") / "bin"


def project(folder: Path, described: Any) -> Path:
    """Make a folder as ``kmsjwt init`` leaves one: the template, and the bundle where it says."""
    (folder / "dist").mkdir()
    (folder / "dist" / "function.zip").write_bytes(b"")
    (folder / "template.yaml").write_text(as_yaml(described))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return project(tmp_path_factory.mktemp("project"), template())


def run(command: list[str], folder: Path) -> Any:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    return subprocess.run(
        command,
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("examples", [True, False], ids=["with examples", "without"])
def test_cfn_lint_finds_nothing(examples, tools, tmp_path):
    described = template(StackSettings(examples=examples))

    done = run([str(tools / "cfn-lint"), "template.yaml"], project(tmp_path, described))

    assert (done.returncode, done.stdout) == (0, "")


def test_sam_finds_it_valid(tools, folder):
    done = run([str(tools / "sam"), "validate", "--lint", "-t", "template.yaml"], folder)

    assert done.returncode == 0, done.stderr
    assert "valid SAM Template" in done.stdout


def test_checkov_finds_what_is_excused_and_nothing_else(tools, folder):
    command = [*("-f", "template.yaml", "--framework", "cloudformation"), *("-o", "json")]
    done = run([str(tools / "checkov"), *command, "--skip-download", "--quiet"], folder)

    told = json.loads(done.stdout)
    assert told["summary"]["parsing_errors"] == 0
    assert told["summary"]["passed"] > 20
    found: dict[str, list[str]] = {}
    for each in told["results"]["failed_checks"]:
        found.setdefault(each["check_id"], []).append(each["resource"])
    assert {check: found[check] for check in found.keys() - EXCUSED.keys()} == {}
    assert EXCUSED.keys() - found.keys() == set()


def test_cfn_lint_finds_what_is_wrong(tools, tmp_path):
    described = template()
    described["Resources"]["IssueFunction"]["Properties"]["Runtme"] = "python3.13"
    described["Resources"]["HttpStage"]["Properties"]["ApiId"] = {"Ref": "Api"}

    done = run([str(tools / "cfn-lint"), "template.yaml"], project(tmp_path, described))

    assert done.returncode != 0
    assert "Runtme" in done.stdout
    assert "'Api' is not one of" in done.stdout
