"""A local KMS and a clock for each test."""

from __future__ import annotations

import pytest
from tests.kms.support import forget_aws
from tests.kms_ring.world import Clock

from kmsjwt.local import LocalKms


@pytest.fixture(autouse=True)
def no_aws_around(monkeypatch, tmp_path):
    forget_aws(monkeypatch, tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kms(clock: Clock) -> LocalKms:
    return LocalKms(clock=clock)
