"""What a project installs is the kmsjwt that wrote it, wherever that came from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from tests.bundling import wheelhouse

from kmsjwt.cli.scaffold.requirement import requirement

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "7f1c6c6b5a7b3c1a0f5c9d6e8b7a6f5e4d3c2b1a"
SHA = "ab" * 32
# As pip writes them (PyPA, "Direct URL Data Structure").
ORIGINS = {
    "a folder": ({"dir_info": {}, "url": "file:///home/ala/kmsjwt"}, "file:///home/ala/kmsjwt"),
    "a folder, editable": (
        {"dir_info": {"editable": True}, "url": "file:///home/a%20b/kmsjwt"},
        "file:///home/a%20b/kmsjwt",
    ),
    "a commit": (
        {
            "url": "https://git.example/kmsjwt.git",
            "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": COMMIT},
        },
        f"git+https://git.example/kmsjwt.git@{COMMIT}",
    ),
    "a commit, a folder in it": (
        {
            "url": "ssh://git@git.example/all.git",
            "vcs_info": {"vcs": "git", "commit_id": COMMIT},
            "subdirectory": "libs/kmsjwt",
        },
        f"git+ssh://git@git.example/all.git@{COMMIT}#subdirectory=libs/kmsjwt",
    ),
    "a wheel": (
        {
            "url": "file:///tmp/kmsjwt-0.1.0-py3-none-any.whl",
            "archive_info": {"hash": f"sha256={SHA}", "hashes": {"sha256": SHA}},
        },
        f"file:///tmp/kmsjwt-0.1.0-py3-none-any.whl#sha256={SHA}",
    ),
    "a wheel of an older pip": (
        {"url": "https://files.example/kmsjwt-0.1.0-py3-none-any.whl", "archive_info": {}},
        "https://files.example/kmsjwt-0.1.0-py3-none-any.whl",
    ),
}


@pytest.mark.parametrize(("told", "url"), ORIGINS.values(), ids=ORIGINS)
def test_what_came_from_a_place_is_named_with_it(told, url):
    read = Requirement(requirement("aws,cdk", "0.1.0", json.dumps(told)))

    assert (read.name, read.extras, read.url) == ("kmsjwt", {"aws", "cdk"}, url)
    assert not read.specifier


def test_what_came_from_an_index_is_named_with_its_version():
    read = Requirement(requirement("aws", "0.1.0", None))

    assert (read.name, read.extras, str(read.specifier)) == ("kmsjwt", {"aws"}, "==0.1.0")
    assert read.url is None


@pytest.mark.parametrize("tool", ["sam", "cdk"])
def test_a_project_can_be_installed_as_its_readme_says(tool, tmp_path):
    """By whoever installed kmsjwt from a wheel, where no index has it."""
    wheel = _wheel_of_ours(tmp_path)
    _pip("install", "--target", str(tmp_path / "installed"), str(wheel))
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    _run([sys.executable, "-m", "kmsjwt", "init", "mine", "--with", tool], tmp_path, environ)
    project = tmp_path / "mine"

    lines = (project / "requirements.txt").read_text().splitlines()
    done = _pip("install", "--dry-run", "--ignore-installed", "--report", "-", lines[0])

    assert Requirement(lines[0]).extras == ({"aws"} if tool == "sam" else {"aws", "cdk"})
    [found] = json.loads(done)["install"]
    assert found["download_info"]["url"] == wheel.as_uri()
    assert wheel.as_uri() in (project / "README.md").read_text()


def test_of_an_index_the_readme_says_nothing(typed, tmp_path, monkeypatch):
    monkeypatch.setattr("kmsjwt.cli.scaffold.installed", lambda: ("1.2.3", None))

    typed("mine")

    assert (tmp_path / "mine" / "requirements.txt").read_text() == "kmsjwt[aws]==1.2.3\npytest\n"
    assert "requirements.txt` names" not in (tmp_path / "mine" / "README.md").read_text()


def _wheel_of_ours(folder: Path) -> Path:
    """Return a wheel of the source as it is."""
    source = wheelhouse.ROOT / "src" / "kmsjwt"
    files = {
        f"kmsjwt/{path.relative_to(source)}": path.read_bytes()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return wheelhouse.make_wheel(folder, "kmsjwt", files)


def _pip(*words: str) -> str:
    quiet = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    return _run([sys.executable, "-m", "pip", *words, *quiet], None, dict(os.environ))


def _run(command: list[str], folder: Path | None, environ: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
