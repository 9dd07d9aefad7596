"""What keeps a deletion, a step and a withdrawal from the wrong key, each at its limit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.jwks.servers import Clock

from kmsjwt.authority.delete import delete
from kmsjwt.authority.in_kms import InKms
from kmsjwt.authority.rotate import PlanTooOld, Rotator
from kmsjwt.errors import CannotKnow, ConfigError, KmsAccessDenied, KmsError
from kmsjwt.kms import create_ring, read_ring
from kmsjwt.kms.ring.finding import orphans, ring_names, ring_with
from kmsjwt.local import LocalKms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kmsjwt.keys import PublicKey

HOUR, DAY = 3_600, 86_400
SPEC = "ECC_NIST_P256"
TIMES = {"max_lifetime": 900, "consumer_cache": 0}


class World:
    """A KMS with the ring ``auth``, and who rotates it."""

    def __init__(self, **more: Any) -> None:
        self.clock = Clock()
        self.kms = LocalKms(clock=self.clock)
        self.own = Clock()  # the rotator's, of which only differences count
        create_ring("auth", client=self.kms, **{"spec": SPEC, "settings": TIMES, **more})

    def rotator(self, publisher: Any = None, name: str = "auth") -> Rotator:
        return Rotator(
            name,
            publisher or InKms(name, self.kms),
            client=self.kms,
            clock=self.own,
            pause=lambda _seconds: None,
        )

    def rotated(self) -> World:
        """Have the second key sign, and the first retire."""
        for start in (False, True, False, False, False):
            self.rotator().run(start=start)
            self.pass_(DAY)
        assert self.ring().signing == 2
        assert "kmsjwt:retired" in self.tags("alias/auth/1")
        return self

    def pass_(self, seconds: float) -> None:
        self.clock.now += seconds
        self.own.now += seconds

    def ring(self) -> Any:
        return read_ring(self.kms, "auth", down_to=1).ring

    def arn(self, alias: str) -> str:
        return str(self.kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"])

    def state(self, alias: str) -> str:
        return str(self.kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyState"])

    def tags(self, key: str) -> dict[str, str]:
        arn = key if key.startswith("arn:") else self.arn(key)
        listed = self.kms.list_resource_tags(KeyId=arn)["Tags"]
        return {each["TagKey"]: each["TagValue"] for each in listed}

    def tag(self, key: str, **named: str) -> None:
        arn = key if key.startswith("arn:") else self.arn(key)
        tags = [{"TagKey": f"kmsjwt:{name}", "TagValue": value} for name, value in named.items()]
        self.kms.tag_resource(KeyId=arn, Tags=tags)

    def key(self, spec: str = SPEC, tags: dict[str, str] | None = None, **more: Any) -> str:
        """Make a key by hand and return its ARN."""
        made = self.kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY", **more)
        arn = str(made["KeyMetadata"]["Arn"])
        if tags:
            self.tag(arn, **tags)
        return arn

    def key_count(self) -> int:
        return len(self.kms.list_keys(Limit=100)["Keys"])

    def aliases_of(self, arn: str) -> list[str]:
        return [each["AliasName"] for each in self.kms.list_aliases(KeyId=arn)["Aliases"]]


@pytest.fixture
def world() -> World:
    return World()


# --- deletion


class Usage:
    """A client whose KMS tells this of a key's last use."""

    def __init__(self, kms: LocalKms, **answer: Any) -> None:
        self._kms = kms
        self._answer = answer
        self.meta = kms.meta

    def get_key_last_usage(self, **_parameters: Any) -> dict[str, Any]:
        return self._answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kms, name)


def moment(world: World) -> float:
    """Return since when the first key is retired."""
    text = world.tags("alias/auth/1")["kmsjwt:retired"]
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def refused(world: World, number: int = 1, *, client: Any = None, **more: Any) -> ConfigError:
    """Return why a key is not deleted, seen that nothing was done to it."""
    alias = f"alias/auth/{number}"
    before = world.tags(alias)
    with pytest.raises(ConfigError) as caught:
        delete("auth", number, client=client or world.kms, **more)
    assert (world.state(alias), world.tags(alias)) == ("Enabled", before)
    return caught.value


def since_old(world: World) -> float:
    world.pass_(8 * DAY)
    return moment(world)


