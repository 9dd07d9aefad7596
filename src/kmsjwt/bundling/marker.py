"""What a bundle says of itself, so that nobody deploys it to another runtime by mistake."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

from kmsjwt.bundling.target import Target
from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "kmsjwt-bundle.json"
_MAKE = "make it: kmsjwt bundle --with FILE, naming each file and folder of your own"


def write_marker(folder: Path, target: Target) -> None:
    """Write into a bundle what it is for."""
    said = {"arch": target.arch, "python": target.python}
    (folder / _NAME).write_text(json.dumps(said) + "\n", "utf-8")


def read_target(zipped: Path) -> Target:
    """Return what a function's bundle is for.

    Raises:
        ConfigError: it is not there, or was not made by `kmsjwt.bundling`.
    """
    if not zipped.is_file():
        raise ConfigError(f"{shown(str(zipped))} is not there", code="bundle_file", fix=_MAKE)
    try:
        with zipfile.ZipFile(zipped) as archive:
            said = json.loads(archive.read(_NAME))
        return Target(arch=str(said["arch"]), python=str(said["python"]))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{shown(str(zipped))} is no function's bundle of kmsjwt",
            code="bundle_file",
            fix=_MAKE,
        ) from error


def is_bundle(zipped: Path) -> bool:
    """Tell whether a file is a bundle of a function or a layer, whatever it is for."""
    try:
        with zipfile.ZipFile(zipped) as archive:
            return not {_NAME, f"python/{_NAME}"}.isdisjoint(archive.namelist())
    except (zipfile.BadZipFile, ValueError):
        return False


def require_module(zipped: Path, handler: str) -> None:
    """See that the module of a user's own handler is in a function's bundle.

    Args:
        zipped: the bundle, which `read_target` has read.
        handler: such as ``orders.handler``.

    Raises:
        ConfigError: it is not; the function would start with an import error.
    """
    module = handler.rpartition(".")[0]
    place = module.replace(".", "/")
    with zipfile.ZipFile(zipped) as archive:
        there = archive.namelist()
    # A module, a package, or a compiled one: orders.cpython-313-x86_64-linux-gnu.so.
    if any(name.startswith((f"{place}.", f"{place}/__init__.")) for name in there):
        return
    top = module.partition(".")[0]
    named = top if "." in module else f"{top}.py"
    raise ConfigError(
        f"{shown(str(zipped))} has no module {shown(module)}, which backend={shown(handler)} names",
        code="bundle_file",
        fix=f"make it again with your own files: kmsjwt bundle --with {named}",
    )
