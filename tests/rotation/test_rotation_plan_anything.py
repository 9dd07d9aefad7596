"""Whatever a ring's facts are, no step that is due may do harm."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rotation.rings import DRAIN, LONG_AGO, NOW, PUBLISH_WAIT, REST, SETTINGS, key

from kmsjwt.rotation import Generation, Marks, Plan, Ring, plan

OTHERS = SETTINGS.replaced(consumer_cache=60, max_lifetime=60, signer_refresh=60)
BUNDLED = SETTINGS.replaced(bundle=True)
LEAVING = ("PendingDeletion", "PendingReplicaDeletion")
EDGES = [0, 1, REST, PUBLISH_WAIT, DRAIN, OTHERS.publish_wait, OTHERS.drain, 86_400, 10**7]

times = st.builds(
    lambda edge, off: NOW - edge - off, st.sampled_from(EDGES), st.sampled_from([-1, 0, 1])
)
maybe = st.one_of(st.none(), times)
rarely = st.one_of(st.none(), st.none(), st.none(), times)


@st.composite
def generations(draw: Any, number: int) -> Generation:
    marks = {
        "published": draw(st.one_of(st.just(LONG_AGO), maybe)),
        "confirmed": draw(rarely),
        "draining": draw(maybe),
        "retired": draw(rarely),
        "compromised": draw(rarely),
        "keep_enabled": draw(st.booleans()),
    }
    return key(
        number,
        **marks,
        kid=draw(st.sampled_from([f"k{number}"] * 5 + [None])),
        state=draw(st.sampled_from(["Enabled"] * 5 + ["Disabled", *LEAVING])),
        settings=draw(st.sampled_from([SETTINGS] * 4 + [OTHERS, OTHERS, BUNDLED, BUNDLED, None])),
        doubt=draw(st.sampled_from([None] * 6 + ["?"])),
    )


@st.composite
def rings(draw: Any) -> Ring:
    first = draw(st.integers(1, 3))
    numbers = range(first, first + draw(st.integers(0, 4)))
    signing = draw(st.sampled_from([None, *numbers, *numbers]))
    return Ring(
        name="auth",
        now=NOW,
        generations=[draw(generations(number)) for number in numbers],
        signing=signing,
        signing_since=None if signing is None else draw(st.one_of(times, maybe)),
        doubt=draw(st.sampled_from([None] * 8 + ["?"])),
    )


KIDS = [f"k{number}" for number in range(1, 8)]
in_jwks = st.one_of(st.just(set(KIDS)), st.sets(st.sampled_from([*KIDS, "other"])))


def is_lost(each: Generation) -> bool:
    return each.state in LEAVING and each.kid is None and each.doubt is None


def is_live(each: Generation) -> bool:
    is_final = each.marks.retired is not None or each.marks.compromised is not None
    return each.doubt is None and not is_final and not is_lost(each)


def steps(of: Ring, found: Plan, action: str) -> list[Generation]:
    by_number = {each.number: each for each in of.generations}
    return [by_number[step.number] for step in found.due if step.action == action]


def the_pointer_goes_forward_to_a_key_that_everybody_has(
    of: Ring, found: Plan, there: set[str]
) -> None:
    pointed = steps(of, found, "point")
    assert len(pointed) <= 1
    for each in pointed:
        assert of.signing is None or each.number > of.signing
        assert is_live(each)
        assert each.state == "Enabled"
        assert each.kid in there
        assert each.marks.published is not None
        signer = of.generation(of.signing)
        judged = of.generations if signer is None else (signer,)
        is_emergency = any(other.marks.compromised is not None for other in judged)
        is_emergency |= signer is not None and signer.marks.retired is not None
        is_emergency |= signer is not None and is_lost(signer)
        if is_emergency or (signer is None and len(of.generations) == 1):
            continue
        for other in filter(is_live, of.generations):
            assert other.settings is not None
            assert of.now >= each.marks.published + other.settings.publish_wait
        assert each.settings is not None
        assert each.marks.confirmed is not None or not each.settings.bundle
        if signer is not None:
            assert of.signing_since is not None
            assert of.now >= of.signing_since + REST


def nothing_retires_before_its_last_token_is_dead(of: Ring, found: Plan, there: set[str]) -> None:
    for each in steps(of, found, "retire"):
        assert of.signing is not None
        assert each.number < of.signing
        assert each.doubt is None
        assert each.settings is not None
        assert of.signing_since is not None
        drain = each.settings.drain
        if each.state not in LEAVING:  # KMS lets nobody write on such a key that it drains
            assert each.marks.draining is not None
            assert of.now >= each.marks.draining + drain
        assert of.now >= of.signing_since + drain
        older = [other for other in of.generations if other.number < each.number]
        assert all(other.marks.retired is not None or is_lost(other) for other in older)
        assert each.kid is not None or each.state not in LEAVING


def nothing_leaves_the_jwks_unless_something_stays(of: Ring, found: Plan, there: set[str]) -> None:
    asked = [step for step in found.due if step.action == "publish"]
    if asked:
        usable = [each for each in of.generations if is_live(each) and each.state == "Enabled"]
        stays = there - {each.kid for each in of.generations if not is_live(each)}
        assert stays or any(each.kid is not None for each in usable)
    assert not {
        each.kid for each in of.generations if each.kid in of.retired_kids and is_live(each)
    }


def one_generation_is_made_where_none_is_under_way(of: Ring, found: Plan, there: set[str]) -> None:
    made = [step for step in found.due if step.action == "create"]
    assert len(made) <= 1
    for step in made:
        assert step.number == max((each.number for each in of.generations), default=0) + 1
        above = [each for each in of.generations if each.number > (of.signing or 0)]
        signer = of.generation(of.signing)
        is_out = signer is not None and not (
            signer.marks.retired is None
            and signer.marks.compromised is None
            and not is_lost(signer)
        )
        able = [each for each in above if not is_out or each.state not in LEAVING]
        assert not any(is_live(each) for each in able)
        if not is_out:  # then what is in doubt may be about to sign
            assert not any(each.doubt and each.marks.compromised is None for each in above)


def only_a_withdrawn_key_out_of_use_is_disabled(of: Ring, found: Plan, there: set[str]) -> None:
    for each in steps(of, found, "disable"):
        assert each.marks.compromised is not None
        assert not each.marks.keep_enabled
        assert each.number != of.signing
        assert each.kid not in there


def what_is_written_is_true(of: Ring, found: Plan, there: set[str]) -> None:
    for each in steps(of, found, "mark-published"):
        assert each.kid in there
    for each in steps(of, found, "mark-unpublished"):
        assert each.kid not in there
        assert of.signing is None or each.number > of.signing
    for each in steps(of, found, "mark-draining"):
        assert of.signing is not None
        assert each.number < of.signing


def a_ring_in_doubt_is_left_alone(of: Ring, found: Plan, there: set[str]) -> None:
    assert of.doubt is None or found.due == ()


CHECKS = (
    the_pointer_goes_forward_to_a_key_that_everybody_has,
    nothing_retires_before_its_last_token_is_dead,
    nothing_leaves_the_jwks_unless_something_stays,
    one_generation_is_made_where_none_is_under_way,
    only_a_withdrawn_key_out_of_use_is_disabled,
    what_is_written_is_true,
    a_ring_in_doubt_is_left_alone,
)


@settings(max_examples=300, deadline=None)
@given(rings(), in_jwks, st.booleans())
def test_no_step_that_is_due_does_harm(of, there, start):
    found = plan(of, there, start=start)
    for check in CHECKS:
        check(of, found, there)


def due_of(found: Plan) -> dict[str, set[int]]:
    told: dict[str, set[int]] = {}
    for step in found.due:
        told.setdefault(step.action, set()).add(step.number)
    return told


def again(of: Ring, **changes: Any) -> Ring:
    return Ring(**{**{name: getattr(of, name) for name in of.__slots__}, **changes})


@settings(max_examples=100, deadline=None)
@given(rings(), in_jwks, st.booleans(), st.sampled_from(EDGES))
def test_what_is_due_stays_due_as_time_goes_by(of, there, start, seconds):
    now = due_of(plan(of, there, start=start))
    then = due_of(plan(again(of, now=of.now + seconds), there, start=start))
    for action, numbers in now.items():
        if action == "point":  # a newer one may have become ready
            assert min(then[action]) >= min(numbers)
        else:
            assert numbers <= then[action]


@settings(max_examples=100, deadline=None)
@given(rings(), in_jwks, st.booleans(), st.data())
def test_knowing_less_lets_no_more_happen(of, there, start, data):
    """Settings, the draining mark or the pointer's date are lost: nothing new may be due."""
    lost = data.draw(st.sampled_from(["settings", "draining", "signing_since"]))
    if lost == "signing_since" or not of.generations:
        changed = again(of, signing_since=None)
    else:
        which = data.draw(st.sampled_from(of.generations))
        changed = again(
            of,
            generations=[
                _without(each, lost) if each is which else each for each in of.generations
            ],
        )
    before = due_of(plan(of, there, start=start))
    after = due_of(plan(changed, there, start=start))
    for action in ("point", "retire", "create", "disable"):
        assert after.get(action, set()) <= before.get(action, set())


def _without(each: Generation, lost: str) -> Generation:
    facts = {name: getattr(each, name) for name in each.__slots__}
    if lost == "settings":
        return Generation(**{**facts, "settings": None})
    marks = {name: getattr(each.marks, name) for name in each.marks.__slots__}
    return Generation(**{**facts, "marks": Marks(**{**marks, "draining": None})})
