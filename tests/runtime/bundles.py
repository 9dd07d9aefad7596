"""Folders as a deployment makes them, from what is installed already: nothing is downloaded."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

from tests.runtime.environments import ROOT

_NEEDED = ("cryptography", "cffi", "pycparser")
_OF_LAMBDA = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")


def install_kmsjwt(folder: Path) -> None:
    """Build the wheel of this tree and unpack it, as ``pip install --target`` does anywhere."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"),
            *("--no-index", "--no-deps", "--no-build-isolation", "--no-compile"),
            *("--target", str(folder), str(ROOT)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def deployment(folder: Path) -> Path:
    """Fill a folder with kmsjwt, what it depends on and nothing else."""
    install_kmsjwt(folder)
    for name in _NEEDED:
        for part in _top_level(name):
            copy = shutil.copytree if part.is_dir() else shutil.copy2
            copy(part, folder / part.name)
    return folder


def boto3_of_lambda(folder: Path) -> Path:
    """Fill a folder with boto3 alone, which Lambda's runtime has beside every function."""
    for name in _OF_LAMBDA:
        for part in _top_level(name):
            (folder / part.name).symlink_to(part)
    return folder


def _top_level(name: str) -> list[Path]:
    distribution = importlib.metadata.distribution(name)
    names = {
        file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "bin")
    }
    found = (Path(str(distribution.locate_file(name))) for name in names)
    return sorted(part for part in found if part.name != "__pycache__")
