"""Taking one step of a rotation: what a plan asks for, done in KMS and where keys are published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import replaced
from kmsjwt.algorithms import for_key_spec
from kmsjwt.authority.unnamed import left_of, noting_key
from kmsjwt.authority.withdrawing import Withdrawn, keeper_of, sought
from kmsjwt.errors import CannotKnow, ConfigError
from kmsjwt.key_names import is_multi_region, key_id
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.create import DEFAULT_SPEC
from kmsjwt.kms.ring.names import generation_alias, pointer_alias
from kmsjwt.kms.ring.reading import read, tags_of
from kmsjwt.kms.ring.writing import RingWriter, ring_clients
from kmsjwt.kms.ring.written import Written
from kmsjwt.rotation import RingSettings
from kmsjwt.rotation.facts import LEAVING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from kmsjwt.authority.publishers import Publisher
    from kmsjwt.keys import PublicKey
    from kmsjwt.kms.ring.reading import Metadata, RingReading
    from kmsjwt.rotation import Generation, Ring, Step

PLAN_MAX_AGE = 300
"""Seconds for which what was read may be acted upon."""
_READ_ATTEMPTS = 3
_LOST = (
    "nothing is to be written: KMS will delete it, nobody can tell its kid, and it signs nothing"
)


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
        changes: the settings of the next generation that differ from its predecessor's.
        writer: what writes to the ring.
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
        if spec is not None:
            for_key_spec(spec)
        replaced(RingSettings(), **changes)
        self.name = name
        self.publisher = publisher
        self.changes = dict(changes)
        self._spec = spec
        self._more: dict[str, Any] = {} if policy is None else {"Policy": policy}
        self._clock = clock
        self.reader, writing = ring_clients(client, region, attempts=_READ_ATTEMPTS)
        self.writer = RingWriter(writing, name, allow=self.refuse_old, pause=pause)
        self._gone: tuple[str, ...] = ()
        self._made_here: dict[int, str] = {}
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
                self.invalidate()  # what was cut off before that is carried on here
            finally:
                told = self._disabled(generation, ring)  # whatever becomes of caches
            return told
        keeper = keeper_of(ring, generation)
        kid = generation.kid
        if step.action == "retire" and generation.state == LEAVING and keeper and kid is not None:
            gone = tags.with_gone(ring.gone, [kid])
            self.writer.tag(keeper.arn, {tags.GONE: gone})
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
        before = (each for each in ring.generations if each.number < generation.number)
        left = [each.number for each in before if each.is_to_be_disabled]
        # Nothing is read below a key that retired, but for what that key says.
        return {tags.RETIRED: now, **({tags.NEXT: tags.with_to_disable(left)} if left else {})}

    def _published(self, reading: RingReading) -> str:
        self._write_documents(reading)
        is_withdrawn = (each.marks.compromised is not None for each in reading.ring.generations)
        if self._gone or any(is_withdrawn):
            self._has_invalidated = False
            self.invalidate()
        return f"live keys: {len(reading.live)}"

    def invalidate(self) -> None:
        """Have caches forget the documents, unless they did in this run.

        Raises:
            PublishError: they did not.
        """
        if not self._has_invalidated:
            self.publisher.invalidate()
        self._has_invalidated = True

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
        spec, settings = self.next_key(ring)
        made = self._made_here.get(number)
        left = left_of(self.reader, ring, number, spec, settings, made=made)
        key, gone = left.key, self._gone_with(ring)
        if key is None:
            key = self._made(number, ring, spec, settings, gone)
            self._made_here[number] = key["Arn"]
        elif gone:
            self.writer.tag(key["Arn"], {tags.GONE: gone})
        claimed = self.writer.claim(number, key)
        if claimed["Arn"] != key["Arn"]:
            return f"another run made {claimed['Arn']}"
        return f"{claimed['KeySpec']} {claimed['Arn']}{left.told}"

    def _made(
        self, number: int, ring: Ring, spec: str, settings: RingSettings, gone: str
    ) -> Metadata:
        """Make a key, and write down which before it has its alias.

        What may not be written down is not made: each run would make another one.
        """
        before, noting = ring.generation(ring.signing), noting_key(ring)
        more = dict(self._more)
        if before is not None and is_multi_region(before.arn):
            more["MultiRegion"] = True
        if noting is not None:
            self.writer.tag(noting.arn, {tags.NEXT: str(number)})
        key = self.writer.make(number, spec=spec, settings=settings, gone=gone, **more)
        if noting is not None:
            self.writer.tag(noting.arn, {tags.NEXT: f"{number} {key_id(key['Arn'])}"})
        return key

    def _gone_with(self, ring: Ring) -> str:
        """Return what the next key is to tell as gone, the longest gone first."""
        withdrawn = [
            (each.marks.compromised, each.kid)
            for each in ring.generations
            if each.marks.compromised is not None and each.kid is not None
        ]
        return tags.with_gone((*ring.gone, *(kid for _, kid in sorted(withdrawn))), self._gone)

    def next_key(self, ring: Ring) -> tuple[str, RingSettings]:
        """Return the spec and the settings of the next key: its predecessor's, with changes.

        Raises:
            ConfigError: the algorithm that is asked for is none of that spec's.
        """
        before = ring.generation(ring.signing)
        settings = (before and before.settings) or RingSettings()
        spec = self._spec or (before.spec if before else DEFAULT_SPEC)
        if before is not None and spec != before.spec:
            settings = replaced(settings, alg=None)  # it is of a key of another kind
        settings = replaced(settings, **self.changes)
        for_key_spec(spec, settings.alg)
        return spec, settings

    def withdraw(self, ring: Ring, which: str, *, keep_enabled: bool) -> Withdrawn:
        """Write down that a key is withdrawn, on itself and on the newest of the others."""
        generation = self.sought(ring, which)
        kid = which if generation is None else generation.kid
        keeper = keeper_of(ring, generation)
        where, untold = [], None
        if generation is not None and generation.state != LEAVING:
            self._require_ours(generation)
            marks = {tags.KEEP_ENABLED: "yes" if keep_enabled else "no"}
            if generation.withdrawn_since is None:  # once: nobody moves the pointer to it since
                marks[tags.COMPROMISED] = marks[tags.RETIRED] = self.moment(ring)
            if kid is not None:
                marks[tags.KID] = kid
            self.writer.tag(generation.arn, marks)
            where.append(generation.arn)
        if kid is not None:
            self._gone = (kid,)
        if kid is not None and keeper is not None:
            try:
                self.writer.tag(keeper.arn, {tags.GONE: tags.with_gone(ring.gone, [kid])})
                where.append(keeper.arn)
            except CannotKnow as error:
                if not where or isinstance(error, PlanTooOld):
                    raise
                untold = error  # it stands on the key itself, so what is left goes on
        if not where and kid is not None:  # nothing can be written on a key that KMS will delete
            where.append(self._created(ring.newest_number + 1, ring))
        told = f"written on {' and '.join(where)}" if where else _LOST
        if generation is not None and not keep_enabled and self._is_out_of_view(generation, ring):
            told = f"{told}; {self._disabled(generation, ring)}"
        return Withdrawn(generation, kid, told, untold)

    def sought(self, ring: Ring, which: str) -> Generation | None:
        """Return the generation to withdraw, as `kmsjwt.authority.withdrawing.sought` does."""
        return sought(self.reader, ring, which, self.publisher.lingering)

    def _is_out_of_view(self, generation: Generation, ring: Ring) -> bool:
        """Tell whether a key has retired so long ago that no plan knows it any more."""
        is_known = ring.generation(generation.number) is not None
        return not is_known and generation.state == "Enabled"

    def _disabled(self, generation: Generation, ring: Ring) -> str:
        self.writer.disable(generation.arn)
        self.writer.tag(generation.arn, {tags.DISABLED: self.moment(ring)})
        return f"{generation.arn} is disabled"

    def _require_ours(self, generation: Generation) -> None:
        """Refuse to write on a key that is not tagged as the ring's."""
        if generation.doubt is None:
            return
        known = tags_of(self.reader, generation.arn)
        named = (known.get(tags.RING), known.get(tags.GENERATION))
        if named != (self.name, str(generation.number)):
            raise ConfigError(
                f"{generation.doubt}: it is left alone",
                code="generation_in_doubt",
                fix="nothing trusts a key that is in doubt; put its alias or tags right",
            )

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
