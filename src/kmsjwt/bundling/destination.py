"""Where a bundle is written: looked at before anything is downloaded."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kmsjwt.bundling.marker import is_bundle
from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OTHER = "name another file: kmsjwt bundle --out FILE"
_OTHER_OR_REMOVE = "name another file by --out, or remove that one"


def require_destination(out: Path, files: Sequence[Path]) -> None:
    """See that a zip may be written here, and that nothing of the user's own is lost by it.

    A former bundle is replaced, and so is an empty file.

    Args:
        out: the zip.
        files: a user's own files and folders, which go into it.

    Raises:
        ConfigError: it is a folder, a link to nothing, another file than a bundle, or among what
            goes into it; or its folder cannot be made or written to.
    """
    if out.is_dir():
        raise _refusal(f"{shown(str(out))} is a folder, expected the name of a zip")
    if out.is_symlink() and not out.exists():
        raise _refusal(f"{shown(str(out))} is a link to nothing", fix=_OTHER_OR_REMOVE)
    real = Path(os.path.realpath(out))  # Path.resolve may not take a link to itself
    for each in files:
        if each.is_dir() and real.is_relative_to(each.resolve()):
            raise _refusal(
                f"{shown(str(out))} is to be the zip and lies in {shown(str(each))}, which goes"
                " into it",
                fix="name a file in another folder by --out, or the files and folders one by one",
            )
        if each.exists() and out.exists() and each.samefile(out):
            raise _refusal(f"{shown(str(out))} is to be the zip and one of the files in it")
    if out.exists() and not _may_be_replaced(out):
        raise _refusal(
            f"{shown(str(out))} is there already and is no bundle of kmsjwt, so it is not replaced",
            fix=_OTHER_OR_REMOVE,
        )
    nearest = next(each for each in out.parents if os.path.lexists(each))
    if not nearest.is_dir():
        raise _refusal(f"{shown(str(nearest))} is no folder, in which {shown(str(out))} was wanted")
    try:
        # Rights alone don't tell: nobody, whatever rights they have, makes a file in /proc.
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        raise _refusal(
            f"{shown(str(nearest))} cannot be written to, in which {shown(str(out))} was wanted",
            fix="name a file in another folder: kmsjwt bundle --out FILE",
        ) from error


@contextlib.contextmanager
def writing(out: Path) -> Iterator[None]:
    """Tell of the system's own refusal which file it is about, and what to do.

    Raises:
        ConfigError: instead of an OSError.
    """
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise _refusal(
            f"{shown(str(out))} cannot be written: {why}",
            fix="make room or get the right to it, or name another file by --out",
        ) from error


def _may_be_replaced(out: Path) -> bool:
    return out.is_file() and (out.stat().st_size == 0 or is_bundle(out))


def _refusal(message: str, *, fix: str = _OTHER) -> ConfigError:
    return ConfigError(message, code="bundle_out", fix=fix)
