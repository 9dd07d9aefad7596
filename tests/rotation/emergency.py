"""Keys that are withdrawn, with failures where a case wants them, and the verdict.

The rule of it: tokens of other keys are refused by nobody; whoever says that a key is withdrawn
has it out of every place, and nobody who comes later puts it back; one key signs, and is
published; and what was cut off is completed by the next run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.rotation import cases
from tests.rotation.cases import NATIVE_CACHE, VIEWS, Case, Outcome, settle
from tests.rotation.timeline import Refusal, Token, refusals
from tests.rotation.world import HOUR, LEEWAY, MINUTE, SPREAD, Actor, World

from kmsjwt.authority.withdrawal import consequences
from kmsjwt.kms.ring.reading import read

if TYPE_CHECKING:
    from tests.rotation.forks import Forks
    from tests.rotation.ours import Watch

    from kmsjwt.authority.rotate import Report
    from kmsjwt.rotation import Generation


class Scene(NamedTuple):
    """What is there when a key is withdrawn.

    Attributes:
        which: the generation that is.
        generations: how many there are.
        signing: the one that signs.
        age: seconds since the second one was published, or since it signs.
        keep_enabled: whether the withdrawn key is to stay enabled.
    """

    which: int
    generations: int = 2
    signing: int = 1
    age: float = 10 * MINUTE
    keep_enabled: bool = False


_KNOWN = 300 + 2 * HOUR + 200  # seconds: everybody knows the second key, which is not yet due
SCENES = {
    "signer": Scene(1, age=_KNOWN),
    "signer, kept": Scene(1, age=_KNOWN, keep_enabled=True),
    "signer in haste": Scene(1),
    "successor": Scene(2),
    "successor, kept": Scene(2, keep_enabled=True),
    "draining": Scene(1, signing=2, age=HOUR / 2),
    "second signer": Scene(2, signing=2, age=HOUR / 2),
    "alone": Scene(1, generations=1),
    "alone, kept": Scene(1, generations=1, keep_enabled=True),
}
_MOST_RUNS = 40
_PATIENCE = 12 * HOUR
_MAX_AGE = 300


class Emergency:
    """One withdrawal, as it is lived through.

    Attributes:
        gone: the withdrawn ``kid``.
        others: those that were published beside it.
        problems: what is wrong.
        marked: when that it is withdrawn was first seen to be written down.
        bounds: until when it may be in the bucket, by what each run tells of consumers.
        is_told: whether a withdrawal was said to be done.
        settled: when a run was over that could see that it is withdrawn, and left nothing to do.
        hidden_until: until when nobody can tell the withdrawn key from one that is not there.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.scene = SCENES[case.scene]
        self.world = World(lists=case.denied != "ListBucket")
        self.helper = Actor(self.world, "rotator", public=case.public)
        self._prepare()
        generation = self._withdrawn()
        self.gone, self.arn = str(generation.kid), generation.arn
        self.others = set(self.world.jwks()) - {self.gone}
        self.problems: list[str] = []
        self.marked: float | None = None
        self.bounds: list[float] = []
        self.settled = 0.0
        self.hidden_until = 0.0
        self.is_told = False
        self.watch: Watch
        self.world.excused = self._excused

    def _prepare(self) -> None:
        world, scene, helper = self.world, self.scene, self.helper
        settle(world, helper)
        if scene.generations == 1:
            return
        helper.run(start=True)
        began = world.now
        if self.case.public:  # the CDN has the former document
            world.now += SPREAD
            helper.run()
        if scene.signing == 1:
            world.now = began + scene.age
            return
        world.now = began + _KNOWN + 2 * SPREAD
        helper.run()
        assert len(world.pointer.times) == 2
        world.now += SPREAD
        helper.run()
        world.now += scene.age

    def _withdrawn(self) -> Generation:
        found = read(self.world.truth, "auth", since=False, down_to=1).ring
        generation = found.generation(self.scene.which)
        assert generation is not None
        return generation

    def _excused(self, kid: str) -> float:
        """Return until when nobody needs to know a key: for ever if it is the withdrawn one."""
        if kid == self.gone:
            return float("inf")
        if kid in self.others and self.scene.age >= _KNOWN:
            return 0.0
        # A key that must hurry is read by ours within this time, once it is published.
        return self._published(kid) + 2 * _MAX_AGE + MINUTE + SPREAD

    def _published(self, kid: str) -> float:
        document = self.world.document
        steps = zip(document.times, document.values, strict=True)
        return next((time for time, kids in steps if kid in kids), float("inf"))

    def live(self, actor: Actor) -> None:
        """Withdraw the key, and have it carried on until nothing is left to do."""
        world, case, rule = self.world, self.case, None
        quiet = 0
        for number in range(_MOST_RUNS):
            if case.denied and number == case.denied_from:
                rule = cases.deny(world, actor, case.denied)
                self.hidden_until = float("inf") if self._is_hidden_by_denial() else 0.0
            if rule is not None and number == case.denied_from + 3:
                cases.allow(actor, rule)
                self.hidden_until = min(self.hidden_until, world.now + SPREAD)
                rule = None
            report = self._turn(actor)
            self._note(report)
            if number == 0 and case.view == "now":  # the schedule's, by one who sees it late
                world.forward(world.now + MINUTE)
                Actor(world, "rotator-late", public=case.public).run()
            if report is None:
                world.forward(world.now + max(case.wait, 120.0 if number > 3 else 0.0))
                quiet = 0
                continue
            world.forward(world.now + SPREAD)
            quiet = quiet + 1 if _is_quiet(report) and not report.done else 0
            if quiet >= 2 and rule is None:
                return
        self.problems.append("it is not completed")

    def _turn(self, actor: Actor) -> Report | None:
        """Withdraw, until that is written down; then run, as the schedule does."""
        begun = self.world.now
        if self.is_told or (self.marked is not None and not self.case.again):
            report: Report | None = actor.run()
            is_told = _is_quiet(report) and self._is_seen(begun) and begun >= self.hidden_until
        else:  # or withdraw again, until it is said to be done
            scene = self.scene
            rotator, which = actor.rotator, str(scene.which)
            report = actor.attempt(lambda: rotator.withdraw(which, keep_enabled=scene.keep_enabled))
            is_told = self.is_told = report is not None
        if _is_quiet(report) and self._is_seen(begun):
            self.settled = self.settled or self.world.now
        if is_told:
            self.problems += [f"{each}, and it was said to be done" for each in self.places()]
        return report

    def _is_hidden_by_denial(self) -> bool:
        """Tell whether what is denied is to see a key above the one that signs."""
        scene = self.scene
        return scene.which > scene.signing and self.case.denied == f"DescribeKey@{scene.which}"

    def _is_seen(self, begun: float) -> bool:
        """Tell whether everybody who began to read then could see that it is withdrawn."""
        return self.marked is not None and begun >= self.marked + SPREAD

    def _note(self, report: Report | None) -> None:
        generation = self._withdrawn()
        if self.marked is None and generation.marks.compromised is not None:
            self.marked = self.world.now
        if report is None or self.marked is None:
            return
        seen = report.ring.generation(self.scene.which)
        told = consequences(report.ring, seen, keep_enabled=self.scene.keep_enabled)
        native = next(each for each in told if each.consumer == "http-api")
        if native.accepts_until is not None and _is_quiet(report):
            self.bounds.append(native.accepts_until - NATIVE_CACHE - _MAX_AGE)

    def places(self) -> list[str]:
        """Return where the withdrawn key still is, in truth."""
        world, found = self.world, []
        if self.gone in world.jwks():
            found.append("it is in the bucket")
        if self.case.public and any(self.gone.encode() in each for each in world.front.anywhere()):
            found.append("it is at the issuer's URL")
        if world.signing_arn() == self.arn:
            found.append("it signs")
        state = self.world.truth.describe_key(KeyId=self.arn)["KeyMetadata"]["KeyState"]
        if (state == "Enabled") != self.scene.keep_enabled:
            found.append(f"its KMS key is {state}")
        return found

    def visited(self) -> None:
        """Have others come by, who see it now or late: they find nothing to do."""
        world = self.world
        for name in VIEWS.values():
            if Actor(world, name, public=self.case.public).run() is None:
                self.problems.append(f"{name} fails when all is done")
            world.forward(world.now + SPREAD)

    def refused(self) -> tuple[list[Refusal], int]:
        """Return which live tokens of other keys are refused, and how many verdicts there were."""
        world = self.world
        tokens = [each for each in [*world.tokens, *cases.latest(world)] if each.kid != self.gone]
        found, verdicts = [], 0
        for name, age in {"fresh": 0.0, "cached": _MAX_AGE, "native": _MAX_AGE + 2 * HOUR}.items():
            refused, count = refusals(world.document, tokens, caches={name: age}, leeway=LEEWAY)
            verdicts += count
            found += [each for each in refused if not self._may_lack(each.token, each.at, age)]
        return found, verdicts

    def _may_lack(self, token: Token, at: float, age: float) -> bool:
        """Tell whether a cache may lack a key that must hurry: until it has read it again."""
        return at < self._published(token.kid) + age

    def ended(self, *, is_calm: bool) -> None:
        """Add what is wrong in the end, where nothing failed or something did."""
        world = self.world
        self.problems += [*self.places(), *world.wrong]
        if self.case.public and is_calm and not world.front.invalidations:
            self.problems.append("the CDN was not told to forget it")
        # One who sees it late may put it back, until the next run five minutes later.
        bound = max([*self.bounds[:1], self.settled])
        if self._last_published() > bound:
            late = self._last_published() - bound
            self.problems.append(f"it is published {late:.0f} s after the time that was told")
        moved = list(world.pointer.values)
        if any(self.gone in kids for kids in moved[1:]) and self.scene.signing != self.scene.which:
            self.problems.append("the pointer moved to it")
        if len(moved) > self.scene.signing + 1:
            self.problems.append(f"the pointer moved {len(moved) - 1} times")
        signing = world.signing_arn()
        kid = None if signing is None else world.kid_of(signing)
        for each in world.signers:
            token = each.issue(signed=False)
            if token is None or token.kid != kid or kid not in world.jwks():
                self.problems.append("not all sign with the one key that is published for it")
        for consumer in self.watch.consumers:
            said = consumer.verdict(self.gone)
            if said != "refused":
                self.problems.append(f"{consumer.name} says of it in the end: {said}")
        if world.now - self.marked_or_now > _PATIENCE:
            self.problems.append("it took too long")

    @property
    def marked_or_now(self) -> float:
        """When it was first written down."""
        return self.world.now if self.marked is None else self.marked

    def _last_published(self) -> float:
        document = self.world.document
        ends = [*document.times[1:], self.world.now]
        steps = zip(ends, document.values, strict=True)
        return max(end for end, kids in steps if self.gone in kids)


