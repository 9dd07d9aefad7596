"""What two rotators may do to a ring of three generations, in steps of five minutes.

The plans are the product's own; KMS, the JWKS and time are modelled: a view is as it is now, or
as it was before anything of the present five minutes happened, for each fact on its own. A
rotator reads, and may take any one step that is due until what it read is too old; or it may
stop there, as one that was killed.

Times are counted in units of 300 s and end at ``LONG_AGO``: nothing waits longer than that. Two
things that happen n units apart are taken to be up to n + 1 units apart, less a second, where
that lets something happen earlier.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations, product
from typing import TYPE_CHECKING, NamedTuple

from kmsjwt import rotation
from kmsjwt.rotation import Generation, Marks, Ring, RingSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT, NOW, LONG_AGO = 300, 1_000_000_000, 4
MOST = 3  # generations
TOKEN_LIFE = 3
"""Units from the pointer's last move until no token of its former key is accepted: 300 s until
every signer sees it, 60 s for which one goes on, 240 s of lifetime, 300 s of leeway."""


_NOTHING: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())
_JWKS = [frozenset(each) for size in range(1, MOST + 1) for each in combinations((1, 2, 3), size)]
"""All that the JWKS may hold."""


class Key(NamedTuple):
    """A generation's facts in KMS: ages in units, or None."""

    published: int | None = None
    draining: int | None = None
    retired: bool = False
    withdrawn: bool = False


class Kms(NamedTuple):
    """What KMS knows: the generations in order, and which one signs since when."""

    keys: tuple[Key, ...]
    signing: int
    moved: int


class Seen(NamedTuple):
    """What one rotator read of KMS."""

    keys: tuple[Key, ...]
    signing: int
    moved: int | None


class Doing(NamedTuple):
    """What a rotator has read of KMS, or the step that it has planned, and how old that is.

    Attributes:
        age: units since it began to read.
        menu: what it would do, for each thing that it may find the JWKS to hold.
        step: what it is going to do, once it has read the JWKS.
        contents: what it would put into the JWKS, and what it would take out.
    """

    age: int
    menu: tuple[tuple[tuple[str, int], ...], ...] = ()
    step: tuple[str, int] | None = None
    contents: tuple[frozenset[int], frozenset[int]] = _NOTHING


class State(NamedTuple):
    """The whole world.

    Attributes:
        true: KMS now.
        late: KMS as late readers see it.
        jwks: for each generation the units since when it is in the JWKS, or None.
        left: for each generation the units since the pointer left it, or None.
        actors: what each rotator is about, or None.
    """

    true: Kms
    late: Kms
    jwks: tuple[int | None, ...]
    left: tuple[int | None, ...]
    actors: tuple[Doing | None, ...]


class Rules(NamedTuple):
    """What is explored.

    Attributes:
        cache: units for which consumers keep a JWKS.
        oldest: units after which a plan is dropped.
        withdrawals: whether the key that signs may be withdrawn.
        actors: how many rotators.
        at_once: whether a rotator reads KMS and the JWKS at one moment; else much may happen
            in between.
    """

    cache: int = 0
    oldest: int = 1
    withdrawals: bool = False
    actors: int = 2
    at_once: bool = True


def successors(state: State, rules: Rules) -> Iterator[tuple[str, State]]:
    """Yield all that may happen next, in words, and what the world is like then."""
    yield "five minutes pass", _tick(state, rules)
    for place, doing in enumerate(state.actors):
        if not place or doing != state.actors[place - 1]:  # what one may do, the other may
            yield from _moves(state, place, rules)
    key = state.true.keys[state.true.signing - 1]
    if rules.withdrawals and not any(each.withdrawn for each in state.true.keys):
        gone = key._replace(withdrawn=True, retired=True)
        yield "the key that signs is withdrawn", _with_key(state, state.true.signing, gone)


def _moves(state: State, place: int, rules: Rules) -> Iterator[tuple[str, State]]:
    """Yield what one rotator may do."""
    doing = state.actors[place]
    if doing is None:
        for reading in _readings(state, rules):
            if rules.at_once:
                yield from _planning(state, place, reading)
            elif any(reading.menu):
                yield f"{place} reads KMS", _acting(state, place, reading)
    elif doing.step is None:
        yield from _planning(state, place, doing)
    elif doing.age <= rules.oldest:
        done = _done(state, doing)
        if done is not None:
            yield f"{place} does {doing.step}", _acting(done, place, None)


def _readings(state: State, rules: Rules) -> set[Doing]:
    """Return all that a rotator may read of KMS now, by what would come of it."""
    found = set()
    for seen in _views(state):
        menu = tuple(due(seen, present, rules.cache) for present in _JWKS)
        publishes = any(("publish", 0) in steps for steps in menu)
        found.add(Doing(0, menu, contents=_contents(seen) if publishes else _NOTHING))
    return found


def _planning(state: State, place: int, reading: Doing) -> Iterator[tuple[str, State]]:
    present = frozenset(number for number, since in enumerate(state.jwks, 1) if since is not None)
    for step in reading.menu[_JWKS.index(present)]:
        contents = reading.contents if step == ("publish", 0) else _NOTHING
        plan = Doing(reading.age, step=step, contents=contents)
        yield f"{place} plans {step}", _acting(state, place, plan)


