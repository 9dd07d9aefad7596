"""Public test vectors, read from ``shared/vectors`` beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.giving_up import give_up

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = Path(__file__).resolve().parents[2].parent / "shared" / "vectors"


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Any]:
    """Return a function that reads one file; without the files skip here, and fail in CI."""
    if not _ROOT.is_dir():
        give_up(f"no test vectors at {_ROOT}: put them there to run these tests")
    return lambda name: json.loads((_ROOT / name).read_text(encoding="utf-8"))
