"""How long an authorizer takes from the start of Python to its first decision."""

from __future__ import annotations

import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kmsjwt.bundling import contents, wheels
from kmsjwt.bundling.build import unpack
from kmsjwt.bundling.compiling import compile_all, interpreter
from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt.bundling.build import Bundle
    from kmsjwt.bundling.target import Target

_RUNS = 7
_SECONDS = 60
# Nothing but the bundle and the standard library: no site-packages. It leaves without tidying
# up, since a function's process lives on.
_FIRST_DECISION = """
import os, sys
sys.path.insert(0, sys.argv[1])
import json
from kmsjwt.handlers.authorizer import handler
with open(sys.argv[2]) as file:
    answer = handler(json.load(file), None)
effect = answer["policyDocument"]["Statement"][0]["Effect"]
os._exit(0 if effect == "Allow" else 1)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """Medians over a few processes, in milliseconds of CPU.

    Attributes:
        as_built: with the bundle as it is.
        without_compiled: without its ``.pyc`` files; None if it has none.
        python_alone: of an interpreter that does nothing.
    """

    as_built: float
    without_compiled: float | None
    python_alone: float


def runs_here(target: Target) -> str | None:
    """Return a Python of this machine that can run a bundle for the target, or None."""
    same = platform.machine() == target.machine and sys.platform == "linux"
    return interpreter(target) if same else None


def measure(bundle: Bundle, *, settings: Mapping[str, str], event: Any) -> ColdStart:
    """Start the authorizer of a bundle a few times and see what the kernel says it took.

    Args:
        bundle: what to measure.
        settings: the authorizer's environment; its JWKS a file, so that no network is asked.
        event: one that it lets in.

    Raises:
        ConfigError: nothing here runs such a bundle, or it does not let the event in.
    """
    python = runs_here(bundle.target)
    if python is None:
        raise ConfigError(
            f"a bundle for {bundle.target} does not run here, so nothing was measured",
            code="bundle_measure",
            fix=f"measure on Linux on {bundle.target.arch} with python{bundle.target.python}",
        )
    with tempfile.TemporaryDirectory(prefix="kmsjwt-measure-") as scratch:
        folder = unpack(bundle, Path(scratch) / "bundle")
        return _measured(python, folder, settings=settings, event=event)


def measure_installed(*, settings: Mapping[str, str], event: Any) -> ColdStart:
    """Do the same with what is installed here, by the Python that runs this.

    That tells what compiled files are worth where no bundle can be made with them.

    Args:
        settings: as for `measure`.
        event: as for `measure`.

    Raises:
        ConfigError: it cannot be measured here, or does not let the event in.
    """
    if sys.platform == "win32":  # which counts no CPU of children
        raise ConfigError("CPU of processes is not counted here", code="bundle_measure")
    with tempfile.TemporaryDirectory(prefix="kmsjwt-measure-") as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        wheels.copy_installed(folder)
        contents.copy_kmsjwt(folder)
        compile_all(folder, sys.executable, deployed_at=str(folder))
        return _measured(sys.executable, folder, settings=settings, event=event)


def _measured(python: str, folder: Path, *, settings: Mapping[str, str], event: Any) -> ColdStart:
    asked = folder.with_name("event.json")
    asked.write_text(json.dumps(event), "utf-8")
    words = [python, "-I", "-S", "-B", "-c"]
    # First, so that whatever it says afterwards is the bundle's.
    alone = _median([*words, "pass"], {}, faulty=partial(_does_not_start, python))
    decide = [*words, _FIRST_DECISION, str(folder), str(asked)]
    as_built = _median(decide, settings, faulty=_refuses)
    without = None
    if caches := list(folder.rglob("__pycache__")):
        for each in caches:
            shutil.rmtree(each)
        without = _median(decide, settings, faulty=_refuses)
    return ColdStart(as_built=as_built, without_compiled=without, python_alone=alone)


def _does_not_start(python: str, said: str) -> ConfigError:
    return ConfigError(
        f"Python itself failed to start, not the bundle: {python} said: {said}",
        code="bundle_measure",
        fix="run kmsjwt with a Python that starts in an empty environment; or --no-measure",
    )


def _refuses(said: str) -> ConfigError:
    return ConfigError(
        f"the bundle's authorizer did not let a good token in, it said: {said}",
        code="bundle_measure",
    )


def _median(
    command: list[str], settings: Mapping[str, str], *, faulty: Callable[[str], ConfigError]
) -> float:
    return statistics.median(_milliseconds(command, settings, faulty) for _ in range(_RUNS))


def _milliseconds(
    command: list[str], settings: Mapping[str, str], faulty: Callable[[str], ConfigError]
) -> float:
    import resource  # which Linux has, as everything that is measured here

    # The time of all children that have ended, before and after this one.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(  # noqa: S603  a Python of this machine
        command,
        env=dict(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise faulty((done.stderr.splitlines() or ["nothing"])[-1])
    user = after.ru_utime - before.ru_utime
    return (user + after.ru_stime - before.ru_stime) * 1000
