"""Which key a run takes for the next generation, what it makes one with, and by what it knows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.authority.ring_world import (
    DAY,
    HOUR,
    OURS,
    SPEC,
    TIMES,
    Meddling,
    Requests,
    World,
    its_settings,
)
from tests.rotation.scene import Meddled

from kmsjwt.authority.in_kms import InKms
from kmsjwt.authority.rotate import PlanTooOld, Rotator
from kmsjwt.errors import ConfigError, KmsAccessDenied, KmsThrottled, KmsUnavailable
from kmsjwt.local import LocalKms

# --- the key that a run made and could not name


def begun(world: World, made: str, number: str = "2") -> str:
    """Have the next key made, after a run that wrote down this one; return the one it took."""
    world.tag("alias/auth/1", next=f"{number} {made.rpartition('/')[2]}")
    assert world.rotator().run(start=True).ring.newest_number == 2
    return world.arn("alias/auth/2")


def test_a_key_that_a_run_wrote_down_is_taken(world):
    world.rotator().run()
    made = world.key(tags={**OURS, **its_settings(world)})

    assert begun(world, made) == made
    assert world.key_count() == 2


@pytest.mark.parametrize(
    "tags",
    [{}, {"ring": "other"}, {"generation": "3"}, {"ring": "other", "generation": "3"}],
    ids=["untagged", "another ring's", "another generation's", "both"],
)
def test_a_strangers_key_that_is_written_down_is_not_taken(world, tags):
    """Who may tag the key that signs could have any key sign for the ring."""
    world.rotator().run()
    its = {**OURS, **its_settings(world), **tags} if tags else {}
    stranger = world.key(tags=its)
    before = world.tags(stranger)

    assert begun(world, stranger) != stranger

    assert world.aliases_of(stranger) == []
    assert world.tags(stranger) == before
    assert world.state(stranger) == "Enabled"


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_a_key_that_cannot_sign_is_not_taken_though_it_is_ours(world, state):
    world.rotator().run()
    made = world.key(tags={**OURS, **its_settings(world)})
    if state == "Disabled":
        world.kms.disable_key(KeyId=made)
    else:
        world.kms.schedule_key_deletion(KeyId=made, PendingWindowInDays=7)

    assert begun(world, made) != made
    assert world.aliases_of(made) == []


@pytest.mark.parametrize("number", ["1", "3", "disable"])
def test_what_was_written_down_of_another_generation_is_not_taken(world, number):
    world.rotator().run()
    made = world.key(tags={**OURS, **its_settings(world)})

    assert begun(world, made, number) != made


@pytest.mark.parametrize("mark", ["draining", "retired", "compromised", "disabled"])
def test_a_key_that_is_done_signing_is_not_taken_though_it_is_written_down(world, mark):
    world.rotator().run()
    tags = {**OURS, **its_settings(world), mark: "2026-01-01T00:00:00Z"}
    made = world.key(tags=tags)

    assert begun(world, made) != made
    assert world.aliases_of(made) == []


def test_what_was_written_down_and_is_deleted_holds_up_nothing(world):
    world.rotator().run()
    never = f"{world.arn('alias/auth/1')[:-12]}{'0' * 12}"

    assert begun(world, never) != never
    assert world.key_count() == 2


@pytest.mark.parametrize(
    ("age", "is_waited_for"),
    [(0, True), (598, True), (599, False), (DAY, False), (-2, False), (None, False)],
)
def test_what_was_written_down_ten_minutes_ago_and_cannot_be_seen_is_waited_for(
    world, age, is_waited_for
):
    """By then KMS has shown it to everybody; a second more or less is the clock's."""
    world.rotator().run()
    noted = "2 1234abcd-12ab-34cd-56ef-1234567890ab"
    if age is not None:
        when = datetime.fromtimestamp(world.clock.now - age, UTC)
        noted += f" {when:%Y-%m-%dT%H:%M:%SZ}"
    world.tag("alias/auth/1", next=noted)

    if is_waited_for:
        with pytest.raises(KmsUnavailable, match="made for alias/auth/2, cannot be seen") as caught:
            world.rotator().run(start=True)
        assert (caught.value.code, caught.value.retryable) == ("key_not_visible", True)
        assert world.key_count() == 1
    else:
        assert world.rotator().run(start=True).ring.newest_number == 2


