"""Keys that KMS does not show as they are are withdrawn all the same, or somebody is told."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.rotation.scene import Meddled, Public, Scene, cut_off, denying_tag, done
from tests.rotation.world import HOUR, MINUTE, TIMES, World

from kmsjwt.authority.in_kms import InKms
from kmsjwt.errors import CannotKnow, ConfigError, JwksUnavailable, KmsAccessDenied
from kmsjwt.kms import create_ring
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.keys import RingKeys
from kmsjwt.kms.ring.reading import read


@pytest.fixture
def scene() -> Scene:
    return Scene().rotated()


class Cut(BaseException):
    """This process is killed."""


def write(scene: Scene, number: int, **named: str) -> None:
    tagged = [{"TagKey": f"kmsjwt:{name}", "TagValue": text} for name, text in named.items()]
    scene.world.kms.tag_resource(KeyId=scene.arn(f"alias/auth/{number}"), Tags=tagged)


def leave(scene: Scene, number: int) -> str:
    arn = scene.arn(f"alias/auth/{number}")
    scene.world.kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=30)
    return arn


def rescue(scene: Scene, arn: str) -> None:
    scene.world.kms.cancel_key_deletion(KeyId=arn)
    scene.world.kms.enable_key(KeyId=arn)


def hours(scene: Scene, count: int, client: Any = None) -> Any:
    report = None
    for _ in range(count):
        scene.world.now += HOUR
        report = scene.rotator(client).run()
    return report


# --- whose kid went away is published anew, and waits anew


@pytest.mark.parametrize("fails", [True, False], ids=["a tag is denied", "nothing fails"])
def test_a_key_whose_kid_was_away_does_not_sign_by_its_former_publication(fails):
    scene = Scene()
    scene.rotator().run(start=True)
    scene.world.now += 5 * MINUTE
    scene.rotator().run()
    kid, arn = scene.kid(2), scene.arn("alias/auth/2")
    scene.world.kms.disable_key(KeyId=arn)
    scene.world.now += 3 * HOUR
    scene.rotator().run()
    scene.world.kms.enable_key(KeyId=arn)
    scene.edit(lambda keys: keys.__setitem__(slice(None), [k for k in keys if k["kid"] != kid]))
    if fails:
        with pytest.raises(KmsAccessDenied):
            scene.rotator(Meddled(scene.world.kms, denying_tag(tags.PUBLISHED))).run()
        assert kid not in scene.world.jwks()
    published = scene.world.now
    scene.rotator().run()
    assert kid in scene.world.jwks()
    while scene.ring().signing == 1:
        scene.world.now += MINUTE
        scene.rotator().run()

    assert scene.world.now >= published + scene.ring().generation(2).settings.publish_wait


@pytest.mark.parametrize("how", ["deleted", "disabled"])
def test_a_published_key_that_is_rescued_waits_anew_before_it_signs(how):
    """Of a ring that is read in KMS it is gone meanwhile, and KMS may let nothing be written."""
    scene = Scene()
    world = scene.world

    def run(after: float, **asked: Any) -> Any:
        world.now += after
        return done(scene.rotator(publisher=InKms("auth", world.kms)).run(**asked))

    run(0, start=True)
    run(5 * MINUTE)
    arn = scene.arn("alias/auth/2")
    if how == "deleted":
        leave(scene, 2)
    else:
        world.kms.disable_key(KeyId=arn)
    assert run(HOUR) == [("mark-unpublished", 2)]
    assert run(HOUR) == run(HOUR) == []
    if how == "deleted":
        world.kms.cancel_key_deletion(KeyId=arn)
    world.kms.enable_key(KeyId=arn)
    rescued = world.now
    assert ("mark-published", 2) in run(0)
    while scene.ring().signing == 1:
        run(MINUTE)

    assert world.now >= rescued + scene.ring().generation(2).settings.publish_wait


# --- its kid is written before consumers have it


@pytest.mark.parametrize("by", ["number", "kid"])
def test_a_key_that_was_published_by_a_run_that_was_killed_then_leaves_the_jwks(by):
    """Somebody disables it in a hurry, and KMS gives out no public key of it any more."""
    scene = Scene()

    def killed(name: str, parameters: dict[str, Any]) -> None:
        if name == "tag_resource" and tags.PUBLISHED in str(parameters):
            raise Cut

    with pytest.raises(Cut):
        scene.rotator(Meddled(scene.world.kms, killed)).run(start=True)
    kid = scene.kid(2)
    assert kid in scene.world.jwks()
    scene.world.kms.disable_key(KeyId=scene.arn("alias/auth/2"))
    with pytest.raises(CannotKnow, match="may point to it"):
        scene.rotator().withdraw("2" if by == "number" else kid)
    assert kid not in scene.world.jwks()


def test_a_key_whose_kid_may_not_be_written_is_published_and_does_not_sign():
    scene = Scene()
    blind = Meddled(scene.world.kms, denying_tag(tags.KID))
    with pytest.raises(KmsAccessDenied):
        scene.rotator(blind).run(start=True)
    assert scene.kid(2) in scene.world.jwks()
    for _ in range(6):
        scene.world.now += HOUR
        with pytest.raises(KmsAccessDenied):
            scene.rotator(blind).run()
    assert scene.ring().signing == 1


# --- nobody can tell its kid


def test_what_nobody_can_tell_of_one_key_silences_nothing_about_another(scene):
    """The one was never published, and is given up since; the other was."""
    world = scene.world
    cut_off(scene, 3)
    for number in (3, 4):
        if number == 4:
            blind = Meddled(world.kms, denying_tag(tags.KID))
            with pytest.raises(KmsAccessDenied):
                scene.rotator(blind).run(start=True)
            kid = scene.kid(4)
        world.kms.disable_key(KeyId=scene.arn(f"alias/auth/{number}"))
        world.now += HOUR
        with pytest.raises(CannotKnow):
            scene.rotator().withdraw(str(number))
        world.now += HOUR
    with pytest.raises(CannotKnow, match=f"whether its kid is {kid}, which is published"):
        scene.rotator().withdraw("4")


@pytest.mark.parametrize("which", [1, 2])
@pytest.mark.parametrize("is_leaving", [False, True])
def test_a_withdrawal_is_not_over_while_a_kid_is_published_that_may_be_its(
    scene, which, is_leaving
):
    kid, arn = scene.kid(which), scene.arn(f"alias/auth/{which}")
    scene.world.kms.untag_resource(KeyId=arn, TagKeys=[tags.KID])
    if is_leaving:
        leave(scene, which)
    else:
        scene.world.kms.disable_key(KeyId=arn)
    with pytest.raises(CannotKnow, match=f"its kid is {kid}, which is published") as raised:
        scene.rotator().withdraw(str(which))
    assert (raised.value.code, raised.value.retryable) == ("withdrawal_unfinished", False)
    assert raised.value.fix == "if it is, take it out by name: kmsjwt publish --remove KID"
    assert "its kid is" not in str(raised.value).replace(f"its kid is {kid}", "")
    assert scene.ring().signing == which + 1 if which == 2 else 2

    scene.publisher.publish(RingKeys("auth", client=scene.world.kms).key_set(), {kid})
    scene.rotator().withdraw(str(which))
    assert kid not in scene.world.jwks()


def test_a_kid_of_another_ring_is_not_taken_for_that_of_a_withdrawn_key(scene):
    """Nor one that retired long ago, or is known to be gone."""
    world = scene.world
    scene.rotator(ring="other").run(start=True)
    kid = scene.kid(1)
    scene.rotator().withdraw(kid)
    world.now += HOUR
    hidden = world.kms.permissions.deny("ListAliases")
    scene.rotator().withdraw("1")  # KMS gives out no public key by now, and its kid is written
    world.kms.untag_resource(KeyId=scene.arn("alias/auth/1"), TagKeys=[tags.KID])
    with pytest.raises(CannotKnow, match="nobody can tell"):
        scene.rotator().withdraw("1")
    hidden.lift()
    assert len(world.jwks()) == 2
    scene.edit(lambda keys: keys.append({**keys[0], "kid": "no thumbprint"}))
    scene.rotator().withdraw("1")


def test_that_the_jwks_could_not_be_looked_at_for_its_kid_is_told(scene):
    arn = scene.arn("alias/auth/1")
    scene.world.kms.untag_resource(KeyId=arn, TagKeys=[tags.KID])
    scene.world.kms.disable_key(KeyId=arn)

    class Once(Public):
        """Is down when it is asked for the first time."""

        def lingering(self) -> frozenset[str]:
            if not self.cdn.count:
                self.cdn.count += 1
                raise JwksUnavailable("the URL does not answer", code="jwks_connection")
            return super().lingering()

    with pytest.raises(JwksUnavailable):
        scene.rotator(publisher=Once(scene.world.s3)).withdraw("1")
    assert scene.ring().stage(scene.ring().generation(1)) == "compromised"


def test_a_key_that_kms_will_delete_stays_withdrawn_by_its_key_id_too(scene):
    """A wrong kid was written on it when it was withdrawn; later all is put right."""
    kid = scene.kid(1)
    write(scene, 1, kid="x" * 43)
    arn = leave(scene, 1)
    scene.rotator().withdraw("1")
    rescue(scene, arn)
    write(scene, 1, kid=kid)
    scene.world.now += 10 * MINUTE
    scene.rotator().run()
    assert scene.ring().stage(scene.ring().generation(1)) == "compromised"
    assert kid not in scene.world.jwks()
    assert scene.state(1) == "Disabled"


# --- another key's kid is written on it


@pytest.mark.parametrize("is_leaving", [False, True])
@pytest.mark.parametrize("is_read", [True, False])
def test_a_key_that_is_tagged_with_the_signers_kid_takes_nothing_with_it(
    scene, is_leaving, is_read
):
    kid, arn = scene.kid(2), scene.arn("alias/auth/1")
    write(scene, 1, kid=kid)
    if is_leaving:
        leave(scene, 1)
    else:
        scene.world.kms.disable_key(KeyId=arn)
    if not is_read:
        scene.world.kms.permissions.deny("GetPublicKey", key="alias/auth/2")
    report = hours(scene, 12)
    assert any("tagged with another's kid" in each for each in report.attention)
    assert kid in scene.world.jwks()
    ring = scene.ring()
    assert (ring.signing, ring.retired_kids) == (2, set())
    assert ring.generation(1).kid is None
    assert (ring.generation(2).doubt is None) == is_read


def test_a_strangers_key_with_a_kid_of_ours_puts_none_of_ours_in_doubt(scene):
    stranger = scene.world.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    name = {"AliasName": "alias/auth/3", "TargetKeyId": stranger["KeyMetadata"]["Arn"]}
    scene.world.kms.create_alias(**name)
    write(scene, 3, kid=scene.kid(1))
    scene.world.kms.disable_key(KeyId=scene.arn("alias/auth/1"))
    assert scene.ring().generation(1).doubt is None


def test_a_key_whose_public_key_was_read_has_its_kid_though_it_is_in_doubt(scene):
    write(scene, 1, kid=scene.kid(2))
    write(scene, 2, kid="x" * 43)
    scene.world.kms.disable_key(KeyId=scene.arn("alias/auth/1"))
    assert "another's kid" in scene.ring().generation(1).doubt


# --- neither enabled nor off


class Unready:
    """A client to whom a key is in some other state, for as long as it is."""

    def __init__(self, client: Any, arn: str, state: str) -> None:
        self._client = client
        self.arn = arn
        self.state: str | None = state
        self.meta, self.exceptions = client.meta, client.exceptions

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**parameters: Any) -> Any:
            is_its = self.state is not None and parameters.get("KeyId") == self.arn
            if is_its and name in ("get_public_key", "disable_key", "sign"):
                code = {"Code": "KMSInvalidStateException", "Message": str(self.state)}
                raise ClientError({"Error": code}, name)
            answer = method(**parameters)
            if self.state and name == "describe_key" and answer["KeyMetadata"]["Arn"] == self.arn:
                answer["KeyMetadata"].update(KeyState=self.state, Enabled=False)
            return answer

        return call


@pytest.mark.parametrize("state", ["Unavailable", "PendingImport", "Updating", "Creating"])
@pytest.mark.parametrize("days", [0, 5])
def test_a_withdrawn_key_that_cannot_be_disabled_now_is_told_of_and_not_forgotten(
    scene, state, days
):
    """However many others retire meanwhile."""
    client = Unready(scene.world.kms, scene.arn("alias/auth/1"), state)
    with pytest.raises(CannotKnow, match=f"its KMS key is {state}"):
        scene.rotator(client).withdraw("1")
    report = hours(scene, 24 * days + 1, client)
    told = f"generation 1 is disabled: KMS disables no key that is {state}, and it may be Enabled"
    assert any(each.startswith(told) for each in report.attention)
    assert scene.ring().signing > 1 + days // 2
    assert scene.state(1) == "Enabled"
    client.state = None
    assert ("disable", 1) in done(hours(scene, 1, client))
    assert scene.state(1) == "Disabled"


def test_a_key_out_of_view_that_cannot_be_disabled_now_is_not_forgotten(scene):
    hours(scene, 48)
    assert read(scene.world.truth, "auth").ring.generation(1) is None
    client = Unready(scene.world.kms, scene.arn("alias/auth/1"), "Unavailable")
    with pytest.raises(CannotKnow, match="its KMS key is Unavailable"):
        scene.rotator(client).withdraw("1")
    assert hours(scene, 1, client).attention

    def hide(name: str, parameters: dict[str, Any]) -> None:
        if name == "list_resource_tags" and parameters["KeyId"] == client.arn:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, name)

    assert read(Meddled(client, hide), "auth").ring.to_disable == (1,)  # to be noted again
    client.state = None
    assert ("disable", 1) in done(hours(scene, 1, client))


# --- no room to say that it is gone


def crowded() -> tuple[Scene, Any]:
    """Return a ring of which eight keys drain, all of which KMS will delete."""
    times = {**TIMES, "period": 30 * 24 * HOUR, "consumer_cache": 0, "max_lifetime": 24 * HOUR}
    world = World(times=times)
    create_ring("auth", spec="ECC_NIST_P256", client=world.kms, settings=times)
    scene = Scene(world=world)
    rotator = functools.partial(scene.rotator, changes=times)
    rotator().run()
    while scene.ring().signing < 9:
        world.now += 15 * MINUTE
        rotator().run(start=scene.ring().signing == scene.ring().newest_number)
    for number in range(1, 9):
        leave(scene, number)
    return scene, rotator


def test_a_key_that_retires_pushes_out_none_that_is_still_known():
    scene, rotator = crowded()
    kid = scene.kid(2)
    rotator().withdraw("2")
    scene.world.now += 27 * HOUR
    first = rotator().run()
    assert [number for action, number in done(first) if action == "retire"] == [1, 3, 4, 5]
    assert any(f"publish --remove {scene.kid(6)}" in each for each in first.attention)
    second = rotator().run()
    assert (done(second), second.attention) == ([], first.attention)
    rescue(scene, scene.arn("alias/auth/2"))
    scene.world.now += HOUR
    rotator().run()
    assert (scene.state(2), kid in scene.world.jwks()) == ("Disabled", False)


def test_what_names_no_key_any_more_is_pushed_out_first():
    """Though it was written last."""
    scene, rotator = crowded()
    old = ["y" * 43, "z" * 43]
    write(scene, 9, gone=" ".join([scene.kid(2), *old]))
    scene.world.now += 27 * HOUR
    rotator().run()
    gone = scene.ring().gone
    assert gone == tuple(scene.kid(number) for number in (2, 1, 3, 4, 5))


def test_five_keys_that_kms_will_delete_are_withdrawn_and_none_is_forgotten():
    """Their key ids are forgotten before any of their kids."""
    scene, rotator = crowded()
    for number in (3, 1, 2, 5, 4):
        rotator().withdraw(str(number))
    ring = scene.ring()
    kids = [scene.kid(number) for number in (3, 1, 2, 5, 4)]
    assert [name for name in ring.gone if name in kids] == kids
    assert set(scene.world.jwks()).isdisjoint(kids)


# --- whose own tags are not the ring's any more


@pytest.mark.parametrize("tag", [{"ring": "x"}, {"generation": "9"}], ids=str)
@pytest.mark.parametrize("by", ["number", "kid"])
def test_a_key_whose_tags_somebody_changed_is_withdrawn_once_they_are_put_right(scene, tag, by):
    """To say that it is withdrawn would be untrue: no run disables what is not its ring's."""
    kid = scene.kid(1)
    write(scene, 1, **tag)
    which = "1" if by == "number" else kid
    with pytest.raises(ConfigError, match="it is left alone") as raised:
        scene.rotator().withdraw(which)
    assert "put its tags right" in str(raised.value.fix)
    assert kid in scene.world.jwks()
    write(scene, 1, ring="auth", generation="1")
    scene.rotator().withdraw(which)
    assert kid not in scene.world.jwks()
    assert scene.state(1) == "Disabled"


