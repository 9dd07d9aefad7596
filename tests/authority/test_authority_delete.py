"""Deleting a retired key, where KMS or boto3 does not tell all."""

from __future__ import annotations

from typing import Any

import pytest
from tests.jwks.servers import Clock

from kmsjwt.authority.delete import delete
from kmsjwt.authority.in_kms import InKms
from kmsjwt.authority.rotate import Rotator
from kmsjwt.errors import ConfigError
from kmsjwt.kms import create_ring, read_ring
from kmsjwt.local import LocalKms

DAY = 86_400


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
