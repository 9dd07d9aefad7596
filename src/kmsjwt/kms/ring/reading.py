"""What KMS says of a ring.

KMS lists aliases without a filter, for the whole account or not at all, so nothing is listed:
``alias/auth`` leads to its key, whose tag says its generation, and the generations beside it are
asked for by name, upward until one is missing, downward until one is missing or retired; below
that, those that it says are still to be disabled. One that is missing, or may not be seen, is not
known to be gone.

IAM: ``kms:DescribeKey``, ``kms:GetPublicKey`` and ``kms:ListResourceTags``; ``kms:ListAliases``
on the key that signs, to learn since when it does.
"""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt._immutable import Immutable, replaced
from kmsjwt.errors import ConfigError, KmsAccessDenied, KmsKeyNotFound, KmsKeyUnusable, shown
from kmsjwt.key_names import RING_NUMBER, KeyReference, key_id, ring_name
from kmsjwt.kms.public import fetch, wrong_answer
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.asking import describing, pages, tags_of
from kmsjwt.kms.ring.names import generation_alias, pointer_alias
from kmsjwt.kms.ring.written import Written
from kmsjwt.rotation import Generation, Marks, Ring

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from kmsjwt.keys import PublicKey
    from kmsjwt.kms.ring.asking import Metadata
    from kmsjwt.rotation import RingSettings

_MOST_ABOVE = 100  # generations above the one that signs
_ALIAS_SEEN = 600  # seconds after which a key's alias is seen by everybody
_WEEK = 7 * 86_400  # the shortest time that KMS waits before it deletes a key
_LONGEST_DRAIN = 2 * 86_400 + 900  # of a ring whose times are the longest that it may have


class RingReading(Immutable):
    """A ring as KMS shows it to this caller now.

    Attributes:
        ring: its facts.
        public: the public keys that KMS gave out, by generation.
        unseen: why there may be more generations than these, as far as can be told.
    """

    __slots__ = ("public", "ring", "unseen")

    ring: Ring
    public: Mapping[int, PublicKey]
    unseen: tuple[str, ...]

    def __init__(
        self, ring: Ring, public: Mapping[int, PublicKey], unseen: Iterable[str] = ()
    ) -> None:
        self._fill(ring=ring, public=public, unseen=tuple(unseen))

    @property
    def live(self) -> list[PublicKey]:
        """The public keys that consumers are to have, oldest first."""
        return [
            self.public[each.number]
            for each in self.ring.generations
            if each.is_usable and each.number in self.public
        ]

    @property
    def missing(self) -> str | None:
        """The alias that is not there though tokens of its key may be alive; None if none lacks.

        KMS takes a deleted key's alias away, no sooner than a week after its successor was made.
        By then its tokens are dead, unless the successor's publication takes longer.
        """
        lowest = next(iter(self.ring.generations), None)
        if lowest is None or lowest.number <= max(1, self.ring.newest_retired):
            return None
        settings = lowest.settings
        waits = None if settings is None else max(_WEEK, settings.publish_wait + _LONGEST_DRAIN)
        if waits is not None and self.ring.now - lowest.born >= waits:
            return None
        return generation_alias(self.ring.name, lowest.number - 1)

    def with_unseen(self, more: Iterable[str]) -> RingReading:
        """Return it with more reasons why there may be more generations."""
        return RingReading(self.ring, self.public, (*self.unseen, *more))

    def __repr__(self) -> str:
        return f"RingReading({self.ring!r})"


def read(
    client: Any,
    name: str,
    *,
    since: bool = True,
    down_to: int | None = None,
    written: Written | None = None,
) -> RingReading:
    """Read a ring.

    Args:
        client: any boto3 KMS client.
        name: the ring.
        since: ask as well when the pointer was last moved, which needs ``kms:ListAliases``.
        down_to: read on below retired generations, to the one of this number.
        written: what the reader itself wrote, and knows without being shown.

    Raises:
        KmsKeyNotFound: there is neither a pointer nor a first generation.
        KmsError: KMS did not say.
    """
    return _Reader(client, ring_name(name), down_to, written or Written()).read(since=since)


