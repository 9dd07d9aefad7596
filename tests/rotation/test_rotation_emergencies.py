"""An emergency goes on whatever else is wrong, and says that it is over only when it is."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.publish.s3 import MemoryS3
from tests.rotation.scene import Meddled, Public, Scene, denying, done
from tests.rotation.world import DAY, HOUR, ISSUER, MINUTE, World

from kmsjwt.errors import (
    CannotKnow,
    ConfigError,
    JwksUnavailable,
    KmsAccessDenied,
    KmsThrottled,
    PlaceUnavailable,
)
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.reading import read
from kmsjwt.publish import S3, Publisher


@pytest.fixture
def scene() -> Scene:
    return Scene()


# --- the URL is down


def test_the_only_key_is_followed_by_another_though_its_url_does_not_answer(scene):
    gone = scene.kid(1)
    scene.publisher.down = True
    with pytest.raises(JwksUnavailable):
        scene.rotator().withdraw(gone)
    assert set(scene.world.jwks()) == {scene.kid(2)}
    assert scene.ring().signing == 1  # nothing signs that was not read back

    scene.publisher.down = False
    scene.rotator().run()
    assert (scene.ring().signing, scene.state(1)) == (2, "Disabled")


@pytest.mark.parametrize("has_withdrawn", [False, True])
def test_no_key_signs_that_is_not_read_back_though_one_was_withdrawn_once(scene, has_withdrawn):
    scene.rotated()
    if has_withdrawn:
        scene.rotator().withdraw("1")
    scene.world.now += DAY
    scene.rotator().run()
    assert scene.ring().newest_number == 3
    scene.publisher.down = True
    for _ in range(3):
        scene.world.now += 2 * HOUR
        with pytest.raises(JwksUnavailable):
            scene.rotator().run()
    assert scene.ring().signing == 2


# --- a first key


def test_one_who_may_not_name_a_first_key_makes_it_once():
    """However often one rotator tries, and one that was started anew."""
    world = World()
    rule = world.kms.permissions.deny("CreateAlias")
    scene = Scene(world=world)
    blind = Meddled(world.kms, denying("list_keys"))
    same = scene.rotator(blind)
    for rotator in (same, same, scene.rotator(), scene.rotator()):
        with pytest.raises(KmsAccessDenied):
            rotator.run(start=True)
    assert len(world.keys_in_kms()) == 1
    rule.lift()
    assert same.run(start=True).ring.signing == 1
    assert len(world.keys_in_kms()) == 1


@pytest.mark.parametrize("denied", [(), ("list_aliases",)])
def test_a_ring_whose_pointer_and_first_keys_are_gone_is_not_begun_again(scene, denied):
    scene.rotated()
    for alias in ("alias/auth/1", "alias/auth"):
        scene.world.kms.delete_alias(AliasName=alias)
    for start in (True, False):
        rotator = scene.rotator(Meddled(scene.world.kms, denying(*denied)))
        with pytest.raises(ConfigError, match="alias/auth/2 is there") as raised:
            rotator.run(start=start)
        assert raised.value.code == "ring_headless"
        assert "aws kms create-alias --alias-name alias/auth" in str(raised.value.fix)
    assert len(scene.world.keys_in_kms()) == 2


def test_a_ring_without_a_pointer_is_in_no_hurry_because_of_a_withdrawal_long_ago(scene):
    scene.rotated()
    scene.rotator().withdraw("1")
    scene.world.now += 10 * MINUTE
    scene.rotator().run(start=True)
    scene.world.kms.delete_alias(AliasName="alias/auth")
    scene.world.now += MINUTE
    scene.rotator().run()
    assert scene.ring().signing == 2  # the third is published since a minute ago


# --- what is put back, and what is not


@pytest.mark.parametrize("at", range(3))
def test_who_read_the_ring_before_a_withdrawal_does_not_put_the_key_back(scene, at):
    """Whether it is about to mend the documents, or was writing them just now."""
    scene.rotated()
    gone = scene.kid(2)
    left = [at]
    client = scene.world.s3.client()

    class Slow(MemoryS3):
        """A bucket before whose n-th reading somebody withdraws a key."""

        def __init__(self) -> None:
            pass

        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

        def get_object(self, **parameters: Any) -> Any:
            left[0] -= 1
            if left[0] == -1:
                scene.world.now += 20
                scene.rotator().withdraw(gone)
            return client.get_object(**parameters)

    other = Publisher(S3("bucket", client=Slow()), issuer=ISSUER, pause=lambda _seconds: None)
    scene.rotator(publisher=other).run()
    assert gone not in scene.world.jwks()


def test_a_document_that_a_stranger_emptied_of_a_key_is_mended(scene):
    scene.rotated()
    lost = scene.kid(2)
    scene.edit(lambda keys: keys.remove(next(each for each in keys if each["kid"] == lost)))
    scene.rotator().run()
    assert lost in scene.world.jwks()


# --- keep enabled


def test_a_key_that_was_to_stay_enabled_is_disabled_when_that_is_asked_for(scene):
    scene.rotator().withdraw("1", keep_enabled=True)
    assert scene.state(1) == "Enabled"
    scene.world.now += HOUR
    assert ("disable", 1) in done(scene.rotator().withdraw("1"))
    assert scene.state(1) == "Disabled"
    assert done(scene.rotator().run()) == []


def test_a_key_that_was_to_stay_enabled_is_found_though_later_ones_have_retired(scene):
    scene.rotated()
    gone = scene.kid(1)
    scene.rotator().withdraw(gone, keep_enabled=True)
    scene.rotator().run(start=True)
    for _ in range(12):
        scene.world.now += HOUR
        scene.rotator().run()
    assert read(scene.world.truth, "auth").ring.generation(1) is None
    scene.rotator().withdraw(gone)
    assert scene.state(1) == "Disabled"


# --- where the pointer is


@pytest.mark.parametrize("keep_enabled", [False, True])
def test_who_sees_the_pointer_late_does_not_say_that_it_is_elsewhere(scene, keep_enabled):
    """It moved a minute ago to the very key that is withdrawn."""
    world = scene.world
    scene.rotator().run(start=True)
    while scene.ring().signing != 2:
        world.now += 5 * MINUTE
        scene.rotator().run()
    world.now += MINUTE
    late = scene.rotator(world.kms.reader("rotator-late"))
    with pytest.raises(CannotKnow, match="may point to it") as raised:
        late.withdraw("2", keep_enabled=keep_enabled)
    assert raised.value.code == "withdrawal_unfinished"
    assert scene.state(2) == "Enabled"
    assert scene.kid(2) not in world.jwks()

    world.now += 15 * MINUTE
    scene.rotator(world.kms.reader("rotator-late")).run()
    assert scene.ring().signing == 3
    assert scene.state(2) == ("Enabled" if keep_enabled else "Disabled")


def test_a_key_that_does_not_sign_yet_is_disabled_once_that_is_certain(scene):
    scene.rotator().run(start=True)
    with pytest.raises(CannotKnow, match="may point to it"):
        scene.rotator().withdraw("2")
    assert ("disable", 2) not in done(scene.rotator().run())
    scene.world.now += 16 * MINUTE
    scene.rotator().run()
    assert (scene.ring().signing, scene.state(2)) == (1, "Disabled")


def test_a_key_that_kms_will_delete_needs_no_certainty_of_where_the_pointer_is(scene):
    """It signs nothing wherever that is, and nothing that is written on it tells since when."""
    scene.rotator().run(start=True)
    kid = scene.kid(2)
    scene.world.kms.schedule_key_deletion(KeyId=scene.arn("alias/auth/2"))
    scene.rotator().withdraw("2")
    assert kid not in scene.world.jwks()


def test_who_withdraws_again_and_again_has_it_done_no_later(scene):
    scene.rotator().run(start=True)
    for minutes in (0, 6, 6):
        scene.world.now += minutes * MINUTE
        with pytest.raises(CannotKnow, match="may point to it"):
            scene.rotator().withdraw("2")
    scene.world.now += 4 * MINUTE
    assert ("disable", 2) in done(scene.rotator().withdraw("2"))


# --- a key that KMS will delete


@pytest.mark.parametrize("is_alone", [True, False])
@pytest.mark.parametrize("how", ["start", "withdraw"])
def test_a_signer_that_kms_will_delete_is_replaced(scene, is_alone, how):
    if not is_alone:
        scene.rotated()
    signing = scene.ring().signing
    scene.world.kms.schedule_key_deletion(KeyId=scene.arn("alias/auth"), PendingWindowInDays=7)
    if how == "withdraw":
        scene.rotator().withdraw(str(signing))
        assert scene.ring().signing == signing + 1
    else:
        scene.rotator().run(start=True)
        for _ in range(3):
            scene.world.now += HOUR
            scene.rotator().run()
        assert scene.ring().signing == signing + 1
    assert scene.kid(signing + 1) in scene.world.jwks()


def test_a_key_that_was_made_before_it_is_named_is_found_though_its_predecessor_is_leaving(scene):
    """And it learns which key is withdrawn, which its predecessor cannot say."""
    scene.world.kms.schedule_key_deletion(KeyId=scene.arn("alias/auth"), PendingWindowInDays=7)
    rule = scene.world.kms.permissions.deny("CreateAlias")
    with pytest.raises(KmsAccessDenied):
        scene.rotator().run(start=True)
    rule.lift()
    scene.rotator().withdraw("1")
    assert scene.ring().signing == 2
    assert len(scene.world.truth.list_keys(Limit=100)["Keys"]) == 2


# --- whose key it is


def foreign(keys: list[dict[str, Any]], kid: str) -> None:
    keys.append({**keys[0], "kid": kid})


@pytest.mark.parametrize("kid", ["foreign", "f" * 43, "a b", "f" * 300])
def test_a_kid_that_was_never_the_rings_is_refused(scene, kid):
    scene.edit(lambda keys: foreign(keys, kid))
    for ask in (scene.rotator().withdraw, lambda each: scene.rotator().preview(withdraw=each)):
        with pytest.raises(ConfigError, match="published by that kid is not the ring's") as raised:
            ask(kid)
        assert raised.value.code == "no_such_generation"
        assert "publish --remove" in str(raised.value.fix)
    assert kid in scene.world.jwks()
    assert scene.ring().gone == ()


def deleted(scene: Scene) -> str:
    """Return the kid of a key that KMS has deleted, and that somebody published again."""
    scene.rotated()
    gone = scene.kid(1)
    scene.world.kms.delete_alias(AliasName="alias/auth/1")
    scene.edit(lambda keys: foreign(keys, gone) if gone not in {k["kid"] for k in keys} else None)
    return gone


def test_a_key_of_ours_that_kms_has_no_more_leaves_the_jwks_and_all_caches(scene):
    gone = deleted(scene)
    report = scene.rotator().withdraw(gone)
    assert done(report) == [("withdraw", 0), ("publish", 0)]
    assert gone not in scene.world.jwks()
    assert scene.publisher.cdn.count == 1
    expected = scene.rotator().preview(withdraw=gone).expected.steps  # safe to repeat
    assert [each.step.action for each in expected][:1] == ["withdraw"]


def test_a_key_of_another_ring_is_withdrawn_there(scene):
    deleted(scene)
    world = scene.world
    scene.rotator(ring="other").run(start=True)
    kid = str(read(world.truth, "other").ring.generations[0].kid)
    with pytest.raises(ConfigError, match="is a key of ring other") as raised:
        scene.rotator().withdraw(kid)
    assert "key rotate other" in str(raised.value.fix)
    blind = world.kms.permissions.deny("ListResourceTags", key="alias/other")
    with pytest.raises(ConfigError, match="may not be read"):
        scene.rotator().withdraw(kid)
    blind.lift()
    assert kid in world.jwks()


def test_the_longest_gone_are_forgotten_first():
    kids = [letter * 43 for letter in "zyxwvu"]
    told = ""
    for kid in kids:
        told = tags.with_gone(told.split(), [kid])
    assert told.split() == kids[1:]
    assert tags.with_gone(told.split(), [kids[1]]).split() == [*kids[2:], kids[1]]


def test_a_new_key_tells_what_is_gone_in_the_order_in_which_it_went(scene):
    scene.rotated()
    old = ["z" * 43, "a" * 43]
    scene.world.kms.tag_resource(
        KeyId=scene.arn("alias/auth/2"), Tags=[{"TagKey": tags.GONE, "TagValue": " ".join(old)}]
    )
    scene.rotator().withdraw("1")
    scene.rotator().run(start=True)
    known = scene.world.kms.list_resource_tags(KeyId=scene.arn("alias/auth/3"))["Tags"]
    told = {each["TagKey"]: each["TagValue"] for each in known}[tags.GONE]
    assert told.split() == [*old, scene.kid(1)]


# --- the document


@pytest.mark.parametrize("what", ["key", "alg"])
def test_a_key_does_not_sign_while_another_is_published_under_its_kid(scene, what):
    scene.rotator().run(start=True)
    kid = scene.kid(2)

    def change(keys: list[dict[str, Any]]) -> None:
        mine = next(each for each in keys if each["kid"] == kid)
        other = next(each for each in keys if each["kid"] != kid)
        if what == "key":
            mine.update(x=other["x"], y=other["y"])
        else:
            mine.update(alg="ES384")

    scene.edit(change)
    for _ in range(4):
        scene.world.now += HOUR
        with pytest.raises(CannotKnow) as raised:
            scene.rotator().run()
        assert raised.value.code == "publish_other_key"
    assert scene.ring().signing == 1


def test_a_withdrawn_key_leaves_though_no_other_of_the_ring_is_usable(scene):
    scene.rotated()
    gone = scene.kid(2)
    scene.world.kms.disable_key(KeyId=scene.arn("alias/auth/1"))
    scene.world.kms.permissions.deny("CreateKey")
    with pytest.raises(KmsAccessDenied):
        scene.rotator().withdraw(gone)
    assert gone not in scene.world.jwks()
    assert scene.world.jwks()


# --- what fails on the way


def test_a_withdrawal_goes_on_though_it_could_not_be_written_down_twice(scene):
    scene.rotated()
    count = [0]

    def throttle(name: str, _parameters: dict[str, Any]) -> None:
        count[0] += name == "tag_resource"
        if name == "tag_resource" and count[0] == 2:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, name)

    with pytest.raises(KmsThrottled):
        scene.rotator(Meddled(scene.world.kms, throttle)).withdraw("2")
    assert (scene.ring().signing, scene.state(2)) == (3, "Disabled")
    assert scene.kid(2) not in scene.world.jwks()


def test_a_cdn_that_does_not_forget_keeps_no_withdrawn_key_enabled(scene):
    """Whose withdrawal is given again is forgotten by caches, too."""
    scene.rotated()
    gone = scene.kid(1)
    scene.publisher.cdn.fails = True
    with pytest.raises(PlaceUnavailable):
        scene.rotator().withdraw(gone)
    assert (scene.state(1), gone in scene.world.jwks()) == ("Disabled", False)
    scene.publisher.cdn.fails = False
    scene.rotator().withdraw(gone)
    assert scene.publisher.cdn.count == 1


@pytest.mark.parametrize("every", [2, 3])
def test_a_key_leaves_the_jwks_though_its_url_answers_only_now_and_then(scene, every):
    scene.rotated()
    gone, seen, asked = scene.kid(1), scene.publisher._seen, itertools.count(1)

    class Flaky(Public):
        def _seen(self, expected: Any = ()) -> list[frozenset[str]]:
            if next(asked) % every == 0:
                raise JwksUnavailable("the URL does not answer", code="jwks_connection")
            return list(seen(expected))

    with suppress(CannotKnow):
        scene.rotator(publisher=Flaky(scene.world.s3)).withdraw(gone)
    assert set(scene.world.jwks()) == {scene.kid(2)}


def test_a_strangers_key_under_the_next_alias_holds_up_no_emergency(scene):
    kms = scene.world.kms
    stranger = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/auth/2", TargetKeyId=stranger)
    scene.world.now += HOUR
    scene.rotator().withdraw("1")
    assert (scene.ring().signing, scene.state(1), scene.state(2)) == (3, "Disabled", "Enabled")


# --- what is told before


@pytest.mark.parametrize("keep_enabled", [False, True])
def test_a_dry_run_tells_what_is_done_then(scene, keep_enabled):
    """But for what lies between the making of a key and its publication."""
    scene.rotated()
    expected = scene.rotator().preview(withdraw="1", keep_enabled=keep_enabled).expected.steps
    now = [(each.step.action, each.step.number) for each in expected if each.at <= scene.ring().now]
    report = scene.rotator().withdraw("1", keep_enabled=keep_enabled)
    assert now == done(report)
    assert now[0] == ("withdraw", 1)
    assert "the JWKS holds a withdrawn key" in [step.why for step, _ in report.done]
