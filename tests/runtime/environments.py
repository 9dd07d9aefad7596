"""Virtual environments of their own, which `make test` sets up: found, or the test is not run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.giving_up import give_up

ROOT = Path(__file__).resolve().parents[2]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def environment(name: str) -> Path:
    """Return the folder of the environment `name`, such as ``.venv-runtime``.

    It is of one Python, that of .venv. On the others that `make test` goes through the test is
    skipped: it would run the very same programs again.
    """
    home = ROOT / name
    if not (home / ".ready").exists():
        give_up(f"{name} is not there: make {name}/.ready")
    settings = dict(
        line.split(" = ", 1)
        for line in (home / "pyvenv.cfg").read_text().splitlines()
        if " = " in line
    )
    theirs = ".".join(settings["version"].split(".")[:2])
    if theirs != HERE:
        pytest.skip(f"{name} is of Python {theirs}, and on that alone it is tested")
    return home


def python_of(home: Path) -> Path:
    return home / "bin" / "python"
