"""A clock of ministack's own, which can be put forward.

libfaketime is preloaded into ministack and inherited by its functions: what they read is the
machine's clock, and as many seconds more as a file says. Only time of day is moved; what measures
how long something takes (timeouts, an event loop) goes on as it is.
"""

from __future__ import annotations

import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIBRARY = "libfaketime/vendor/libfaketime/src/libfaketime.so.1"


class Clock:
    """Seconds since 1970 as a process sees them that has `environ`."""

    def __init__(self, python: Path, folder: Path) -> None:
        """Begin with the machine's time.

        Args:
            python: the Python whose environment has libfaketime.
            folder: takes the file.
        """
        self._library = _library(python)
        self._file = folder / "ahead"
        self._ahead = 0
        self.forward(0)

    def __call__(self) -> float:
        return time.time() + self._ahead

    def forward(self, seconds: float) -> None:
        """Let so many seconds pass at once."""
        self._ahead += int(seconds)
        # Never half written, and always as long: it is read at every look at the clock.
        new = self._file.with_suffix(".new")
        new.write_text(f"+{self._ahead:010}\n")
        new.replace(self._file)

    def forward_to(self, moment: float) -> None:
        """Let time pass until then; it must not be over yet."""
        ahead = moment - self()
        assert ahead > 0, f"it was {-ahead:.0f} s ago"
        self.forward(ahead)

    @property
    def environ(self) -> Mapping[str, str]:
        """What a process needs that is to have this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Else it waits wrongly, by ages, where Python's threads take turns (glibc 2.36).
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            # A file is as old as it is, or Python would compile every module anew.
            "NO_FAKE_STAT": "1",
        }

    @staticmethod
    def clean_up_after(pid: int) -> None:
        """Remove what libfaketime left in memory for a process that was killed."""
        for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
            Path("/dev/shm", name).unlink(missing_ok=True)


def _library(python: Path) -> Path:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("libfaketime's package has a library for Linux on x86-64 alone")
    found = list((python.parents[1] / "lib").glob(f"python*/site-packages/{_LIBRARY}"))
    assert found, "libfaketime is not installed: make .venv-ministack/.ready"
    return found[0]