def noting(world: World, made: str, age: float) -> None:
    """Write down a key as made so many seconds ago."""
    when = datetime.fromtimestamp(world.clock.now - age, UTC)
    world.tag("alias/auth/1", next=f"2 {made.rpartition('/')[2]} {when:%Y-%m-%dT%H:%M:%SZ}")


@pytest.mark.parametrize("age", [0, 598, 599, DAY])
def test_a_noted_key_whose_tags_kms_does_not_show_is_waited_for_no_longer(world, age):
    world.rotator().run()
    made = world.key(tags=None)
    noting(world, made, age)

    if age < 599:
        with pytest.raises(KmsUnavailable, match="made for alias/auth/2, cannot be seen") as caught:
            world.rotator().run(start=True)
        assert caught.value.code == "key_not_visible"
        assert world.key_count() == 2
    else:
        assert world.rotator().run(start=True).ring.newest_number == 2
        assert world.arn("alias/auth/2") != made


@pytest.mark.parametrize("age", [0, DAY])
@pytest.mark.parametrize("denied", ["DescribeKey", "ListResourceTags"])
def test_no_other_key_is_made_for_one_that_may_not_be_seen(world, denied, age):
    """Each run would make one, for as long as the denial lasts."""
    world.rotator().run()
    made = world.key(tags={**OURS, **its_settings(world)})
    noting(world, made, age)
    denial = world.kms.permissions.deny(denied, key=made)

    for _ in range(2):
        with pytest.raises(KmsAccessDenied, match=denied) as caught:
            world.rotator().run(start=True)
        assert "alias/auth/2 waits for this key" in str(caught.value.fix)
        untag = f"aws kms untag-resource --tag-keys kmsjwt:next --key-id {world.arn('alias/auth')}"
        assert untag in str(caught.value.fix)
    assert world.key_count() == 2

    denial.lift()
    world.rotator().run(start=True)
    assert world.arn("alias/auth/2") == made


def test_an_emergency_waits_for_no_key_that_may_not_be_seen(world):
    """What is withdrawn signs until there is another."""
    world.rotator().run()
    first, made = world.arn("alias/auth/1"), world.key(tags={**OURS, **its_settings(world)})
    noting(world, made, DAY)
    world.kms.permissions.deny("DescribeKey", key=made)

    world.rotator().withdraw("1")

    assert world.arn("alias/auth") not in (first, made)
    assert world.key_count() == 3


@pytest.mark.parametrize(
    "named",
    [
        "arn:aws:kms:eu-central-1:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "{arn}",
        "alias/mine",
        "key/{id}",
        "{id}x",
    ],
)
def test_a_note_that_names_a_key_otherwise_than_by_its_id_is_none(world, named):
    """Whoever may tag the key that signs could have every run ask for what it may not see."""
    world.rotator().run()
    made = world.key(tags={**OURS, **its_settings(world)})
    world.kms.create_alias(AliasName="alias/mine", TargetKeyId=made)
    name = named.format(arn=made, id=made.rpartition("/")[2])
    when = datetime.fromtimestamp(world.clock.now, UTC)
    world.tag("alias/auth/1", next=f"2 {name} {when:%Y-%m-%dT%H:%M:%SZ}")

    assert world.rotator().run(start=True).ring.newest_number == 2
    assert world.arn("alias/auth/2") != made


def test_a_withdrawal_is_not_stopped_by_a_note_of_a_foreign_key(world):
    world.rotator().run()
    foreign = "arn:aws:kms:eu-central-1:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    world.tag("alias/auth/1", next=f"2 {foreign}")

    assert world.rotator().withdraw("1").ring.signing == 2


def failing(*operations: str) -> Any:
    """Return what throttles these once a key was made; see `Meddled`."""
    left: list[str] = []

    def meddle(name: str, _parameters: dict[str, Any]) -> None:
        if name == "create_key":
            left.extend(operations)
        elif name in left:
            left.remove(name)
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, name)

    return meddle


def throttled(world: World, *operations: str) -> Rotator:
    client = Meddled(world.kms, failing(*operations))
    return Rotator("auth", InKms("auth", world.kms), client=client, clock=world.own)


