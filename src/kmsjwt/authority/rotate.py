"""Carrying a rotation out: read, plan, take one step, and read again.

Each step is planned from facts that were read just before it, and dropped if they are older than
five minutes when it is to be taken. So a run that is killed, comes late, is refused or throttled
leaves nothing that the next run does not understand, and two runs at once do no harm.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from kmsjwt import aws
from kmsjwt._immutable import Immutable
from kmsjwt.algorithms import for_key_spec
from kmsjwt.errors import CannotKnow, ConfigError, KmsKeyNotFound, shown
from kmsjwt.key_names import is_multi_region
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.names import generation_alias, pointer_alias, ring_name
from kmsjwt.kms.ring.reading import RingReading, read
from kmsjwt.kms.ring.writing import CREATE_TIMEOUT, RingWriter
from kmsjwt.kms.ring.written import Written
from kmsjwt.rotation import Plan, Ring, RingSettings, Step, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from kmsjwt.keys import PublicKey
    from kmsjwt.rotation import Action, Generation

    Clock = Callable[[], float]
    Tell = Callable[[Step, str], None]

LONGEST = 300
"""Seconds for which what was read may be acted upon."""
DEFAULT_SPEC = "RSA_2048"
"""RS256 keys: the only ones that HTTP API, REST API and ALB authorizers all accept."""
_MOST_ROUNDS = 100
_READ_ATTEMPTS = 3


class Publication(Protocol):
    """Where the ring's keys are published; see `kmsjwt.publish.Publisher`."""

    def publish(
        self, live: Iterable[PublicKey], retired: Collection[str], *, max_age: int | None = None
    ) -> object:
        """Bring the documents up to date: with the live keys, without the retired ones.

        ``max_age`` is for how many seconds anybody may keep them; None for the default.
        """

    def kids(self) -> frozenset[str]:
        """Return each ``kid`` that is found in every place where consumers read."""

    def invalidate(self) -> None:
        """Have caches that are ours, such as a CDN, forget what they hold."""


class PlanTooOld(CannotKnow):
    """What was read of the ring is too old to act upon. Nothing was done; run it again."""

    code = "plan_too_old"
    retryable = True


class Report(Immutable):
    """What a run did, and what is left.

    Attributes:
        done: the steps taken, each with what came of it.
        plan: what was planned last: steps still due wait for KMS to show their effect.
        ring: the ring as it was read last.
        orphans: keys that this run made too late; `kmsjwt key list --orphans` finds them.
    """

    __slots__ = ("done", "orphans", "plan", "ring")

    done: tuple[tuple[Step, str], ...]
    plan: Plan
    ring: Ring
    orphans: tuple[str, ...]

    def __init__(
        self, done: Iterable[tuple[Step, str]], plan: Plan, ring: Ring, orphans: Iterable[str] = ()
    ) -> None:
        self._fill(done=tuple(done), plan=plan, ring=ring, orphans=tuple(orphans))

    def __repr__(self) -> str:
        return f"Report({[step for step, _ in self.done]}, {self.plan!r})"


