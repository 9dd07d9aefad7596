"""What was withdrawn, noted or published is not lost where KMS hides or denies something."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.rotation.scene import Meddled, Scene, cut_off, denying, done
from tests.rotation.world import DAY, HOUR, MINUTE, TIMES, World

from kmsjwt.authority.delete import delete
from kmsjwt.authority.rotate import Rotator
from kmsjwt.errors import (
    CannotKnow,
    ConfigError,
    KmsAccessDenied,
    KmsError,
    UnknownKey,
)
from kmsjwt.kms import create_ring
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.keys import RingKeys
from kmsjwt.kms.ring.reading import read

CONFIGURATION = ".well-known/openid-configuration"


@pytest.fixture
def scene() -> Scene:
    return Scene().rotated()


@pytest.fixture
def regional() -> Scene:
    """A ring of multi-Region keys, whose second key signs."""
    world = World()
    create_ring("auth", spec="ECC_NIST_P256", client=world.kms, multi_region=True, settings=TIMES)
    scene = Scene(world=world)
    scene.rotator().run()
    world.now += HOUR
    return scene.rotated()


def attempt(rotator: Rotator, **asked: Any) -> Any:
    try:
        return rotator.run(**asked)
    except CannotKnow as error:
        return error


def days(scene: Scene, count: float, client: Any = None) -> Any:
    """Return what came of the last of a few days' runs."""
    last = None
    for _ in range(int(count * 4)):
        scene.world.now += 6 * HOUR
        last = attempt(scene.rotator(client))
    return last


def tag(scene: Scene, arn: str, name: str) -> str | None:
    listed = scene.world.truth.list_resource_tags(KeyId=arn)["Tags"]
    return {each["TagKey"]: each["TagValue"] for each in listed}.get(name)


def denied_on(*names: str, of: str | None = None) -> Any:
    """Return what denies an operation, or all, on keys or aliases."""

    def meddle(name: str, parameters: dict[str, Any]) -> None:
        if parameters.get("KeyId") in names and of in (None, name):
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, name)

    return meddle


# --- a multi-Region key that KMS will delete once its replicas are gone


def leaving(scene: Scene, number: int) -> str:
    kms, arn = scene.world.kms, scene.arn(f"alias/auth/{number}")
    kms.replicate_key(KeyId=arn, ReplicaRegion="eu-west-1")
    scene.world.now += MINUTE
    answer = kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingReplicaDeletion"
    return arn


def test_a_signing_key_that_waits_for_its_replicas_to_go_is_withdrawn(regional):
    kid = regional.kid(2)
    leaving(regional, 2)
    regional.rotator().withdraw("2")
    assert regional.ring().signing == 3
    assert kid not in regional.world.jwks()
    assert not isinstance(days(regional, 3), CannotKnow)
    assert kid not in regional.world.jwks()


@pytest.mark.parametrize("number", [1, 2])
def test_a_ring_goes_on_beside_a_key_that_waits_for_its_replicas_to_go(regional, number):
    arn = leaving(regional, number)
    assert not isinstance(attempt(regional.rotator(), start=True), CannotKnow)
    for _ in range(6):
        assert not isinstance(days(regional, 1), CannotKnow)
    assert regional.ring().signing > 3
    assert len(regional.world.jwks()) <= 3
    assert regional.world.truth.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"].startswith("Pe")


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_key_with_replicas_is_not_deleted(regional, dry_run):
    regional.world.kms.replicate_key(KeyId=regional.arn("alias/auth/1"), ReplicaRegion="eu-west-1")
    days(regional, 10)
    with pytest.raises(ConfigError, match="replicas, in eu-west-1: it is not deleted") as raised:
        delete("auth", 1, client=regional.world.kms, force=True, dry_run=dry_run)
    assert raised.value.code == "not_deletable"
    assert "--region" in str(raised.value.fix)
    assert regional.state(1) == "Enabled"


