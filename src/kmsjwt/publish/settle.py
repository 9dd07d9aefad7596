"""Read, render, write on condition, and anew if somebody was quicker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from kmsjwt.errors import PlaceDenied, PublishConflict
from kmsjwt.publish.places import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable

    from kmsjwt.publish.places import Place, Stored

ATTEMPTS = 8
"""How often a document is read and written before others are said to be in the way."""
_PAUSE = 0.02


class Rendered(Protocol):
    """What a document is to be."""

    @property
    def body(self) -> bytes:
        """Its bytes."""


R = TypeVar("R", bound=Rendered)


class Settling:
    """Brings documents of a place into the state that is wanted.

    Attributes:
        written: the names of those that were written, or would be in a dry run.
        is_shared: whether somebody else's keys are in them, who may count on their being kept no
            longer than now: then that is made shorter and never longer.
    """

    __slots__ = ("_allow", "_dry_run", "_max_age", "_pause", "_place", "is_shared", "written")

    def __init__(
        self,
        place: Place,
        *,
        max_age: int,
        pause: Callable[[float], None],
        allow: Callable[[], None] | None = None,
        dry_run: bool,
    ) -> None:
        """Name the place.

        Args:
            place: where the documents are.
            max_age: seconds for which anybody may keep them.
            pause: waits so many seconds between two attempts.
            allow: called before each write; it raises if that comes too late.
            dry_run: read and render, and write nothing.
        """
        self._allow = allow
        self._place = place
        self._max_age = max_age
        self._pause = pause
        self._dry_run = dry_run
        self.written: list[str] = []
        self.is_shared = False

    def settle(
        self, document: str, render: Callable[[bytes | None], R], *, confirm: bool = False
    ) -> R:
        """Render and write a document until it is there, or there already.

        Args:
            document: its path.
            render: returns what it is to be, given what it is, which is None if it is not there.
            confirm: read and render again after writing, until that changes nothing.

        Returns:
            What was rendered last.

        Raises:
            PublishConflict: others wrote it, again and again.
            PublishError: the place failed.
        """
        where = self._place.where(document)
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(_PAUSE * 2**attempt)
            stored, denied = self._read(document)
            rendered = render(None if stored is None else stored.body)
            max_age = self._lasting(stored)
            if stored is not None and stored.holds(rendered.body, max_age):
                return rendered
            if self._wrote(document, rendered.body, stored, denied, max_age):
                if where not in self.written:
                    self.written.append(where)
                if self._dry_run or not confirm:
                    return rendered
        raise PublishConflict(
            f"{where} was written by others each of the {ATTEMPTS} times before we could",
            where=where,
            fix="see who else publishes there, and run it again",
        )

    def _lasting(self, stored: Stored | None) -> int:
        """Return for how many seconds anybody may keep a document."""
        theirs = stored.max_age if stored is not None and self.is_shared else None
        return self._max_age if theirs is None else min(self._max_age, theirs)

    def _read(self, document: str) -> tuple[Stored | None, PlaceDenied | None]:
        """Read a document; S3 may deny the reading of one that is not there."""
        try:
            return self._place.read(document), None
        except PlaceDenied as error:
            if self._dry_run:
                raise
            return None, error

    def _wrote(
        self,
        document: str,
        body: bytes,
        stored: Stored | None,
        denied: PlaceDenied | None,
        max_age: int,
    ) -> bool:
        if self._dry_run:
            return True
        if self._allow is not None:
            self._allow()
        try:
            self._place.write(document, body, over=stored, max_age=max_age)
        except Conflict:
            if denied is not None:  # it is there, and it is unknown what it holds
                raise denied from None
            return False
        return True
