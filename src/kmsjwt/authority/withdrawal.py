"""What it means to whom that a key is withdrawn: who accepts it until when, who lacks the next.

Issuers are among them: to accept a key means to sign with it, for them.

Times are the latest ones that are possible if everybody does as is written of them: of AWS's
services and other people's libraries in `kmsjwt.authority.compat.limits`, not verified against
AWS; of this package in its own defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from kmsjwt._immutable import Immutable
from kmsjwt.authority.compat.judge import kept, spoken
from kmsjwt.authority.compat.limits import CONSUMERS, LIMITS, UNKNOWN_CACHE
from kmsjwt.gateway.settings import MAX_TTL
from kmsjwt.jwks import JwksUrl
from kmsjwt.kms.arguments import MAX_STALE, RING_MAX_AGE
from kmsjwt.kms.ring.tags import moment
from kmsjwt.kms.signer import MAX_STALE as SIGNER_MAX_STALE
from kmsjwt.kms.sources import MAX_AGE
from kmsjwt.rotation import Marks
from kmsjwt.rotation.settings import PROPAGATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kmsjwt.rotation import Generation, Ring

    Row = tuple[str, str, str, str]

Reads = Literal["jwks", "bundle", "answers", "kms"]
"""Where a consumer has its keys from: a published JWKS, a file in its bundle, what an authorizer
answered before, or KMS itself."""

_HEAD = ("consumer", "accepts the old key until", "lacks the new key until", "why")
_OURS = "kmsjwt"
_AUTHORIZERS = "API Gateway guide, Lambda authorizers"
_URL: dict[str, Any] = JwksUrl.__init__.__kwdefaults__ or {}


class Consequence(Immutable):
    """What a withdrawal means to one kind of consumer. Times are seconds since 1970.

    Attributes:
        consumer: its short name.
        title: its name.
        reads: where it has its keys from.
        accepts_until: when it refuses the withdrawn key at the latest; None if no time ends that.
        lacks_until: when it has the key that signs next at the latest; None if no time ends that.
        ends: what does, where no time does.
        why: the reason.
        source: where that is written; None if no source says it.
    """

    __slots__ = (
        "accepts_until",
        "consumer",
        "ends",
        "lacks_until",
        "reads",
        "source",
        "title",
        "why",
    )

    consumer: str
    title: str
    reads: Reads
    accepts_until: float | None
    lacks_until: float | None
    ends: str
    why: str
    source: str | None

    def __init__(
        self,
        consumer: str,
        title: str,
        reads: Reads,
        *,
        accepts_until: float | None,
        lacks_until: float | None,
        why: str,
        source: str | None,
        ends: str = "",
    ) -> None:
        self._fill(
            consumer=consumer,
            title=title,
            reads=reads,
            accepts_until=accepts_until,
            lacks_until=lacks_until,
            ends=ends,
            why=why,
            source=source,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values; times in ISO 8601."""
        return {
            "consumer": self.consumer,
            "title": self.title,
            "reads": self.reads,
            "accepts_old_until": None if self.accepts_until is None else moment(self.accepts_until),
            "lacks_new_until": None if self.lacks_until is None else moment(self.lacks_until),
            "ends_with": self.ends or None,
            "why": self.why,
            "source": self.source,
        }

    def __repr__(self) -> str:
        return f"Consequence({self.consumer!r}, {self.accepts_until}, {self.lacks_until})"


def consequences(
    ring: Ring, generation: Generation | None, *, keep_enabled: bool = False
) -> tuple[Consequence, ...]:
    """Return what it means that a generation is withdrawn, before or after it is.

    Args:
        ring: as it was read. Until the key is disabled, times count from that reading, since it
            is not known that the JWKS is without it; after that, from when it was disabled.
        generation: the one that is withdrawn; None for one of which only the ``kid`` is known.
        keep_enabled: whether its KMS key is to stay enabled.

    Returns:
        For each kind of consumer, those that read KMS last, and of these issuers last.
    """
    times = _Times(ring, generation, keep_enabled=keep_enabled)
    url, ring_name = _url(times), _ring(times)
    return (
        url,
        _url_blocked(times),
        *(_of(name, times) for name in CONSUMERS),
        _bundle(),
        _answers(url, ring_name),
        ring_name,
        _ring_silent(times),
        _keys(times),
        _issuer(times),
    )


def rows(ring: Ring, generation: Generation | None, *, keep_enabled: bool = False) -> list[Row]:
    """Return `consequences` as a table for people, its head first."""
    found = consequences(ring, generation, keep_enabled=keep_enabled)
    return [_HEAD, *_told(found, ring.now)]


def _told(found: tuple[Consequence, ...], now: float) -> Iterator[Row]:
    for each in found:
        accepts, lacks = each.accepts_until, each.lacks_until
        yield each.title, _until(accepts, each.ends, now), _until(lacks, each.ends, now), each.why


def _until(at: float | None, ends: str, now: float) -> str:
    if at is None:
        return ends
    return moment(at) if at > now else "at once"


class _Times:
    """The moments that all others are counted from, and the longest that a document is about."""

    def __init__(self, ring: Ring, generation: Generation | None, *, keep_enabled: bool) -> None:
        marks = Marks() if generation is None else generation.marks
        self.keep_enabled = keep_enabled or marks.keep_enabled
        # It is disabled only after the JWKS was read back without it.
        self.gone = ring.now if marks.disabled is None else min(marks.disabled, ring.now)
        successor = _successor(ring, generation)
        published = None if successor is None else successor.marks.published
        self.there = ring.now if published is None else min(published, ring.now)
        is_signing = generation is not None and generation.number == ring.signing
        since = None if is_signing else ring.signing_since
        self.moved = ring.now if since is None else min(since, ring.now)
        its_own = None if generation is None else generation.settings
        self.looked_up = SIGNER_MAX_STALE if its_own is None else its_own.signer_refresh
        known = [each.settings for each in ring.generations if each.settings is not None]
        self.on_its_way = max((each.document_max_age for each in known), default=UNKNOWN_CACHE)
        self.unknown = max((UNKNOWN_CACHE, *(each.consumer_cache for each in known)))


