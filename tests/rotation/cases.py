"""One rotation from beginning to end, with failures where a case wants them, and the verdict.

A case is of one of these scenes: ``routine``, in which a second key takes over from the first;
``raced``, the same with somebody else who makes that key at the same moment; ``first``, in which
a ring is made; or a withdrawal, see `tests.rotation.emergency`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.rotation.faults import ELSEWHERE
from tests.rotation.ours import OurIssuer, Watch, join, second_opinion
from tests.rotation.timeline import Refusal, Token, refusals
from tests.rotation.world import DAY, HOUR, LEEWAY, SPREAD, Actor, World

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.rotation.forks import Forks

    from kmsjwt.authority.rotate import Report

_MOST_RUNS = 60
_PATIENCE = 20 * HOUR
NATIVE_CACHE = 7_200
"""For how long an HTTP API keeps a JWKS, whatever the ring or the document says."""


VIEWS = {"now": "rotator", "late": "rotator-late", "later": "rotator-later"}
"""Who sees changes of KMS at once, aliases and tags five minutes late, and key states as well."""


class Case(NamedTuple):
    """Which calls of the rotator fail and how, and what it may not do for a while.

    Attributes:
        scene: what is played.
        view: which changes of KMS the rotator sees late; see ``VIEWS``.
        public: whether keys are read back from the issuer's URL too, through a CDN.
        alive: whether issuers and verifiers of this package live in the world; else verdicts are
            by key set.
        faults: by the number of the call, counted from the beginning of the scene.
        denied: an operation that is denied, or empty; ``GetPublicKey@1`` for one generation.
        denied_from: the number of the run before which it begins.
        wait: seconds until a run that failed is repeated.
        again: whether a withdrawal that was cut off is ordered again, not left to the schedule.
    """

    scene: str = "routine"
    view: str = "late"
    public: bool = False
    alive: bool = True
    faults: tuple[tuple[int, str], ...] = ()
    denied: str = ""
    denied_from: int = 0
    wait: float = 0.0
    again: bool = False


class Outcome(NamedTuple):
    """What came of a case.

    Attributes:
        refused: the live tokens that somebody did not accept.
        unknown: those of which one of our verifiers could not say whether they are good.
        problems: whatever else is wrong.
        verdicts: how many were given about live tokens, ``ours`` by our verifiers.
        signatures: how many tokens were verified for real.
        tokens: how many were issued, ``issued`` by our issuers.
        calls: the rotator's calls; not kept where one case is played in many ways.
        hits: how many of them failed on purpose.
        orphans: keys without an alias.
    """

    case: Case
    refused: list[Refusal]
    unknown: list[Refusal]
    problems: list[str]
    verdicts: int
    ours: int
    signatures: int
    tokens: int
    issued: int
    calls: list[str]
    hits: int
    orphans: int

    @property
    def is_good(self) -> bool:
        """Whether no live token failed and the rotation came to its end."""
        return not (self.refused or self.unknown or self.problems)

    def of(self, case: Case) -> Outcome:
        """Return it as another case's, without what takes room."""
        return self._replace(
            case=case, calls=[], refused=self.refused[:20], unknown=self.unknown[:20]
        )

    def __str__(self) -> str:
        told = [*self.problems, *map(str, (*self.refused[:3], *self.unknown[:3]))]
        sums = f"{len(self.refused)} refused, {len(self.unknown)} not known"
        return f"{self.case}: {sums}; " + "; ".join(told)


def run(case: Case, forks: Forks | None = None) -> Outcome:
    """Play one case."""
    if case.scene not in ("routine", "raced", "first"):
        from tests.rotation.emergency import withdrawn

        return withdrawn(case, forks)
    world = World(lists=case.denied != "ListBucket")
    actor = Actor(world, VIEWS[case.view], public=case.public)
    is_first = case.scene == "first"
    if not is_first:
        settle(world, Actor(world, "rotator", public=case.public))
        world.now += DAY - 2 * HOUR  # nothing happens until shortly before the period is over
    before = set(world.jwks())
    watch = joined(world, case)
    world.look()
    if not is_first:
        world.forward(world.now + 3 * HOUR - 60)
    if case.scene == "raced":
        _race(world, actor, case)
    begun = world.now
    actor.gate.faults, actor.gate.branch = dict(case.faults), forks
    report = _rotate(world, actor, case)
    problems = _left_undone(world, report, before, is_first=is_first)
    world.forward(world.now + 3 * HOUR)
    signatures = sample(world, watch, problems)
    refused, verdicts = judge(world)
    problems += [*world.wrong, *cannot_issue(world, bound=HOUR if is_first else 0)]
    if world.now - begun > _PATIENCE:
        problems.append(f"it took {world.now - begun:.0f} s")
    lives = len(before) + 1
    return outcome(case, world, actor, watch, problems, refused, verdicts, signatures, lives)


def outcome(
    case: Case,
    world: World,
    actor: Actor,
    watch: Watch,
    problems: list[str],
    refused: list[Refusal],
    verdicts: int,
    signatures: int,
    keys: int,
) -> Outcome:
    """Return what came of a case after which so many keys are expected to be there."""
    return Outcome(
        case=case,
        refused=[*refused, *watch.refused],
        unknown=watch.unknown,
        problems=[*problems, *map(str, watch.disagreed)],
        verdicts=verdicts + watch.verdicts,
        ours=watch.verdicts,
        signatures=signatures + watch.verified,
        tokens=len(world.tokens),
        issued=sum(each.issued for each in our_issuers_of(world)),
        calls=list(actor.gate.calls),
        hits=actor.gate.hits,
        orphans=len(world.keys_in_kms()) - keys,
    )


def joined(world: World, case: Case) -> Watch:
    """Have those live in a world who are to."""
    if case.alive:
        return join(world)
    world.add_signers()
    return Watch(world, ())


