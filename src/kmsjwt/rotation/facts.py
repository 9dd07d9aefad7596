"""What is known of a ring and its keys. A fact that is None is not known, or not true yet."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from kmsjwt._immutable import Immutable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kmsjwt.rotation.settings import RingSettings

LEAVING = frozenset(("PendingDeletion", "PendingReplicaDeletion"))
"""The states of a key that KMS will delete, and that it lets nobody change.

The second is that of a multi-Region primary key that waits for its replicas to be deleted. What
KMS answers about such a key is taken from its documentation, and is not verified against AWS.
"""

_NONE: Mapping[int, float] = MappingProxyType({})

GONE_ROOM = 256
"""Characters in which a key tells what is gone: those of one tag's value."""

Stage = Literal["new", "published", "signing", "verifying", "retired", "compromised"]


class Marks(Immutable):
    """What was written on a key, each fact once and after it was true.

    Attributes:
        published: since when its ``kid`` is known to be where consumers read.
        confirmed: when a person confirmed that bundled copies of the JWKS have it.
        draining: since when another key is known to sign.
        retired: since when it may be left out of the JWKS.
        compromised: since when it is known that somebody else may sign with it.
        disabled: when this package disabled it.
        keep_enabled: whether it stays enabled though compromised.
    """

    __slots__ = (
        "compromised",
        "confirmed",
        "disabled",
        "draining",
        "keep_enabled",
        "published",
        "retired",
    )

    published: float | None
    confirmed: float | None
    draining: float | None
    retired: float | None
    compromised: float | None
    disabled: float | None
    keep_enabled: bool

    def __init__(
        self,
        *,
        published: float | None = None,
        confirmed: float | None = None,
        draining: float | None = None,
        retired: float | None = None,
        compromised: float | None = None,
        disabled: float | None = None,
        keep_enabled: bool = False,
    ) -> None:
        self._fill(
            published=published,
            confirmed=confirmed,
            draining=draining,
            retired=retired,
            compromised=compromised,
            disabled=disabled,
            keep_enabled=keep_enabled,
        )

    @property
    def are_final(self) -> bool:
        """Whether the key is retired or withdrawn."""
        return self.retired is not None or self.compromised is not None

    def __repr__(self) -> str:
        told = (
            f"{name}={getattr(self, name):.0f}" for name in self.__slots__ if getattr(self, name)
        )
        return f"Marks({', '.join(told)})"


class Generation(Immutable):
    """One key of a ring. Times are seconds since 1970, from the clock of KMS.

    Attributes:
        number: its place in the row; the first is 1.
        arn: the key.
        kid: its RFC 7638 thumbprint; None while KMS gives out no public key.
        spec: its KMS key spec.
        state: its KMS key state, such as ``Enabled``.
        born: when the key was made.
        marks: what was written on it since.
        settings: its times; None if they cannot be read.
        doubt: why nothing may be done with it, if so.
    """

    __slots__ = ("arn", "born", "doubt", "kid", "marks", "number", "settings", "spec", "state")

    number: int
    arn: str
    kid: str | None
    spec: str
    state: str
    born: float
    marks: Marks
    settings: RingSettings | None
    doubt: str | None

    def __init__(
        self,
        *,
        number: int,
        arn: str,
        kid: str | None,
        spec: str,
        state: str,
        born: float,
        marks: Marks,
        settings: RingSettings | None,
        doubt: str | None = None,
    ) -> None:
        self._fill(
            number=number,
            arn=arn,
            kid=kid,
            spec=spec,
            state=state,
            born=born,
            marks=marks,
            settings=settings,
            doubt=doubt,
        )

    @property
    def is_live(self) -> bool:
        """Whether consumers are to have it: its tokens are good, or will be."""
        return not (self.marks.are_final or self.is_lost) and self.doubt is None

    @property
    def is_lost(self) -> bool:
        """Whether KMS will delete it and nobody can tell its ``kid``.

        It signs nothing, nothing can be written on it, and of no key in a document can be said
        that it is this one: so nothing is done with it, and nothing waits for it.
        """
        return self.state in LEAVING and self.kid is None and self.doubt is None

    @property
    def is_off(self) -> bool:
        """Whether KMS signs with it no more, unless a person has it do so.

        In any other state but ``Enabled``, such as ``Unavailable``, it may do so again by itself.
        """
        return self.state == "Disabled" or self.state in LEAVING

    @property
    def is_to_be_disabled(self) -> bool:
        """Whether it is withdrawn, and its KMS key is not off against that."""
        is_withdrawn = self.marks.compromised is not None and not self.marks.keep_enabled
        return is_withdrawn and not self.is_off

    @property
    def names(self) -> frozenset[str]:
        """What other keys call it: its ``kid``, if that is known, and its key id."""
        key_id = self.arn.rpartition("/")[2]
        return frozenset({key_id} if self.kid is None else {key_id, self.kid})

    @property
    def withdrawn_since(self) -> float | None:
        """When it was withdrawn, as it says itself; None if only another key says that it is.

        A reading has then the time of its birth for it.
        """
        since = self.marks.compromised
        return None if since is None or since <= self.born else since

    @property
    def is_usable(self) -> bool:
        """Whether it may sign, as far as the key itself is concerned."""
        return self.is_live and self.state == "Enabled" and self.kid is not None

    def __repr__(self) -> str:
        return f"Generation({self.number}, {self.arn!r}, {self.state})"


