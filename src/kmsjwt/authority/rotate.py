"""Carrying a rotation out: read, plan, take one step, and read again.

Each step is planned from facts that were read just before it, and dropped if they are older than
five minutes when it is to be taken. So a run that is killed, comes late, is refused or throttled
leaves nothing that the next run does not understand, and two runs at once do no harm.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kmsjwt.authority.outcome import Preview, Report
from kmsjwt.authority.taking import PLAN_MAX_AGE, PlanTooOld, StepTaker
from kmsjwt.authority.withdrawing import as_withdrawn, require_done, tell_left, withdrawal_of
from kmsjwt.errors import CannotKnow, ConfigError, KmsKeyNotFound
from kmsjwt.key_names import ring_name
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.beginning import refuse_headless
from kmsjwt.kms.ring.names import pointer_alias
from kmsjwt.kms.ring.reading import RingReading
from kmsjwt.rotation import Expected, Forecast, Plan, Ring, Step, forecast, plan
from kmsjwt.rotation.forecast import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt.authority.publishers import Publisher
    from kmsjwt.rotation import Action, Generation

    Clock = Callable[[], float]
    Tell = Callable[[Step, str], None]

__all__ = ["PLAN_MAX_AGE", "PlanTooOld", "Report", "Rotator"]

_MOST_ROUNDS = 100


class Rotator:
    """Rotates one ring."""

    def __init__(
        self,
        name: str,
        publisher: Publisher,
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
            publisher: what publishes them, and reads back where consumers read.
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
        self._tell = tell
        self._hands = StepTaker(
            self.name,
            publisher,
            client=client,
            region=region,
            spec=spec,
            changes=changes or {},
            policy=policy,
            clock=clock,
            pause=pause,
        )
        self._done: dict[object, tuple[Step, str]] = {}
        self._failed: dict[object, CannotKnow | ConfigError] = {}
        self._ring: Ring | None = None

    def preview(
        self, *, start: bool = False, withdraw: str | None = None, keep_enabled: bool = False
    ) -> Preview:
        """Return what a run would do, now and in the time to come, and change nothing.

        Where a place in which consumers read does not answer, a withdrawal is told of all the
        same: by what was read back before.

        Args:
            start: as in `run`.
            withdraw: as if this key were taken out of service first: a ``kid``, or the number of
                a generation.
            keep_enabled: as in `withdraw`.

        Raises:
            ConfigError: it is no key of the ring, or the next key's algorithm is none
                of its spec's.
            CannotKnow: KMS or a place where consumers read did not say.
        """
        self._begin()
        reading = self._reading(missing_ok=start)
        ring, steps = reading.ring, []
        if withdraw is not None:
            generation = self._hands.sought(ring, withdraw)
            ring = as_withdrawn(ring, generation, withdraw, keep_enabled=keep_enabled)
            steps.append(Expected(ring.now, withdrawal_of(generation)))
        _, settings = self._hands.maker.next_key(ring)
        period = self._hands.maker.changes.get("period") if withdraw is None else NEVER
        published, unread = self._kids_or_marked(reading, ring, is_urgent=withdraw is not None)
        expected = forecast(ring, published, start=start, period=period, settings=settings)
        expected = Forecast([*steps, *expected.steps], expected.rest)
        planned = plan(ring, published, start=start, period=period)
        return Preview(ring, planned, expected, unread)

    def run(self, *, start: bool = False) -> Report:
        """Take every step that is due, each at most once.

        A step that fails does not keep others from being taken: each is due by itself.

        Args:
            start: begin a new generation though the period is not over; where there is no ring,
                make it.

        Raises:
            KmsError: KMS refused or failed. What was done stays done; run it again.
            CannotKnow: a place where consumers read or are to read could not be used.
        """
        self._begin()
        return self._carried_on(start=start)

    def withdraw(self, which: str, *, keep_enabled: bool = False) -> Report:
        """Take a key out of service at once, because somebody else may sign with it.

        Its tokens stop being accepted as soon as consumers read the JWKS again. If it is the one
        that signs, its successor signs without waiting for consumers' caches.

        Args:
            which: its ``kid``, or the number of its generation.
            keep_enabled: leave the KMS key enabled.

        Raises:
            ConfigError: it is no key of the ring, nor was it one that KMS has deleted.
            KmsError, CannotKnow: as `run`; or something is left to do, which the message names.
        """
        self._begin()
        withdrawn = self._hands.withdraw(self._reading().ring, which, keep_enabled=keep_enabled)
        self._note(withdrawal_of(withdrawn.generation), withdrawn.told)
        if withdrawn.untold is not None:
            self._failed["told twice"] = withdrawn.untold
        try:
            report = self._carried_on()
            self._hands.invalidate()
            published = self._hands.publisher.lingering()
        except CannotKnow as error:
            if self._ring is not None:
                steps = self._steps()
                tell_left(error, self._ring, withdrawn, steps, keep_enabled=keep_enabled)
            raise
        require_done(report.ring, withdrawn, published, self._steps(), keep_enabled=keep_enabled)
        return report

    def ring(self) -> Ring:
        """Return the ring as KMS shows it, with what the last run wrote, seen or not.

        Raises:
            KmsError: KMS did not say.
        """
        return self._reading().ring

    def confirm(self) -> Generation:
        """Write down that every bundled copy of the JWKS has the key that is to sign next.

        Raises:
            ConfigError: there is none that is published and waits.
            KmsError: KMS did not say, or refused.
        """
        reading = self._reading()
        for each in reversed(reading.ring.generations):
            waits = each.is_live and each.settings is not None and each.settings.bundle
            if waits and reading.ring.stage(each) == "published":
                now = self._hands.moment(reading.ring)
                self._hands.writer.tag(each.arn, {tags.CONFIRMED: now})
                return each
        raise ConfigError(
            f"ring {self.name} has no published key that waits for bundles",
            code="nothing_to_confirm",
            fix=f"see kmsjwt key rotate {self.name} --dry-run",
        )

    def _begin(self) -> None:
        self._done.clear()
        self._failed.clear()
        self._hands.begin()

    def _carried_on(self, *, start: bool = False) -> Report:
        begins = start
        for _ in range(_MOST_ROUNDS):
            reading = self._reading(missing_ok=start)
            planned = self._planned(reading, start=begins)
            # Where none signs yet, what is asked for is the first key, though half of it is there.
            begins = begins and reading.ring.signing is not None
            tried = self._done.keys() | self._failed.keys()
            step = next((each for each in planned.due if each.key not in tried), None)
            if step is None:
                return self._finished(reading, planned)
            try:
                self._note(step, self._hands.take(step, reading))
            except PlanTooOld:
                raise
            except (CannotKnow, ConfigError) as error:
                self._failed[step.key] = error
        raise CannotKnow(f"the ring {self.name} has changed {_MOST_ROUNDS} times in one run")

    def _finished(self, reading: RingReading, planned: Plan) -> Report:
        failed = list(self._failed.values())
        try:
            # Whatever else failed; but what could not be retracted is not published again.
            if not self._has_tried("publish") and not self._has_tried("mark-unpublished"):
                self._hands.refresh(reading)
        except (CannotKnow, ConfigError) as error:
            failed.append(error)
        if failed:
            raise failed[0]
        return Report(self._done.values(), planned, reading.ring, self._hands.writer.orphans)

    def _reading(self, *, missing_ok: bool = False) -> RingReading:
        try:
            reading = self._hands.read()
        except KmsKeyNotFound as error:
            if error.key != pointer_alias(self.name):
                raise
            refuse_headless(self._hands.reader, self.name)
            if not missing_ok:
                raise
            nothing = Ring(
                name=self.name, now=0.0, generations=(), signing=None, signing_since=None
            )
            return RingReading(nothing, {})
        self._ring = reading.ring
        return reading

    def _planned(self, reading: RingReading, *, start: bool) -> Plan:
        try:
            published, lingering = self._kids(reading), self._lingering(reading.ring)
        except CannotKnow as error:
            has_tried = self._has_done("publish") or ("publish", 0, "all") in self._failed
            if reading.live and not has_tried:
                # Before anything was published, there is nothing that could be read back.
                why = f"what consumers read could not be read: {error.message}"
                return Plan([Step("publish", 0, why, subject="all")], [])
            if not reading.ring.is_emergency:
                raise
            # A withdrawal does not wait for what was read back before to be readable again.
            self._failed["read back"] = error
            published, lingering = reading.ring.marked_published, frozenset()
        # What --start asks for is done once: a second generation takes a second run.
        return plan(
            reading.ring,
            published,
            lingering=lingering,
            start=start and not self._has_done("create"),
            period=self._hands.maker.changes.get("period"),
        )

    def _kids(self, reading: RingReading) -> frozenset[str]:
        """Return what consumers can read; a kid that names another key there is none of ours."""
        there_is_one = reading.ring.generations
        return self._hands.publisher.kids(reading.live) if there_is_one else frozenset()

    def _lingering(self, ring: Ring) -> frozenset[str]:
        return self._hands.publisher.lingering() if ring.retired_kids else frozenset()

    def _kids_or_marked(
        self, reading: RingReading, ring: Ring, *, is_urgent: bool
    ) -> tuple[frozenset[str], str | None]:
        """Return what consumers can read, or what they once could, and why that is not known."""
        try:
            return self._kids(reading), None
        except CannotKnow as error:
            known = ring.marked_published
            if known and not (is_urgent or ring.is_emergency):
                raise
            return known, error.message

    def _note(self, step: Step, outcome: str) -> None:
        self._done[step.key] = (step, outcome)
        if self._tell is not None:
            self._tell(step, outcome)

    def _has_tried(self, action: Action) -> bool:
        failed = any(isinstance(key, tuple) and key[0] == action for key in self._failed)
        return failed or self._has_done(action)

    def _has_done(self, action: Action) -> bool:
        return any(step.action == action for step in self._steps())

    def _steps(self) -> list[Step]:
        return [step for step, _ in self._done.values()]
