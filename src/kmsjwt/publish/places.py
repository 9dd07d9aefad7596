"""What a place is where documents are published: it reads, and writes over what was read."""

from __future__ import annotations

import re
from typing import Protocol

from kmsjwt._immutable import Immutable

CONTENT_TYPE = "application/json"


class Stored(Immutable):
    """A document as it was read.

    Attributes:
        body: its bytes.
        version: what the place knows this state of it by.
        headers: the Content-Type and Cache-Control it is served with; None if the place keeps
            none.
    """

    __slots__ = ("body", "headers", "version")

    body: bytes
    version: str
    headers: tuple[str, str] | None

    def __init__(
        self, body: bytes, *, version: str = "", headers: tuple[str, str] | None = None
    ) -> None:
        self._fill(body=body, version=version, headers=headers)

    def holds(self, body: bytes, max_age: int) -> bool:
        """Tell whether writing this would change nothing."""
        return self.body == body and self.headers in (None, headers(max_age))

    @property
    def max_age(self) -> int | None:
        """For how many seconds it may be kept, as far as its own headers say."""
        kept = "" if self.headers is None else self.headers[1]
        told = re.search(r"(?:^|[\s,])max-age=([0-9]{1,9})", kept)
        return None if told is None else int(told[1])


class Conflict(Exception):
    """The document is not any more what was read. Never leaves this room's publisher."""


class Place(Protocol):
    """Where documents are published. Paths are relative, with ``/``."""

    def read(self, document: str) -> Stored | None:
        """Return a document; None if there is certainly none.

        Raises:
            PublishError: nobody knows.
        """

    def write(self, document: str, body: bytes, *, over: Stored | None, max_age: int) -> None:
        """Put a document in the place of the one that was read, or of none, whole or not at all.

        Args:
            document: its path.
            body: its bytes.
            over: what `read` returned.
            max_age: seconds for which anybody may keep it.

        Raises:
            Conflict: it is not any more what was read; nothing was written.
            PublishError: it was not written; if PlaceUnavailable, it may have been.
        """

    def where(self, document: str) -> str:
        """Return a document's name for messages."""


def headers(max_age: int) -> tuple[str, str]:
    """Return the Content-Type and Cache-Control of every document."""
    return CONTENT_TYPE, f"public, max-age={max_age}"