def test_a_key_that_was_made_and_could_not_be_written_down_is_named_all_the_same(world):
    world.rotator().run()

    assert throttled(world, "tag_resource").run(start=True).ring.newest_number == 2

    assert world.tags("alias/auth/1")["kmsjwt:next"] == "2"
    assert world.key_count() == 2


def test_nor_is_another_made_by_who_could_not_name_it_either(world):
    world.rotator().run()
    rotator = throttled(world, "tag_resource", "create_alias")
    with pytest.raises(KmsThrottled, match="CreateAlias"):
        rotator.run(start=True)

    assert rotator.run(start=True).ring.newest_number == 2
    assert world.key_count() == 2


def test_a_key_for_decrypting_is_not_taken_though_it_is_written_down():
    world = World(spec="RSA_2048")
    world.rotator().run()
    arn = world.kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    world.tag(arn, **OURS, **its_settings(world))

    assert begun(world, arn) != arn
    assert world.aliases_of(arn) == []


def test_who_made_a_key_that_is_deleted_makes_another(world):
    rotator = world.rotator()
    rotator.run()
    rotator.run(start=True)
    made = world.arn("alias/auth/2")
    world.kms.schedule_key_deletion(KeyId=made, PendingWindowInDays=7)
    world.pass_(8 * DAY)

    rotator.run(start=True)

    assert world.arn("alias/auth/2") != made


def test_who_made_a_key_knows_it_before_kms_shows_what_was_written_down():
    """Or one who may not name keys would make another one at each trial."""
    world = World()
    world.rotator().run()
    world.pass_(HOUR)
    rotator = world.rotator()
    with world.kms.faults.add("CreateAlias", kind="access_denied", times=None):
        for _ in range(3):
            with pytest.raises(KmsAccessDenied):
                rotator.run(start=True)
            world.tag("alias/auth/1", next="2")  # what KMS shows late is as if it were not there

    assert rotator.run(start=True).ring.newest_number == 2
    assert world.key_count() == 2


def unnamed(world: World, client: Any = None) -> tuple[Rotator, str]:
    """Return a rotator that made the second key, and could not name it; and the key's ARN."""
    world.rotator().run()
    asked = Requests(client or world.kms)
    rotator = Rotator("auth", InKms("auth", asked), client=asked, clock=world.own)
    before = {each["KeyArn"] for each in world.kms.list_keys()["Keys"]}
    world.kms.faults.add("CreateAlias", kind="throttle")
    with pytest.raises(KmsThrottled, match="CreateAlias"):
        rotator.run(start=True)
    [made] = {each["KeyArn"] for each in world.kms.list_keys()["Keys"]} - before
    return rotator, made


def test_who_made_a_key_for_settings_that_have_changed_makes_another(world):
    rotator, made = unnamed(world)
    world.tag("alias/auth/1", **{"max-lifetime": "60"})

    ring = rotator.run(start=True).ring

    assert world.arn("alias/auth/2") != made
    generation = ring.generation(2)
    assert generation is not None
    assert generation.settings is not None
    assert generation.settings.max_lifetime == 60


def test_who_made_a_key_that_somebody_tagged_for_another_ring_makes_another(world):
    rotator, made = unnamed(world)
    world.tag(made, ring="other")

    rotator.run(start=True)

    assert world.arn("alias/auth/2") != made
    assert world.aliases_of(made) == []


@pytest.mark.parametrize("age", [0, DAY])
def test_who_made_a_key_that_is_disabled_makes_another_at_once(world, age):
    rotator, made = unnamed(world)
    world.kms.disable_key(KeyId=made)
    world.pass_(age)

    rotator.run(start=True)

    assert world.arn("alias/auth/2") != made


@pytest.mark.parametrize("denied", ["DescribeKey", "ListResourceTags"])
@pytest.mark.parametrize("age", [0, 599, 600, DAY])
def test_who_made_a_key_and_may_not_see_it_names_it_for_ten_minutes_and_makes_no_other(
    world, age, denied
):
    """IAM may see its tags late; later, each run would make another one."""
    rotator, made = unnamed(world)
    world.kms.faults.add(denied, kind="access_denied", key=made)
    world.pass_(age)

    if age < 600:
        rotator.run(start=True)
        assert world.arn("alias/auth/2") == made
    else:
        with pytest.raises(KmsAccessDenied, match=denied):
            rotator.run(start=True)
    assert world.key_count() == 2


