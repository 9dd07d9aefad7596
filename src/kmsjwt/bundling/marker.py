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
        raise ConfigError(
            f"{shown(str(zipped))} is not there", code="bundle_file", fix="make it: kmsjwt bundle"
        )
    try:
        with zipfile.ZipFile(zipped) as archive:
            said = json.loads(archive.read(_NAME))
        return Target(arch=str(said["arch"]), python=str(said["python"]))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{shown(str(zipped))} is no function's bundle of kmsjwt",
            code="bundle_file",
            fix="make it: kmsjwt bundle",
        ) from error
