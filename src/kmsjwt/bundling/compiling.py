"""Compiled files, which a function cannot write for itself: its folder is read-only."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kmsjwt.bundling.target import Target

_WHO = (
    "import importlib.util, json, sys; print(json.dumps([sys.implementation.name,"
    " int.from_bytes(importlib.util.MAGIC_NUMBER[:2], 'little'), sys.executable]))"
)
_SECONDS = 300
_SECONDS_TO_ANSWER = 60


def interpreter(target: Target) -> str | None:
    """Return a Python here that compiles for the target, or None.

    It is the one that runs this, or the first ``python3.13`` and the like on the PATH that runs:
    some are programs that start another Python or fail to, and what they start is returned. It
    has to write the same compiled files as the release that Lambda runs, which early test
    releases do not.
    """
    found = map(_asked, _candidates(f"python{target.python}"))
    chosen = next((each for each in found if each and each.magic == target.magic), None)
    if chosen is None:
        return None
    # One that starts another may do so by what is set here, which it is not run with later; one
    # that another starts may need what that one sets.
    itself = _asked(chosen.itself)
    return chosen.itself if itself and itself.magic == target.magic else chosen.path


class _Python(NamedTuple):
    path: str
    itself: str
    magic: int


def _candidates(name: str) -> Iterator[str]:
    yield sys.executable
    for folder in os.get_exec_path():
        if found := shutil.which(name, path=folder):
            yield found


def _asked(candidate: str) -> _Python | None:
    """Return which CPython a program is or starts, if it runs."""
    try:
        told = subprocess.run(  # noqa: S603  a Python on the PATH
            [candidate, "-I", "-S", "-c", _WHO],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_SECONDS_TO_ANSWER,
        )
        if told.returncode != 0:
            return None
        name, magic, itself = json.loads(told.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError, TypeError):
        return None
    return _Python(candidate, itself or candidate, magic) if name == "cpython" else None


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
