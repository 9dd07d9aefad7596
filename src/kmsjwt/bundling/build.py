"""One bundle, from nothing to a zip."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kmsjwt.bundling import archive, binaries, compiling, contents, marker, wheels
from kmsjwt.bundling.destination import require_destination, writing
from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kmsjwt.bundling.target import Target

# Where Lambda unpacks a function's zip and a layer's; of a layer Python looks into `python`.
_FUNCTION = "/var/task"
_LAYER = "/opt/python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A zip that was made.

    Attributes:
        path: the zip.
        target: what it is for.
        layer: whether it is a layer, and not a function's own zip.
        size: its bytes.
        unpacked: the bytes of its files.
        sha256: of the zip, in hex; the same inputs give the same.
        compiled: whether it has ``.pyc`` files.
        versions: the distributions in it.
        libraries: how many compiled libraries were looked at.
    """

    path: Path
    target: Target
    layer: bool
    size: int
    unpacked: int
    sha256: str
    compiled: bool
    versions: Mapping[str, str]
    libraries: int


def build(
    target: Target,
    out: Path,
    *,
    layer: bool = False,
    files: Sequence[Path] = (),
    requirements: Path | None = None,
    seed: bytes | None = None,
) -> Bundle:
    """Build a bundle with every handler of `kmsjwt.handlers`.

    Args:
        target: what it is for.
        out: the zip; a bundle that is there is replaced.
        layer: for a layer: everything lies in ``python/``.
        files: a user's own files and folders, which go to the root.
        requirements: what to install, with versions and hashes; None for what kmsjwt needs, in
            the versions installed here.
        seed: a JWKS for the authorizer to begin with, see `kmsjwt.jwks.seed.seed_bytes`; it goes
            to the root as well.

    Raises:
        ConfigError: something is not there, does not fit the target, or does not compile; or the
            zip cannot be written, or would replace a file that is no bundle.
    """
    contents.require(files)
    with writing(out):
        require_destination(out, files)
    if requirements is not None and not requirements.is_file():
        raise ConfigError(f"{shown(str(requirements))} is not there", code="bundle_file")
    with tempfile.TemporaryDirectory(prefix="kmsjwt-bundle-") as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        wheels.install(folder, target, requirements=requirements, scratch=Path(scratch))
        contents.copy_kmsjwt(folder)
        contents.leave_out(folder)
        marker.write_marker(folder, target)
        own = contents.add(files, folder)
        if seed is not None:
            contents.add_seed(seed, folder)
        libraries = binaries.check(folder, target)
        compiled = _compile(folder, target, own, deployed_at=_LAYER if layer else _FUNCTION)
        with writing(out):
            unpacked = archive.write(folder, out, prefix="python/" if layer else "")
        return Bundle(
            path=out,
            target=target,
            layer=layer,
            size=out.stat().st_size,
            unpacked=unpacked,
            sha256=hashlib.sha256(out.read_bytes()).hexdigest(),
            compiled=compiled,
            versions=contents.versions(folder),
            libraries=libraries,
        )


def unpack(bundle: Bundle, folder: Path) -> Path:
    """Unpack a bundle as Lambda does, and return the folder that Python looks into."""
    shutil.unpack_archive(bundle.path, folder, "zip")
    return folder / "python" if bundle.layer else folder


def _compile(folder: Path, target: Target, own: Sequence[Path], *, deployed_at: str) -> bool:
    python = compiling.interpreter(target)
    if python is None:
        return False
    compiling.compile_all(folder, python, deployed_at=deployed_at)
    tag = f"cpython-{target.python.replace('.', '')}"
    for path in own:
        if not (path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc").exists():
            raise ConfigError(
                f"{shown(path.relative_to(folder).as_posix())} does not compile with Python"
                f" {target.python}",
                code="bundle_source",
                fix="run it with that Python, which says why",
            )
    return True
