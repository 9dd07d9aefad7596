"""The folder of wheels that `make test` fetches once: found, or the test is not run."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

from tests.giving_up import give_up

ROOT = Path(__file__).resolve().parents[2]
WHEELS = ROOT / ".wheels"


def wheels() -> Path:
    if not (WHEELS / ".ready").exists():
        give_up(".wheels is not there: make .wheels/.ready")
    return WHEELS


def wheel(name: str, tag: str) -> Path:
    """Return the wheel of a distribution whose file name has a tag."""
    [found] = wheels().glob(f"{name}-*{tag}*.whl")
    return found


def member(path: Path, ending: str) -> bytes:
    """Return the one file of a wheel whose name ends so."""
    with zipfile.ZipFile(path) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(ending)]
        return archive.read(name)


def make_wheel(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    """Write a wheel as PEP 427 has it, whose tag says that it runs anywhere."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    everything = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{each},{_record(contents)}" for each, contents in everything.items()]
    record = "\n".join([*lines, f"{info}/RECORD,,", ""])
    with zipfile.ZipFile(path, "w") as archive:
        for each, contents in everything.items():
            archive.writestr(each, contents)
        archive.writestr(f"{info}/RECORD", record)
    return path


def _record(contents: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).decode().rstrip("=")
    return f"sha256={digest},{len(contents)}"


def locked(*paths: Path) -> str:
    """Return the lines of a locked requirements file that takes these wheels alone."""
    lines = []
    for path in paths:
        name, version = path.name.split("-")[:2]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"{name}=={version} --hash=sha256:{digest}\n")
    return "".join(lines)