@pytest.mark.parametrize("is_leaving", [False, True], ids=["enabled", "pending deletion"])
def test_the_key_of_another_ring_under_our_alias_stays_in_the_jwks(scene, is_leaving):
    world = scene.world
    scene.rotator(ring="other").run(start=True)
    before = set(world.jwks())
    world.kms.create_alias(AliasName="alias/auth/3", TargetKeyId=scene.arn("alias/other/1"))
    if is_leaving:
        world.kms.schedule_key_deletion(KeyId=scene.arn("alias/other/1"))
    with pytest.raises(ConfigError, match="of ring 'other': it is left alone"):
        scene.rotator().withdraw("3")
    assert set(world.jwks()) == before


@pytest.mark.parametrize("is_leaving", [False, True], ids=["enabled", "pending deletion"])
def test_a_key_that_says_it_is_another_is_not_taken_for_it(scene, is_leaving):
    """Tags are copied from key to key by hand; the kid of the one that signs is its own."""
    world, first, second = scene.world, scene.arn("alias/auth/1"), scene.arn("alias/auth/2")
    kids = scene.kid(1), scene.kid(2)
    copied = world.kms.list_resource_tags(KeyId=second)["Tags"]
    world.kms.tag_resource(KeyId=first, Tags=copied)
    if is_leaving:
        world.kms.schedule_key_deletion(KeyId=first)
        with pytest.raises(CannotKnow) as raised:
            scene.rotator().withdraw("1")
        assert f"whether its kid is {kids[0]}" in str(raised.value)
        assert "is tagged as generation '2'" in scene.ring().generation(1).doubt
        assert set(world.jwks()) == set(kids)
        assert scene.state(2) == "Enabled"
    else:
        scene.rotator().withdraw(kids[1])
        assert kids[1] not in world.jwks()
        assert kids[0] in world.jwks()
        assert scene.state(1) == "Enabled"


def test_what_to_do_about_a_strangers_key_in_the_way_is_told(scene):
    stranger = scene.world.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    name = {"AliasName": "alias/auth/3", "TargetKeyId": stranger["KeyMetadata"]["Arn"]}
    scene.world.kms.create_alias(**name)
    scene.world.now += HOUR
    delete = "aws kms delete-alias --alias-name alias/auth/3"
    assert any(delete in each for each in scene.rotator().run().attention)
    with pytest.raises(ConfigError) as raised:
        scene.rotator().withdraw("3")
    assert delete in str(raised.value.fix)
    scene.world.kms.delete_alias(AliasName="alias/auth/3")
    assert ("create", 3) in done(scene.rotator().run(start=True))
