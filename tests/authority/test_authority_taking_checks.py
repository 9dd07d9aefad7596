"""What is done about keys that cannot be written on, seen or disabled, and what is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tests.authority.ring_world import (
    DAY,
    KID,
    OURS,
    Caching,
    Lingering,
    Requests,
    draining,
    its_settings,
)

from kmsjwt.authority.rotate import PlanTooOld, Rotator
from kmsjwt.errors import CannotKnow, KmsAccessDenied

if TYPE_CHECKING:
    from tests.authority.ring_world import World

GONE, NEXT = "kmsjwt:gone", "kmsjwt:next"


def kid(world: World, number: int) -> str:
    return str(world.ring().generation(number).kid)


def leave(world: World, number: int) -> None:
    world.kms.schedule_key_deletion(KeyId=world.arn(f"alias/auth/{number}"), PendingWindowInDays=30)


def long_retired(world: World) -> World:
    """Have the third key sign, and the first be out of the view of each run."""
    world.rotated()
    for start in (True, False, False, False):
        world.rotator().run(start=start)
        world.pass_(DAY)
    assert numbers(world) == [2, 3]
    return world


def cut_in_two(world: World) -> World:
    """Have the third key sign, and the first be out of view though none has retired."""
    draining(world)
    world.rotator().run(start=True)
    world.pass_(1_800)
    world.rotator().run()
    world.kms.delete_alias(AliasName="alias/auth/2")
    assert (numbers(world), world.ring().newest_retired) == ([3], 0)
    return world


def numbers(world: World) -> list[int]:
    return [each.number for each in world.rotator().ring().generations]


class Slow(Requests):
    """A client that takes longer for one request than what was read may be acted upon."""

    def __init__(self, world: World, operation: str, key: str, *, fails: bool = False) -> None:
        super().__init__(world.kms)
        self._world = world
        self._slow = operation, world.arn(key)
        self._fails = fails

    def __getattr__(self, name: str) -> Any:
        method = super().__getattr__(name)

        def call(**parameters: Any) -> Any:
            if (name, parameters.get("KeyId")) == self._slow:
                self._world.own.now += 301
                if self._fails:
                    raise ClientError({"Error": {"Code": "ThrottlingException"}}, name)
            return method(**parameters)

        return call


def slow(world: World, publisher: Any, *which: str, fails: bool = False) -> Rotator:
    client = Slow(world, *which, fails=fails)
    return Rotator("auth", publisher, client=client, clock=world.own)


# --- a step


def test_that_a_key_retires_waits_until_another_can_tell(world):
    draining(world)
    leave(world, 1)
    world.kms.disable_key(KeyId=world.arn("alias/auth/2"))
    world.pass_(DAY)

    for _ in range(3):
        report = world.rotator().run()
        assert "no other key is in order to say that it has retired" in str(report.attention)
        assert "its key is Disabled, and no token can be issued" in str(report.attention)
        world.pass_(600)
    world.kms.enable_key(KeyId=world.arn("alias/auth/2"))
    retired = kid(world, 1)
    world.rotator().run()

    assert retired in world.tags("alias/auth/2")["kmsjwt:gone"]


def test_no_kid_is_written_on_a_key_of_which_nobody_can_tell_it(world):
    draining(world)
    made = world.key(tags={**OURS, "generation": "3", **its_settings(world)})
    world.kms.create_alias(AliasName="alias/auth/3", TargetKeyId=made)
    world.kms.disable_key(KeyId=made)

    world.rotator(Lingering(world, kid(world, 1))).withdraw("1")

    assert "kmsjwt:kid" not in world.tags(made)


def test_a_key_that_retires_names_only_earlier_ones_to_disable(world):
    draining(world)
    world.rotator().run(start=True)
    world.kms.permissions.deny("DisableKey")
    with pytest.raises(CannotKnow, match="may point to it"):
        world.rotator().withdraw("3")
    world.pass_(DAY)

    with pytest.raises(KmsAccessDenied, match="DisableKey"):
        world.rotator().run()

    assert "kmsjwt:retired" in world.tags("alias/auth/1")
    assert not world.tags("alias/auth/1").get(NEXT, "").startswith("disable")


def test_a_key_that_is_made_by_a_later_run_tells_which_one_was_withdrawn(world):
    """Of a ring's only key nobody else could tell that, and its deletion would forget it."""
    rule = world.kms.permissions.deny("CreateKey")
    with pytest.raises(KmsAccessDenied, match="CreateKey"):
        world.rotator().withdraw("1")
    rule.lift()

    world.rotator().run()

    assert world.tags("alias/auth/2")[GONE] == kid(world, 1)


# --- what is written of a withdrawn key


def test_a_key_that_is_off_is_not_asked_to_tell_of_another(world):
    """Whoever disabled it is about to delete it, with what it says."""
    draining(world)
    world.rotator().run(start=True)
    world.kms.disable_key(KeyId=world.arn("alias/auth/3"))

    world.rotator().withdraw("1")

    assert world.tags("alias/auth/2")[GONE] == world.tags("alias/auth/1")["kmsjwt:kid"]
    assert GONE not in world.tags("alias/auth/3")


def test_no_key_is_made_only_to_tell_what_another_may_not(world):
    world.rotated()
    world.rotator().run(start=True)
    world.kms.delete_alias(AliasName="alias/auth/1")
    world.kms.permissions.deny("TagResource", key=world.arn("alias/auth/3"))
    before = world.key_count()

    with pytest.raises(KmsAccessDenied, match="TagResource"):
        world.rotator(Lingering(world, KID)).withdraw(KID)

    assert (world.key_count(), world.ring().gone) == (before, ())


# --- a withdrawn key that is out of view


