"""What runs inside pytest: one plugin records what each test passes through, one picks tests."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from types import FrameType


IMPORT = "the import"
"""Stands among the tests for what runs before any of them."""

Passage = tuple[float, dict[str, list[int]]]
"""Seconds that a test takes, and the lines that it runs, by file."""


class Recorder:
    """Records, for each test, its seconds and the lines of the product that it runs."""

    def __init__(self, package: Path) -> None:
        """Record lines of the modules under ``package``."""
        self._prefix = f"{package}/"
        self._seen: dict[str, set[int]] = {}
        self._started = 0.0
        self.tests: dict[str, Passage] = {}
        self.red: list[str] = []

    def begin(self) -> None:
        """Start recording what runs when the product is imported, before there is any test."""
        self._started = time.perf_counter()
        sys.settrace(self._enter)
        threading.settrace(self._enter)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """End what belongs to the import."""
        self._end(IMPORT)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Trace one test with its fixtures."""
        self.begin()
        try:
            return (yield)
        finally:
            self._end(item.nodeid)

    def _end(self, name: str) -> None:
        sys.settrace(None)
        threading.settrace(None)
        lines = {module: sorted(seen) for module, seen in self._seen.items()}
        self.tests[name] = (time.perf_counter() - self._started, lines)
        self._seen = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which tests fail by themselves."""
        if report.failed:
            self.red.append(report.nodeid)

    def _enter(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        path = frame.f_code.co_filename
        if not path.startswith(self._prefix):
            return None
        seen = self._seen.setdefault(path[len(self._prefix) :], set())
        seen.add(frame.f_lineno)

        def each_line(inner: FrameType, _event: str, _argument: Any) -> Any:
            seen.add(inner.f_lineno)
            return each_line

        return each_line


class Chosen:
    """Runs the chosen tests alone, in the order given, and remembers the first that fails."""

    def __init__(self, wanted: list[str]) -> None:
        """Run these node ids."""
        self._order = {nodeid: place for place, nodeid in enumerate(wanted)}
        self.killer = ""
        self.ran = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what was chosen."""
        chosen = [item for item in items if item.nodeid in self._order]
        items[:] = sorted(chosen, key=lambda item: self._order[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember the first test that fails."""
        self.ran += report.when == "call"
        if report.failed and not self.killer:
            self.killer = report.nodeid
