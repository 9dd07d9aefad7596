"""Several local KMSs that want one folder: the first serves, the others ask it.

So ``kmsjwt local run -- kmsjwt issue … | kmsjwt local run -- kmsjwt verify …`` works, although
both sides start at once: the side that came first serves until the other is done as well.
``folder/.endpoint`` holds the URL of the one that serves, ``folder/.guests`` is locked by those
who use it.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kmsjwt.cli import terminal
from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kmsjwt.local import LocalKms

_PATIENCE = 10.0  # seconds for another one to start serving, or to end
_PAUSE = 0.05
_IN_USE = "key_folder_in_use"
_LOOPBACK = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}")


class Neighbours:
    """The local KMSs of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._endpoint = folder / ".endpoint"
        self._guests = folder / ".guests"

    @contextmanager
    def kms_or_url(self, region: str) -> Iterator[tuple[LocalKms | None, str]]:
        """Yield a KMS that has the folder and no URL, or no KMS and the URL of one that has.

        Raises:
            ConfigError: the folder cannot be used, or whoever has it cannot be reached.
        """
        kms = None
        deadline = time.monotonic() + _PATIENCE
        while kms is None:
            try:
                kms = self._opened(region)
            except ConfigError as error:
                if error.code != _IN_USE:
                    raise
                with self._visit() as url:
                    if url:
                        yield None, url
                        return
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)
        with closing(kms):
            yield kms, ""

    def welcome(self, endpoint_url: str) -> None:
        """Tell others where the folder's KMS is."""
        # A new file each time: a folder that came with a cloned repository may hold links.
        descriptor, name = mkstemp(dir=self._folder, prefix=".", suffix=".part")
        with os.fdopen(descriptor, "w", encoding="ascii") as part:
            part.write(endpoint_url)
        Path(name).replace(self._endpoint)

    def leave(self, *, wait: bool = False) -> None:
        """Take the URL back, and wait for those who use it, if asked to."""
        with suppress(OSError):
            self._endpoint.unlink()
        if wait:
            with self._locked(exclusive=True):
                pass

    def _opened(self, region: str) -> LocalKms:
        from kmsjwt.local import LocalKms

        kms = LocalKms(region=region, folder=self._folder)
        with suppress(OSError):
            self._endpoint.unlink(missing_ok=True)  # left by one that was killed
            with (self._folder / ".gitignore").open("x", encoding="ascii") as ignored:
                ignored.write("*\n")
        return kms

    @contextmanager
    def _visit(self) -> Iterator[str | None]:
        """Yield the URL of the KMS that has the folder; it stays as long as the block lasts."""
        with self._locked(exclusive=False):
            try:
                url = self._endpoint.read_text("ascii")
            except OSError:
                url = ""
            yield url if _LOOPBACK.fullmatch(url) and _answers(url) else None

    @contextmanager
    def _locked(self, *, exclusive: bool) -> Iterator[None]:
        try:
            import fcntl
        except ImportError:  # Windows: whoever serves does not wait there
            yield
            return
        descriptor = os.open(self._guests, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except OSError:
                if exclusive:
                    terminal.silence(sys.stdout)  # a guest may be reading what we wrote, to its end
                fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port or 80), timeout=1):
            return True
    except OSError:
        return False
