"""Anything that several people and machines may do to a ring, in any order."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from tests.rotation.cases import judge, our_issuers_of, settle
from tests.rotation.ours import join
from tests.rotation.timeline import refusals
from tests.rotation.world import DAY, HOUR, LATE, LEEWAY, SPREAD, Actor, World

from kmsjwt.kms.ring.reading import read

NAMES = {"rotator": 0.0, "rotator-late": 170.0, "rotator-slow": -290.0}
"""Who rotates, and how wrong their clocks are."""
FAULTS = ["drop", "drop_after", "throttle", "error_after", "kill_before", "kill_after"]
PAUSES = [0, 1, 60, 299, 300, 301, 900, HOUR, 8_100, 12 * HOUR, DAY]

who = st.sampled_from(list(NAMES))


class Ring(RuleBasedStateMachine):
    """A ring, three who rotate it, nine who sign with it, and all kinds of verifiers."""

    @initialize(bundle=st.booleans())
    def begin(self, bundle: bool) -> None:
        changes = {"bundle": bundle}
        self.world = World(readers={"rotator-slow": LATE})
        self.actors = {
            name: Actor(self.world, name, skew=skew, changes=changes)
            for name, skew in NAMES.items()
        }
        settle(self.world, self.actors["rotator"])
        self.watch = join(self.world)
        self.world.look()
        self.world.issue()
        self.hurried: set[str] = set()
        """Keys that took over from a withdrawn one, before every cache had them."""
        self.gone: set[str] = set()
        self.moves_seen = 1

    @rule(name=who, start=st.booleans())
    def rotate(self, name: str, start: bool) -> None:
        self.actors[name].run(start=start and self.has_room())

    @rule(name=who, hours=st.sampled_from([3, 6, 9]))
    def rotate_every_three_hours(self, name: str, hours: int) -> None:
        for _ in range(0, hours, 3):
            self.actors[name].run(start=self.has_room())
            self.pass_time(3 * HOUR)

    @rule(name=who, other=who, calls=st.integers(0, 40), pause=st.sampled_from([0, 60, 290, 310]))
    def rotate_while_another_does(self, name: str, other: str, calls: int, pause: int) -> None:
        """One stops between two calls, another runs meanwhile, and the first goes on."""
        gate = self.actors[name].gate
        left = calls

        def meanwhile(operation: str) -> None:
            nonlocal left
            left -= 1
            if left == -1 and other != name:
                self.actors[other].run(start=self.has_room())
                self.pass_time(pause)

        gate.before_call = meanwhile
        try:
            self.actors[name].run(start=self.has_room())
        finally:
            gate.before_call = lambda _operation: None

    @rule(name=who, calls=st.integers(0, 40), kind=st.sampled_from(FAULTS))
    def something_will_fail(self, name: str, calls: int, kind: str) -> None:
        gate = self.actors[name].gate
        gate.faults = {len(gate.calls) + calls: kind}

    @rule(name=who, number=st.integers(0, 3), keep_enabled=st.booleans())
    def withdraw(self, name: str, number: int, keep_enabled: bool) -> None:
        """Withdraw the key that signs, or one beside it."""
        signing = self.ring().signing
        assert signing is not None
        which = str(max(signing + number - 1, 1))
        actor = self.actors[name]
        actor.attempt(lambda: actor.rotator.withdraw(which, keep_enabled=keep_enabled))

    @rule(name=who)
    def confirm(self, name: str) -> None:
        self.actors[name].attempt(self.actors[name].rotator.confirm)

    @rule(seconds=st.sampled_from(PAUSES))
    def pass_time(self, seconds: int) -> None:
        world = self.world
        world.forward(world.now + seconds, every=max(900.0, seconds / 4))

    @rule(seconds=st.sampled_from(PAUSES[:6]))
    @precondition(lambda self: len(self.world.kms.permissions._rules) < 3)
    def deny_for_a_while(self, seconds: int) -> None:
        denial = self.world.kms.permissions.deny("TagResource", reader="rotator-late")
        self.actors["rotator-late"].run(start=self.has_room())
        self.pass_time(seconds)
        denial.lift()

    def has_room(self) -> bool:
        """Tell whether another key may be asked for; more of them only take more time here."""
        return len(self.world.jwks()) < 4

    def ring(self) -> Any:
        return read(self.world.truth, "auth").ring

    def withdrawn(self) -> set[str]:
        """Return all that ever were: what retired long ago is not read any more."""
        found = self.ring().generations
        self.gone |= {str(each.kid) for each in found if each.marks.compromised is not None}
        return self.gone

    @invariant()
    def one_signs_and_is_published(self) -> None:
        world = self.world
        withdrawn = self.withdrawn()
        moves = world.pointer.values
        for before, after in zip(
            moves[self.moves_seen - 1 :], moves[self.moves_seen :], strict=False
        ):
            if before & withdrawn:
                self.hurried |= after
        self.moves_seen = len(moves)
        arn = world.signing_arn()
        assert arn is not None
        signing = world.kid_of(arn)
        assert signing in world.jwks() or signing in withdrawn
        assert world.document.values[-1]
        numbers = [each.number for each in self.ring().generations if each.arn == arn]
        assert len(numbers) == 1

    @invariant()
    def every_live_token_is_accepted(self) -> None:
        """By a verifier that has the published JWKS; tokens of a withdrawn key excepted."""
        world, excepted = self.world, self.withdrawn()
        there = world.jwks()
        for token in world.tokens[-400:]:
            if world.now < token.expires + LEEWAY and token.kid not in excepted:
                assert token.kid in there

    def teardown(self) -> None:
        """Let everybody recover, and judge the whole history with all caches."""
        if not hasattr(self, "world"):
            return
        world, actor = self.world, self.actors["rotator"]
        for each in self.actors.values():
            each.gate.faults.clear()
        for _ in range(12):
            world.forward(world.now + SPREAD)
            report = actor.run()
            assert report is not None
            if not (report.done or report.plan.due):
                break
        self.one_signs_and_is_published()
        signing = world.kid_of(str(world.signing_arn()))
        withdrawn = self.withdrawn()
        assert signing not in withdrawn
        assert not withdrawn & set(world.jwks())
        kids = {token.kid for token in world.tokens} - withdrawn
        refused, _ = judge(world, kids - self.hurried)
        watch = self.watch
        refused += [
            each
            for each in (*watch.refused, *watch.unknown, *watch.disagreed)
            if each.token.kid in kids - self.hurried
        ]
        assert not refused, refused[0]
        for issuer in our_issuers_of(world):
            assert issuer.issue() is not None
        hurried = [each for each in world.tokens if each.kid in self.hurried & kids]
        refused, _ = refusals(world.document, hurried, caches={"fresh": 0.0}, leeway=LEEWAY)
        assert not refused, refused[0]


TestRing = Ring.TestCase
TestRing.settings = settings(
    max_examples=12,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
