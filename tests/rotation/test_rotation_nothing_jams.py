"""No denied permission, lost key or late reader stops a ring for good, or has it go back."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rotation.scene import Meddled, Scene, cut_off, denying_tag, done
from tests.rotation.world import HOUR, LATE, LATER, MINUTE, TIMES, Actor, World

from kmsjwt.authority.in_kms import InKms
from kmsjwt.authority.rotate import Rotator
from kmsjwt.errors import CannotKnow, JwksUnavailable, KmsAccessDenied
from kmsjwt.kms import create_ring
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.reading import read
from kmsjwt.local import Propagation


@pytest.fixture
def scene() -> Scene:
    return Scene()


def tag(scene: Scene, alias: str, name: str) -> str | None:
    listed = scene.world.truth.list_resource_tags(KeyId=scene.arn(alias))["Tags"]
    return {each["TagKey"]: each["TagValue"] for each in listed}.get(name)


def keys(scene: Scene) -> int:
    return len(scene.world.truth.list_keys(Limit=100)["Keys"])


def attempt(rotator: Rotator, **asked: Any) -> Any:
    try:
        return rotator.run(**asked)
    except CannotKnow as error:
        return error


# --- a withdrawn key that nobody may disable


def test_a_withdrawn_key_that_may_not_be_disabled_stops_nothing_and_is_not_forgotten(scene):
    """The scheduled function has no right to disable one, and somebody has to come who has."""
    scene.rotated()
    rule = scene.world.kms.permissions.deny("DisableKey")
    with pytest.raises(KmsAccessDenied, match="DisableKey") as raised:
        scene.rotator().withdraw("1")
    assert "its KMS key is still enabled" in str(raised.value.fix)
    for _ in range(14 * 24 // 3):
        scene.world.now += 3 * HOUR
        assert isinstance(attempt(scene.rotator()), KmsAccessDenied)
    signing = scene.ring().signing
    assert signing > 8
    assert len(scene.world.jwks()) <= 3
    seen = read(scene.world.truth, "auth").ring
    assert [each.number for each in seen.generations][:2] == [1, signing - 1]
    rule.lift()
    assert ("disable", 1) in done(scene.rotator().run())
    assert scene.state(1) == "Disabled"
    assert tag(scene, f"alias/auth/{signing - 1}", tags.NEXT) == "disable 1"

    scene.rotator().run(start=True)
    for _ in range(12):
        scene.world.now += HOUR
        scene.rotator().run()
    assert read(scene.world.truth, "auth").ring.generation(1) is None


def test_what_a_retired_key_says_is_to_be_disabled_is_read_and_nothing_else():
    assert tags.to_disable_in({tags.NEXT: "disable 3 1"}) == (3, 1)
    for other in ("4", "4 1234abcd-12ab-34cd-56ef-1234567890ab", "", "disable", "disable x -1 0"):
        assert tags.to_disable_in({tags.NEXT: other}) == ()
    assert tags.with_to_disable([12, 3]) == "disable 3 12"
    assert len(tags.with_to_disable(range(1, 900))) <= 256


# --- a key that KMS will delete, and of which nobody can tell the kid


def lost(scene: Scene, number: int) -> None:
    scene.world.kms.schedule_key_deletion(
        KeyId=scene.arn(f"alias/auth/{number}"), PendingWindowInDays=30
    )


def never_published(scene: Scene) -> Scene:
    """Have the second key be made, and the run be cut off before it is published."""
    cut_off(scene, 2)
    lost(scene, 2)
    return scene


def test_to_give_up_a_lost_key_makes_no_other(scene):
    never_published(scene)
    for _ in range(3):
        report = scene.rotator().withdraw("2")
        assert done(report)[0] == ("withdraw", 2)
        assert "nobody can tell its kid" in report.done[0][1]
        scene.world.now += HOUR
    assert keys(scene) == 2
    assert scene.ring().gone == (scene.arn("alias/auth/2").rpartition("/")[2],)


def test_a_ring_goes_on_after_a_lost_key(scene):
    never_published(scene)
    for _ in range(4 * 8):
        scene.world.now += 3 * HOUR
        scene.rotator().run()
    ring = scene.ring()
    assert ring.signing >= 4
    assert ring.generation(1).marks.retired is not None
    assert ring.generation(3).marks.retired is not None or ring.signing == 4
    assert ring.gone == ()


def test_an_emergency_makes_a_key_beside_a_lost_one(scene):
    never_published(scene)
    scene.rotator().withdraw("1")
    assert (scene.ring().signing, scene.state(1), keys(scene)) == (3, "Disabled", 3)


@pytest.mark.parametrize(("is_in_s3", "is_marked"), [(True, True), (True, False), (False, True)])
def test_a_published_key_that_kms_will_delete_before_it_signs_fails_no_run(
    scene, is_in_s3, is_marked
):
    """Nothing can be written on it: neither that consumers have it, nor that they have it not.

    Read in KMS, it is gone at once, which another key tells, once.
    """
    publisher = scene.publisher if is_in_s3 else InKms("auth", scene.world.kms)
    meddled = Meddled(scene.world.kms, denying_tag("kmsjwt:published"))
    attempt(scene.rotator(None if is_marked else meddled, publisher), start=True)
    assert (tag(scene, "alias/auth/2", "kmsjwt:published") is not None) == is_marked
    lost(scene, 2)
    for hour in range(12):
        scene.world.now += HOUR
        report = scene.rotator(publisher=publisher).run()
        is_told = is_marked and not is_in_s3 and hour == 0  # by the key that signs
        assert done(report) == ([("mark-unpublished", 2)] if is_told else [])
        assert any("--compromised 2" in each for each in report.attention)
    scene.rotator(publisher=publisher).withdraw("2")
    assert ("create", 3) in done(scene.rotator(publisher=publisher).run(start=True))


def test_a_signer_that_is_lost_is_followed_at_once_and_once():
    world = World()
    create_ring("auth", spec="ECC_NIST_P256", client=world.kms)
    scene = Scene(world=world)
    first = scene.arn("alias/auth/1")
    lost(scene, 1)
    for _ in range(3):
        scene.rotator().withdraw("1")
        world.now += MINUTE
    assert (scene.ring().signing, keys(scene)) == (2, 2)
    assert scene.ring().gone == (first.rpartition("/")[2],)


# --- readers who are late


@pytest.mark.parametrize("keep_enabled", [False, True])
@pytest.mark.parametrize(
    ("late", "between", "then"),
    [
        (LATE, 200, 105),
        (LATER, 200, 105),
        (LATE, 30, 272),
        (Propagation(alias=300, tag=30), 60, 20),
        (Propagation(alias=300, tag=30, key=300), 30, 5),
        (Propagation(alias=300, tag=300, key=30), 290, 20),
    ],
    ids=lambda each: repr(each).removeprefix("Propagation"),
)
def test_of_two_withdrawals_a_late_reader_undoes_none(late, between, then, keep_enabled):
    """It sees that the first key is withdrawn, and not that the second is, too."""
    scene = Scene(readers={"late": late})
    world = scene.world
    scene.rotator().run(start=True)
    world.now += 10 * MINUTE
    scene.rotator().withdraw("1", keep_enabled=keep_enabled)
    world.now += between
    scene.rotator().withdraw("2", keep_enabled=keep_enabled)
    assert scene.ring().signing == 3
    world.now += then
    attempt(scene.rotator(world.kms.reader("late")))
    assert scene.ring().signing == 3
    world.now += 10 * MINUTE
    scene.rotator(world.kms.reader("late")).run()
    assert scene.ring().signing == 3
    assert set(world.jwks()) == {scene.kid(3)}


def test_a_key_that_signs_is_not_disabled_by_who_sees_where_it_is_late():
    """Nor that it was withdrawn, but for what another key says of that."""
    scene = Scene(readers={"late": Propagation(alias=300)})
    world = scene.world
    scene.rotator().run(start=True)
    while scene.ring().signing != 2:
        world.now += 5 * MINUTE
        scene.rotator().run()
    arn = scene.arn("alias/auth/2")
    late = world.kms.reader("late")
    with pytest.raises(CannotKnow, match="may point to it"):
        scene.rotator(late).withdraw("2")

    class Uneven:
        """Shows tags of one key late."""

        def __getattr__(self, name: str) -> Any:
            return getattr(late, name)

        def list_resource_tags(self, **parameters: Any) -> Any:
            answer = late.list_resource_tags(**parameters)
            unseen = (tags.COMPROMISED, tags.RETIRED, tags.KEEP_ENABLED)
            if parameters["KeyId"] == arn:
                answer["Tags"] = [each for each in answer["Tags"] if each["TagKey"] not in unseen]
            return answer

    world.now += 30
    attempt(scene.rotator(Uneven()))
    assert scene.ring().signing == 2
    assert scene.state(2) == "Enabled"


# --- a key that an earlier run made, and could not name


@pytest.mark.parametrize(
    ("asked", "is_taken"),
    [
        ({}, True),
        ({"policy": "{}"}, True),
        ({"spec": "RSA_2048"}, False),
        ({"changes": {"max_lifetime": 600}}, False),
    ],
    ids=str,
)
def test_a_key_that_was_left_is_taken_if_it_is_what_is_asked_for(scene, asked, is_taken):
    rule = scene.world.kms.permissions.deny("CreateAlias")
    with pytest.raises(KmsAccessDenied):
        scene.rotator().run(start=True)
    rule.lift()
    world = scene.world
    left = next(iter(world.keys_in_kms() - {scene.arn("alias/auth/1")}))
    rotator = Rotator(
        "auth",
        scene.publisher,
        client=world.kms,
        clock=lambda: world.now,
        pause=world.slept,
        **{"spec": "ECC_NIST_P256", **asked},
    )
    report = rotator.run(start=True)
    told = next(text for step, text in report.done if step.action == "create")
    assert (scene.arn("alias/auth/2") == left) == is_taken
    assert left in told
    if is_taken:
        assert "made by an earlier run, with the key policy of that run" in told
    else:
        assert "is not what is asked for" in told
        made = scene.ring().generation(2)
        assert made.spec == asked.get("spec", "ECC_NIST_P256")
        assert made.settings.max_lifetime == asked.get("changes", {}).get("max_lifetime", HOUR)


def test_a_key_of_one_region_is_not_taken_for_a_ring_of_several():
    world = World()
    create_ring("auth", spec="ECC_NIST_P256", client=world.kms, multi_region=True, settings=TIMES)
    scene = Scene(world=world)
    signing = scene.arn("alias/auth")
    listed = world.kms.list_resource_tags(KeyId=signing)["Tags"]
    its_tags = [each for each in listed if each["TagKey"] not in (tags.GENERATION, tags.KID)]
    left = world.kms.create_key(
        KeySpec="ECC_NIST_P256",
        KeyUsage="SIGN_VERIFY",
        Tags=[*its_tags, {"TagKey": tags.GENERATION, "TagValue": "2"}],
    )["KeyMetadata"]
    note = {"TagKey": tags.NEXT, "TagValue": f"2 {left['KeyId']}"}
    world.kms.tag_resource(KeyId=signing, Tags=[note])
    scene.rotator().run(start=True)
    assert scene.arn("alias/auth/2") != left["Arn"]
    assert "mrk-" in scene.arn("alias/auth/2")


# --- a ring that is published nowhere


@pytest.fixture
def in_kms():
    """A ring that all read from KMS, and one who rotates it and sees late what he did."""
    world = World()

    def rotator(name: str) -> Actor:
        view = world.kms.reader(name)
        return Actor(world, name, publication=InKms("auth", view))  # type: ignore[arg-type]  # in place of a Publisher

    rotator("rotator").rotator.run(start=True)
    world.now += HOUR
    return world, rotator


def test_who_withdraws_a_key_in_kms_has_it_done_though_he_sees_that_late(in_kms):
    world, rotator = in_kms
    arn = world.signing_arn()
    report = rotator("rotator-late").rotator.withdraw("1")
    assert report.ring.signing == 2
    assert world.truth.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"


def test_a_key_in_kms_is_not_taken_for_one_that_is_gone_by_a_second_look(in_kms):
    """Which another host of KMS answered, who knows less."""
    world, rotator = in_kms
    rotator("rotator").rotator.run(start=True)
    world.now += MINUTE
    mixed = Rotator(
        "auth",
        InKms("auth", world.kms.reader("rotator-late")),
        client=world.kms,
        clock=lambda: world.now,
        pause=world.slept,
    )
    assert done(mixed.run()) == []


# --- the issuer's URL is down


@pytest.mark.parametrize("which", ["1", "2"])
def test_a_dry_run_of_a_withdrawal_needs_no_url(scene, which):
    scene.rotated()
    scene.publisher.down = True
    preview = scene.rotator().preview(withdraw=which)
    assert preview.unread == "the URL does not answer"
    steps = [each.step.action for each in preview.expected.steps if each.at <= preview.ring.now]
    assert steps[:2] == ["withdraw", "publish"]
    with pytest.raises(JwksUnavailable):
        scene.rotator().preview()
    scene.publisher.down = False
    assert scene.rotator().preview(withdraw=which).unread is None


@pytest.mark.parametrize(
    ("which", "left"),
    [
        ("1", {"its KMS key is still enabled"}),
        ("2", {"its KMS key is still enabled", "alias/auth still points to it"}),
    ],
)
def test_a_withdrawal_that_its_url_stops_says_what_is_left(scene, which, left):
    scene.rotated()
    scene.publisher.down = True
    with pytest.raises(JwksUnavailable) as raised:
        scene.rotator().withdraw(which)
    assert scene.state(int(which)) == "Enabled"
    for each in left:
        assert each in str(raised.value)
    assert "kmsjwt key rotate auth" in str(raised.value)
    assert ("points to it" in str(raised.value)) == (which == "2")
