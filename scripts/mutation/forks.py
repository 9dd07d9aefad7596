"""Run tests on a changed copy of the product: one process that has imported all else, forked.

Each worker has a copy of the repository of its own, so that nothing that happens to the working
tree meanwhile is seen, and processes that tests start see the change as well.
"""

from __future__ import annotations

import compileall
import importlib
import json
import os
import py_compile
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from scripts.mutation.plugins import Chosen, Recorder

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "kmsjwt"
_COPIED = ("src", "tests", "docs", "examples", "scripts", "pyproject.toml", "README.md", "Makefile")
_PRELOADED = (
    "hypothesis.strategies",
    "cryptography.hazmat.primitives.asymmetric.mldsa",
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509",
    "jwt.algorithms",
    "joserfc.jwt",
    "jwcrypto.jwt",
    "boto3.session",
    "botocore.session",
    "http.server",
    "urllib.request",
    "xml.etree.ElementTree",
)
_OPTIONS = (
    "-q",
    "--assert=plain",
    "--tb=no",
    "--no-header",
    "--strict-config",
    "-pno:cacheprovider",
    "-pno:xdist",
    "-pno:faulthandler",
)
_PASSED, _NOTHING_RAN = 0, 5


@dataclass(slots=True)
class Run:
    """A test run in progress."""

    process: int
    answer: Path
    until: float

    def finished(self) -> dict[str, Any] | None:
        """Return the answer, or None while it is running. Out of time, it is stopped."""
        process, _ = os.waitpid(self.process, os.WNOHANG)
        if process:
            text = self.answer.read_text() if self.answer.exists() else ""
            return dict(json.loads(text)) if text else {"outcome": "killed", "by": "a crash"}
        if time.monotonic() > self.until:
            self.stop()
            return {"outcome": "timed out", "by": "its time limit"}
        return None

    def stop(self) -> None:
        """End it with all that it started."""
        os.killpg(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


class Worker:
    """A copy of the repository in which one mutant at a time is tested."""

    def __init__(self, root: Path, home: Path) -> None:
        """Copy the repository at ``root`` into ``home``."""
        self.home = home
        self.package = home / "src" / PACKAGE
        ignored = shutil.ignore_patterns("__pycache__", "node_modules", ".*")
        home.mkdir(parents=True)
        # Public vectors lie beside a checkout; so they do beside the copy.
        if (root.parent / "shared").is_dir() and not (home.parent / "shared").exists():
            (home.parent / "shared").symlink_to(root.parent / "shared")
        for name in _COPIED:
            if (root / name).is_dir():
                shutil.copytree(root / name, home / name, ignore=ignored)
            elif (root / name).exists():
                shutil.copy(root / name, home / name)
        # Checked by content: a mutant is never taken for what was compiled before.
        checked = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(home / "src", quiet=1, invalidation_mode=checked)
        compileall.compile_dir(home / "tests", quiet=1)

    def source(self, module: str) -> Path:
        """Return a module's file."""
        return self.package / f"{module.replace('.', '/')}.py"

    def record(self, paths: list[str], seconds: float) -> Run:
        """Start all tests of ``paths``, recording what each runs through."""
        return self._start(paths, Recorder(self.package), seconds)

    def test(self, tests: list[str], seconds: float) -> Run:
        """Start the tests until one fails."""
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        return self._start(files, Chosen(tests), seconds)

    def _start(self, paths: list[str], plugin: Recorder | Chosen, seconds: float) -> Run:
        answer = self.home / "answer.json"
        answer.unlink(missing_ok=True)
        process = os.fork()
        if process == 0:
            status = 1
            try:
                os.setsid()
                self._run(paths, plugin, answer)
                status = 0
            finally:
                os._exit(status)
        return Run(process, answer, time.monotonic() + seconds)

    def _run(self, paths: list[str], plugin: Recorder | Chosen, answer: Path) -> None:
        self._settle()
        if isinstance(plugin, Recorder):
            plugin.begin()
        stop_early = ["-x"] if isinstance(plugin, Chosen) else []
        status = int(pytest.main([*_OPTIONS, *stop_early, *paths], plugins=[plugin]))
        loaded = str(getattr(sys.modules.get(PACKAGE), "__file__", ""))
        if isinstance(plugin, Recorder):
            verdict: dict[str, Any] = {"tests": plugin.tests, "red": plugin.red, "status": status}
        elif loaded and not loaded.startswith(str(self.package)):
            verdict = {"outcome": "wrong", "by": f"{PACKAGE} came from {loaded}"}
        elif status == _NOTHING_RAN:
            verdict = {"outcome": "wrong", "by": "no test was found"}
        elif status == _PASSED:
            verdict = {"outcome": "survived", "by": "", "ran": plugin.ran}
        else:
            verdict = {"outcome": "killed", "by": plugin.killer or "the import"}
        answer.write_text(json.dumps(verdict))

    def _settle(self) -> None:
        """Make this copy the only one that the process, and those it starts, can import."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.chdir(self.home)
        sys.dont_write_bytecode = True
        source = str(self.home / "src")
        others = [path for path in sys.path if path and not (_holds_package(path))]
        sys.path[:] = [source, str(self.home), *others]
        os.environ["PYTHONPATH"] = source
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        log = os.open(self.home / "output.txt", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(log, stream)
        for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
            del sys.modules[name]
        _repeatable()


def preload() -> None:
    """Import what all tests need and the product is not part of, once for all forks."""
    for name in _PRELOADED:
        importlib.import_module(name)
    if PACKAGE in sys.modules:
        raise SystemExit(f"{PACKAGE} was imported too early: its mutants would not be")


def _holds_package(path: str) -> bool:
    # By os.path, as sys.path has strings, and "" among them, which pathlib would make ".".
    return os.path.isdir(os.path.join(path, PACKAGE)) or os.path.isdir(  # noqa: PTH112, PTH118  see above
        os.path.join(path, "src", PACKAGE)  # noqa: PTH118  see above
    )


def _repeatable() -> None:
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutation")
