"""A folder as a place to publish: what a web server serves, or a later step uploads."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kmsjwt.errors import DocumentUnusable, PlaceDenied, PlaceUnavailable, PublishError
from kmsjwt.jwks.static import MAX_BYTES
from kmsjwt.publish.places import Conflict, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator

_READABLE = 0o644
_DIRECTORY = 0o755


class Folder:
    """Documents as files below a folder. Safe with several publishers on one machine.

    Each file is written beside its place, brought to disk and renamed, so that a reader sees the
    old one or the new one. Publishers wait for each other by a lock on the folder itself; Windows
    has none of that kind, so let one alone publish there.
    """

    __slots__ = ("_root",)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Name the folder, which need not exist yet."""
        self._root = Path(path)

    def read(self, document: str) -> Stored | None:
        """Return a document; None if there is none. Raises as `kmsjwt.publish.Place` says."""
        with self._told(document):
            return self._read(document)

    def write(self, document: str, body: bytes, *, over: Stored | None, max_age: int) -> None:
        """Write a document over what was read. Raises as `kmsjwt.publish.Place` says.

        ``max_age`` is the web server's business: a file carries no header.
        """
        del max_age
        with self._told(document):
            target = self._root / document
            target.parent.mkdir(mode=_DIRECTORY, parents=True, exist_ok=True)
            with _locked(self._root):
                there = self._read(document)
                if (there and there.body) != (over and over.body):
                    raise Conflict
                _replace(target, body)

    def where(self, document: str) -> str:
        """Return a document's name for messages."""
        return str(self._root / document)

    def _read(self, document: str) -> Stored | None:
        path = self._root / document
        try:
            with open(path, "rb", opener=_opened_at_once) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise _no_file(path)
                body = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        if len(body) > MAX_BYTES:
            raise DocumentUnusable(
                f"{path} is larger than {MAX_BYTES} bytes",
                where=str(path),
                code="jwks_too_large",
                fix="see what it is, and take keys out by name: kmsjwt publish --remove KID",
            )
        return Stored(body)

    @contextmanager
    def _told(self, document: str) -> Iterator[None]:
        """Tell the system's errors as ours."""
        try:
            yield
        except OSError as error:
            raise _told(error, self.where(document)) from error

    def __str__(self) -> str:
        return str(self._root)

    def __repr__(self) -> str:
        return f"Folder({str(self._root)!r})"


def _opened_at_once(path: str, flags: int) -> int:
    # A FIFO would be waited for until somebody writes to it. Windows has neither.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _no_file(path: Path) -> DocumentUnusable:
    return DocumentUnusable(
        f"{path} is a pipe or a device, expected a file",
        where=str(path),
        code="folder_no_file",
        fix="see who put it there, and take it away; its place is that of a published document",
    )


def _replace(target: Path, body: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_READABLE)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    _bring_to_disk(target.parent)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other publishers out, in this process and in others. The end of a process frees it."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _bring_to_disk(folder: Path) -> None:
    # The rename itself is data of the folder. Not every file system can do that.
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _told(error: OSError, where: str) -> PublishError:
    why = error.strerror or type(error).__name__
    if isinstance(error, PermissionError):
        return PlaceDenied(
            f"{where} cannot be read or written: {why}",
            where=where,
            fix="publish as a user to whom the folder belongs",
        )
    if isinstance(error, (IsADirectoryError, NotADirectoryError, FileExistsError)):
        return DocumentUnusable(
            f"{where} cannot be a file there: {why}",
            where=where,
            code="folder_shared",
            fix="an issuer with a path and one without cannot share a folder: use S3, or two",
        )
    return PlaceUnavailable(f"{where} could not be read or written: {why}", where=where)
