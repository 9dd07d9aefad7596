"""What goes into a bundle beside the wheels, and what does not go in."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import kmsjwt
from kmsjwt.errors import ConfigError, shown
from kmsjwt.jwks.seed import FILE as SEED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Rooms that no function enters: the command line, what it calls, and what tests import.
_NOT_DEPLOYED = ("__main__.py", "bundling", "cdk", "cli", "deploy", "local", "testing")
# Beside the METADATA that scanners look for, and licences: what only installers read. Some of it
# names folders of this machine.
_KEPT_OF_METADATA = ("METADATA", "licenses", "sboms")
_METADATA = ".dist-info"
_NEVER_READ = (".pyc", ".pyi", ".pyx", ".pxd", ".c", ".h", ".a", ".exe")
_NEVER_ENTERED = ("__pycache__", "bin", "test", "tests")
_LEFT_OUT_OF_FOLDERS = (".git", "__pycache__")


def copy_kmsjwt(folder: Path) -> None:
    """Put kmsjwt itself into a folder, as it is here: nothing is downloaded.

    Where the requirements have brought a kmsjwt of their own, that one stays.
    """
    if (folder / "kmsjwt").exists():
        return
    source = Path(kmsjwt.__file__).parent
    own = shutil.ignore_patterns("__pycache__", "*.pyc")

    def ignored(of: str, names: list[str]) -> set[str]:
        left_out = own(of, names)
        return left_out.union(_NOT_DEPLOYED) if Path(of) == source else left_out

    shutil.copytree(source, folder / "kmsjwt", ignore=ignored)
    here = importlib.metadata.distribution("kmsjwt")
    metadata = folder / f"kmsjwt-{here.version}{_METADATA}"
    metadata.mkdir()
    (metadata / "METADATA").write_text(here.read_text("METADATA") or "", "utf-8")


def leave_out(folder: Path) -> None:
    """Remove what a function never reads: tests, scripts, headers, stubs, installers' notes."""
    for top in sorted(folder.iterdir()):
        if top.name in _NEVER_ENTERED:
            shutil.rmtree(top)
        elif top.name.endswith(_METADATA):
            _leave_out_notes(top)
        elif top.is_dir():
            _leave_out_within(top)


def _leave_out_notes(metadata: Path) -> None:
    for each in metadata.iterdir():
        if each.name in _KEPT_OF_METADATA:
            continue
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()


def _leave_out_within(package: Path) -> None:
    # A package may well have a module `test` further down that it imports; not at its top.
    for name in ("test", "tests"):
        if (package / name).is_dir():
            shutil.rmtree(package / name)
    for path in package.rglob("*"):
        if path.suffix in _NEVER_READ and path.is_file():
            path.unlink()


def require(files: Sequence[Path]) -> None:
    """See that a user's own files and folders are there, each with a name to go in under.

    Raises:
        ConfigError: one is not, or has the name of the published keys.
    """
    for each in files:
        if each.name in ("", ".."):
            raise _refusal(
                f"{shown(str(each))} has no name of its own to go in under",
                fix="name the files and folders one by one",
            )
        if each.name == SEED:
            raise _refusal(
                f"{shown(str(each))} has the name of the published keys, expected by --jwks",
                fix=f"kmsjwt bundle --jwks {shown(str(each))}, or --jwks URL",
            )
        if not os.path.lexists(each):
            raise _refusal(f"{shown(str(each))} is not there")


def add(files: Sequence[Path], folder: Path) -> list[Path]:
    """Put a user's own files and folders at the root of the bundle.

    Args:
        files: each goes in under its own name; a folder with all that is in it.
        folder: the bundle.

    Returns:
        The Python files among them, as they lie in the bundle.

    Raises:
        ConfigError: one has a name that is taken, or is or holds what is no file.
    """
    added: list[Path] = []
    for each in files:
        there = folder / each.name
        if there.exists():
            raise _refusal(
                f"{shown(str(each))} would replace what the bundle has under the name"
                f" {shown(there.name)}",
                fix="give it another name",
            )
        _copy(each, there)
        added += [there] if there.is_file() else sorted(there.rglob("*.py"))
    return [path for path in added if path.suffix == ".py"]


def _copy(file: Path, there: Path, within: tuple[str, ...] = ()) -> None:
    """Copy a file or a folder; a link as what it leads to."""
    real = os.path.realpath(file)  # which takes a link to itself, as Path.resolve may not
    fault = "is neither a file nor a folder, nor a link to one"
    try:
        if file.is_file():
            shutil.copyfile(file, there)
            return
        if real in within:
            fault = "is a link back to a folder that it lies in"
        elif file.is_dir():
            there.mkdir()
            for each in sorted(file.iterdir()):
                if each.name not in _LEFT_OUT_OF_FOLDERS and not each.name.endswith(".pyc"):
                    _copy(each, there / each.name, (*within, real))
            return
    except OSError as error:
        fault = f"cannot be copied: {error.strerror or type(error).__name__}"
    raise _refusal(f"{str(file)!a} {fault}", fix="remove it, or name what is to go in one by one")


def add_seed(seed: bytes, folder: Path) -> None:
    """Put a seed at the root of the bundle."""
    (folder / SEED).write_bytes(seed)


def _refusal(message: str, *, fix: str | None = None) -> ConfigError:
    return ConfigError(message, code="bundle_file", fix=fix)


def versions(folder: Path) -> dict[str, str]:
    """Return what a bundle holds: each distribution's name and version, sorted."""
    found: Iterable[importlib.metadata.Distribution] = importlib.metadata.distributions(
        path=[str(folder)]
    )
    return dict(sorted((each.metadata["Name"], each.version) for each in found))
