"""A project's files on the disk: all is looked at before anything is written."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What writing a project would do.

    Attributes:
        folder: where.
        project: the text of each file by its name.
        same: files that are there as they would be written.
        replaced: files that are there and differ.
    """

    folder: Path
    project: Mapping[str, str]
    same: frozenset[str]
    replaced: tuple[str, ...]

    def what(self, name: str) -> str:
        """Return what becomes of a file: ``unchanged``, ``replaced`` or ``written``."""
        if name in self.same:
            return "unchanged"
        return "replaced" if name in self.replaced else "written"

    def write(self) -> Iterator[str]:
        """Write each file whole, and yield its name; where a link is, the link is replaced.

        Raises:
            ConfigError: a file cannot be written; naming it.
        """
        for name, text in self.project.items():
            if name not in self.same:
                _write(self.folder / name, text)
            yield name


def plan(directory: str, project: Mapping[str, str], *, force: bool) -> Plan:
    """Look at everything that is there, and return what is to be written.

    Args:
        directory: where, as it was typed.
        project: the text of each file by its name.
        force: whether files that are there and differ may be replaced.

    Raises:
        ConfigError: naming everything that is in the way. Nothing was written.
    """
    folder = Path(directory)
    _require(faults(folder, project))
    there = [name for name in project if os.path.lexists(folder / name)]
    same = frozenset(name for name in there if _text(folder / name) == project[name])
    others = tuple(name for name in there if name not in same)
    if others and not force:
        raise ConfigError(
            f"there already, and not as they would be written: {_listed(others)}",
            code="init_exists",
            fix="name another folder, or replace them with --force; nothing was written",
        )
    return Plan(folder=folder, project=project, same=same, replaced=others)


def require_name(directory: str) -> Path:
    """Return the folder that was named.

    Raises:
        ConfigError: none was, or there is something of the name that is no folder.
    """
    if not directory.strip():
        raise ConfigError(
            "DIR is empty, expected the name of a folder",
            code="init_folder",
            fix="name one; for the folder where you are: kmsjwt init .",
        )
    folder = Path(directory)
    if folder.exists() and not folder.is_dir():
        raise ConfigError(
            f"{shown(directory)} is no folder", code="init_folder", fix="name another"
        )
    return folder


def faults(folder: Path, project: Mapping[str, str]) -> list[str]:
    """Return what keeps files from being written: folders in their places, missing rights."""
    found: list[str] = []
    for name in project:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            found.append(f"{name} is a folder")
    for parent in dict.fromkeys((folder / name).parent for name in project):
        nearest = next(each for each in (parent, *parent.parents) if os.path.lexists(each))
        if not nearest.is_dir():
            found.append(f"{_within(nearest, folder)} is no folder")
        elif not os.access(nearest, os.W_OK | os.X_OK):
            found.append(f"{_within(nearest, folder)} may not be written to")
    return list(dict.fromkeys(found))


def _within(path: Path, folder: Path) -> str:
    inside = path != folder and path.is_relative_to(folder)
    return path.relative_to(folder).as_posix() if inside else str(path)


def _require(found: list[str]) -> None:
    if found:
        raise ConfigError(
            f"in the way: {_listed(found)}",
            code="init_folder",
            fix="move it away, or name another folder; nothing was written",
        )


def _listed(names: list[str] | tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _text(path: Path) -> str | None:
    try:
        return None if path.is_symlink() else path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _write(path: Path, text: str) -> None:
    _make(path.parent)
    unfinished: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=".kmsjwt-", dir=path.parent)
        unfinished = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
        unfinished.chmod(0o666 & ~_mask())
        unfinished.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{shown(str(path))} cannot be written: {error.strerror or type(error).__name__}",
            code="init_folder",
            fix="make room or get the right to it, and type the same again: what is written stays",
        ) from error
    finally:
        if unfinished is not None:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the folder {shown(str(folder))} cannot be made: {error.strerror}",
            code="init_folder",
            fix="name one in a place where you may make it, such as: kmsjwt init my-auth",
        ) from error


def _mask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