def _acting(state: State, place: int, doing: Doing | None) -> State:
    actors = [*state.actors[:place], doing, *state.actors[place + 1 :]]
    return state._replace(actors=tuple(sorted(actors, key=repr)))


def _tick(state: State, rules: Rules) -> State:
    true = Kms(
        tuple(_aged(key, number, state.true) for number, key in enumerate(state.true.keys, 1)),
        state.true.signing,
        _older(state.true.moved) or 0,
    )
    actors = [
        None if each is None or each.age >= rules.oldest else each._replace(age=each.age + 1)
        for each in state.actors
    ]
    if rules.oldest >= LONG_AGO:  # nothing is ever dropped for its age
        actors = [each and each._replace(age=min(each.age + 1, LONG_AGO)) for each in state.actors]
    return State(
        true,
        true,
        tuple(None if each is None else min(each + 1, rules.cache) for each in state.jwks),
        tuple(None if each is None or each >= TOKEN_LIFE else each + 1 for each in state.left),
        tuple(sorted(actors, key=repr)),
    )


def _aged(key: Key, number: int, kms: Kms) -> Key:
    """Return a key's facts five minutes later; those that decide nothing any more are alike."""
    if key.retired:
        return key._replace(published=LONG_AGO, draining=LONG_AGO)
    published = LONG_AGO if number <= kms.signing else _older(key.published)
    return key._replace(published=published, draining=_older(key.draining))


def _older(age: int | None) -> int | None:
    return None if age is None else min(age + 1, LONG_AGO)


def _views(state: State) -> set[Seen]:
    """Return all that a reader may see: each fact as it is, or as it was five minutes ago."""
    true, late = state.true, state.late
    found = set()
    for pointer, dated in product({true, late}, repeat=2):
        # Which key it names, and since when, are two questions to KMS.
        moved = dated.moved if dated.signing == pointer.signing else None
        for aliases in {true, late}:
            known = max(len(aliases.keys), pointer.signing)
            choices = [
                {true.keys[place], late.keys[place] if place < len(late.keys) else Key()}
                for place in range(known)
            ]
            found |= {Seen(keys, pointer.signing, moved) for keys in product(*choices)}
    return found


def _contents(seen: Seen) -> tuple[frozenset[int], frozenset[int]]:
    """Return what a rotator would publish, and what it would take out."""
    live = {number for number, key in enumerate(seen.keys, 1) if not key.retired}
    return frozenset(live), frozenset(range(1, len(seen.keys) + 1)) - live


@cache
def due(seen: Seen, present: frozenset[int], cache: int) -> tuple[tuple[str, int], ...]:
    """Return the steps that the product plans."""
    settings = RingSettings(
        period=3_600,
        max_lifetime=240,
        signer_refresh=60,
        document_max_age=1,
        consumer_cache=cache * UNIT,
    )
    ring = Ring(
        name="auth",
        now=NOW,
        generations=[_generation(number, key, settings) for number, key in enumerate(seen.keys, 1)],
        signing=seen.signing,
        signing_since=_time(seen.moved),
    )
    steps = rotation.plan(ring, {f"k{number}" for number in present}, start=True).due
    return tuple((step.action, step.number) for step in steps if step.action != "disable")


def _generation(number: int, key: Key, settings: RingSettings) -> Generation:
    return Generation(
        number=number,
        arn=f"arn{number}",
        kid=f"k{number}",
        spec="RSA_2048",
        state="Enabled",
        born=0.0,
        marks=Marks(
            published=_time(key.published),
            draining=_time(key.draining),
            retired=float(NOW) if key.retired else None,
            compromised=float(NOW) if key.withdrawn else None,
        ),
        settings=settings,
    )


def _time(age: int | None) -> float | None:
    """Return the earliest time that an age may stand for: waits are over as soon as can be."""
    return None if age is None else float(NOW - (age + 1) * UNIT + 1)


def _done(state: State, doing: Doing) -> State | None:
    """Return the state after a step; None if KMS refuses it or there is no room for it here."""
    action, number = doing.step or ("", 0)
    true = state.true
    if action == "publish":
        live, retired = doing.contents
        jwks = tuple(
            (since or 0) if place in live or (since is not None and place not in retired) else None
            for place, since in enumerate(state.jwks, 1)
        )
        return state._replace(jwks=jwks)
    if action == "create":
        if number != len(true.keys) + 1 or number > MOST:
            return None
        return state._replace(true=true._replace(keys=(*true.keys, Key())))
    key = true.keys[number - 1]
    if action == "point":
        left = list(state.left)
        if true.signing != number:
            left[true.signing - 1], left[number - 1] = 0, None
        return state._replace(true=true._replace(signing=number, moved=0), left=tuple(left))
    if action == "mark-published":
        return _with_key(state, number, key._replace(published=0))
    if action == "mark-unpublished":
        return _with_key(state, number, key._replace(published=None))
    if action == "mark-draining":
        return _with_key(state, number, key._replace(draining=0))
    return _with_key(state, number, key._replace(retired=True))


def _with_key(state: State, number: int, key: Key) -> State:
    keys = state.true.keys
    changed = (*keys[: number - 1], key, *keys[number:])
    return state._replace(true=state.true._replace(keys=changed))