@pytest.mark.parametrize(
    ("after", "is_known"),
    [(-1, True), (0, True), (1, False), (DAY, False), (None, False)],
)
def test_a_key_of_whose_use_kms_kept_no_track_is_deleted_by_force_only(world, after, is_known):
    """Tracking that began after the key retired says nothing about the time in between."""
    since = since_old(world.rotated())
    tracking = {} if after is None else {"TrackingStartDate": at(since + after)}
    client = Usage(world.kms, **tracking)

    if is_known:
        assert delete("auth", 1, client=client).last_use is None
    else:
        error = refused(world, client=client)
        assert error.code == "not_deletable"
        assert "before KMS kept track" in error.message
        assert "--force" in str(error.fix)
        assert delete("auth", 1, client=client, force=True).last_use is None
    assert world.state("alias/auth/1") == "PendingDeletion"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(("after", "is_used"), [(-1, False), (0, False), (1, True)])
def test_a_key_that_was_used_after_it_retired_is_not_deleted(world, after, is_used, force):
    used = at(since_old(world.rotated()) + after)
    client = Usage(world.kms, KeyLastUsage={"Timestamp": used}, TrackingStartDate=at(0))

    if is_used:
        assert "after it retired" in refused(world, client=client, force=force).message
    else:
        assert delete("auth", 1, client=client, force=force).last_use == used


def test_what_kms_does_not_tell_of_the_last_use_is_no_reason_to_delete(world):
    since_old(world.rotated())
    world.kms.faults.add("GetKeyLastUsage", kind="access_denied", times=None)

    with pytest.raises(KmsAccessDenied, match="GetKeyLastUsage") as caught:
        delete("auth", 1, client=world.kms)

    assert "--force" in str(caught.value.fix)
    assert world.state("alias/auth/1") == "Enabled"
    assert delete("auth", 1, client=world.kms, force=True).last_use is None


@pytest.mark.parametrize("force", [False, True])
def test_the_key_that_signs_is_not_deleted_whatever_its_tags_say(world, force):
    world.rotated()
    world.tag("alias/auth/2", retired="2020-01-01T00:00:00Z")

    error = refused(world, 2, client=Usage(world.kms, TrackingStartDate=at(0)), force=force)

    assert error.code == "not_deletable"
    assert "is not retired" in error.message


@pytest.mark.parametrize("window", [6, 31, 0, -7])
@pytest.mark.parametrize("dry_run", [False, True])
def test_kms_waits_for_a_week_to_a_month_and_is_not_asked_for_less_or_more(world, window, dry_run):
    since_old(world.rotated())

    error = refused(world, window=window, dry_run=dry_run, force=True)

    assert error.code == "window"
    assert "7 to 30" in error.message


@pytest.mark.parametrize("window", [7, 30, None])
def test_a_week_and_a_month_are_good_and_a_month_is_the_default(world, window):
    since_old(world.rotated())
    asked = {} if window is None else {"window": window}

    date = delete("auth", 1, client=world.kms, **asked).date

    assert date is not None
    assert date.timestamp() - world.clock.now == (window or 30) * DAY


@pytest.mark.parametrize("force", [False, True])
def test_a_key_is_retired_for_seven_days_before_it_is_deleted(world, force):
    world.rotated()
    world.pass_(moment(world) + 7 * DAY - 1 - world.clock.now)

    error = refused(world, force=force)

    assert error.code == "not_deletable"
    assert "expected 7" in error.message
    world.pass_(1)
    assert delete("auth", 1, client=world.kms, force=force).date is not None


def test_a_shorter_time_is_counted_to_the_second_as_well(world):
    world.rotated()
    world.pass_(moment(world) + 2 * DAY - 1 - world.clock.now)

    assert "try again in" in str(refused(world, retired_for=2 * DAY).fix)
    world.pass_(1)
    assert delete("auth", 1, client=world.kms, retired_for=2 * DAY).date is not None


def test_a_dry_run_checks_and_changes_nothing(world):
    since_old(world.rotated())
    before = world.tags("alias/auth/1")

    assert delete("auth", 1, client=world.kms, dry_run=True).date is None
    assert (world.state("alias/auth/1"), world.tags("alias/auth/1")) == ("Enabled", before)


def test_a_generation_that_is_not_there_is_not_deleted(world):
    since_old(world.rotated())

    with pytest.raises(ConfigError, match="has no generation 7") as caught:
        delete("auth", 7, client=world.kms)
    assert caught.value.code == "no_such_generation"


def test_what_somebody_else_disabled_is_deleted_by_force(world):
    since_old(world.rotated())
    world.kms.disable_key(KeyId=world.arn("alias/auth/1"))

    with pytest.raises(ConfigError, match="somebody else"):
        delete("auth", 1, client=world.kms)
    delete("auth", 1, client=world.kms, force=True)

    assert world.state("alias/auth/1") == "PendingDeletion"
    assert "kmsjwt:disabled" not in world.tags("alias/auth/1")  # it says who did it: not we


