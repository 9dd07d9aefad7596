"""What keeps a withdrawal from the wrong key, and from being told too early."""

from __future__ import annotations

from typing import Any

import pytest
from tests.authority.ring_world import (
    DAY,
    KID,
    OURS,
    Caching,
    Lingering,
    Requests,
    World,
    another,
    draining,
    its_settings,
)

from kmsjwt.authority.in_kms import InKms
from kmsjwt.authority.rotate import PlanTooOld, Rotator
from kmsjwt.errors import CannotKnow, ConfigError, KmsAccessDenied

# --- withdrawal


@pytest.mark.parametrize(
    "tags",
    [{}, {"ring": "other", "generation": "2"}, {"ring": "auth", "generation": "3"}],
    ids=["untagged", "another ring's", "another generation's"],
)
@pytest.mark.parametrize("keep_enabled", [False, True])
def test_a_strangers_key_under_our_alias_is_left_alone(world, tags, keep_enabled):
    """It may sign for somebody else, who would find it marked and disabled."""
    world.rotator().run()
    stranger = world.key(tags=tags)
    world.kms.create_alias(AliasName="alias/auth/2", TargetKeyId=stranger)
    before = world.tags(stranger)
    world.pass_(600)

    with pytest.raises(ConfigError, match="it is left alone") as caught:
        world.rotator().withdraw("2", keep_enabled=keep_enabled)

    assert caught.value.code == "generation_in_doubt"
    assert world.tags(stranger) == before
    assert world.state("alias/auth/2") == "Enabled"
    assert world.ring().gone == ()


@pytest.mark.parametrize("is_published", [False, True])
def test_a_key_that_was_made_a_moment_ago_is_no_strangers_for_want_of_tags(world, is_published):
    """KMS shows them late; nobody is told to give it up."""
    world.rotator().run()
    made = world.key()
    world.kms.create_alias(AliasName="alias/auth/2", TargetKeyId=made)
    world.pass_(599)
    publisher = Lingering(world, *([] if not is_published else [KID]))

    with pytest.raises(ConfigError, match="made a moment ago") as caught:
        world.rotator(publisher).withdraw("2")

    assert caught.value.code == "generation_in_doubt"
    assert world.tags(made) == {}
    assert world.ring().gone == ()


def test_a_key_of_ours_whose_tags_are_garbled_is_withdrawn_all_the_same(world):
    world.rotated()
    world.tag("alias/auth/1", published="yesterday")

    world.rotator().withdraw("1")

    assert "kmsjwt:compromised" in world.tags("alias/auth/1")
    assert world.state("alias/auth/1") == "Disabled"


def incomplete(world: World) -> World:
    """Have KMS lose the ring's first key, so that a kid may be that key's."""
    world.rotated().kms.delete_alias(AliasName="alias/auth/1")
    return world


def test_a_kid_of_a_key_that_kms_has_no_more_is_withdrawn(world):
    incomplete(world)

    world.rotator(Lingering(world, KID)).withdraw(KID)

    assert world.ring().gone == (KID,)


@pytest.mark.parametrize(
    "which", ["k" * 42, "k" * 44, "k" * 42 + " ", "k" * 42 + "=", "foreign", "9", KID + "\n"]
)
def test_what_is_no_kid_of_a_ring_is_never_written_down(world, which):
    """A key that KMS has no more had a thumbprint; what else is published is no ring's."""
    incomplete(world)

    with pytest.raises(ConfigError, match="not the ring's") as caught:
        world.rotator(Lingering(world, which)).withdraw(which)

    assert caught.value.code == "no_such_generation"
    assert world.ring().gone == ()


def test_nor_is_a_kid_that_is_not_published(world):
    incomplete(world)

    with pytest.raises(ConfigError, match="has no key") as caught:
        world.rotator(Lingering(world, "other")).withdraw(KID)

    assert caught.value.code == "no_such_generation"
    assert "publish --remove" not in str(caught.value.fix)
    assert world.ring().gone == ()


