from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.minting import Mint, Recorder


@pytest.fixture(scope="session")
def mint() -> Any:
    return Mint()


@pytest.fixture
def log() -> Any:
    return Recorder()
