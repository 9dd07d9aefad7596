"""What listing finds, and what it passes over."""

from __future__ import annotations

import pytest
from tests.authority.ring_world import KID, another

from kmsjwt.errors import CannotKnow, KmsError
from kmsjwt.kms.ring.finding import orphans, ring_names, ring_with


def test_a_ring_is_not_another_to_itself_and_names_that_are_like_a_rings_are_none(world):
    world.rotator().run()
    kid = str(world.ring().generations[0].kid)
    alike = world.key(tags={"kid": KID})
    for name in ("alias/like", "alias/like/0", "alias/like/x", "alias/a/like/1"):
        world.kms.create_alias(AliasName=name, TargetKeyId=alike)

    assert ring_with(world.kms, kid, besides="auth") is None
    assert ring_with(world.kms, kid, besides="other") == "auth"
    assert ring_with(world.kms, KID, besides="auth") is None
    assert ring_names(world.kms) == ["auth"]
    another(world)
    assert ring_names(world.kms) == ["auth", "other"]


def test_a_key_of_a_ring_that_has_no_alias_is_found_and_no_other(world):
    world.rotator().run()
    lost = world.key(tags={"ring": "auth", "generation": "7"})
    theirs = world.key(tags={"ring": "other", "kid": KID})
    named = world.key(tags={"ring": "auth", "generation": "8"})
    world.kms.create_alias(AliasName="alias/somebody", TargetKeyId=named)
    world.key()

    found = {each.arn: each for each in orphans(world.kms)}

    assert set(found) == {lost, theirs}
    assert (found[lost].ring, found[lost].generation, found[lost].published) == ("auth", "7", False)
    assert (found[theirs].generation, found[theirs].published) == ("?", True)
    assert [each.arn for each in orphans(world.kms, frozenset({"auth"}))] == [lost]


def test_a_key_whose_tags_may_not_be_read_hides_no_other(world):
    mine, theirs = (world.key(tags={"ring": "auth", "generation": "7"}) for _ in range(2))
    world.kms.permissions.deny("ListResourceTags", key=theirs)

    assert [each.arn for each in orphans(world.kms)] == [mine]


def test_but_one_whose_tags_kms_does_not_tell_is_not_passed_over(world):
    world.kms.faults.add("ListResourceTags", kind="throttle", times=None)

    with pytest.raises(KmsError):
        list(orphans(world.kms))
    with pytest.raises(CannotKnow):
        ring_with(world.kms, KID, besides="other")
