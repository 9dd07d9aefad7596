"""Taking one step of a rotation: what a plan asks for, done in KMS and where keys are published."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import replaced
from kmsjwt.authority.making import KeyMaker
from kmsjwt.authority.withdrawing import Withdrawn, refuse_stranger, sought, suspects
from kmsjwt.errors import CannotKnow, KmsError
from kmsjwt.key_names import key_id
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.names import generation_alias, pointer_alias
from kmsjwt.kms.ring.reading import read
from kmsjwt.kms.ring.writing import RingWriter, ring_clients
from kmsjwt.kms.ring.written import Written
from kmsjwt.rotation.facts import LEAVING
from kmsjwt.rotation.settings import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from kmsjwt.authority.publishers import Publisher
    from kmsjwt.keys import PublicKey
    from kmsjwt.kms.ring.reading import RingReading
    from kmsjwt.rotation import Generation, Ring, Step

PLAN_MAX_AGE = 300
"""Seconds for which what was read may be acted upon."""
_READ_ATTEMPTS = 3
_FORGOTTEN = 2 * DAY
"""Seconds after a withdrawal, in which caches are told to forget once more before the key is
disabled: none keeps a document for longer than a day."""


class PlanTooOld(CannotKnow):
    """What was read of the ring is too old to act upon. Nothing was done; run it again."""

    code = "plan_too_old"
    retryable = True


class StepTaker:
    """Takes the steps of one ring's rotation, as long as what was read of it is young.

    Attributes:
        name: the ring.
        reader: a boto3 KMS client to read with.
        publisher: what publishes the ring's keys.
        writer: what writes to the ring.
        maker: what makes its keys.
    """

    def __init__(
        self,
        name: str,
        publisher: Publisher,
        *,
        client: Any,
        region: str | None,
        spec: str | None,
        changes: Mapping[str, Any],
        policy: str | None,
        clock: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        """Take what `kmsjwt.authority.rotate.Rotator` takes, and raise as it does."""
        self.name = name
        self.publisher = publisher
        self._clock = clock
        self.reader, writing = ring_clients(client, region, attempts=_READ_ATTEMPTS)
        self.writer = RingWriter(writing, name, allow=self.refuse_old, pause=pause)
        self.maker = KeyMaker(
            self.reader, self.writer, spec=spec, changes=changes, policy=policy, clock=clock
        )
        self._gone: tuple[str, ...] = ()
        self._has_invalidated = False
        self._read_at = 0.0
        self._began = 0.0

    def begin(self) -> None:
        """Begin a new run: nothing is known of what a former one wrote."""
        self._gone = ()
        self._has_invalidated = False
        self.writer.orphans.clear()
        self._forget()

    def read(self) -> RingReading:
        """Read the ring: from now on what is read grows old.

        Raises:
            KmsError: there is no ring, or KMS did not say.
        """
        self._read_at = self._clock()
        if not 0 <= self._read_at - self._began <= PLAN_MAX_AGE:
            self._forget()  # KMS shows by now what was written, and what others did since
        return read(self.reader, self.name, written=self.writer.written)

    def _forget(self) -> None:
        self.writer.written = Written()
        self._began = self._clock()

    def take(self, step: Step, reading: RingReading) -> str:
        """Take a step and return what came of it, for people.

        Raises:
            PlanTooOld: what was read is too old to act upon.
            KmsError, PublishError: it failed.
        """
        ring = reading.ring
        if step.action == "publish":
            return self._published(reading)
        if step.action == "create":
            return self._created(step.number, ring)
        generation = ring.generation(step.number)
        if generation is None:
            raise ValueError(f"the plan names generation {step.number}, which was not read")
        if step.action == "point":
            if not self.writer.point(generation.arn, moving=ring.signing is not None):
                return "it exists unseen"
            self.writer.written.pointed = step.number, self._now(ring)
            return f"{pointer_alias(self.name)} -> {generation.arn}"
        if step.action == "disable":
            try:
                self._forgotten(generation, ring)  # what was cut off before is carried on here
            finally:
                told = self._disabled(generation, ring)  # whatever becomes of caches
            return told
        keeper = ring.keeper(generation)
        kid = generation.kid
        if step.action == "retire" and generation.state in LEAVING and keeper and kid is not None:
            gone = tags.with_gone(ring.gone, [kid])
            self.writer.tag(keeper.arn, {tags.GONE: gone})
            return f"written on {keeper.arn}"
        if step.action == "mark-unpublished" and generation.state in LEAVING and keeper:
            unpublished = {**ring.unpublished, step.number: self._now(ring)}
            self.writer.tag(keeper.arn, {tags.UNPUBLISHED: tags.with_unpublished(unpublished)})
            return f"written on {keeper.arn}"
        self.writer.tag(generation.arn, self._marks(step, generation, ring))
        return f"written on {generation_alias(self.name, step.number)}"

    def _marks(self, step: Step, generation: Generation, ring: Ring) -> dict[str, str]:
        now = self.moment(ring)
        if step.action == "mark-published":
            return {tags.PUBLISHED: now, tags.KID: str(generation.kid)}
        if step.action == "mark-unpublished":
            return {tags.PUBLISHED: tags.NOT_ANY_MORE}
        if step.action == "mark-draining":
            return {tags.DRAINING: now}
        left = _to_disable(ring, generation)
        return {tags.RETIRED: now, **({tags.NEXT: tags.with_to_disable(left)} if left else {})}

    def _published(self, reading: RingReading) -> str:
        self._write_kids(reading.ring)
        self._write_documents(reading)
        is_withdrawn = (each.marks.compromised is not None for each in reading.ring.generations)
        if self._gone or any(is_withdrawn):
            self._has_invalidated = False
            self.invalidate()
        return f"live keys: {len(reading.live)}"

    def _write_kids(self, ring: Ring) -> None:
        """Write its kid on each key that consumers are to have for the first time.

        KMS gives out no public key of a disabled one, and nobody could tell what to take out of
        the JWKS. What cannot be written is published all the same: it stays away from no consumer
        any longer, and signs only once its kid is written together with its publication.
        """
        for each in ring.generations:
            if each.is_usable and each.marks.published is None:
                with suppress(KmsError):
                    self.writer.tag(each.arn, {tags.KID: str(each.kid)})

    def invalidate(self) -> None:
        """Have caches forget the documents, unless they did in this run.

        Raises:
            PublishError: they did not.
        """
        if not self._has_invalidated:
            self.publisher.invalidate()
        self._has_invalidated = True

    def _forgotten(self, generation: Generation, ring: Ring) -> None:
        since = generation.withdrawn_since
        if since is None or ring.now < since + _FORGOTTEN:
            self.invalidate()

    def refresh(self, reading: RingReading) -> None:
        """Mend whatever else is published beside the keys."""
        if reading.live:
            self._write_documents(reading)

    def _write_documents(self, reading: RingReading) -> None:
        ring = reading.ring

        def anew() -> tuple[list[PublicKey], Collection[str]]:
            """Look again: who withdraws a key says so before the JWKS lacks it."""
            latest = self.read()
            retired = ring.retired_kids | latest.ring.retired_kids
            return [key for key in latest.live if key.kid not in retired], retired

        self.refuse_old()
        self.publisher.publish(
            reading.live,
            ring.retired_kids,
            max_age=ring.document_max_age,
            allow=self.refuse_old,
            anew=anew,
        )

    def _created(self, number: int, ring: Ring) -> str:
        gone = self._gone_with(ring)
        return self.maker.created(number, ring, now=lambda: self._now(ring), gone=gone)

    def _gone_with(self, ring: Ring) -> str:
        """Return what the next key is to tell as gone, the longest gone first."""
        withdrawn = [
            (each.marks.compromised, _called(each))
            for each in ring.generations
            if each.marks.compromised is not None
        ]
        return tags.with_gone(
            (*ring.gone, *(called for _, called in sorted(withdrawn))), self._gone
        )

    def withdraw(self, ring: Ring, which: str, *, keep_enabled: bool) -> Withdrawn:
        """Write down that a key is withdrawn, on itself and on the newest of the others."""
        generation = self.sought(ring, which)
        if generation is not None:
            refuse_stranger(self.reader, ring, generation)
        where, untold = self._told(generation, which, ring, keep_enabled=keep_enabled)
        kid = which if generation is None else generation.kid
        told = f"written on {' and '.join(where)}"
        if kid is None:
            told = f"{told}, by its key id: nobody can tell its kid"
        if generation is None:
            return Withdrawn(None, kid, told, untold)
        suspected: Collection[str] = ()
        try:
            suspected = suspects(self.reader, ring, generation, self.publisher.lingering)
        except CannotKnow as error:
            untold = untold or error
        withdrawn = Withdrawn(generation, kid, told, untold, suspects=suspected)
        if keep_enabled or not self._is_out_of_view(generation, ring):
            return withdrawn
        try:
            return replaced(withdrawn, told=f"{told}; {self._disabled(generation, ring)}")
        except CannotKnow as error:
            if isinstance(error, PlanTooOld):
                raise
            unnoted = self._unnoted(generation, ring, error)
            return replaced(withdrawn, untold=unnoted or untold, left_enabled=True)

    def _told(
        self, generation: Generation | None, which: str, ring: Ring, *, keep_enabled: bool
    ) -> tuple[list[str], CannotKnow | None]:
        """Return where it was written that a key is withdrawn, and why not on another key, too."""
        called = [which] if generation is None else [_called(generation)]
        if generation is not None and generation.state in LEAVING:
            called.insert(0, key_id(generation.arn))  # its kid is only what somebody wrote on it
        keeper = ring.keeper(generation)
        where, untold = [], None
        if generation is not None and generation.state not in LEAVING:
            marks = {tags.KEEP_ENABLED: "yes" if keep_enabled else "no"}
            if generation.withdrawn_since is None:  # once: nobody moves the pointer to it since
                marks[tags.COMPROMISED] = marks[tags.RETIRED] = self.moment(ring)
            if generation.kid is not None:
                marks[tags.KID] = generation.kid
            self.writer.tag(generation.arn, marks)
            where.append(generation.arn)
        self._gone = tuple(called)
        if keeper is not None:
            try:
                self.writer.tag(keeper.arn, {tags.GONE: tags.with_gone(ring.gone, called)})
                where.append(keeper.arn)
            except CannotKnow as error:
                if not where or isinstance(error, PlanTooOld):
                    raise
                untold = error  # it stands on the key itself, so what is left goes on
        if not where:  # nothing can be written on a key that KMS will delete
            where.append(self._created(ring.newest_number + 1, ring))
        return where, untold

    def _unnoted(self, generation: Generation, ring: Ring, error: CannotKnow) -> CannotKnow | None:
        """Write where each run reads it that a key out of view is to be disabled.

        Returns:
            None, or the error that kept it from being disabled if that could not be written.
        """
        end = ring.generation(ring.newest_retired)  # nothing is read below it
        if end is None:
            return error
        left = {*_to_disable(ring, end), generation.number}
        try:
            self.writer.tag(end.arn, {tags.NEXT: tags.with_to_disable(left)})
        except CannotKnow as unwritten:
            if isinstance(unwritten, PlanTooOld):
                raise
            return error
        return None

    def sought(self, ring: Ring, which: str) -> Generation | None:
        """Return the generation to withdraw, as `kmsjwt.authority.withdrawing.sought` does."""
        return sought(self.reader, ring, which, self.publisher.lingering)

    def _is_out_of_view(self, generation: Generation, ring: Ring) -> bool:
        """Tell whether a key has retired so long ago that no plan knows it any more."""
        is_known = ring.generation(generation.number) is not None
        return not is_known and not generation.is_off

    def _disabled(self, generation: Generation, ring: Ring) -> str:
        self.writer.disable(generation.arn)
        self.writer.tag(generation.arn, {tags.DISABLED: self.moment(ring)})
        return f"{generation.arn} is disabled"

    def moment(self, ring: Ring) -> str:
        """Return the present, by the clock of KMS, as a tag has it."""
        return tags.moment(self._now(ring))

    def _now(self, ring: Ring) -> float:
        # A Date header is cut off to whole seconds: a fact must not be older than it is.
        return ring.now + max(0.0, self._clock() - self._read_at) + 1

    def refuse_old(self) -> None:
        """Refuse to act on what was read too long ago.

        Raises:
            PlanTooOld: it was.
        """
        age = self._clock() - self._read_at
        if not 0 <= age <= PLAN_MAX_AGE:
            raise PlanTooOld(
                f"what was read of ring {self.name} is {age:.0f} s old,"
                f" expected at most {PLAN_MAX_AGE}",
                fix="run it again; nothing is lost",
            )


def _called(generation: Generation) -> str:
    """Return what names a withdrawn key on others: its ``kid``, or its key id if nobody knows."""
    return generation.kid or key_id(generation.arn)


def _to_disable(ring: Ring, end: Generation) -> set[int]:
    """Return which withdrawn keys before one that retired, or retires, are to be disabled.

    Nothing is read below such a key, but for what it says.
    """
    seen = (each.number for each in ring.generations if each.is_to_be_disabled)
    return {number for number in (*seen, *ring.to_disable) if number < end.number}