# --- the key that a run made and could not name

OURS = {"ring": "auth", "generation": "2"}


def its_settings(world: World) -> dict[str, str]:
    """Return the settings of the ring's first key, as tags without their prefix."""
    settings = ("period", "max-lifetime", "signer-refresh", "document-max-age", "consumer-cache")
    tags = world.tags("alias/auth/1")
    return {name: tags[f"kmsjwt:{name}"] for name in settings}


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


class Meddling(InKms):
    """Reads back, and while it does so for the first time, somebody sets this machine's clock."""

    def __init__(self, world: World, seconds: float) -> None:
        super().__init__("auth", world.kms)
        self._world = world
        self._seconds = seconds

    def kids(self, expected: Iterable[PublicKey] | None = None) -> frozenset[str]:
        self._world.own.now += self._seconds
        self._seconds = 0
        return super().kids(expected)


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


# --- withdrawal


class Lingering(InKms):
    """A place where keys are still found by these kids."""

    def __init__(self, world: World, *kids: str) -> None:
        super().__init__("auth", world.kms)
        self._lingering = set(kids)

    def publish(self, live: Any, retired: Any, **more: Any) -> None:
        super().publish(live, retired, **more)
        self._lingering -= set(retired)

    def lingering(self) -> frozenset[str]:
        return frozenset(self._lingering)


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

    with pytest.raises(ConfigError, match="it is left alone") as caught:
        world.rotator().withdraw("2", keep_enabled=keep_enabled)

    assert caught.value.code == "generation_in_doubt"
    assert world.tags(stranger) == before
    assert world.state("alias/auth/2") == "Enabled"
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


KID = "k" * 43


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


def another(world: World) -> str:
    """Make another ring and return the kid of its key."""
    create_ring("other", client=world.kms, spec=SPEC, settings=TIMES)
    world.rotator(InKms("other", world.kms), name="other").run()
    return str(read_ring(world.kms, "other").ring.generations[0].kid)


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


# --- what is found by listing


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


class Requests:
    """A client that keeps each request for a key."""

    def __init__(self, kms: LocalKms) -> None:
        self._kms = kms
        self.meta = kms.meta
        self.asked: list[dict[str, Any]] = []

    def create_key(self, **parameters: Any) -> Any:
        self.asked.append(parameters)
        return self._kms.create_key(**parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kms, name)


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


# --- what is written of a key that is over


def draining(world: World) -> str:
    """Have the second key sign, and return the ARN of the first, which drains."""
    world.rotator().run()
    world.rotator().run(start=True)
    world.pass_(1_800)
    assert world.rotator().run().ring.signing == 2
    return world.arn("alias/auth/1")


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


class Caching(Lingering):
    """Counts how often caches were to forget, and may fail to publish."""

    def __init__(self, world: World, *kids: str) -> None:
        super().__init__(world, *kids)
        self.fails = False
        self.told: list[str] = []

    def publish(self, live: Any, retired: Any, **more: Any) -> None:
        if self.fails:
            raise CannotKnow("the place does not answer")
        super().publish(live, retired, **more)
        self.told.append("publish")

    def invalidate(self) -> None:
        self.told.append("invalidate")


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

    client.create_alias = create_alias  # type: ignore[attr-defined]
    rotator = Rotator("auth", InKms("auth", world.kms), client=client, clock=world.own)

    told = [told for step, told in rotator.run(start=True).done if step.action == "create"]

    assert told == [f"another run made {theirs}"]
    assert world.arn("alias/auth/2") == theirs
    assert world.state(ours[0]) == "PendingDeletion"


def test_where_nothing_signs_and_no_spec_is_named_the_first_key_is_of_the_default():
    kms = LocalKms()

    ring = Rotator("new", InKms("new", kms), client=kms).run(start=True).ring

    assert [(each.number, each.spec) for each in ring.generations] == [(1, "RSA_2048")]


@pytest.mark.parametrize("by", ["kid", "number"])
def test_a_key_that_kms_will_delete_is_withdrawn_by_what_another_says(world, by):
    first = draining(world)
    kid = world.tags(first)["kmsjwt:kid"]
    world.kms.schedule_key_deletion(KeyId=first, PendingWindowInDays=7)
    before = world.tags(first)

    world.rotator().withdraw(kid if by == "kid" else "1")

    assert world.ring().gone == (kid,)
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

    client.tag_resource = tag_resource  # type: ignore[attr-defined]
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
