"""A world for each mistake, on a machine without AWS settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.kms import support
from tests.mistakes.world import World

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_aws_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    support.forget_aws(monkeypatch, tmp_path)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)
