"""Run the tests on this Python and on every other supported one that is installed.

What takes long and asks nothing of the Python that it runs on is tried on this one alone.
The first run makes a virtual environment per Python (.venv-3.12, …); later runs reuse it as long
as the locked requirements are the same.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "dev.txt"
SUPPORTED = ("3.11", "3.12", "3.13")
ONCE = ("bundling", "docs", "init", "mutation", "rotation")
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def installed(version: str) -> str | None:
    """Return an interpreter of that version that really starts, or None."""
    on_path = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [on_path] if on_path else []
    candidates += [str(found) for found in sorted(pyenv.glob(f"{version}.*/bin/python3"))]
    for candidate in candidates:
        answer = subprocess.run(
            [candidate, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return candidate
    return None


def environment(version: str, interpreter: str) -> Path:
    """Return the Python of a ready virtual environment for that version."""
    home = ROOT / f".venv-{version}"
    python = home / "bin" / "python"
    stamp = home / ".ready"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"setting up {home.name} (once) ...", flush=True)
    subprocess.run([interpreter, "-m", "venv", "--clear", str(home)], check=True)
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
    subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], check=True, cwd=ROOT
    )
    stamp.write_text(wanted)
    return python


def run(version: str, python: Path) -> bool:
    """Run the tests with that Python, and say whether they passed."""
    print(f"== tests on Python {version}", flush=True)
    command = [str(python), "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider"]
    if version != HERE:
        command += [f"--ignore=tests/{room}" for room in ONCE]
    return subprocess.run([*command, *sys.argv[1:]], check=False, cwd=ROOT).returncode == 0


def main() -> int:
    """Test everywhere; the exit code is 0 if all passed."""
    passed = {HERE: run(HERE, Path(sys.executable))}
    for version in SUPPORTED:
        if version == HERE or not passed[HERE]:
            continue
        interpreter = installed(version)
        if interpreter is None:
            print(f"== Python {version} is not installed here: not tested")
            continue
        passed[version] = run(version, environment(version, interpreter))
    failed = [version for version, good in passed.items() if not good]
    print("== failed on Python " + ", ".join(failed) if failed else "== all passed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