@pytest.mark.parametrize("age", [0, 599, 600, DAY, -1])
def test_who_made_a_key_that_kms_does_not_show_names_it_for_ten_minutes(world, age):
    """By this clock; if that is set back, nobody knows how long it has been."""
    hidden: list[str] = []

    def meddle(name: str, parameters: dict[str, Any]) -> None:
        if name == "describe_key" and parameters["KeyId"] in hidden:
            raise ClientError({"Error": {"Code": "NotFoundException", "Message": "no"}}, name)

    rotator, made = unnamed(world, Meddled(world.kms, meddle))
    hidden.append(made)
    world.own.now += age

    rotator.run(start=True)

    assert (world.arn("alias/auth/2") == made) is (0 <= age < 600)


@pytest.mark.parametrize(
    "other", ["spec", "settings", "unsettled", "multi-region"], ids=lambda name: f"another {name}"
)
def test_a_key_that_is_not_what_is_asked_for_now_is_told_of_and_not_taken(world, other):
    world.rotator().run()
    settings = its_settings(world)
    if other == "settings":
        settings["max-lifetime"] = "60"
    if other == "unsettled":
        del settings["max-lifetime"]
    spec = "ECC_NIST_P384" if other == "spec" else SPEC
    made = world.key(spec, {**OURS, **settings}, MultiRegion=other == "multi-region")
    world.tag("alias/auth/1", next=f"2 {made.rpartition('/')[2]}")

    told = [told for step, told in world.rotator().run(start=True).done if step.action == "create"]

    assert world.arn("alias/auth/2") != made
    assert f"{made} of an earlier run is not what is asked for" in told[0]


# --- the age of what was read


@pytest.mark.parametrize("seconds", [-1, -HOUR, 301, DAY])
def test_what_was_read_at_no_time_that_could_be_told_is_not_acted_upon(world, seconds):
    """A clock that was set back does not tell how old it is."""
    world.rotator().run()
    before = world.tags("alias/auth/1")

    with pytest.raises(PlanTooOld) as caught:
        world.rotator(Meddling(world, seconds)).run(start=True)

    assert (caught.value.code, caught.value.retryable) == ("plan_too_old", True)
    assert (world.key_count(), world.tags("alias/auth/1")) == (1, before)


@pytest.mark.parametrize("seconds", [0, 300])
def test_what_was_read_five_minutes_ago_is(world, seconds):
    world.rotator().run()

    world.rotator(Meddling(world, seconds)).run(start=True)

    assert world.key_count() == 2


# --- what a rotator has written


@pytest.mark.parametrize(
    ("seconds", "signing"), [(0, 2), (300, 2), (301, 1), (DAY, 1), (-1, 1), (-DAY, 1)]
)
def test_what_one_wrote_counts_for_as_long_as_kms_may_not_show_it(world, seconds, signing):
    """Later KMS is believed, which shows what others did since; or after the clock was set back."""
    world.rotator().run()
    world.rotator().run(start=True)
    world.pass_(DAY)
    rotator = world.rotator()
    assert rotator.run().ring.signing == 2
    first = world.arn("alias/auth/1")
    world.kms.update_alias(AliasName="alias/auth", TargetKeyId=first)

    world.own.now += seconds

    assert rotator.ring().signing == signing


# --- what a key is made with


@pytest.mark.parametrize("multi_region", [False, True])
@pytest.mark.parametrize("has_policy", [False, True])
def test_the_next_key_has_the_policy_that_is_given_and_the_regions_of_the_first(
    has_policy, multi_region
):
    world = World(multi_region=multi_region)
    policy = world.kms.get_key_policy(KeyId=world.arn("alias/auth"))["Policy"]
    client = Requests(world.kms)
    more: dict[str, Any] = {"policy": policy} if has_policy else {}

    Rotator("auth", InKms("auth", client), client=client, clock=world.own, **more).run(start=True)

    (asked,) = client.asked
    assert asked.get("Policy", "none") == (policy if has_policy else "none")
    assert asked.get("MultiRegion", False) is multi_region


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256", "RSA"])
def test_a_spec_that_signs_no_token_is_refused_before_anything_is_read(spec):
    with pytest.raises(ConfigError, match=spec):
        Rotator("auth", InKms("auth", object()), client=object(), spec=spec)


