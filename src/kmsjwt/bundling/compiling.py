"""Compiled files, which a function cannot write for itself: its folder is read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from kmsjwt.bundling.target import Target

_WHO = (
    "import importlib.util, sys; print(sys.implementation.name,"
    " int.from_bytes(importlib.util.MAGIC_NUMBER[:2], 'little'))"
)
_SECONDS = 300


def interpreter(target: Target) -> str | None:
    """Return a Python here that compiles for the target, or None.

    It is the one that runs this, or ``python3.13`` and the like on the PATH. It has to write the
    same compiled files as the release that Lambda runs, which early test releases do not.
    """
    names = [sys.executable, shutil.which(f"python{target.python}")]
    return next((name for name in names if name and _writes(name, target)), None)


def _writes(name: str, target: Target) -> bool:
    try:
        told = subprocess.run(  # noqa: S603  a Python on the PATH
            [name, "-I", "-S", "-c", _WHO],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except OSError:
        return False
    return told.returncode == 0 and told.stdout.split() == ["cpython", str(target.magic)]


def compile_all(folder: Path, python: str, *, deployed_at: str) -> None:
    """Compile every Python file of a folder; one that does not compile is left as it is.

    The compiled files hold whatever their source's time is (PEP 552, unchecked hashes), and name
    the place where they will be deployed, not this machine's.

    Args:
        folder: the bundle.
        python: what compiles.
        deployed_at: the folder that Lambda unpacks it to, for tracebacks.
    """
    # In a process of its own and without a random seed: what was interned or hashed before
    # would show in the bytes.
    quiet = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    words = ["-qq", "-f", "--invalidation-mode", "unchecked-hash"]
    places = ["-s", str(folder), "-p", deployed_at, str(folder)]
    subprocess.run(  # noqa: S603  a Python on the PATH
        [python, "-s", "-S", "-m", "compileall", *words, *places],
        cwd=folder,
        env={**quiet, "PYTHONHASHSEED": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        timeout=_SECONDS,
    )