def test_to_delete_a_key_that_waits_for_its_replicas_to_go_names_them(regional):
    days(regional, 10)
    leaving(regional, 1)
    with pytest.raises(ConfigError, match="eu-west-1"):
        delete("auth", 1, client=regional.world.kms, force=True)
    assert regional.state(1) == "PendingReplicaDeletion"


def test_a_multi_region_key_without_replicas_is_deleted(regional):
    days(regional, 10)
    assert delete("auth", 1, client=regional.world.kms, force=True).date is not None
    assert regional.state(1) == "PendingDeletion"


# --- a key that was lost when it was withdrawn, and is rescued


def rescued(scene: Scene, arn: str) -> None:
    scene.world.kms.cancel_key_deletion(KeyId=arn)
    scene.world.kms.enable_key(KeyId=arn)


@pytest.mark.parametrize("newer", [False, True])
def test_a_lost_key_that_was_withdrawn_stays_so_when_it_is_rescued(newer):
    scene = Scene()
    cut_off(scene, 2)
    arn = scene.arn("alias/auth/2")
    scene.world.kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=30)
    told = scene.rotator().withdraw("2").done[0][1]
    assert scene.arn("alias/auth/1") in told
    assert "nobody can tell its kid" in told
    if newer:
        scene.rotator().run(start=True)
        scene.world.now += HOUR
        scene.rotator().run()
    rescued(scene, arn)
    days(scene, 4)
    ring = scene.ring()
    assert ring.signing > 2
    assert ring.stage(ring.generation(2)) == "compromised"
    assert scene.kid(2) not in scene.world.jwks()
    assert scene.state(2) == "Disabled"


def test_the_only_key_of_a_ring_that_was_lost_and_withdrawn_stays_so_when_it_is_rescued():
    world = World()
    create_ring("auth", spec="ECC_NIST_P256", client=world.kms, settings=TIMES)
    scene = Scene(world=world)
    arn = scene.arn("alias/auth/1")
    kid = scene.kid(1)
    world.kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=30)
    scene.rotator().withdraw("1")
    assert scene.ring().gone == (arn.rpartition("/")[2],)
    rescued(scene, arn)
    world.now += 10 * MINUTE
    scene.rotator().run()
    assert kid not in world.jwks()
    with pytest.raises(UnknownKey):
        RingKeys("auth", client=world.kms, clock=lambda: world.now).key(kid)


# --- what a retired key says is still to be disabled


def test_a_noted_key_whose_tags_are_hidden_stops_nothing_and_is_not_forgotten(scene):
    world = scene.world
    rule = world.kms.permissions.deny("DisableKey")
    attempt_to_withdraw = scene.rotator()
    with pytest.raises(KmsAccessDenied):
        attempt_to_withdraw.withdraw("1")
    days(scene, 3)
    hidden = Meddled(world.kms, denied_on(scene.arn("alias/auth/1"), of="list_resource_tags"))
    assert not isinstance(days(scene, 5, hidden), CannotKnow)
    assert len(world.jwks()) <= 3
    assert RingKeys("auth", client=hidden, clock=lambda: world.now).key_set()
    rule.lift()
    days(scene, 1)
    assert scene.state(1) == "Disabled"


def test_a_noted_key_that_kms_hides_is_noted_again(scene):
    rule = scene.world.kms.permissions.deny("DisableKey")
    with pytest.raises(KmsAccessDenied):
        scene.rotator().withdraw("1")
    days(scene, 3)
    hidden = Meddled(scene.world.kms, denied_on("alias/auth/1"))
    days(scene, 5, hidden)
    rule.lift()
    days(scene, 1)
    assert scene.state(1) == "Disabled"


