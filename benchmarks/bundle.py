"""Folders laid out as a function's zip is: packages side by side, compiled or not.

A measured process runs a virtual environment's interpreter with nothing installed in it, and
finds everything on PYTHONPATH, so that no ``.pth`` file of a development environment costs it
anything. Copies also keep a run the same while someone edits the sources.
"""

from __future__ import annotations

import compileall
import importlib.util
import shutil
import sys
import venv
from pathlib import Path

PACKAGES = (
    "kmsjwt",
    "cryptography",
    "_cffi_backend",
    "jwt",
    "joserfc",
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "dateutil",
    "six",
    "urllib3",
    "typing_extensions",
)


def bare_interpreter(folder: Path) -> Path:
    """Make an interpreter with nothing installed and return its path."""
    venv.create(folder, symlinks=True, with_pip=False)
    return folder / "bin" / "python"


def compiled(folder: Path) -> Path:
    """Copy the packages and compile them."""
    _copy(folder)
    compileall.compile_dir(folder, quiet=2, workers=0)
    return folder


def source(folder: Path) -> Path:
    """Copy the packages as source alone."""
    _copy(folder)
    return folder


def _copy(folder: Path) -> None:
    folder.mkdir()
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise SystemExit(f"{name} is not installed in {sys.prefix}")
        origin = Path(spec.origin)
        if origin.name == "__init__.py":
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(origin.parent, folder / name, ignore=ignored)
        else:
            shutil.copy(origin, folder)
