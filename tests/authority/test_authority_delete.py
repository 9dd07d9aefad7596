"""Deleting a retired key, where KMS or boto3 does not tell all."""

from __future__ import annotations

from typing import Any

import pytest
from tests.jwks.servers import Clock

from kmsjwt.authority.delete import delete
from kmsjwt.authority.in_kms import InKms
from kmsjwt.authority.rotate import Rotator
from kmsjwt.errors import CannotKnow, ConfigError
from kmsjwt.kms import create_ring, read_ring
from kmsjwt.local import LocalKms

HOUR, DAY = 3_600, 86_400


class Old:
    """A client of a boto3 from before GetKeyLastUsage; botocore's raise AttributeError too."""

    def __init__(self, kms: LocalKms) -> None:
        self._kms = kms
        self.meta = kms.meta

    def __getattr__(self, name: str) -> Any:
        if name == "get_key_last_usage":
            raise AttributeError(f"'KMS' object has no attribute {name!r}")
        return getattr(self._kms, name)


@pytest.fixture
def kms() -> LocalKms:
    """A KMS with a ring whose first key retired long ago."""
    clock = Clock()
    kms = LocalKms(clock=clock)
    settings = {"max_lifetime": 900, "consumer_cache": 0}
    create_ring("auth", client=kms, spec="ECC_NIST_P256", settings=settings)
    for start in (False, True, False, False, False):
        Rotator("auth", InKms("auth", kms), client=kms, clock=clock).run(start=start)
        clock.now += DAY
    clock.now += 8 * DAY
    return kms


def state(kms: LocalKms, alias: str = "alias/auth/1") -> str:
    return str(kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyState"])


def test_a_boto3_that_cannot_ask_for_the_last_use_is_told(kms):
    with pytest.raises(ConfigError, match="no GetKeyLastUsage") as caught:
        delete("auth", 1, client=Old(kms))

    assert caught.value.code == "not_deletable"
    assert "--force" in str(caught.value.fix)
    assert "boto3" in str(caught.value.fix)
    assert state(kms) == "Enabled"


def test_who_forces_it_needs_no_last_use(kms):
    deletion = delete("auth", 1, client=Old(kms), force=True)

    assert deletion.last_use is None
    assert state(kms) == "PendingDeletion"


class Cut:
    """A client whose process ends just before, or just after, one of its calls."""

    def __init__(self, kms: LocalKms, at: int, *, done: bool) -> None:
        self._kms = kms
        self._at = at
        self._done = done
        self.meta = kms.meta
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(**parameters: Any) -> Any:
            self.calls.append(name)
            is_last = len(self.calls) == self._at
            if is_last and not self._done:
                raise KeyboardInterrupt
            answer = getattr(self._kms, name)(**parameters)
            if is_last:
                raise KeyboardInterrupt
            return answer

        return call


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_deletion_that_was_cut_off_anywhere_is_carried_on(kms, done):
    """Without force: nobody else has disabled the key."""
    uncut = Cut(kms, at=-1, done=done)
    delete("auth", 1, client=uncut, dry_run=True)
    writes = ["tag_resource", "disable_key", "schedule_key_deletion"]

    for at in range(len(uncut.calls) + 1, len(uncut.calls) + len(writes) + 1):
        cut = Cut(kms, at, done=done)
        with pytest.raises(KeyboardInterrupt):
            delete("auth", 1, client=cut)
        assert cut.calls[-1] in writes

        deletion = delete("auth", 1, client=kms)

        assert state(kms) == "PendingDeletion"
        told = kms.describe_key(KeyId="alias/auth/1")["KeyMetadata"]
        assert deletion.date == told["DeletionDate"]
        kms.cancel_key_deletion(KeyId=told["KeyId"])
        kms.enable_key(KeyId=told["KeyId"])
        kms.untag_resource(KeyId=told["KeyId"], TagKeys=["kmsjwt:disabled"])


def test_what_somebody_else_disabled_is_not_deleted(kms):
    kms.disable_key(KeyId=kms.describe_key(KeyId="alias/auth/1")["KeyMetadata"]["KeyId"])

    with pytest.raises(ConfigError, match="disabled by somebody else"):
        delete("auth", 1, client=kms)


def test_a_withdrawn_key_is_ours_to_delete_though_its_withdrawal_was_cut_off(kms):
    """It is disabled, and its tag, which comes after that, was not written."""
    key_id = kms.describe_key(KeyId="alias/auth/1")["KeyMetadata"]["KeyId"]
    moment = kms.list_resource_tags(KeyId=key_id)["Tags"]
    retired = next(tag["TagValue"] for tag in moment if tag["TagKey"] == "kmsjwt:retired")
    kms.tag_resource(KeyId=key_id, Tags=[{"TagKey": "kmsjwt:compromised", "TagValue": retired}])
    kms.disable_key(KeyId=key_id)

    assert delete("auth", 1, client=kms).date is not None


@pytest.mark.parametrize(
    ("tag", "value", "doubt"),
    [
        ("kmsjwt:retired", "lately", "kmsjwt:retired is 'lately'"),
        ("kmsjwt:ring", "other", "of ring 'other'"),
        ("kmsjwt:alg", "ES384", "ES384"),
    ],
)
def test_a_key_in_doubt_is_not_deleted_and_what_to_do_is_said(kms, tag, value, doubt):
    kms.tag_resource(
        KeyId=kms.describe_key(KeyId="alias/auth/1")["KeyMetadata"]["KeyId"],
        Tags=[{"TagKey": tag, "TagValue": value}],
    )

    with pytest.raises(ConfigError) as caught:
        delete("auth", 1, client=kms, force=True)

    assert doubt in caught.value.message
    its = read_ring(kms, "auth", down_to=1).ring.generation(1)
    assert its is not None
    assert caught.value.message == f"{its.doubt}: it is not deleted"
    assert "aws kms" in str(caught.value.fix)
    assert "arn:aws:kms:" in str(caught.value.fix)
    assert state(kms) == "Enabled"


def refused(kms: LocalKms, number: int) -> ConfigError:
    with pytest.raises(ConfigError, match="is not retired: it is not deleted") as caught:
        delete("auth", number, client=kms, force=True)
    assert state(kms, f"alias/auth/{number}") == "Enabled"
    return caught.value


def test_of_the_last_key_is_said_how_it_gets_a_successor_and_how_the_ring_ends(kms):
    fix = str(refused(kms, 2).fix)

    assert "kmsjwt key rotate auth --start" in fix
    arn = kms.describe_key(KeyId="alias/auth/2")["KeyMetadata"]["Arn"]
    assert f"aws kms disable-key --key-id {arn}" in fix
    assert "schedule-key-deletion" in fix


def test_of_a_key_that_others_follow_is_said_that_it_retires_and_of_the_next_how_to_give_it_up(kms):
    clock: Any = kms.service.account.clock
    rotator = Rotator("auth", InKms("auth", kms), client=kms, clock=clock)
    assert rotator.run(start=True).ring.signing == 2

    assert refused(kms, 2).fix == "let kmsjwt key rotate auth retire it in its time"
    assert "kmsjwt key rotate auth --compromised 3" in str(refused(kms, 3).fix)
    with pytest.raises(CannotKnow):  # once it is certain that nothing points to it
        rotator.withdraw("3")
    clock.now += HOUR
    rotator.run()
    clock.now += 8 * DAY
    assert delete("auth", 3, client=kms).date is not None