def test_nor_one_of_a_ring_that_has_every_key_it_ever_had(world):
    world.rotated()

    with pytest.raises(ConfigError, match="not the ring's"):
        world.rotator(Lingering(world, KID)).withdraw(KID)
    assert world.ring().gone == ()


def test_another_rings_key_is_withdrawn_there_and_not_here(world):
    incomplete(world)
    kid = another(world)

    with pytest.raises(ConfigError, match="is a key of ring other, not of auth") as caught:
        world.rotator(Lingering(world, kid)).withdraw(kid)

    assert caught.value.code == "no_such_generation"
    assert f"kmsjwt key rotate other --compromised {kid}" in str(caught.value.fix)
    assert world.ring().gone == ()


def test_nor_is_a_kid_withdrawn_that_may_be_another_rings(world):
    incomplete(world)
    another(world)
    world.kms.permissions.deny("ListResourceTags", key="alias/other")

    with pytest.raises(ConfigError, match="may not be read") as caught:
        world.rotator(Lingering(world, KID)).withdraw(KID)

    assert caught.value.code == "no_such_generation"
    assert world.ring().gone == ()


# --- what is written of a key that is over


def test_that_a_key_retired_which_kms_will_delete_is_written_on_another(world):
    """Nothing can be written on it any more."""
    first = draining(world)
    kid = world.tags(first)["kmsjwt:kid"]
    world.kms.schedule_key_deletion(KeyId=first, PendingWindowInDays=7)
    world.rotator().run()
    assert "kmsjwt:gone" not in world.tags("alias/auth/2")  # its tokens live
    world.pass_(DAY)

    report = world.rotator().run()

    assert [step.action for step, _ in report.done if step.number == 1] == ["retire"]
    assert world.tags("alias/auth/2")["kmsjwt:gone"] == kid
    assert world.rotator().run().done == ()
    assert world.ring().gone == (kid,)


def test_a_key_that_retires_names_none_to_disable_if_there_is_none(world):
    world.rotated()

    assert not world.tags("alias/auth/1").get("kmsjwt:next", "").startswith("disable")


@pytest.mark.parametrize("keep_enabled", [False, True])
def test_caches_forget_a_withdrawn_key_whoever_takes_it_out_of_the_jwks(world, keep_enabled):
    """Though he who withdrew it was cut off before, and the key stays enabled."""
    world.rotated()
    kid = world.tags("alias/auth/1")["kmsjwt:kid"]
    publisher = Caching(world, kid)
    publisher.fails = True
    with pytest.raises(CannotKnow):
        world.rotator(publisher).withdraw("1", keep_enabled=keep_enabled)
    publisher.fails = False
    publisher.told.clear()

    world.rotator(publisher).run()

    assert publisher.lingering() == frozenset()
    assert publisher.told[:2] == ["publish", "invalidate"]


# --- what is written where


@pytest.mark.parametrize("by", ["kid", "number"])
def test_a_key_that_kms_will_delete_is_withdrawn_by_what_another_says(world, by):
    first = draining(world)
    kid = world.tags(first)["kmsjwt:kid"]
    world.kms.schedule_key_deletion(KeyId=first, PendingWindowInDays=7)
    before = world.tags(first)

    world.rotator().withdraw(kid if by == "kid" else "1")

    assert world.ring().gone == (first.rpartition("/")[2], kid)  # its kid is but a tag
    assert world.tags(first) == before


def test_a_withdrawn_key_that_was_never_published_says_its_kid(world):
    """Without a public key nobody could tell it later, once KMS deletes the key."""
    world.rotator().run()
    made = world.key(tags={**OURS, **its_settings(world)})
    world.kms.create_alias(AliasName="alias/auth/2", TargetKeyId=made)
    kid = world.ring().generation(2).kid
    assert "kmsjwt:kid" not in world.tags(made)

    with pytest.raises(CannotKnow, match="may point to it"):
        world.rotator().withdraw("2", keep_enabled=True)

    assert world.tags(made)["kmsjwt:kid"] == kid


