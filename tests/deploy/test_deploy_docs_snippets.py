"""The snippets of CloudFormation on the docs' pages are no worse than the template: cfn-lint."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.runtime.environments import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEFINED = re.compile(r"^  (\w+):", re.MULTILINE)
USED = re.compile(r"!(?:Ref|GetAtt) (\w+)|\$\{(\w+)(?:\.\w+)?\}")
# What a page takes for granted and names by an attribute; what else it does is a parameter.
TAKEN_FOR_GRANTED = {
    "AuthorizerFunction": """\
    Type: AWS::Lambda::Function
    Properties:
      Handler: kmsjwt.handlers.authorizer.handler
      Runtime: python3.13
      Role: !GetAtt AuthorizerRole.Arn
      Code: {S3Bucket: bundles, S3Key: authorizer.zip}
""",
    "AuthorizerRole": """\
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
""",
}


def snippets() -> dict[str, str]:
    """Return each block with resources, as a template, by its page and place."""
    found = {}
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for index, block in enumerate(BLOCK.findall(page.read_text("utf-8"))):
            if re.search(r"^Resources:$", block, re.MULTILINE):
                found[f"{page.stem}-{index}.yaml"] = completed(block)
            else:
                assert "AWS::" not in block, f"{page.name}: a resource that nobody looks at"
    return found


def completed(block: str) -> str:
    """Return a snippet as a whole template, with what it names and does not show."""
    while missing := _missing(block):
        name = missing[0]
        if name in TAKEN_FOR_GRANTED:
            block += f"  {name}:\n{TAKEN_FOR_GRANTED[name]}"
        else:
            rest = block.removeprefix("Parameters:\n")
            block = f"Parameters:\n  {name}:\n    Type: String\n{rest}"
    return block


def _missing(block: str) -> list[str]:
    names = (one or other for one, other in USED.findall(block))
    return sorted(set(names) - set(DEFINED.findall(block)) - {"AWS"})


@pytest.fixture(scope="module")
def cfn_lint() -> Path:
    return environment(".venv-deploy") / "bin" / "cfn-lint"


def linted(program: Path, folder: Path, templates: Mapping[str, str]) -> Any:
    for name, text in templates.items():
        (folder / name).write_text(text, "utf-8")
    return subprocess.run(
        [str(program), "--regions", "eu-central-1", "--", *templates],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_cfn_lint_finds_nothing_in_what_the_docs_show(cfn_lint, tmp_path):
    shown = snippets()

    done = linted(cfn_lint, tmp_path, shown)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(shown) >= 6


def test_cfn_lint_finds_what_is_wrong_in_each(cfn_lint, tmp_path):
    """So that none is passed over: a property that there is none of, in the first resource."""
    wrong = {
        name: text.replace("    Properties:\n", "    Properties:\n      Nonesuch: 1\n", 1)
        for name, text in snippets().items()
    }

    done = linted(cfn_lint, tmp_path, wrong)

    assert done.returncode != 0
    assert {name for name in wrong if f"{name}:" in done.stdout} == set(wrong)
    assert done.stdout.count("'Nonesuch' was unexpected") == len(wrong)