class _Reader:
    """Asks for one thing after the other, and remembers the latest time that KMS told."""

    def __init__(self, client: Any, name: str, down_to: int | None, written: Written) -> None:
        self._client = client
        self._name = name
        self._down_to = down_to
        self._written = written
        self._pointed = written.pointed
        self._now = 0.0
        self._public: dict[int, PublicKey] = {}
        self._unseen: list[str] = []
        self._unnamed: set[int] = set()
        self._gone: dict[int, tuple[str, ...]] = {}
        self._to_disable: dict[int, tuple[int, ...]] = {}
        self._unpublished: dict[int, float] = {}
        self._noted: list[int] = []
        self._below: list[str] = []

    def read(self, *, since: bool) -> RingReading:
        signing, number, doubt = self._signing()
        found = self._beside(number, signing)
        if not found and signing is None:
            pointer = pointer_alias(self._name)
            raise KmsKeyNotFound(
                f"neither {pointer} nor {generation_alias(self._name, 1)} is there",
                action="DescribeKey",
                key=pointer,
                fix=f"a new ring is made with: kmsjwt key create {self._name}",
            )
        if number is not None and signing is not None:
            doubt = self._doubtful_pointer(found[number], signing)
        found = {number: self._told_apart(each, found) for number, each in found.items()}
        moved = self._moved(signing["Arn"]) if since and signing is not None else None
        if self._pointed is not None and self._pointed[0] == number:
            moved = max(moved or 0.0, self._pointed[1])
        told = (kid for each in sorted(self._gone) for kid in self._gone[each])
        known: frozenset[str] = frozenset().union(*(each.names for each in found.values()))
        needed = {each.kid or key_id(each.arn) for each in found.values()}
        # First to be forgotten is what names none of these keys; then, what names one twice.
        gone = sorted(dict.fromkeys(told), key=lambda name: (name in known, name in needed))
        ring = Ring(
            name=self._name,
            now=self._now,
            generations=[self._as_told(each, gone) for each in found.values()],
            signing=number,
            signing_since=moved,
            gone=gone,
            to_disable=self._noted,
            unpublished=self._unpublished,
            doubt=doubt,
        )
        reading = RingReading(ring, self._public, self._unseen)
        # A key that is denied is waited for no longer than one that is missing.
        return reading if reading.missing is None else reading.with_unseen(self._below)

    def _told_apart(self, generation: Generation, found: Mapping[int, Generation]) -> Generation:
        """Return a generation in doubt, whose kid is only written on it and another's as well."""
        kid = generation.kid
        if kid is None or generation.number in self._public:
            return generation
        others = (each for each in found.values() if each is not generation and each.kid == kid)
        if all(each.doubt is not None and each.number not in self._public for each in others):
            return generation
        doubt = f"generation {generation.number} is tagged with another's kid, {shown(kid)}"
        return replaced(generation, kid=None, doubt=generation.doubt or doubt)

    def _as_told(self, generation: Generation, gone: Collection[str]) -> Generation:
        """Return a generation with what other keys say of it.

        It is withdrawn, by its kid or its key id; or not published any more since some time.
        """
        marks = generation.marks
        if not generation.names.isdisjoint(gone) and generation.is_live:
            marks = replaced(marks, retired=generation.born, compromised=generation.born)
        if (marks.published or 0.0) <= self._unpublished.get(generation.number, -1.0):
            marks = replaced(marks, published=None)
        return replaced(generation, marks=marks)

    def _signing(self) -> tuple[Metadata | None, int | None, str | None]:
        """Return the key that signs, and which generation it is, or why that cannot be told."""
        key = self._asked(pointer_alias(self._name))
        number, doubt = (None, None) if key is None else self._number_of(key)
        if self._pointed is None or doubt is not None or self._pointed[0] <= (number or 0):
            return key, number, doubt
        # It was moved there, and KMS shows it late. Where others moved it further, that counts.
        moved_to = self._probed(self._pointed[0], downward=False)
        return (key, number, None) if moved_to is None else (moved_to, self._pointed[0], None)

    def _number_of(self, key: Metadata) -> tuple[int | None, str | None]:
        """Return which generation the pointer names, or why that cannot be told."""
        known = self._tags(key["Arn"])
        number = known.get(tags.GENERATION, "")
        if known.get(tags.RING) == self._name and re.fullmatch(RING_NUMBER, number):
            return int(number), None
        pointer = pointer_alias(self._name)
        return None, (
            f"{pointer} points to {key['Arn']}, which is not tagged as a key of ring {self._name}"
        )

    def _doubtful_pointer(self, named: Generation, signing: Metadata) -> str | None:
        """Return why the pointer's key may not be the generation that its tag says."""
        pointer, alias = pointer_alias(self._name), generation_alias(self._name, named.number)
        if named.arn != signing["Arn"]:
            return f"{pointer} and {alias} are different keys, both tagged as {named.number}"
        age = self._now - signing["CreationDate"].timestamp()
        if named.number in self._unnamed and age > _ALIAS_SEEN:
            return f"{pointer} points to a key tagged as {named.number}, and there is no {alias}"
        return None

    def _beside(self, number: int | None, signing: Metadata | None) -> dict[int, Generation]:
        """Return the generations around the one that signs, itself included."""
        found: dict[int, Generation] = {}
        if number is not None and signing is not None:
            # Its own alias may be too young to be seen; the pointer was made after it.
            key = self._probed(number, downward=False)
            if key is None:
                self._unnamed.add(number)
            found[number] = self._generation(number, key or signing)
        for higher in count((number or 0) + 1):
            if higher > (number or 0) + _MOST_ABOVE and number is not None:
                name = generation_alias(self._name, higher)
                raise wrong_answer("there is no end of generations", "DescribeKey", name)
            key_above = self._probed(higher, downward=False)
            if key_above is None:
                break
            found[higher] = self._generation(higher, key_above)
        for lower in range((number or 1) - 1, 0, -1):
            key_below = self._probed(lower, downward=True)
            if key_below is not None:
                found[lower] = self._generation(lower, key_below)
            if self._ends_at(lower, found.get(lower)):
                found |= self._still_enabled(lower)
                break
        return found

    def _still_enabled(self, end: int) -> dict[int, Generation]:
        """Return the withdrawn generations that the oldest one read says are to be disabled.

        One that may not be read is noted, and no reason for doubt: consumers are not to have it.
        """
        found: dict[int, Generation] = {}
        for number in self._to_disable.get(end, ()):
            if number >= end:
                continue
            unseen, below = len(self._unseen), len(self._below)
            key = self._probed(number, downward=True)
            each = None if key is None else self._generation(number, key)
            if each is None:
                is_left = len(self._below) > below
            elif each.is_to_be_disabled and each.marks.retired is not None:
                found[number] = each
                is_left = False
            else:
                is_left = not (each.is_off or each.marks.keep_enabled)
            if is_left:
                self._noted.append(number)
            del self._unseen[unseen:], self._below[below:]
        return found

    def _ends_at(self, number: int, generation: Generation | None) -> bool:
        """Tell whether no generation below can matter."""
        if self._down_to is not None:
            return number <= self._down_to
        if generation is None:
            return True
        # Keys retire in order, but for one that was withdrawn out of turn.
        marks = generation.marks
        is_retired = marks.retired is not None and marks.compromised is None
        return is_retired and generation.doubt is None

    def _probed(self, number: int, *, downward: bool) -> Metadata | None:
        alias = generation_alias(self._name, number)
        try:
            return self._asked(alias) or self._written.keys.get(number)
        except KmsAccessDenied:
            # What KMS may answer about an alias that is missing, to who is let in by aliases.
            if downward:
                self._below.append(f"kms:DescribeKey on {alias} is denied")
            return None

    def _generation(self, number: int, key: Metadata) -> Generation:
        known, marks, doubt = self._known(number, key["Arn"])
        settings = tags.settings_in(known)
        if doubt is None:
            doubt = self._fetched(number, key["Arn"], settings, known.get(tags.KID))
        public = self._public.get(number)
        return Generation(
            number=number,
            arn=key["Arn"],
            kid=known.get(tags.KID) if public is None else public.kid,
            spec=key["KeySpec"],
            state=key["KeyState"],
            born=key["CreationDate"].timestamp(),
            marks=marks,
            settings=settings,
            doubt=doubt,
        )

    def _known(self, number: int, arn: str) -> tuple[Mapping[str, str], Marks, str | None]:
        """Return a key's tags, what they say of its life, and why they are in doubt."""
        try:
            known = self._tags(arn)
        except KmsAccessDenied as error:
            doubt = f"the tags of generation {number} may not be read: {error.message}"
            self._unseen.append(doubt)
            return {}, Marks(), doubt
        stranger = tags.stranger(self._name, number, known)
        if stranger is not None:
            return known, Marks(), stranger
        self._gone[number] = tags.gone_in(known)
        self._to_disable[number] = tags.to_disable_in(known)
        for other, since in tags.unpublished_in(known, self._now).items():
            self._unpublished[other] = max(since, self._unpublished.get(other, 0.0))
        marks, unclear = tags.marks_in(known, self._now)
        return known, marks, unclear and f"generation {number} is in doubt: {unclear}"

    def _fetched(
        self, number: int, arn: str, settings: RingSettings | None, published_as: str | None
    ) -> str | None:
        """Keep the public key, if KMS gives it out; return why it is not the right one."""
        try:
            public = self._public_key(arn, settings.alg if settings else None)
        except ConfigError as error:
            return f"generation {number} signs no such JWT: {error.message}"
        if public is not None:
            self._public[number] = public
            if published_as not in (None, public.kid):
                return (
                    f"generation {number} was published as {shown(published_as)}, is {public.kid}"
                )
        return None

    def _tags(self, arn: str) -> dict[str, str]:
        return {**tags_of(self._client, arn), **self._written.tags.get(arn, {})}

    def _public_key(self, arn: str, alg: str | None) -> PublicKey | None:
        try:
            return fetch(self._client, KeyReference.parse(arn), alg, "thumbprint").public
        except KmsAccessDenied:
            return None  # a right that depends on aliases comes minutes after them
        except KmsKeyUnusable as error:
            if error.aws_code:
                return None  # disabled, or about to be deleted
            raise ConfigError(error.message, code=error.code, fix=error.fix) from None

    def _moved(self, arn: str) -> float | None:
        """Return when the pointer was last moved, if it can be seen at its key."""
        pointer = pointer_alias(self._name)
        try:
            for answer in pages(self._client.list_aliases, "ListAliases", arn, KeyId=arn):
                for alias in answer["Aliases"]:
                    if alias["AliasName"] == pointer and "LastUpdatedDate" in alias:
                        return float(alias["LastUpdatedDate"].timestamp())
        except KmsAccessDenied as error:
            self._unseen.append(error.message)
        return None

    def _asked(self, name: str) -> Metadata | None:
        """Return a key's metadata, or None; its answer is the one whose time counts."""
        answer = describing(self._client, name)
        if answer is None:
            return None
        told = aws.answered_at(answer)
        if told is None:
            raise wrong_answer("it has no Date header", "DescribeKey", name)
        self._now = max(self._now, told)
        metadata: Metadata = answer["KeyMetadata"]
        return metadata
