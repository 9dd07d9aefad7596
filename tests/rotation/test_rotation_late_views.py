"""Rotators that see late what they or others did, and rotators that are slow themselves."""

from __future__ import annotations

import pytest
from tests.rotation.cases import settle
from tests.rotation.world import DAY, LATE, WRITES, Actor, World

from kmsjwt.authority.rotate import PlanTooOld
from kmsjwt.errors import CannotKnow, KmsUnavailable
from kmsjwt.local import Propagation


@pytest.fixture
def world():
    return World(
        readers={
            "blind": Propagation(alias=300, tag=300, key=6),
            "unseeing": Propagation(alias=1_800, key=1_800),
        }
    )


@pytest.fixture
def rotator(world):
    actor = Actor(world, "rotator")
    settle(world, actor)
    return actor


@pytest.fixture
def late(world, rotator):
    return Actor(world, "rotator-late")


@pytest.mark.parametrize(("pause", "is_done"), [(299, True), (300, True), (301, False)])
@pytest.mark.parametrize("at", ["describe_key", "list_aliases", "get_object"])
def test_nothing_is_done_by_a_plan_older_than_five_minutes(world, rotator, at, pause, is_done):
    """Whichever call it was that took so long."""
    world.now += DAY
    calls = rotator.gate.calls
    before = len(calls)

    def freeze(operation):
        if operation == at:
            rotator.gate.before_call = lambda _operation: None
            world.now += pause

    rotator.gate.before_call = freeze
    if is_done:
        rotator.rotator.run()
    else:
        with pytest.raises(PlanTooOld):
            rotator.rotator.run()
    assert bool(WRITES & set(calls[before:])) == is_done


def test_a_key_that_was_made_is_not_named_by_a_plan_that_grew_old(world, rotator):
    world.now += DAY
    calls = rotator.gate.calls

    def freeze(operation):
        if operation == "create_key":
            world.now += 301

    rotator.gate.before_call = freeze
    with pytest.raises(PlanTooOld):
        rotator.rotator.run()
    assert calls[-1] == "create_key"


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(False, id="due"),
        pytest.param(True, id="due and asked for"),
    ],
)
def test_one_run_makes_one_key_though_it_cannot_see_it(world, rotator, late, start):
    world.now += DAY
    late.run(start=start)
    assert len(world.keys_in_kms()) == 2


@pytest.mark.parametrize("every", [60, 120, 300])
def test_one_key_is_made_though_several_runs_cannot_see_it(world, rotator, every):
    """Nobody makes another one for want of patience."""
    late = Actor(world, "rotator-later")
    world.now += DAY
    while late.run() is None:
        assert len(world.keys_in_kms()) == 2
        world.now += every
    assert len(world.keys_in_kms()) == 2
    assert late.rotator.ring().newest_number == 2


def test_one_key_is_made_though_others_cannot_see_it_and_the_note_of_it_is_believed(world, rotator):
    world.now += DAY
    for _ in range(3):
        each = Actor(world, "unseeing")
        with pytest.raises(KmsUnavailable, match="KMS shows new keys late") as raised:
            each.rotator.run()
        assert raised.value.code == "key_not_visible"
        assert len(world.keys_in_kms()) == 2
        world.now += 60
    world.now += 600
    assert Actor(world, "unseeing").run() is None
    assert len(world.keys_in_kms()) == 3


def test_a_ring_is_made_by_who_sees_its_key_late(world):
    """A new key is there within moments, and its alias is tried again until then."""
    actor = Actor(world, "blind")
    actor.rotator.run(start=True)
    assert len(world.keys_in_kms()) == 1


@pytest.mark.parametrize("late", [30, 60, 120, 590])
def test_a_first_key_that_is_seen_late_is_not_made_again_by_who_made_it(late):
    """There is no ring yet that would tell the time: its maker's own clock tells its age."""
    world = World(readers={"blind": Propagation(key=late)})
    actor = Actor(world, "blind")
    while actor.run(start=True) is None:
        assert len(world.keys_in_kms()) == 1
        world.now += 15
    assert len(world.keys_in_kms()) == 1
    assert actor.rotator.ring().newest_number == 1


def test_nor_is_one_that_is_not_seen_at_all_waited_for_for_ever():
    world = World(readers={"blind": Propagation(key=3_600)})
    actor = Actor(world, "blind")
    for passed, keys in ((0, 1), (592, 1), (0, 2)):  # seven seconds are slept each time
        world.now += passed
        assert actor.run(start=True) is None
        assert len(world.keys_in_kms()) == keys


def test_a_withdrawal_is_complete_though_all_that_it_did_is_seen_late(world, rotator, late):
    """Nothing says that it is not: who moved the pointer knows where it is."""
    gone, arn = next(iter(world.jwks())), world.signing_arn()
    ring = late.rotator.withdraw(gone).ring
    assert (ring.signing, ring.signing_since) == (2, pytest.approx(world.now, abs=2))
    assert world.kid_of(world.signing_arn()) != gone
    assert gone not in world.jwks()
    assert world.truth.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"


def test_who_moved_the_pointer_and_sees_it_late_believes_who_moved_it_further(world, rotator, late):
    """One run withdraws the first key, another the second, before the first has read again."""
    other = Actor(world, "rotator")

    def meanwhile(operation):
        if operation == "disable_key":
            late.gate.before_call = lambda _operation: None
            world.now += 299
            other.rotator.withdraw("2")
            world.now += 1

    late.gate.before_call = meanwhile
    late.run()  # to have it see the ring
    late.attempt(lambda: late.rotator.withdraw("1"))
    world.now += 300
    assert late.rotator.run().ring.signing == 3
    assert world.pointer.values[-1] == {world.kid_of(world.signing_arn())}
    assert len(world.pointer.values) == 3


def test_a_withdrawal_that_could_not_begin_says_so(world, rotator):
    rotator.run(start=True)
    world.kms.disable_key(KeyId=world.kms.describe_key(KeyId="alias/auth/2")["KeyMetadata"]["Arn"])
    with pytest.raises(CannotKnow, match="still points to it") as raised:
        rotator.rotator.withdraw("1")
    assert raised.value.code == "withdrawal_unfinished"


def test_a_withdrawn_key_that_a_late_reader_put_back_leaves_with_the_next_run(world, rotator, late):
    """What it reads of KMS is older than the withdrawal; five minutes later it knows."""
    gone = next(iter(world.jwks()))
    rotator.rotator.withdraw(gone, keep_enabled=True)
    assert gone not in world.jwks()
    late.run()
    world.now += 300
    late.run()
    assert gone not in world.jwks()


def test_two_who_race_for_a_generation_make_one(world, rotator, late):
    """One has made its key and is about to name it when the other does it all."""
    world.now += DAY
    other = Actor(world, "rotator")

    def meanwhile(operation):
        if operation == "create_alias":
            rotator.gate.before_call = lambda _operation: None
            other.rotator.run()

    rotator.gate.before_call = meanwhile
    rotator.rotator.run()
    assert len(world.keys_in_kms()) == 2
    assert rotator.rotator.run().ring.newest_number == 2


def test_readers_that_are_late_are_so_in_this_world():
    assert (LATE.alias, LATE.tag, LATE.permission) == (300, 300, 300)
