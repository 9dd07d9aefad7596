"""Taking one step of a rotation: what a plan asks for, done in KMS and where keys are published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import replaced
from kmsjwt.algorithms import for_key_spec
from kmsjwt.authority.withdrawing import find, keeper_of, unknown
from kmsjwt.errors import CannotKnow, ConfigError
from kmsjwt.key_names import is_multi_region, key_id
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.create import DEFAULT_SPEC
from kmsjwt.kms.ring.names import generation_alias, pointer_alias
from kmsjwt.kms.ring.reading import described, tags_of
from kmsjwt.kms.ring.writing import RingWriter, ring_clients
from kmsjwt.kms.ring.written import Written
from kmsjwt.rotation import RingSettings
from kmsjwt.rotation.planning import LEAVING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt.authority.publishers import Publisher
    from kmsjwt.kms.ring.reading import Metadata, RingReading
    from kmsjwt.rotation import Generation, Ring, Step

PLAN_MAX_AGE = 300
"""Seconds for which what was read may be acted upon."""
_READ_ATTEMPTS = 3


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
        self._gone: frozenset[str] = frozenset()
        self._read_at = 0.0
        self._began = 0.0

    def begin(self) -> None:
        """Begin a new run: nothing is known of what a former one wrote."""
        self._gone = frozenset()
        self.writer.orphans.clear()
        self._forget()

    def about_to_read(self) -> None:
        """Remember when the ring is read: from now on what is read grows old."""
        self._read_at = self._clock()
        if not 0 <= self._read_at - self._began <= PLAN_MAX_AGE:
            self._forget()  # KMS shows by now what was written, and what others did since

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
            done = self.writer.point(generation.arn, moving=ring.signing is not None)
            return f"{pointer_alias(self.name)} -> {generation.arn}" if done else "it exists unseen"
        if step.action == "disable":
            self.writer.disable(generation.arn)
            self.writer.tag(generation.arn, {tags.DISABLED: self.moment(ring)})
            return f"{generation.arn} is disabled"
        keeper = keeper_of(ring, generation)
        if step.action == "retire" and generation.state == LEAVING and keeper is not None:
            gone = tags.with_gone(ring.gone, [str(generation.kid)])
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
        return {tags.RETIRED: now}

    def _published(self, reading: RingReading) -> str:
        self._write_documents(reading)
        if any(each.marks.compromised is not None for each in reading.ring.generations):
            self.publisher.invalidate()
        return f"live keys: {len(reading.live)}"

    def refresh(self, reading: RingReading) -> None:
        """Mend whatever else is published beside the keys."""
        if reading.live:
            self._write_documents(reading)

    def _write_documents(self, reading: RingReading) -> None:
        ring = reading.ring
        self.refuse_old()
        self.publisher.publish(
            reading.live,
            ring.retired_kids,
            max_age=ring.document_max_age,
            allow=self.refuse_old,
        )

    def _created(self, number: int, ring: Ring) -> str:
        spec, settings = self.next_key(ring)
        before = ring.generation(ring.signing)
        key = self._left_behind(number, before)
        found = key is not None
        if key is None:
            key = self._made(number, ring, before, spec, settings)
        claimed = self.writer.claim(number, key)
        if claimed["Arn"] != key["Arn"]:
            return f"another run made {claimed['Arn']}"
        return f"{'found ' if found else ''}{claimed['KeySpec']} {claimed['Arn']}"

    def _made(
        self, number: int, ring: Ring, before: Generation | None, spec: str, settings: RingSettings
    ) -> Metadata:
        """Make a key, and write down which before it has its alias.

        What may not be written down is not made: each run would make another one.
        """
        more = dict(self._more)
        if before is not None:
            self.writer.tag(before.arn, {tags.NEXT: str(number)})
            if is_multi_region(before.arn):
                more["MultiRegion"] = True
        gone = tags.with_gone(sorted(ring.withdrawn_kids | self._gone), ())
        key = self.writer.make(number, spec=spec, settings=settings, gone=gone, **more)
        if before is not None:
            self.writer.tag(before.arn, {tags.NEXT: f"{number} {key_id(key['Arn'])}"})
        return key

    def _left_behind(self, number: int, before: Generation | None) -> Metadata | None:
        """Return the key that a run made for a generation, and could not name."""
        if before is None:
            return None
        named = tags_of(self.reader, before.arn).get(tags.NEXT, "").split()
        if len(named) != 2 or named[0] != str(number):
            return None
        key = described(self.reader, named[1])
        if key is None or key["KeyState"] != "Enabled":
            return None
        known = tags_of(self.reader, key["Arn"])
        is_ours = (known.get(tags.RING), known.get(tags.GENERATION)) == (self.name, str(number))
        return key if is_ours else None

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

    def withdraw(self, ring: Ring, which: str, *, keep_enabled: bool) -> tuple[str | None, str]:
        """Write down that a key is withdrawn, on itself and on the newest of the others."""
        generation = find(ring, which)
        kid = which if generation is None else generation.kid
        if generation is None and which not in self.publisher.lingering():
            raise unknown(ring, which)
        keeper = keeper_of(ring, generation)
        where = []
        if generation is not None and generation.state != LEAVING:
            self._require_ours(generation)
            now = self.moment(ring)
            marks = {tags.COMPROMISED: now, tags.RETIRED: now}
            if kid is not None:
                marks[tags.KID] = kid
            if keep_enabled:
                marks[tags.KEEP_ENABLED] = "yes"
            self.writer.tag(generation.arn, marks)
            where.append(generation.arn)
        if kid is not None:
            self._gone = frozenset({kid})
            if keeper is not None:
                self.writer.tag(keeper.arn, {tags.GONE: tags.with_gone(ring.gone, [kid])})
                where.append(keeper.arn)
        if not where:  # nothing can be written on a key that KMS will delete
            where.append(self._created(ring.newest_number + 1, ring))
        return kid, f"written on {' and '.join(where)}"

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
        # A Date header is cut off to whole seconds: a fact must not be older than it is.
        return tags.moment(ring.now + max(0.0, self._clock() - self._read_at) + 1)

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
