"""What keeps a deletion from the wrong key and from the wrong time, each at its limit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.authority.ring_world import DAY, World
from tests.rotation.scene import Meddled

from kmsjwt.authority.delete import delete
from kmsjwt.errors import ConfigError, KmsAccessDenied, KmsKeyNotFound
from kmsjwt.key_names import key_id

if TYPE_CHECKING:
    from kmsjwt.local import LocalKms


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


# --- a key of several Regions


@pytest.fixture
def regional() -> World:
    """A ring of multi-Region keys, whose first is retired for long enough."""
    world = World(multi_region=True).rotated()
    world.pass_(8 * DAY)
    return world


def replicated(world: World, alias: str = "alias/auth/1") -> None:
    tags = [{"TagKey": name, "TagValue": value} for name, value in world.tags(alias).items()]
    world.kms.replicate_key(KeyId=world.arn(alias), ReplicaRegion="eu-west-1", Tags=tags)


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_primary_is_deleted_only_without_replicas(regional, dry_run):
    """KMS would wait for those, without end."""
    assert delete("auth", 1, client=regional.kms, dry_run=True).date is None
    replicated(regional)

    error = refused(regional, force=True, dry_run=dry_run)

    assert error.code == "not_deletable"
    assert "has replicas, in eu-west-1" in error.message


def test_a_replica_is_deleted_though_it_tells_of_replicas_itself_among_them(regional):
    there = regional.kms.in_region("eu-west-1")
    for alias in ("alias/auth/1", "alias/auth/2"):
        replicated(regional, alias)
        there.create_alias(AliasName=alias, TargetKeyId=key_id(regional.arn(alias)))
    there.create_alias(AliasName="alias/auth", TargetKeyId=key_id(regional.arn("alias/auth")))
    regional.pass_(60)

    assert delete("auth", 1, client=there, force=True).date is not None

    key = there.describe_key(KeyId="alias/auth/1")["KeyMetadata"]
    assert (key["KeyState"], regional.state("alias/auth/1")) == ("PendingDeletion", "Enabled")


class Unlisted:
    """A client of a KMS that tells of no replicas while a key waits for them to go."""

    def __init__(self, kms: LocalKms) -> None:
        self._kms = kms
        self.meta = kms.meta

    def describe_key(self, **parameters: Any) -> Any:
        answer = self._kms.describe_key(**parameters)
        answer["KeyMetadata"].get("MultiRegionConfiguration", {}).pop("ReplicaKeys", None)
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kms, name)


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_key_that_waits_for_its_replicas_to_go_is_told_of_by_its_state(regional, dry_run):
    replicated(regional)
    arn = regional.arn("alias/auth/1")
    regional.kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)

    with pytest.raises(ConfigError, match="has replicas: it is not deleted") as caught:
        delete("auth", 1, client=Unlisted(regional.kms), force=True, dry_run=dry_run)

    assert caught.value.code == "not_deletable"
    assert regional.state("alias/auth/1") == "PendingReplicaDeletion"


def test_a_replica_that_is_made_while_its_key_is_deleted_is_told_of(regional):
    """KMS then says of no day on which it deletes the key."""

    def meddle(name: str, _parameters: dict[str, Any]) -> None:
        if name == "disable_key":
            replicated(regional)

    with pytest.raises(ConfigError, match="has replicas: it is not deleted") as caught:
        delete("auth", 1, client=Meddled(regional.kms, meddle))

    assert caught.value.code == "not_deletable"
    assert regional.state("alias/auth/1") == "PendingReplicaDeletion"


# --- a key that is gone


def test_a_key_that_is_gone_by_the_time_that_it_is_looked_at_is_told_to_be(world):
    """Its day comes after the ring was read."""
    since_old(world.rotated())
    date = delete("auth", 1, client=world.kms).date
    assert date is not None
    world.pass_(date.timestamp() - 1 - world.clock.now)

    def meddle(name: str, _parameters: dict[str, Any]) -> None:
        if name == "get_key_last_usage":
            world.pass_(1)

    with pytest.raises(KmsKeyNotFound, match="is not there"):
        delete("auth", 1, client=Meddled(world.kms, meddle), force=True)
