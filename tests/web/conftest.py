from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.minting import Recorder


@pytest.fixture
def log() -> Any:
    return Recorder()
