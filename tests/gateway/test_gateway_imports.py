"""What a cold start of the authorizer loads."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

HEAVY = ("boto3", "botocore", "http.client", "ssl", "argparse", "logging", "dataclasses", "asyncio")


@pytest.mark.parametrize("module", HEAVY)
def test_the_gateway_room_loads_nothing_heavy(module, loaded):
    assert "kmsjwt.gateway.authorizer" in loaded
    assert module not in loaded


@pytest.fixture(scope="module")
def loaded() -> Any:
    script = "import sys, kmsjwt.gateway; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    return ran.stdout.split()