def test_settings_that_make_no_sense_are_refused_before_anything_is_read():
    changes = {"max_lifetime": 0}
    with pytest.raises(ConfigError, match="max_lifetime"):
        Rotator("auth", InKms("auth", object()), client=object(), changes=changes)


def test_the_next_key_of_another_spec_has_that_spec_s_own_algorithm():
    """An ``alg`` of the former kind would have it refused."""
    world = World(spec="RSA_2048", settings={**TIMES, "alg": "PS256"})
    world.rotator().run()
    rotator = Rotator(
        "auth", InKms("auth", world.kms), client=world.kms, clock=world.own, spec=SPEC
    )

    ring = rotator.run(start=True).ring

    made = ring.generation(2)
    assert made is not None
    assert (made.spec, made.settings and made.settings.alg) == (SPEC, None)


def test_the_next_key_of_the_same_spec_keeps_the_algorithm():
    world = World(spec="RSA_2048", settings={**TIMES, "alg": "PS256"})
    world.rotator().run()

    made = world.rotator().run(start=True).ring.generation(2)

    assert made is not None
    assert made.settings is not None
    assert made.settings.alg == "PS256"


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_an_algorithm_that_the_next_key_does_not_sign_is_refused_and_none_is_made(world, alg):
    world.rotator().run()
    changes = {"alg": alg}
    rotator = Rotator(
        "auth", InKms("auth", world.kms), client=world.kms, clock=world.own, changes=changes
    )

    with pytest.raises(ConfigError, match=alg):
        rotator.run(start=True)

    assert world.key_count() == 1


# --- who may do what, and who was first


def test_a_key_that_may_not_be_written_down_is_not_made(world):
    """Each run would make another."""
    world.rotator().run()
    world.kms.permissions.deny("TagResource", key=world.arn("alias/auth/1"))

    with pytest.raises(KmsAccessDenied, match="TagResource"):
        world.rotator().run(start=True)

    assert world.key_count() == 1


def test_who_comes_second_takes_the_key_of_who_came_first_and_gives_up_its_own(world):
    world.rotator().run()
    theirs = world.key(tags={**OURS, **its_settings(world)})
    client = Requests(world.kms)
    ours: list[str] = []

    def create_alias(**parameters: Any) -> Any:
        if parameters["AliasName"] == "alias/auth/2" and not ours:
            ours.append(parameters["TargetKeyId"])
            world.kms.create_alias(AliasName="alias/auth/2", TargetKeyId=theirs)
        return world.kms.create_alias(**parameters)

    client.create_alias = create_alias  # type: ignore[attr-defined]  # meddled with
    rotator = Rotator("auth", InKms("auth", world.kms), client=client, clock=world.own)

    told = [told for step, told in rotator.run(start=True).done if step.action == "create"]

    assert told == [f"another run made {theirs}"]
    assert world.arn("alias/auth/2") == theirs
    assert world.state(ours[0]) == "PendingDeletion"


def test_a_key_that_was_found_and_comes_second_is_told_and_not_deleted(world):
    """Whatever its tags say, it may be somebody's: who adopts a key tags it as well."""
    world.rotator().run()
    found, theirs = (world.key(tags={**OURS, **its_settings(world)}) for _ in range(2))
    world.tag("alias/auth/1", next=f"2 {found.rpartition('/')[2]}")

    def overtake(name: str, parameters: dict[str, Any]) -> None:
        if name == "create_alias" and parameters["TargetKeyId"] == found:
            world.kms.create_alias(AliasName="alias/auth/2", TargetKeyId=theirs)

    client = Meddled(world.kms, overtake)
    rotator = Rotator("auth", InKms("auth", world.kms), client=client, clock=world.own)

    assert rotator.run(start=True).orphans == (found,)

    assert world.arn("alias/auth/2") == theirs
    assert world.state(found) == "Enabled"


def test_where_nothing_signs_and_no_spec_is_named_the_first_key_is_of_the_default():
    kms = LocalKms()

    ring = Rotator("new", InKms("new", kms), client=kms).run(start=True).ring

    assert [(each.number, each.spec) for each in ring.generations] == [(1, "RSA_2048")]
