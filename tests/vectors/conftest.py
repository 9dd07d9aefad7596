"""Public test vectors, read from ``shared/vectors`` beside the checkout."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = Path(__file__).resolve().parents[2].parent / "shared" / "vectors"


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Any]:
    """Return a function that reads one file; without the files skip here, and fail in CI."""
    if not _ROOT.is_dir():
        message = f"no test vectors at {_ROOT}: put them there to run these tests"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return lambda name: json.loads((_ROOT / name).read_text(encoding="utf-8"))
