"""Who sees which change when."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from kmsjwt.errors import ConfigError
from kmsjwt.local import LocalKms, Propagation, Strict

SLOW = Propagation(alias=60, tag=120, key=10, permission=300)


def seen_after(clock: Any, seconds: Any, look: Any) -> Any:
    """Assert that the change is unseen until so many seconds have passed, and seen then."""
    clock.forward(seconds - 1)
    assert not look()
    clock.forward(1)
    assert look()


def answers(kms: Any, key: Any) -> Any:
    try:
        return bool(kms.describe_key(KeyId=key))
    except kms.exceptions.NotFoundException:
        return False


@pytest.fixture
def slow(clock: Any) -> Any:
    return LocalKms(clock=clock, propagation=Propagation(readers={"late": SLOW}))


def test_a_key_an_alias_and_a_tag_are_seen_late_by_one_reader_only(slow, clock, new_key):
    late = slow.reader("late")
    key = new_key(slow, Tags=[{"TagKey": "a", "TagValue": "1"}])
    slow.create_alias(AliasName="alias/a", TargetKeyId=key)
    assert answers(slow, key)
    assert answers(slow, "alias/a")
    assert late.list_keys()["Keys"] == []
    seen_after(clock, 10, lambda: answers(late, key))
    assert not late.list_aliases()["Aliases"]
    seen_after(clock, 50, lambda: answers(late, "alias/a"))
    seen_after(clock, 60, lambda: late.list_resource_tags(KeyId=key)["Tags"])


def test_a_moved_alias_still_leads_the_late_reader_to_the_old_key(slow, clock, new_key, sign):
    late = slow.reader("late")
    old, new = new_key(slow), new_key(slow)
    slow.create_alias(AliasName="alias/a", TargetKeyId=old)
    clock.forward(600)
    slow.update_alias(AliasName="alias/a", TargetKeyId=new)
    assert sign(slow, "alias/a")["KeyId"] == new
    assert sign(late, "alias/a")["KeyId"] == old
    seen_after(clock, 60, lambda: sign(late, "alias/a")["KeyId"] == new)


def test_a_deleted_alias_lives_on_for_the_late_reader(slow, clock, new_key):
    late = slow.reader("late")
    slow.create_alias(AliasName="alias/a", TargetKeyId=new_key(slow))
    clock.forward(600)
    slow.delete_alias(AliasName="alias/a")
    assert not answers(slow, "alias/a")
    seen_after(clock, 60, lambda: not answers(late, "alias/a"))


def test_a_disabled_key_still_signs_for_the_late_reader(slow, clock, new_key, sign):
    late = slow.reader("late")
    key = new_key(slow)
    clock.forward(600)
    slow.disable_key(KeyId=key)

    def is_disabled() -> Any:
        return not late.describe_key(KeyId=key)["KeyMetadata"]["Enabled"]

    assert sign(late, key)
    seen_after(clock, 10, is_disabled)
    with pytest.raises(late.exceptions.DisabledException):
        sign(late, key)


def test_a_late_reader_does_not_write_back_what_is_old(slow, clock, new_key):
    late = slow.reader("late")
    key = new_key(slow, Description="first")
    clock.forward(600)
    slow.disable_key(KeyId=key)
    late.update_key_description(KeyId=key, Description="second")
    late.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "1"}])
    now = slow.describe_key(KeyId=key)["KeyMetadata"]
    assert (now["KeyState"], now["Description"]) == ("Disabled", "second")


def test_an_alias_name_is_taken_even_for_who_does_not_see_it(slow, clock, new_key):
    late = slow.reader("late")
    key = new_key(slow)
    clock.forward(600)
    slow.create_alias(AliasName="alias/a", TargetKeyId=key)
    with pytest.raises(late.exceptions.AlreadyExistsException):
        late.create_alias(AliasName="alias/a", TargetKeyId=key)


def test_a_permission_is_withdrawn_and_given_back_late(slow, clock, new_key, sign):
    late = slow.reader("late")
    key = new_key(slow)
    clock.forward(600)
    rule = slow.permissions.deny("Sign", key=key)

    def is_denied(reader: Any) -> Any:
        try:
            sign(reader, key)
        except reader.exceptions.ClientError as error:
            return error.response["Error"]["Code"] == "AccessDeniedException"
        return False

    assert is_denied(slow)
    seen_after(clock, 300, lambda: is_denied(late))
    rule.lift()
    assert not is_denied(slow)
    seen_after(clock, 300, lambda: not is_denied(late))


def test_a_right_that_hangs_on_an_alias_arrives_after_the_alias(slow, clock, new_key, sign):
    """kms:ResourceAliases: a fresh generation may be visible and still denied."""
    late = slow.reader("late")
    slow.permissions.deny("Sign", unless_alias="alias/auth/*")
    clock.forward(600)
    key = new_key(slow)
    slow.create_alias(AliasName="alias/auth/2", TargetKeyId=key)
    assert sign(slow, key)
    clock.forward(299)
    assert answers(late, "alias/auth/2")
    with pytest.raises(late.exceptions.ClientError, match="AccessDenied"):
        sign(late, key)
    clock.forward(1)
    assert sign(late, key)


def test_without_a_delay_everybody_sees_everything_at_once(kms, new_key, sign):
    key = new_key(kms)
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    assert sign(kms.reader("anyone"), "alias/a")["KeyId"] == key


def test_a_clock_set_back_hides_nothing(kms: LocalKms, clock: Any, new_key: Any) -> None:
    key = new_key(kms)
    clock.forward(-3600)
    assert answers(kms, key)


@pytest.mark.parametrize("seconds", [-1, 3601, float("nan")])
def test_a_delay_is_an_hour_at_most(seconds: float) -> None:
    with pytest.raises(ConfigError, match="expected 0 to 3600"):
        Propagation(alias=seconds)
    with pytest.raises(ConfigError, match="expected 0 to 3600"):
        Strict(lag=seconds)


def test_old_values_are_forgotten_only_when_nobody_can_see_them(
    clock: Any, new_key: Any, sign: Any
) -> None:
    slowest = Propagation(alias=3600)
    kms = LocalKms(clock=clock, propagation=Propagation(readers={"late": slowest}))
    keys = [new_key(kms) for _ in range(5)]
    kms.create_alias(AliasName="alias/a", TargetKeyId=keys[0])
    for key in keys[1:]:
        clock.forward(1800)
        kms.update_alias(AliasName="alias/a", TargetKeyId=key)
    assert sign(kms.reader("late"), "alias/a")["KeyId"] == keys[2]


# --- the strict mode


def until_seen(clock: Any, look: Any, limit: Any = 400) -> Any:
    waited = 0
    while not look():
        clock.forward(1)
        waited += 1
        assert waited < limit
    return waited


def quiet(seed: Any = 0) -> Any:
    return Strict(seed=seed, throttle_every=0)


def lags(clock: Any, new_key: Any, seed: Any) -> Any:
    kms = LocalKms(clock=clock, strict=quiet(seed))
    key = new_key(kms)
    waits = []
    for number in range(8):
        name = f"alias/a{number}"
        kms.create_alias(AliasName=name, TargetKeyId=key)
        assert answers(kms, name), "the plain reader sees it at once"
        waits.append(until_seen(clock, lambda name=name: answers(kms.reader("other"), name)))
    return waits


def test_strict_shows_changes_late_to_some_the_same_way_each_time(clock, new_key):
    first = lags(clock, new_key, seed=1)
    assert 0 in first
    assert max(first) > 30
    assert first == lags(clock, new_key, seed=1)
    assert first != lags(clock, new_key, seed=2)


def test_strict_shuffles_and_shortens_pages_but_loses_nothing(clock, new_key):
    kms = LocalKms(clock=clock, strict=quiet())
    keys = [new_key(kms) for _ in range(12)]
    pages = list(kms.get_paginator("list_keys").paginate(Limit=5))
    assert all(len(page["Keys"]) < 5 for page in pages)
    listed = [key["KeyArn"] for page in pages for key in page["Keys"]]
    assert sorted(listed) == sorted(keys)
    assert listed != sorted(keys)
    assert listed != keys


def test_strict_lists_aliases_that_aws_owns_and_that_have_no_key(clock):
    kms = LocalKms(clock=clock, strict=quiet())
    names = [alias["AliasName"] for alias in kms.list_aliases()["Aliases"]]
    assert names
    assert all(name.startswith("alias/aws/") for name in names)


def test_strict_throttles_now_and_then_but_never_twice_running(clock):
    kms = LocalKms(clock=clock, strict=Strict(throttle_every=3))
    outcomes = []
    for _ in range(200):
        try:
            kms.list_keys()
            outcomes.append("ok")
        except kms.exceptions.ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
    assert outcomes.count("ThrottlingException") > 20
    assert ("ThrottlingException",) * 2 not in list(itertools.pairwise(outcomes))


def test_strict_lets_a_replica_be_created_for_a_while(clock, new_key, sign):
    kms = LocalKms(clock=clock, strict=quiet())
    key = new_key(kms, MultiRegion=True)
    replica = kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")["ReplicaKeyMetadata"]["Arn"]
    there = kms.in_region("eu-west-1")
    with pytest.raises(there.exceptions.KMSInvalidStateException):
        sign(there, replica)
    clock.forward(5)
    assert sign(there, replica)
