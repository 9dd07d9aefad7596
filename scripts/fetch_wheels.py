"""Fetch the wheels that tests/bundling makes bundles of, for every target; once.

python scripts/fetch_wheels.py FOLDER
"""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path

from kmsjwt.bundling import Target

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "wheels.txt"
TARGETS = [
    Target(arch=arch, python=python)
    for arch, python in product(("x86_64", "arm64"), ("3.11", "3.12", "3.13"))
]


def main() -> int:
    """Fetch them; the exit code is pip's."""
    [folder] = sys.argv[1:]
    for target in TARGETS:
        platforms = [word for tag in target.platforms for word in ("--platform", tag)]
        command = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check"]
        command += ["--only-binary=:all:", "--implementation", "cp", *platforms]
        command += ["--python-version", target.python, "--dest", folder]
        done = subprocess.run([*command, "--require-hashes", "-r", str(LOCK)], check=False)
        if done.returncode != 0:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