def _is_quiet(report: Report | None) -> bool:
    """Tell whether a run says that nothing is left of a withdrawal, now or later."""
    if report is None or report.plan.due or report.attention:
        return False
    return all(each.reason != "withdrawn" for each in report.plan.later)


def withdrawn(case: Case, forks: Forks | None = None) -> Outcome:
    """Play one withdrawal."""
    emergency = Emergency(case)
    world = emergency.world
    emergency.watch = cases.joined(world, case)
    world.changed = True
    world.forward(world.now + MINUTE)
    actor = Actor(world, VIEWS[case.view], public=case.public)
    actor.gate.faults, actor.gate.branch = dict(case.faults), forks
    emergency.live(actor)
    emergency.visited()
    # By then whoever issues has looked again which key signs.
    world.forward(world.now + float(world.times["signer_refresh"]) + SPREAD + MINUTE)
    emergency.ended(is_calm=not (actor.gate.hits or case.denied))
    problems = emergency.problems
    signatures = cases.sample(world, emergency.watch, problems)
    refused, verdicts = emergency.refused()
    if case.alive:
        # Nobody signs with a key that is marked, and each failure puts off what comes after it.
        failures = 4 if case.denied else actor.gate.hits
        bound = 2 * SPREAD + 900 + failures * (case.wait + 900)
        problems += cases.cannot_issue(world, bound=bound)
    scene = emergency.scene
    made = scene.generations + (scene.signing == scene.which == scene.generations)
    return cases.outcome(
        case, world, actor, emergency.watch, problems, refused, verdicts, signatures, made
    )
