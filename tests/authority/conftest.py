"""What several tests of this room share."""

from __future__ import annotations

import pytest
from tests.authority.ring_world import World


@pytest.fixture
def world() -> World:
    return World()
