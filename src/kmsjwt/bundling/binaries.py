"""No compiled library goes into a bundle that its runtime cannot load."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kmsjwt.bundling import elf
from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from pathlib import Path

    from kmsjwt.bundling.target import Target

# A library by its name; macOS names its own .so as well, Windows .pyd.
_LIBRARY = re.compile(r"\.(so(\.\d+)*|pyd|dylib)$")
_OF_PYTHON = re.compile(r"\.(?:cpython-|cp)(\d)(\d+)")  # x.cpython-313-…, x.cp313-win_amd64
_MOST_TOLD = 3


def check(folder: Path, target: Target) -> int:
    """Look at each library of a folder.

    Returns:
        How many there are.

    Raises:
        ConfigError: naming those that the target cannot load, and why.
    """
    libraries = sorted(path for path in folder.rglob("*") if _LIBRARY.search(path.name))
    faults = [
        f"{shown(path.relative_to(folder).as_posix())} {fault}"
        for path in libraries
        if (fault := _fault(path, target))
    ]
    if faults:
        more = [f"and {len(faults) - _MOST_TOLD} more"] if len(faults) > _MOST_TOLD else []
        raise ConfigError(
            "; ".join([*faults[:_MOST_TOLD], *more]),
            code="bundle_binary",
            fix=f"take one that was made for {target.system}: from a wheel with a tag"
            f" manylinux_2_{target.glibc}_{target.machine} or lower, or built in an image of"
            " Lambda's",
        )
    return len(libraries)


def _fault(path: Path, target: Target) -> str | None:
    found = _OF_PYTHON.search(path.name)
    if found and f"{found[1]}.{found[2]}" != target.python:
        return f"is for Python {found[1]}.{found[2]}, expected {target.python}"
    try:
        library = elf.read(path.read_bytes())
    except elf.NotElf:
        return f"is no library of Linux, expected ELF for {target.machine}"
    if library.machine != target.machine:
        return f"is for {library.machine}, expected {target.machine}"
    if library.is_of_musl:
        return "is for musl (Alpine Linux), expected glibc"
    if library.glibc > target.glibc:
        return (
            f"needs GLIBC 2.{library.glibc}, expected 2.{target.glibc} or lower, which"
            f" python{target.python} has"
        )
    return None