class Ring(Immutable):
    """A row of generations, and the pointer to the one that signs.

    Attributes:
        name: the ring's name.
        now: when this was read, by the clock of KMS.
        generations: those that are known, oldest first. One that is missing is not known to be
            gone.
        signing: the number of the one that signs; None if there is no pointer.
        signing_since: when the pointer was last moved.
        gone: kids that a key of the ring says are gone, the longest gone first; no generation
            need be known of them. A key whose ``kid`` nobody could tell has its key id there.
        to_disable: numbers of withdrawn keys that a key of the ring says are still to be
            disabled, and of which that cannot be seen.
        unpublished: generations of which a key of the ring says that they are not published any
            more, and since when. What they say themselves of an earlier time is left out.
        doubt: why nothing may be done, if so.
    """

    __slots__ = (
        "doubt",
        "generations",
        "gone",
        "name",
        "now",
        "signing",
        "signing_since",
        "to_disable",
        "unpublished",
    )

    name: str
    now: float
    generations: tuple[Generation, ...]
    signing: int | None
    signing_since: float | None
    gone: tuple[str, ...]
    to_disable: tuple[int, ...]
    unpublished: Mapping[int, float]
    doubt: str | None

    def __init__(
        self,
        *,
        name: str,
        now: float,
        generations: Iterable[Generation],
        signing: int | None,
        signing_since: float | None,
        gone: Iterable[str] = (),
        to_disable: Iterable[int] = (),
        unpublished: Mapping[int, float] = _NONE,
        doubt: str | None = None,
    ) -> None:
        ordered = tuple(sorted(generations, key=lambda generation: generation.number))
        self._fill(
            name=name,
            now=now,
            generations=ordered,
            signing=signing,
            signing_since=signing_since,
            gone=tuple(gone),
            to_disable=tuple(to_disable),
            unpublished=MappingProxyType(dict(unpublished)),
            doubt=doubt,
        )

    def generation(self, number: int | None) -> Generation | None:
        """Return the generation of that number, if it is known."""
        return next((each for each in self.generations if each.number == number), None)

    def stage(self, generation: Generation) -> Stage:
        """Return where in its life a generation is."""
        if generation.marks.compromised is not None:
            return "compromised"
        if generation.marks.retired is not None:
            return "retired"
        if generation.number == self.signing:
            return "signing"
        if self.signing is not None and generation.number < self.signing:
            return "verifying"
        return "new" if generation.marks.published is None else "published"

    @property
    def is_emergency(self) -> bool:
        """Whether the key that signs must not or cannot, or the only one that could was withdrawn.

        Where there is no pointer and several keys live, one of them may have signed all along:
        then that some other was withdrawn, once, is a reason for no hurry.
        """
        signing = self.generation(self.signing)
        if signing is not None:
            return signing.marks.are_final or signing.is_lost
        if self.signing is not None or len([each for each in self.generations if each.is_live]) > 1:
            return False
        return any(each.marks.compromised is not None for each in self.generations)

    @property
    def newest_number(self) -> int:
        """The highest number that is taken, as far as is known; 0 for none."""
        return max((each.number for each in self.generations), default=0)

    @property
    def newest_retired(self) -> int:
        """The highest number that retired in its turn: all below it have, seen or not."""
        in_turn = (
            each.number
            for each in self.generations
            if each.marks.retired is not None
            and each.marks.compromised is None
            and each.doubt is None
        )
        return max(in_turn, default=0)

    @property
    def document_max_age(self) -> int | None:
        """For how many seconds the JWKS may be kept: the shortest that a live key asks for.

        Before a key signs, the longest is waited for. None if no key's settings are known.
        """
        live = (each.settings for each in self.generations if each.is_live)
        known = (settings.document_max_age for settings in live if settings is not None)
        return min(known, default=None)

    def keeper(self, besides: Generation | None) -> Generation | None:
        """Return the key that may tell what another cannot: the newest that is in good order."""
        others = (each for each in reversed(self.generations) if each is not besides)
        return next((each for each in others if each.is_usable), None)

    def has_room_for(self, kid: str) -> bool:
        """Tell whether a key can tell that one more is gone, besides all that are still known."""
        known: frozenset[str] = frozenset().union(*(each.names for each in self.generations))
        told = [name for name in self.gone if name in known and name != kid]
        return len(" ".join((*told, kid))) <= GONE_ROOM

    @property
    def marked_published(self) -> frozenset[str]:
        """The keys that were once read back from where consumers read."""
        marked = (each for each in self.generations if each.marks.published is not None)
        return frozenset(each.kid for each in marked if each.kid is not None)

    @property
    def withdrawn_kids(self) -> frozenset[str]:
        """The keys that somebody else may sign with, as far as is known."""
        marked = (each for each in self.generations if each.marks.compromised is not None)
        return frozenset((*self.gone, *(each.kid for each in marked if each.kid is not None)))

    @property
    def retired_kids(self) -> frozenset[str]:
        """The keys that the JWKS must not hold."""
        marked = (each for each in self.generations if each.marks.are_final)
        return frozenset((*self.gone, *(each.kid for each in marked if each.kid is not None)))

    def __repr__(self) -> str:
        return f"Ring({self.name!r}, signing={self.signing}, {len(self.generations)} generations)"