def test_a_withdrawal_that_can_be_written_nowhere_is_none(world):
    incomplete(world)
    world.kms.permissions.deny("TagResource", key=world.arn("alias/auth/2"))
    before = world.key_count()

    with pytest.raises(KmsAccessDenied, match="TagResource"):
        world.rotator(Lingering(world, KID)).withdraw(KID)

    assert (world.key_count(), world.ring().gone) == (before, ())


def test_a_withdrawal_that_takes_too_long_is_begun_again_before_more_is_done(world):
    world.rotated()
    client = Requests(world.kms)

    def tag_resource(**parameters: Any) -> Any:
        world.own.now += 301
        return world.kms.tag_resource(**parameters)

    client.tag_resource = tag_resource  # type: ignore[attr-defined]  # meddled with
    publisher = InKms("auth", world.kms)

    with pytest.raises(PlanTooOld):
        Rotator("auth", publisher, client=client, clock=world.own).withdraw("1")

    assert "kmsjwt:compromised" in world.tags("alias/auth/1")
    assert world.state("alias/auth/1") == "Enabled"


class Again(Caching):
    """Looks again before it writes, while KMS shows late that a key is withdrawn."""

    def publish(self, live: Any, retired: Any, **more: Any) -> None:
        arn = self._client.describe_key(KeyId="alias/auth/1")["KeyMetadata"]["Arn"]
        marks = ["kmsjwt:compromised", "kmsjwt:retired", "kmsjwt:disabled", "kmsjwt:draining"]
        self._client.untag_resource(KeyId=arn, TagKeys=marks)
        self.seen = more["anew"]()
        super().publish(live, retired, **more)


def test_a_key_that_was_seen_to_be_withdrawn_is_not_published_by_who_sees_that_late(world):
    world.rotated()
    kid = world.tags("alias/auth/1")["kmsjwt:kid"]
    world.rotator().withdraw("1", keep_enabled=True)
    world.kms.untag_resource(KeyId=world.arn("alias/auth/2"), TagKeys=["kmsjwt:gone"])
    publisher = Again(world, kid)

    world.rotator(publisher).run()

    live, retired = publisher.seen
    assert kid not in {key.kid for key in live}
    assert kid in retired


@pytest.mark.parametrize("keep_enabled", [False, True])
def test_a_key_that_retired_long_ago_is_withdrawn_and_disabled_unless_it_is_to_stay(
    world, keep_enabled
):
    world.rotated()
    for start in (True, False, False, False):
        world.rotator().run(start=start)
        world.pass_(DAY)
    assert [each.number for each in world.rotator().ring().generations] == [2, 3]

    world.rotator().withdraw(world.tags("alias/auth/1")["kmsjwt:kid"], keep_enabled=keep_enabled)

    assert "kmsjwt:compromised" in world.tags("alias/auth/1")
    assert world.state("alias/auth/1") == ("Enabled" if keep_enabled else "Disabled")


def test_that_a_key_is_withdrawn_is_written_on_another_too(world):
    """Whoever deletes the key deletes what it says."""
    draining(world)
    kid = world.tags("alias/auth/2")["kmsjwt:kid"]

    world.rotator().withdraw("2")

    assert kid in world.tags("alias/auth/1")["kmsjwt:gone"].split()
    assert "kmsjwt:gone" not in world.tags("alias/auth/2")


class Stubborn(Lingering):
    """A place that goes on showing what was taken out."""

    def publish(self, live: Any, retired: Any, **more: Any) -> None:
        """Do nothing."""


def test_a_withdrawal_is_not_over_while_the_key_is_still_published(world):
    world.rotated()
    kid = world.tags("alias/auth/1")["kmsjwt:kid"]

    with pytest.raises(CannotKnow, match=f"kid {kid} is still published") as caught:
        world.rotator(Stubborn(world, kid)).withdraw("1")

    assert caught.value.code == "withdrawal_unfinished"
