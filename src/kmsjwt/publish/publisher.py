"""Brings an issuer's documents up to date where they are, and reads back what consumers read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, all_of, shown
from kmsjwt.jwks.urls import jwks_url, read_url
from kmsjwt.publish.cdn import CloudFront
from kmsjwt.publish.documents import Documents, discovery
from kmsjwt.publish.merge import merge
from kmsjwt.publish.places import Stored
from kmsjwt.publish.readback import algs_of, fetched_keys, kids_of, stored_keys
from kmsjwt.publish.settle import Settling

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from kmsjwt.jwks.urls import Url
    from kmsjwt.keys import PublicKey
    from kmsjwt.publish.cdn import Cdn
    from kmsjwt.publish.merge import Merged
    from kmsjwt.publish.places import Place

    Anew = Callable[[], tuple[Iterable[PublicKey], Collection[str]]]

MAX_MAX_AGE = 86_400
"""Longest time in seconds for which the documents may be kept: rotation waits for it."""


class Published(Immutable):
    """What a `Publisher.publish` has done.

    Attributes:
        kids: every ``kid`` that the JWKS has now, sorted.
        written: the names of the documents that were written, in that order.
        unchanged: the names of those that needed no writing.
        kept: each ``kid`` that is there only because it was there before.
        removed: each ``kid`` that was taken out.
    """

    __slots__ = ("kept", "kids", "removed", "unchanged", "written")

    kids: tuple[str, ...]
    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    kept: tuple[str, ...]
    removed: tuple[str, ...]

    def __init__(
        self,
        *,
        kids: Iterable[str],
        written: Iterable[str] = (),
        unchanged: Iterable[str] = (),
        kept: Iterable[str] = (),
        removed: Iterable[str] = (),
    ) -> None:
        self._fill(
            kids=tuple(kids),
            written=tuple(written),
            unchanged=tuple(unchanged),
            kept=tuple(kept),
            removed=tuple(removed),
        )

    def __repr__(self) -> str:
        return f"Published(kids={self.kids!r}, written={self.written!r}, kept={self.kept!r})"


class Publisher:
    """Publishes one issuer's JWKS and discovery documents.

    The JWKS is written before what points to it. Every write is conditional on what was read; if
    another publisher was quicker, everything is read and rendered anew. It remembers nothing
    between two calls, and may be used by several threads.
    """

    __slots__ = ("_cdn", "_documents", "_max_age", "_pause", "_place", "_url")

    def __init__(
        self,
        place: Place | None = None,
        *,
        issuer: str,
        max_age: int = 300,
        read_from: str | None = None,
        cdn: Cdn | str | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Say where documents are written, and where consumers read them.

        Args:
            place: where they are written: a `Folder`, an `S3`, `kmsjwt.publish.place(…)`. None
                if something else publishes, such as the jwks function: then nothing is written.
            issuer: the ``iss`` of the tokens, to the character.
            max_age: seconds for which anybody may keep the documents, 1 to 86,400.
            read_from: where `kids` reads besides the place: ``"issuer"`` for
                ``<issuer>/.well-known/jwks.json``, or the https URL of the JWKS. None if the
                issuer is not public yet; without a place it is ``"issuer"``.
            cdn: the CDN before the issuer's URL: a CloudFront distribution's id, or anything
                that has ``invalidate(paths)``. The URL is then read twice.
            pause: waits so many seconds between two attempts.

        Raises:
            ConfigError: naming everything that is wrong.
        """
        if place is None and read_from is None:
            read_from = "issuer"
        documents, url, _, its_cdn = all_of(
            lambda: Documents(issuer),
            lambda: _url(issuer, read_from),
            lambda: _require_max_age(max_age),
            lambda: _cdn(cdn, read_from),
            code="publisher",
        )
        self._place = place
        self._documents: Documents = documents
        self._max_age = max_age
        self._url: Url | None = url
        self._cdn: Cdn | None = its_cdn
        self._pause = pause

    @property
    def documents(self) -> Documents:
        """Which documents there are, and where on the issuer's host."""
        return self._documents

    def publish(
        self,
        live: Iterable[PublicKey],
        retired: Collection[str] = (),
        *,
        max_age: int | None = None,
        allow: Callable[[], None] | None = None,
        anew: Anew | None = None,
    ) -> Published:
        """Bring JWKS and discovery up to date where they are written.

        Args:
            live: the keys that are to be there.
            retired: the ``kid`` of each key that is to leave; nothing else leaves.
            max_age: seconds for which anybody may keep the documents, this time; those that the
                publisher was told if None. Where the JWKS keeps keys that are not among ``live``,
                it is never made longer: a key of somebody else's may be waiting for it.
            allow: called before each write; it raises if what was decided is too old.
            anew: called where a live key would be added that the JWKS, as it was just read, lacks;
                returns live and retired keys as they are by then. Somebody may have taken that key
                out on purpose, and said so before.

        Raises:
            ConfigError, DocumentUnusable: as `kmsjwt.publish.merge` says; nothing was written.
            PublishError: the place failed; what was written until then is whole and stays.
        """
        return self._publish(tuple(live), retired, max_age, allow=allow, anew=anew, dry_run=False)

    def preview(
        self,
        live: Iterable[PublicKey],
        retired: Collection[str] = (),
        *,
        max_age: int | None = None,
    ) -> Published:
        """Return what `publish` would do. Nothing is written; errors are those of `publish`."""
        return self._publish(tuple(live), retired, max_age, allow=None, anew=None, dry_run=True)

    def kids(self, expected: Iterable[PublicKey] = ()) -> frozenset[str]:
        """Return each ``kid`` that can be read, as a key that verifies, wherever consumers read.

        No document yet where they are written is no key. A URL that does not answer with a JWKS
        is an error: nobody knows.

        Args:
            expected: keys that are to be there. Where another one has the ``kid``, it is not.

        Raises:
            PublishError: the place did not tell.
            KeySourceError: the issuer's URL did not.
        """
        return frozenset.intersection(*self._seen(tuple(expected)))

    def lingering(self) -> frozenset[str]:
        """Return each ``kid`` that can be read in one of these places at least.

        Raises:
            PublishError, KeySourceError: as `kids`.
        """
        return frozenset.union(*self._seen())

    def _seen(self, expected: tuple[PublicKey, ...] = ()) -> list[frozenset[str]]:
        seen: list[frozenset[str]] = []
        if self._place is not None:
            seen.append(kids_of(stored_keys(self._place, self._documents.jwks), expected))
        if self._url is not None:
            # Twice: one node of a CDN may have what another has not.
            times = 1 if self._cdn is None else 2
            seen.extend(kids_of(fetched_keys(self._url), expected) for _ in range(times))
        return seen

    def invalidate(self) -> None:
        """Have the CDN, if one was declared, forget all documents.

        Raises:
            PublishError: it was not done.
        """
        if self._cdn is not None:
            self._cdn.invalidate([f"/{document}" for document in self._documents.all])

    def _publish(
        self,
        live: tuple[PublicKey, ...],
        retired: Collection[str],
        max_age: int | None,
        *,
        allow: Callable[[], None] | None,
        anew: Anew | None,
        dry_run: bool,
    ) -> Published:
        max_age = self._max_age if max_age is None else max_age
        _require_max_age(max_age)
        place, documents = self._place, self._documents
        if place is None:
            return Published(kids=sorted(key.kid for key in live))
        settling = Settling(place, max_age=max_age, pause=self._pause, allow=allow, dry_run=dry_run)
        name = place.where(documents.jwks)

        def render(current: bytes | None) -> Merged:
            merged = merge(current, live, retired, where=name)
            if merged.added and anew is not None:
                merged = merge(current, *anew(), where=name)
            settling.is_shared = bool(merged.kept)
            return merged

        merged = settling.settle(documents.jwks, render)
        for document in documents.discovery:
            self._settle_discovery(settling, place, document, merged.algs if dry_run else None)
        written = settling.written
        names = map(place.where, documents.all)
        return Published(
            kids=merged.kids,
            written=written,
            unchanged=[each for each in names if each not in written],
            kept=merged.kept,
            removed=merged.removed,
        )

    def _settle_discovery(
        self, settling: Settling, place: Place, document: str, algs: frozenset[str] | None
    ) -> None:
        """Bring a discovery document up to date with the JWKS, or with ``algs`` if they are given.

        The JWKS is read after the document that is to be replaced, and once more after that was
        written: whichever of two publishers ends last has seen what both did.
        """
        jwks, where = self._documents.jwks, place.where(document)

        def render(current: bytes | None) -> Stored:
            its_algs = algs_of(stored_keys(place, jwks)) if algs is None else algs
            return Stored(discovery(current, self._documents.issuer, its_algs, where))

        settling.settle(document, render, confirm=True)


def _url(issuer: str, read_from: str | None) -> Url | None:
    if read_from is None:
        return None
    if read_from == "issuer":
        return read_url(jwks_url(issuer), "issuer")
    return read_url(read_from, "read_from")


def _require_max_age(max_age: object) -> None:
    if type(max_age) is not int or not 1 <= max_age <= MAX_MAX_AGE:
        raise ConfigError(
            f"max_age is {shown(max_age)}, expected 1 to {MAX_MAX_AGE} whole seconds",
            code="publisher",
        )


def _cdn(cdn: Cdn | str | None, read_from: str | None) -> Cdn | None:
    if cdn is None:
        return None
    if read_from is None:
        raise ConfigError(
            "a CDN is named, and nothing is read through it",
            code="publisher",
            fix="read_from='issuer', or leave the CDN out until the issuer is public",
        )
    return CloudFront(cdn) if isinstance(cdn, str) else cdn
