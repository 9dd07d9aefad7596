"""A local KMS for each test, and one with a key of every spec for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.kms import support
from tests.kms.support import SPEC_OF, Clock, Through, make_key

from kmsjwt.local import LocalKms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_aws_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide this machine's AWS settings, and the instance metadata that boto3 would look for."""
    support.forget_aws(monkeypatch, tmp_path)


@pytest.fixture(scope="session")
def house() -> LocalKms:
    """A KMS that no test changes."""
    return LocalKms()


@pytest.fixture(scope="session")
def arns(house: LocalKms) -> Mapping[str, str]:
    """One key of each spec in ``house``, by JOSE algorithm."""
    by_spec = {spec: make_key(house, spec) for spec in set(SPEC_OF.values())}
    return {alg: by_spec[spec] for alg, spec in SPEC_OF.items()}


@pytest.fixture
def kms(clock: Clock) -> LocalKms:
    """A KMS of this test alone."""
    return LocalKms(clock=clock)


@pytest.fixture
def arn(kms: LocalKms) -> str:
    return make_key(kms, "ECC_NIST_P256")


@pytest.fixture
def wire(kms: LocalKms) -> Through:
    """A client of ``kms`` that counts and can be made to misbehave."""
    return Through(kms)


@pytest.fixture
def clock() -> Clock:
    return Clock()