class Rotator:
    """Rotates one ring."""

    def __init__(
        self,
        name: str,
        publication: Publication,
        *,
        client: Any = None,
        region: str | None = None,
        spec: str | None = None,
        changes: Mapping[str, Any] | None = None,
        policy: str | None = None,
        clock: Clock = time.time,
        pause: Callable[[float], None] = time.sleep,
        tell: Tell | None = None,
    ) -> None:
        """Name the ring, and where its keys are published.

        Args:
            name: the ring's name; ``auth``, ``alias/auth`` and ``ring:auth`` are the same.
            publication: where consumers read.
            client: any boto3 KMS client, whose retries had better be off; two suitable ones are
                made if None.
            region: the Region, if no client is given.
            spec: the KMS key spec of the next generation; its predecessor's if None.
            changes: the settings of the next generation that differ from its predecessor's;
                see `RingSettings`. A ``period`` counts at once.
            policy: the key policy of the next generation, as JSON; KMS's default if None.
            clock: seconds since 1970. Only its differences count: facts have KMS's own time.
            pause: waits so many seconds, for a new key to be seen.
            tell: called after each step, with what came of it.

        Raises:
            ConfigError: a name, spec or setting makes no sense, or no client can be made.
        """
        self.name = ring_name(name)
        if spec is not None:
            for_key_spec(spec)
        self._changes = dict(changes or {})
        RingSettings().replaced(**self._changes)
        self._publication = publication
        self._spec = spec
        self._more: dict[str, object] = {} if policy is None else {"Policy": policy}
        self._clock = clock
        self._tell = tell
        self._read_at = 0.0
        self._reader = aws.kms_client(region, attempts=_READ_ATTEMPTS) if client is None else client
        writing = client
        if writing is None:  # a change that is sent again comes later than it was decided
            writing = aws.kms_client(region, attempts=1, read_timeout=CREATE_TIMEOUT)
        self._writer = RingWriter(writing, self.name, allow=self._refuse_old, pause=pause)
        self._done: dict[object, tuple[Step, str]] = {}

    def preview(self, *, start: bool = False) -> Report:
        """Return what a run would do first, and change nothing.

        Raises:
            CannotKnow: KMS or a place where consumers read did not say.
        """
        reading = self._reading(first=start)
        return Report((), self._planned(reading, start=start), reading.ring)

    def run(self, *, start: bool = False) -> Report:
        """Take every step that is due, each at most once.

        Args:
            start: begin a new generation though the period is not over; where there is no ring,
                make it.

        Raises:
            KmsError: KMS refused or failed. What was done stays done; run it again.
            CannotKnow: a place where consumers read or are to read could not be used.
        """
        self._done.clear()
        self._writer.written = Written()
        return self._carried_on(start=start)

    def _carried_on(self, *, start: bool = False) -> Report:
        for _ in range(_MOST_ROUNDS):
            reading = self._reading(first=start)
            planned = self._planned(reading, start=start)
            step = next((each for each in planned.due if each.key not in self._done), None)
            if step is None:
                self._refresh(reading)
                return Report(self._done.values(), planned, reading.ring, self._writer.orphans)
            self._take(step, reading)
        raise CannotKnow(f"the ring {self.name} has changed {_MOST_ROUNDS} times in one run")

    def withdraw(self, which: str, *, keep_enabled: bool = False) -> Report:
        """Take a key out of service at once, because somebody else may sign with it.

        Its tokens stop being accepted as soon as consumers read the JWKS again. If it is the one
        that signs, its successor signs without waiting for consumers' caches.

        Args:
            which: its ``kid``, or the number of its generation.
            keep_enabled: leave the KMS key enabled.

        Raises:
            ConfigError: no generation that is known has it.
            KmsError, CannotKnow: as `run`.
        """
        self._done.clear()
        self._writer.written = Written()
        reading = self._reading()
        generation = self._wanted(reading.ring, which)
        now = self._moment(reading.ring)
        marks = {tags.COMPROMISED: now, tags.RETIRED: now}
        if generation.kid is not None:
            marks[tags.KID] = generation.kid
        if keep_enabled:
            marks[tags.KEEP_ENABLED] = "yes"
        self._writer.tag(generation.arn, marks)
        return self._carried_on()

    def confirm(self) -> Generation:
        """Write down that every bundled copy of the JWKS has the key that is to sign next.

        Raises:
            ConfigError: there is none that is published and waits.
            KmsError: KMS did not say, or refused.
        """
        reading = self._reading()
        for each in reversed(reading.ring.generations):
            if reading.ring.stage(each) == "published":
                self._writer.tag(each.arn, {tags.CONFIRMED: self._moment(reading.ring)})
                return each
        raise ConfigError(
            f"ring {self.name} has no published key that waits to sign",
            code="nothing_to_confirm",
            fix=f"see kmsjwt key rotate {self.name} --dry-run",
        )

    def _reading(self, *, first: bool = False) -> RingReading:
        self._read_at = self._clock()
        try:
            return read(self._reader, self.name, written=self._writer.written)
        except KmsKeyNotFound:
            if not first:
                raise
            nothing = Ring(
                name=self.name, now=0.0, generations=(), signing=None, signing_since=None
            )
            return RingReading(nothing, {})

    def _planned(self, reading: RingReading, *, start: bool) -> Plan:
        try:
            published = self._publication.kids() if reading.ring.generations else frozenset()
        except CannotKnow as error:
            if self._has_done("publish"):
                raise
            # Before anything was published, there is nothing that could be read back.
            why = f"what consumers read could not be read: {error.message}"
            return Plan([Step("publish", 0, why)], [])
        # What --start asks for is done once: a second generation takes a second run.
        return plan(
            reading.ring,
            published,
            start=start and not self._has_done("create"),
            period=self._changes.get("period"),
        )

    def _take(self, step: Step, reading: RingReading) -> None:
        told = self._carried_out(step, reading)
        self._done[step.key] = (step, told)
        if self._tell is not None:
            self._tell(step, told)

    def _carried_out(self, step: Step, reading: RingReading) -> str:
        ring = reading.ring
        if step.action == "publish":
            return self._published(reading)
        if step.action == "create":
            return self._created(step.number, ring)
        generation = ring.generation(step.number)
        if generation is None:
            raise ValueError(f"the plan names generation {step.number}, which was not read")
        if step.action == "point":
            done = self._writer.point(generation.arn, moving=ring.signing is not None)
            return f"{pointer_alias(self.name)} -> {generation.arn}" if done else "it exists unseen"
        if step.action == "disable":
            self._writer.disable(generation.arn)
            self._writer.tag(generation.arn, {tags.DISABLED: self._moment(ring)})
            return f"{generation.arn} is disabled"
        self._writer.tag(generation.arn, self._marks(step, generation, ring))
        return f"written on {generation_alias(self.name, step.number)}"

    def _marks(self, step: Step, generation: Generation, ring: Ring) -> dict[str, str]:
        now = self._moment(ring)
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
            self._publication.invalidate()
        return f"live keys: {len(reading.live)}"

    def _refresh(self, reading: RingReading) -> None:
        """Mend whatever else is published beside the keys, once nothing is due."""
        if reading.live and not self._has_done("publish"):
            self._write_documents(reading)

    def _write_documents(self, reading: RingReading) -> None:
        ring = reading.ring
        self._refuse_old()
        self._publication.publish(reading.live, ring.retired_kids, max_age=ring.document_max_age)

    def _created(self, number: int, ring: Ring) -> str:
        before = ring.generation(ring.signing)
        settings = (before and before.settings) or RingSettings()
        spec = self._spec or (before.spec if before else DEFAULT_SPEC)
        more = dict(self._more)
        if before is not None and is_multi_region(before.arn):
            more["MultiRegion"] = True
        key, is_ours = self._writer.create(
            number, spec=spec, settings=settings.replaced(**self._changes), **more
        )
        return f"{spec} {key['Arn']}" if is_ours else f"another run made {key['Arn']}"

    def _has_done(self, action: Action) -> bool:
        return any(step.action == action for step, _ in self._done.values())

    def _wanted(self, ring: Ring, which: str) -> Generation:
        for each in ring.generations:
            if which in (each.kid, str(each.number)):
                if each.doubt is not None:
                    raise ConfigError(
                        f"generation {each.number} is in doubt: {each.doubt}",
                        code="generation_in_doubt",
                        fix="clear that up first: nothing trusts a key that is in doubt",
                    )
                return each
        raise ConfigError(
            f"ring {self.name} has no key {shown(which)}",
            code="no_such_generation",
            fix=f"name one by its kid or number: kmsjwt key list {self.name}",
        )

    def _moment(self, ring: Ring) -> str:
        """Return the present, by the clock of KMS, as a tag has it."""
        return tags.moment(ring.now + max(0.0, self._clock() - self._read_at) + 1)

    def _refuse_old(self) -> None:
        age = self._clock() - self._read_at
        if not 0 <= age <= LONGEST:
            raise PlanTooOld(
                f"what was read of ring {self.name} is {age:.0f} s old, expected at most {LONGEST}",
                fix="run it again; nothing is lost",
            )