def test_a_key_that_was_disabled_is_not_noted_again(scene):
    rule = scene.world.kms.permissions.deny("DisableKey")
    with pytest.raises(KmsAccessDenied):
        scene.rotator().withdraw("1")
    days(scene, 3)
    assert scene.state(1) == "Enabled"
    rule.lift()
    days(scene, 4)
    assert scene.state(1) == "Disabled"
    retired = scene.ring().newest_retired
    note = tag(scene, scene.arn(f"alias/auth/{retired}"), tags.NEXT)
    assert not str(note).startswith("disable")


@pytest.mark.parametrize("noted", [True, False])
def test_a_key_out_of_view_that_may_not_be_disabled_is_not_forgotten(scene, noted):
    """Where even that may not be noted, the withdrawal says so, at least."""
    days(scene, 1.5)
    rule = scene.world.kms.permissions.deny("DisableKey")
    seen = read(scene.world.truth, "auth").ring
    assert seen.generation(1) is None
    end = seen.generations[0].arn
    client = scene.world.kms
    if not noted:
        client = Meddled(client, denied_on(end, of="tag_resource"))
    with pytest.raises(KmsAccessDenied) as raised:
        scene.rotator(client).withdraw("1")
    assert "DisableKey" in str(raised.value)
    assert "its KMS key is still enabled" in str(raised.value.fix)
    assert isinstance(attempt(scene.rotator()), KmsAccessDenied) == noted
    rule.lift()
    assert (("disable", 1) in done(scene.rotator().run())) == noted
    assert scene.state(1) == ("Disabled" if noted else "Enabled")


# --- the documents, in a run of which a step fails


def at_rest(scene: Scene) -> Rotator:
    """Return what rotates the ring, and makes no key for a long time."""
    return Rotator(
        "auth",
        scene.publisher,
        client=scene.world.kms,
        spec="ECC_NIST_P256",
        changes={**TIMES, "period": 90 * DAY},
        clock=lambda: scene.world.now,
        pause=scene.world.slept,
    )


def test_documents_are_mended_though_a_step_fails(scene):
    world = scene.world
    world.kms.permissions.deny("DisableKey")
    with pytest.raises(KmsAccessDenied):
        at_rest(scene).withdraw("1")
    world.now += DAY
    assert world.s3.object(CONFIGURATION) is not None
    name = next(each for each in world.s3._store.history if each.endswith("openid-configuration"))
    world.s3._store.history.pop(name)
    assert isinstance(attempt(at_rest(scene)), KmsAccessDenied)
    assert world.s3.object(CONFIGURATION) is not None


def test_caches_are_not_asked_for_ever_to_forget_a_key_that_may_not_be_disabled(scene):
    scene.world.kms.permissions.deny("DisableKey")
    with pytest.raises(KmsAccessDenied):
        at_rest(scene).withdraw("1")
    counts = []
    for _ in range(4):
        scene.world.now += DAY
        assert isinstance(attempt(at_rest(scene)), KmsAccessDenied)
        counts.append(scene.publisher.cdn.count)
    assert counts == [2, 3, 3, 3]  # with the withdrawal itself


# --- a key that was put out of everybody's reach


def test_a_key_out_of_reach_is_waited_for_no_longer_than_one_that_is_missing(scene):
    world = scene.world
    scene.rotator().withdraw("1")
    quarantined = Meddled(world.kms, denied_on(scene.arn("alias/auth/1"), "alias/auth/1"))

    def cold() -> RingKeys:
        return RingKeys("auth", client=quarantined, clock=lambda: world.now)

    with pytest.raises(KmsError) as raised:
        cold().key_set()
    assert raised.value.code == "ring_not_known"
    world.now += 10 * DAY
    assert [key.kid for key in cold().key_set()] == [scene.kid(2)]
    with pytest.raises(UnknownKey):
        cold().key("x")


def test_a_denied_look_upward_is_no_reason_to_doubt(scene):
    quarantined = Meddled(scene.world.kms, denying("list_aliases"))
    assert RingKeys("auth", client=quarantined, clock=lambda: scene.world.now).key_set()
