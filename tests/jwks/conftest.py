from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.jwks.servers import Clock, Server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of its own for each test, publishing the key ``a``."""
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()
