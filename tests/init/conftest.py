"""Projects as `kmsjwt init` writes them."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from kmsjwt.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Typed = Callable[..., SimpleNamespace]


@pytest.fixture
def typed(monkeypatch, capsys, tmp_path) -> Any:
    """Type `kmsjwt init` in an empty folder."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "KMSJWT_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> SimpleNamespace:
        capsys.readouterr()
        code = main(["init", *words])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


@pytest.fixture(params=["sam", "cdk"])
def tool(request) -> str:
    return str(request.param)


@pytest.fixture
def project(typed, tool, tmp_path) -> Path:
    assert typed("my-auth", "--with", tool).code == 0
    folder: Path = tmp_path / "my-auth"
    return folder


@pytest.fixture
def told(project) -> Any:
    """Return what the tests of a written project say, or some of them."""

    def run(*words: str) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
