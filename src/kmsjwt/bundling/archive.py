"""A zip whose bytes depend on what is in it and on nothing else."""

from __future__ import annotations

import stat
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that the zip format knows
_MODE = stat.S_IFREG | 0o644  # Lambda's user is another one: all may read
_UNIX = 3
_LEVEL = 6  # 9 takes three times as long for less than a hundredth


def write(folder: Path, out: Path, *, prefix: str = "") -> int:
    """Write all files of a folder, in the order of their names.

    Whoever reads ``out`` meanwhile sees the former file or the new one, whole.

    Args:
        folder: what to write.
        out: the zip, replaced if it is there.
        prefix: what each name begins with, such as ``python/``.

    Returns:
        How many bytes the files have when unpacked.
    """
    files = {
        prefix + path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file()
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.unfinished")
    total = 0
    try:
        with zipfile.ZipFile(unfinished, "w") as archive:
            for name in sorted(files):
                contents = files[name].read_bytes()
                archive.writestr(_entry(name), contents, zipfile.ZIP_DEFLATED, _LEVEL)
                total += len(contents)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    return total


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _LONG_AGO)
    entry.create_system = _UNIX
    entry.external_attr = _MODE << 16
    return entry
