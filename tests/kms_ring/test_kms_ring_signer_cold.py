"""What a signer that knows nothing yet asks of a KMS that does not answer everything."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from kmsjwt.errors import KmsError
from kmsjwt.kms import KmsSigner, create_ring
from kmsjwt.local import LocalKms


class Counted:
    """A client that counts what it is asked."""

    def __init__(self, kms: LocalKms) -> None:
        self._kms = kms
        self.meta = kms.meta
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        def call(**parameters: Any) -> Any:
            self.asked[name] += 1
            return getattr(self._kms, name)(**parameters)

        return call


class Ring:
    """A ring, a signer that follows it, and their time."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.kms = LocalKms(clock=self.time)
        self.first = create_ring("auth", spec="ECC_NIST_P256", client=self.kms).arn
        self.client = Counted(self.kms)
        self.signer = KmsSigner("ring:auth", client=self.client, clock=self.time)

    def time(self) -> float:
        return self.now

    def refused(self, times: int) -> None:
        for _ in range(times):
            with pytest.raises(KmsError):
                self.signer.current()

    def second(self) -> str:
        """Have another key sign."""
        arn = create_ring("other", spec="ECC_NIST_P256", client=self.kms).arn
        tags = {"kmsjwt:ring": "auth", "kmsjwt:generation": "2"}
        told = [{"TagKey": name, "TagValue": value} for name, value in tags.items()]
        self.kms.tag_resource(KeyId=arn, Tags=told)
        self.kms.update_alias(AliasName="alias/auth", TargetKeyId=arn)
        return arn


@pytest.mark.parametrize("kind", ["throttle", "access_denied", "drop"])
def test_while_tags_cannot_be_read_each_refused_token_asks_for_them_alone(kind: Any) -> None:
    ring = Ring()
    with ring.kms.faults.add("ListResourceTags", kind=kind, times=None):
        ring.refused(20)

    assert ring.client.asked == {"get_public_key": 1, "list_resource_tags": 20}
    assert ring.signer.current().arn == ring.first
    assert ring.client.asked["get_public_key"] == 1


def test_for_ten_seconds_only_and_the_look_up_is_as_old_as_it_is() -> None:
    ring = Ring()
    with ring.kms.faults.add("ListResourceTags", kind="throttle", times=None):
        ring.refused(1)
        ring.now += 9
        ring.refused(1)
    second = ring.second()

    assert ring.signer.current().arn == ring.first
    ring.now += 290  # 299 s after the pointer was looked up
    assert ring.signer.current().arn == ring.first
    ring.now += 1
    assert ring.signer.current().arn == second


def test_after_ten_seconds_the_pointer_is_looked_up_again() -> None:
    ring = Ring()
    with ring.kms.faults.add("ListResourceTags", kind="throttle", times=None):
        ring.refused(1)
    second = ring.second()
    ring.now += 10

    assert ring.signer.current().arn == second
