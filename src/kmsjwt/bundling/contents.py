"""What goes into a bundle beside the wheels, and what does not go in."""

from __future__ import annotations

import importlib.metadata
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


def add(files: Sequence[Path], folder: Path) -> list[Path]:
    """Put a user's own files and folders at the root of the bundle.

    Args:
        files: each goes in under its own name; a folder with all that is in it.
        folder: the bundle.

    Returns:
        The Python files among them, as they lie in the bundle.

    Raises:
        ConfigError: one is not there, has a name that is taken, or leads nowhere.
    """
    added: list[Path] = []
    for each in files:
        there = folder / each.resolve().name
        _require(each, there)
        if each.is_dir():
            shutil.copytree(
                each, there, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".git")
            )
        else:
            shutil.copyfile(each, there)
        added += [there] if there.is_file() else sorted(there.rglob("*.py"))
    return [path for path in added if path.suffix == ".py"]


def add_seed(seed: bytes, folder: Path) -> None:
    """Put a seed at the root of the bundle.

    Raises:
        ConfigError: there is a file of the user's own in its place.
    """
    there = folder / SEED
    _require_free(Path(SEED), there)
    there.write_bytes(seed)


def _require(file: Path, there: Path) -> None:
    if not file.exists():
        raise ConfigError(f"{shown(str(file))} is not there", code="bundle_file")
    _require_free(file, there)


def _require_free(file: Path, there: Path) -> None:
    if there.exists():
        raise ConfigError(
            f"{shown(str(file))} would replace what the bundle has under the name"
            f" {shown(there.name)}",
            code="bundle_file",
            fix="give it another name",
        )


def versions(folder: Path) -> dict[str, str]:
    """Return what a bundle holds: each distribution's name and version, sorted."""
    found: Iterable[importlib.metadata.Distribution] = importlib.metadata.distributions(
        path=[str(folder)]
    )
    return dict(sorted((each.metadata["Name"], each.version) for each in found))