@pytest.mark.parametrize("state", ["PendingDeletion", "Disabled"])
def test_a_key_out_of_view_that_is_off_is_not_disabled_again(world, state):
    long_retired(world)
    which = kid(world, 1)
    if state == "Disabled":
        world.kms.disable_key(KeyId=world.arn("alias/auth/1"))
        world.kms.permissions.deny("DisableKey")
    else:
        leave(world, 1)

    world.rotator().withdraw(which)

    assert world.state("alias/auth/1") == state
    assert "kmsjwt:disabled" not in world.tags("alias/auth/1")


def test_a_key_out_of_view_that_may_not_be_disabled_nor_noted_is_told_of(world):
    cut_in_two(world)
    world.kms.permissions.deny("DisableKey")

    with pytest.raises(KmsAccessDenied, match="DisableKey"):
        world.rotator().withdraw("1")

    assert "kmsjwt:compromised" in world.tags("alias/auth/1")


def test_that_a_withdrawal_was_not_told_twice_is_told_though_another_fault_was_noted(world):
    """The other one is met again by each run."""
    long_retired(world)
    world.kms.permissions.deny("DisableKey")
    world.kms.permissions.deny("TagResource", key=world.arn("alias/auth/3"))

    with pytest.raises(KmsAccessDenied, match="TagResource"):
        world.rotator().withdraw(kid(world, 1))

    assert world.tags("alias/auth/2")[NEXT] == "disable 1"


def test_nothing_more_is_done_once_it_is_too_late_to_disable_a_key_out_of_view(world):
    cut_in_two(world)
    publisher = Caching(world, kid(world, 1))

    with pytest.raises(PlanTooOld):
        slow(world, publisher, "tag_resource", "alias/auth/3").withdraw("1")

    assert publisher.told == []


def test_nothing_more_is_done_once_it_is_too_late_to_note_what_was_not_disabled(world):
    long_retired(world)
    publisher = Caching(world, kid(world, 1))

    with pytest.raises(PlanTooOld):
        slow(world, publisher, "disable_key", "alias/auth/1", fails=True).withdraw(kid(world, 1))

    assert publisher.told == []


# --- which kid may be its


class Once(Caching):
    """Does not answer when it is asked what it has for the first time."""

    def lingering(self) -> frozenset[str]:
        if not self.told:
            self.told.append("no answer")
            raise CannotKnow("the place does not answer")
        return super().lingering()


def blind(world: World) -> None:
    """Have nobody able to tell the kid of the first key, which is enabled."""
    arn = world.arn("alias/auth/1")
    world.kms.untag_resource(KeyId=arn, TagKeys=["kmsjwt:kid"])
    world.kms.permissions.deny("GetPublicKey", key=arn)


def test_a_key_is_disabled_though_nobody_could_look_for_its_kid(world):
    draining(world)
    blind(world)

    with pytest.raises(CannotKnow, match="the place does not answer"):
        world.rotator(Once(world)).withdraw("1")

    assert world.state("alias/auth/1") == "Disabled"


def test_of_two_faults_of_a_withdrawal_the_first_is_told(world):
    draining(world)
    blind(world)
    world.kms.permissions.deny("TagResource", key=world.arn("alias/auth/2"))

    with pytest.raises(KmsAccessDenied, match="TagResource"):
        world.rotator(Once(world)).withdraw("1")


# --- what is told of what is left


class Deaf(Lingering):
    """A place that cannot be written."""

    fix: str | None = None

    def publish(self, *_args: Any, **_more: Any) -> None:
        raise CannotKnow("the place is full", fix=self.fix)


@pytest.mark.parametrize(("fix", "head"), [(None, ""), ("make room", "make room; ")])
def test_what_is_left_is_told_after_what_to_do_about_what_failed(world, fix, head):
    draining(world)
    publisher = Deaf(world, kid(world, 1))
    publisher.fix = fix
    world.kms.permissions.deny("DisableKey")

    with pytest.raises(CannotKnow, match="the place is full") as caught:
        world.rotator(publisher).withdraw("1")

    told = str(caught.value.fix)
    assert told.startswith(f"{head}the withdrawal is not complete: its KMS key is still enabled; ")


def test_that_the_ring_is_in_doubt_is_told_of_a_withdrawal_that_is_not_over(world):
    draining(world)
    world.kms.update_alias(AliasName="alias/auth", TargetKeyId=world.key())

    with pytest.raises(CannotKnow, match="is not complete") as caught:
        world.rotator().withdraw("1")

    assert caught.value.code == "withdrawal_unfinished"
    assert not caught.value.retryable
    assert caught.value.message.endswith("which is not tagged as a key of ring auth")


def test_nothing_else_is_told_of_one_that_is_not_over_where_nothing_is_in_doubt(world):
    draining(world)
    world.rotator().run(start=True)

    with pytest.raises(CannotKnow) as caught:
        world.rotator().withdraw("3")

    assert caught.value.retryable
    assert caught.value.message.endswith("its KMS key is still enabled")


class Behind(Requests):
    """A client that sees late that a key is disabled."""

    def describe_key(self, **parameters: Any) -> Any:
        answer = self._kms.describe_key(**parameters)
        answer["KeyMetadata"].update(KeyState="Enabled", Enabled=True)
        return answer


def test_a_key_that_was_disabled_by_this_very_run_is_not_told_to_be_enabled(world):
    draining(world)
    publisher = Lingering(world, kid(world, 1))

    rotator = Rotator("auth", publisher, client=Behind(world.kms), clock=world.own)
    report = rotator.withdraw("1")

    assert [each.state for each in report.ring.generations] == ["Enabled", "Enabled"]
    assert world.state("alias/auth/1") == "Disabled"