def _race(world: World, actor: Actor, case: Case) -> None:
    """Have somebody else make the key that an actor is about to make."""
    other = Actor(world, "rotator", public=case.public)

    def meanwhile(operation: str) -> None:
        if operation == "create_key":
            actor.gate.before_call = lambda _operation: None
            other.run()

    actor.gate.before_call = meanwhile


def our_issuers_of(world: World) -> list[OurIssuer]:
    """Return the issuers of this package that live in a world."""
    return [each for each in world.signers if isinstance(each, OurIssuer)]


def cannot_issue(world: World, *, bound: float = 0) -> list[str]:
    """Return when one of our issuers could not issue for longer than it may, in seconds."""
    ours = our_issuers_of(world)
    for each in ours:
        each.finish()
    gaps = [gap for each in ours for gap in each.gaps]
    idle = [f"{each.name} never issued" for each in ours if not each.issued]
    return idle + [str(gap) for gap in gaps if bound == 0 or gap.until - gap.since > bound]


def judge(world: World, kids: Iterable[str] | None = None) -> tuple[list[Refusal], int]:
    """Return which live tokens are refused by a verifier that holds any document it may."""
    tokens = [each for each in [*world.tokens, *latest(world)] if kids is None or each.kid in kids]
    max_age = world.max_age  # a CDN's, before a consumer's own time
    caches = {
        "fresh": 0.0,
        "cached": max_age,
        "native": max_age + NATIVE_CACHE,
        "as slow as declared": max_age + float(world.times["consumer_cache"]),
    }
    return refusals(world.document, tokens, caches=caches, leeway=LEEWAY)


def latest(world: World) -> list[Token]:
    """Return the earliest and latest tokens that any signer could issue for each key."""
    found = []
    lifetime = float(world.times["max_lifetime"])
    times = world.pointer.times
    for place, kids in enumerate(world.pointer.values):
        moments = [times[place]]
        if place + 1 < len(times):
            moments.append(times[place + 1] + SPREAD + float(world.times["signer_refresh"]))
        found += [
            Token(kid, moment, moment + lifetime, "any") for kid in kids for moment in moments
        ]
    return found


def settle(world: World, actor: Actor) -> None:
    """Make a ring whose first key has signed for an hour."""
    for _ in range(6):
        if actor.run(start=not world.jwks()) is None:
            raise AssertionError("the ring could not be made")
        world.now += SPREAD
    world.now = world.pointer.times[0] + HOUR
    world.changed = False


def _rotate(world: World, actor: Actor, case: Case) -> Report | None:
    rule: Any = None
    report: Report | None = None
    failed = 0
    for number in range(_MOST_RUNS):
        if case.denied and number == case.denied_from:
            rule = deny(world, actor, case.denied)
        if rule is not None and number == case.denied_from + 3:
            allow(actor, rule)
            rule = None
        report = actor.run(start=case.scene == "first" and world.signing_arn() is None)
        if report is None:
            failed += 1
            world.forward(world.now + max(case.wait, 120.0 if failed > 2 else 0.0))
        elif report.done or report.plan.due:
            world.forward(world.now + SPREAD)
        elif _is_over(report, case.scene):
            break
        else:
            world.forward(_next(world, report, by_schedule=bool(case.denied)))
    return report


def deny(world: World, actor: Actor, operation: str) -> Any:
    """Deny an operation to one who rotates; return what `allow` takes."""
    if operation == "ListBucket":  # which no call needs by itself, and the world knows
        return operation
    if operation in ELSEWHERE:
        actor.gate.denied.add(operation)
        return operation
    name, _, number = operation.partition("@")
    key = f"alias/auth/{number}" if number else None
    return world.kms.permissions.deny(name, key=key, reader=actor.name)


def allow(actor: Actor, rule: Any) -> None:
    """Allow it again."""
    if isinstance(rule, str):
        actor.gate.denied.clear()
    else:
        rule.lift()


def _is_over(report: Report, scene: str = "") -> bool:
    first = report.ring.generation(1)
    if scene == "first":
        return first is not None and report.ring.signing == 1
    return first is not None and first.marks.retired is not None


def _next(world: World, report: Report, *, by_schedule: bool) -> float:
    times = [each.at for each in report.plan.later if each.at is not None]
    soonest = min(times, default=world.now + HOUR)
    if by_schedule:  # who is denied something may not know what is due
        soonest = min(soonest, world.now + HOUR)
    return max(soonest, world.now + 1)


def _left_undone(
    world: World, report: Report | None, before: set[str], *, is_first: bool
) -> list[str]:
    found = []
    if report is None:
        found.append("the last run failed")
    elif report.ring.signing != 2 - is_first or not _is_over(report, "first" if is_first else ""):
        found.append(f"it stopped with {report.ring}, {report.plan}")
    if len(world.jwks()) != 1 or before & set(world.jwks()):
        found.append(f"the JWKS has {len(world.jwks())} keys")
    signing = world.signing_arn()
    if signing is None or world.kid_of(signing) not in world.jwks():
        found.append("what signs is not published")
    return found


def sample(world: World, watch: Watch, problems: list[str]) -> int:
    """Verify one token of each signer for real, with a library that is not ours."""
    keys = world.jwks()
    count = 0
    for signer in world.signers:
        token = signer.issue(signed=True)
        if token is None or token.text is None:
            problems.append("a signer issues nothing in the end")
            continue
        world.tokens.append(token)
        count += 1
        jwk = keys.get(token.kid)
        said = "no key" if jwk is None else second_opinion(token.text, jwk, world.now)
        if said != "good":
            problems.append(f"PyJWT says {said} of a token of {token.by}")
    watch.compare_expired()
    return count