def _successor(ring: Ring, generation: Generation | None) -> Generation | None:
    """Return the generation that signs once this one does not; None if it is yet to be made."""
    if generation is None or generation.number != ring.signing:
        return ring.generation(ring.signing)
    for each in reversed(ring.generations):
        if each.number > generation.number and each.is_usable and each.marks.published is not None:
            return each
    return None


def _of(name: str, times: _Times) -> Consequence:
    """Return what the one table of limits says of a consumer."""
    seconds, why, source = kept(name)
    asks_again = (name, "asks_again") in LIMITS
    limit = LIMITS.get((name, "forgets"))
    forgets = limit is None or limit.value
    if (name, "cache") not in LIMITS and not asks_again:
        seconds = times.unknown
        why = f"how long it keeps the JWKS is not confirmed, {spoken(seconds)} are assumed"
    if not forgets:
        why = "keeps what it has read, until a kid that is new to it has it read again"
    return Consequence(
        name,
        CONSUMERS[name],
        "jwks",
        accepts_until=times.gone + times.on_its_way + seconds if forgets else None,
        lacks_until=times.there + times.on_its_way + (0 if asks_again else seconds),
        ends="" if forgets else "its process ends",
        why=why,
        source=source,
    )


def _url(times: _Times) -> Consequence:
    kept_for = spoken(_URL["max_age"])
    return Consequence(
        "url",
        "kmsjwt, JWKS URL",
        "jwks",
        accepts_until=times.gone + times.on_its_way + _URL["max_age"],
        lacks_until=times.there + times.on_its_way + _URL["cool_down"],
        why=f"caches {kept_for}; reads the JWKS again for a new kid",
        source=_OURS,
    )


def _url_blocked(times: _Times) -> Consequence:
    return Consequence(
        "url-blocked",
        "kmsjwt, JWKS URL that it cannot read",
        "jwks",
        accepts_until=times.gone + times.on_its_way + _URL["max_stale"],
        lacks_until=None,
        ends="it can read it",
        why=f"goes on with the last good keys for {spoken(_URL['max_stale'])}",
        source=_OURS,
    )


def _bundle() -> Consequence:
    return Consequence(
        "bundle",
        "kmsjwt, JWKS file or seed",
        "bundle",
        accepts_until=None,
        lacks_until=None,
        ends="it is deployed anew",
        why=f"the file is in the bundle; a seed serves each new process for"
        f" {spoken(_URL['max_age'])}",
        source=_OURS,
    )


def _answers(url: Consequence, ring: Consequence) -> Consequence:
    its_own = max(url.accepts_until or 0, ring.accepts_until or 0)
    return Consequence(
        "answers",
        "Lambda authorizer's kept answers",
        "answers",
        accepts_until=its_own + MAX_TTL,
        lacks_until=max(url.lacks_until or 0, ring.lacks_until or 0),
        why=f"kept for its cache TTL, at most {spoken(MAX_TTL)}, from when it last took the key:"
        " flush them",
        source=_AUTHORIZERS,
    )


def _ring(times: _Times) -> Consequence:
    return Consequence(
        "ring",
        "kmsjwt from KMS, ring:NAME",
        "kms",
        accepts_until=times.gone + PROPAGATION + RING_MAX_AGE,
        lacks_until=times.there + PROPAGATION,
        why=f"reads the ring every {spoken(RING_MAX_AGE)};"
        f" KMS shows changes within {spoken(PROPAGATION)}",
        source=_OURS,
    )


def _ring_silent(times: _Times) -> Consequence:
    return Consequence(
        "ring-silent",
        "kmsjwt from KMS, ring:NAME, KMS silent",
        "kms",
        accepts_until=times.gone + PROPAGATION + MAX_STALE,
        lacks_until=None,
        ends="KMS answers",
        why=f"trusts a key for {spoken(MAX_STALE)} without KMS confirming it",
        source=_OURS,
    )


def _keys(times: _Times) -> Consequence:
    kept_enabled = "it is enabled, so it is trusted" if times.keep_enabled else "until disabled"
    return Consequence(
        "keys",
        "kmsjwt from KMS, keys by ARN",
        "kms",
        accepts_until=None if times.keep_enabled else times.gone + PROPAGATION + MAX_AGE,
        lacks_until=None,
        ends="it is configured anew",
        why=f"reads each key it names every {spoken(MAX_AGE)} ({kept_enabled}), and no other",
        source=_OURS,
    )


def _issuer(times: _Times) -> Consequence:
    seen = times.moved + PROPAGATION
    refreshed = seen + times.looked_up
    late = f"KMS shows alias/NAME moved within {spoken(PROPAGATION)}"
    if times.keep_enabled:
        why = (
            f"goes on with what it looked up for {spoken(times.looked_up)} at most; {late}:"
            " nobody accepts what it signs meanwhile"
        )
        until = lacks = refreshed
    else:
        why = f"cannot sign once the key is disabled, until it sees the next; {late}"
        until, lacks = min(times.gone + PROPAGATION, refreshed), seen
    return Consequence(
        "issuer",
        "kmsjwt issuer, which signs",
        "kms",
        accepts_until=until,
        lacks_until=lacks,
        why=why,
        source=_OURS,
    )
