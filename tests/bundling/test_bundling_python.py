"""Which Python compiles and is measured, where some on the PATH start another or fail to."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.environments import HERE

from kmsjwt.bundling import Target
from kmsjwt.bundling.coldstart import measure_installed
from kmsjwt.bundling.compiling import interpreter
from kmsjwt.errors import ConfigError

REAL = sys.executable
TARGET = Target(arch="arm64", python=HERE)
FAILS = "echo 'no such version is set' >&2; exit 127"
# It finds the Python by a setting, as those of version managers do.
STARTS = 'exec "${WHERE:?is not set}" "$@"'
HANGS_ON = "echo '{}'"


@pytest.fixture
def path(tmp_path, monkeypatch) -> Any:
    """Put programs of that Python's name on the PATH, and be run by none that compiles."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))

    def put(*scripts: str | None) -> list[Path]:
        folders = [tmp_path / str(number) for number in range(len(scripts))]
        for folder, script in zip(folders, scripts, strict=True):
            folder.mkdir()
            program = folder / f"python{HERE}"
            if script is None:
                program.symlink_to(REAL)
            else:
                program.write_text(f"#!/bin/sh\n{script}\n")
                program.chmod(0o755)
        monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
        return [folder / f"python{HERE}" for folder in folders]

    return put


@pytest.mark.parametrize("script", [FAILS, HANGS_ON, "echo '[1'", "kill -9 $$"], ids=str)
def test_one_that_does_not_run_is_passed_over(script, path):
    _, behind = path(script, None)

    assert interpreter(TARGET) == str(behind)


def test_of_one_that_starts_another_the_other_is_used(path, monkeypatch):
    monkeypatch.setenv("WHERE", REAL)
    path(STARTS)

    chosen = interpreter(TARGET)

    assert chosen is not None
    assert Path(chosen).resolve() == Path(REAL).resolve()


def test_one_whose_other_does_not_run_by_itself_is_used(path):
    """Such as one that sets where the other's libraries are."""
    magic = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")
    [program] = path(f"""echo '["cpython", {magic}, "/nowhere/python"]'""")

    assert interpreter(TARGET) == str(program)


def test_where_none_runs_there_is_none(path):
    path(FAILS, FAILS)

    assert interpreter(TARGET) is None


def test_a_python_that_does_not_start_is_named_and_no_fault_of_the_bundle(path, monkeypatch):
    """Measured in an empty environment, as a function's process begins."""
    monkeypatch.setenv("WHERE", REAL)
    [program] = path(STARTS)
    monkeypatch.setattr(sys, "executable", str(program))

    with pytest.raises(ConfigError) as caught:
        measure_installed(settings={}, event={})

    assert caught.value.code == "bundle_measure"
    assert str(program) in caught.value.message
    assert "Python itself failed to start" in caught.value.message
    assert "is not set" in caught.value.message
    assert "let a good token in" not in caught.value.message
    assert caught.value.fix
