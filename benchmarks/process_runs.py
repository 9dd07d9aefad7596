"""Processes run whole, one after the other, with what the kernel says they took."""

from __future__ import annotations

import contextlib
import random
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness import Unfit

SUBJECT = "user-7f3a"
"""The ``sub`` that a process prints last when it has let the good token in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A process to measure.

    Attributes:
        name: What the tables call it.
        command: Its command line; the folder of its token is added to it.
        environment: All of its variables.
        refusal: What it says of a token with a forged signature; empty if it looks at no token.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took: milliseconds of CPU and of wall time, and peak memory in MiB."""

    cpu: float
    wall: float
    memory: float


Figure = Callable[[Run], float]


class Runs:
    """The runs of each case, one a round."""

    def __init__(self) -> None:
        self._by_name: defaultdict[str, list[Run]] = defaultdict(list)

    def add(self, name: str, run: Run) -> None:
        self._by_name[name].append(run)

    def median(self, name: str, figure: Figure) -> float:
        return statistics.median(map(figure, self._by_name[name]))

    def ratio(self, name: str, base: str, figure: Figure) -> float:
        """Return the median of the ratios inside each round."""
        pairs = zip(self._by_name[name], self._by_name[base], strict=True)
        return statistics.median(figure(one) / figure(other) for one, other in pairs)

    def step(self, name: str, above: str, figure: Figure) -> float:
        """Return the median of the differences inside each round."""
        pairs = zip(self._by_name[name], self._by_name[above], strict=True)
        return statistics.median(figure(one) - figure(other) for one, other in pairs)

    def sorted(self, figure: Figure) -> list[str]:
        """Return the cases' names, the least first."""
        return sorted(self._by_name, key=lambda name: self.median(name, figure))


class Launcher:
    """Has processes started by `benchmarks/launcher.py`, which is too small to show in them."""

    def __init__(self, process: subprocess.Popen[str], printed: Path) -> None:
        self._process = process
        self._printed = printed

    @property
    def process_id(self) -> int:
        """The launcher's own, which its processes inherit limits from."""
        return self._process.pid

    def run(self, case: Case, folder: Path) -> tuple[Run, int, str]:
        """Run a case on a folder's token and return what it took, its exit status and words."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        command = [*case.command, str(folder)]
        variables = [f"{name}={value}" for name, value in case.environment.items()]
        request = [str(self._printed), str(len(command)), *command, *variables]
        self._process.stdin.write("\0".join(request) + "\n")
        self._process.stdin.flush()
        status, cpu, wall, memory = self._process.stdout.readline().split()
        run = Run(float(cpu) * 1000, float(wall) * 1000, int(memory) / 1024)
        return run, int(status), self._printed.read_text(errors="replace")


@contextlib.contextmanager
def launcher(printed: Path) -> Iterator[Launcher]:
    """Keep a launcher as long as the block lasts; ``printed`` is the file processes print to."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(__file__).with_name("launcher.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Launcher(process, printed)


def prove(case: Case, launch: Launcher, *, good: Path, forged: Path) -> None:
    """Make a case refuse a forged signature, for that reason, and accept the good token.

    Raises:
        Unfit: it must not be measured.
    """
    if case.refusal:
        _, _, said = launch.run(case, forged)
        if case.refusal not in said or _accepts(said):
            raise Unfit(f"{case.name} does not refuse a forged signature:\n{said}")
    _, status, said = launch.run(case, good)
    _require_accepted(case, status, said)


def measure(cases: Iterable[Case], launch: Launcher, good: Path, rounds: int) -> Runs:
    """Run each case once a round, in random order; each must accept the good token each time."""
    runs = Runs()
    order = list(cases)
    for _ in range(rounds):
        random.shuffle(order)
        for case in order:
            run, status, said = launch.run(case, good)
            _require_accepted(case, status, said)
            runs.add(case.name, run)
    return runs


def _require_accepted(case: Case, status: int, said: str) -> None:
    if status != 0 or (case.refusal and not _accepts(said)):
        raise Unfit(f"{case.name} does not accept the good token (status {status}):\n{said}")


def _accepts(said: str) -> bool:
    return said.splitlines()[-1:] == [SUBJECT]
