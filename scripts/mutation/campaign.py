"""Which tests can notice a mutant, in which order; and all mutants through all workers."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from scripts.mutation.plugins import IMPORT, Passage
from scripts.mutation.sites import Mutant, uses

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from scripts.mutation.forks import Run, Worker

# The first run of a mutant: few files to import, little time; most are noticed there.
_FIRST_SECONDS, _FIRST_FILES = 3.0, 5
# A run may take this many times as long as it took, and this many seconds more.
_PATIENCE, _GRACE = 4.0, 15.0
_PAUSE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        mutant: the mutant.
        outcome: ``killed``, ``timed out``, ``survived``, ``unreached`` (no test runs the line)
            or ``wrong`` (the machinery failed).
        by: the test that noticed it.
        seconds: what that took.
    """

    mutant: Mutant
    outcome: str
    by: str
    seconds: float

    @property
    def alive(self) -> bool:
        """Whether no test noticed it."""
        return self.outcome in ("survived", "unreached")


class Passages:
    """What each test runs through, asked backwards: which tests run through a line."""

    def __init__(self, tests: dict[str, Passage]) -> None:
        """Index the tests by the lines that they run."""
        self._at_import = {
            (file, line) for file, lines in tests.get(IMPORT, (0, {}))[1].items() for line in lines
        }
        self._tests = {name: passage for name, passage in tests.items() if name != IMPORT}
        self._by_line: dict[tuple[str, int], list[str]] = defaultdict(list)
        self._by_file: dict[str, list[str]] = defaultdict(list)
        for name, (_, files) in self._tests.items():
            for file, lines in files.items():
                self._by_file[file].append(name)
                for line in lines:
                    self._by_line[file, line].append(name)

    def seconds(self, tests: Iterable[str]) -> float:
        """Return how long tests take, while recorded."""
        return sum(self._tests[name][0] for name in tests)

    def noticing(self, mutant: Mutant, sources: dict[str, str]) -> list[str]:
        """Return the tests that could notice a mutant, the likeliest first."""
        file = _file(mutant.module)
        if mutant.name:
            reached = self._through(
                (_file(module), lines)
                for module, source in sources.items()
                if mutant.name in source
                for lines in uses(source, mutant.name)
            )
        else:
            reached = self._through([(file, mutant.lines)])
        first, last = mutant.lines
        at_import = any((file, line) in self._at_import for line in range(first, last + 1))
        if not reached and at_import:
            reached = set(self._by_file[file])
        refused = self._through([(file, mutant.refusal)]) & reached
        return [*self._varied(refused, file), *self._varied(reached - refused, file)]

    def _through(self, spans: Iterable[tuple[str, tuple[int, int]]]) -> set[str]:
        return {
            name
            for file, (first, last) in spans
            for line in range(first, last + 1)
            for name in self._by_line.get((file, line), ())
        }

    def _varied(self, tests: set[str], file: str) -> Iterator[str]:
        """Order tests so that those which run different lines come before more of the same."""
        groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for name in sorted(tests, key=lambda name: (self._tests[name][0], name)):
            groups[tuple(self._tests[name][1].get(file, ()))].append(name)
        for rank in zip_longest(*groups.values()):
            yield from (name for name in rank if name is not None)


def split(tests: list[str], passages: Passages) -> tuple[list[str], list[str]]:
    """Return a quick first run, and the rest."""
    first: list[str] = []
    files: set[str] = set()
    left = _FIRST_SECONDS
    for name in tests:
        file = name.partition("::")[0]
        seconds = passages.seconds([name])
        if seconds <= left and (file in files or len(files) < _FIRST_FILES):
            files.add(file)
            left -= seconds
            first.append(name)
    chosen = set(first)
    return first, [name for name in tests if name not in chosen]


def wait(run: Run) -> dict[str, Any]:
    """Wait for a run's answer."""
    while (answer := run.finished()) is None:
        time.sleep(_PAUSE)
    return answer


def recorded(
    workers: list[Worker], files: list[str], cache: Path, *, lenient: bool = False
) -> dict[str, Passage]:
    """Return what every test runs through, from the cache if nothing has changed since.

    Raises:
        SystemExit: a test fails without any mutant, so that nothing could be learnt.
    """
    state = hashlib.sha256()
    for path in sorted(workers[0].home.rglob("*.py")):
        state.update(path.read_bytes() + b"\0")
    kept = cache / f"passages-{state.hexdigest()[:16]}.json"
    if kept.exists():
        return {name: (took, lines) for name, (took, lines) in json.loads(kept.read_text()).items()}
    runs = [
        worker.record(files[place :: len(workers)], seconds=900)
        for place, worker in enumerate(workers)
    ]
    tests: dict[str, Passage] = {}
    at_import: dict[str, set[int]] = defaultdict(set)
    for run in runs:
        answer = wait(run)
        if answer.get("status") != 0 and not (lenient and answer.get("tests")):
            red = "\n  ".join(answer.get("red", [])[:10])
            raise SystemExit(f"tests fail without a mutant: nothing can be learnt\n  {red}")
        for name in answer["red"]:
            answer["tests"].pop(name, None)
        for file, lines in answer["tests"].pop(IMPORT)[1].items():
            at_import[file].update(lines)
        tests.update(answer["tests"])
    tests[IMPORT] = (0.0, {file: sorted(lines) for file, lines in at_import.items()})
    cache.mkdir(exist_ok=True)
    (cache / ".gitignore").write_text("*\n")
    for old in cache.glob("passages-*"):
        old.unlink()
    kept.write_text(json.dumps(tests))
    return tests


@dataclass(slots=True)
class _Trial:
    """One mutant in one worker."""

    mutant: Mutant
    worker: Worker
    original: bytes
    runs: list[list[str]]
    passages: Passages
    started: float = field(default_factory=time.monotonic)
    running: Run | None = None

    def begin(self) -> None:
        self.worker.source(self.mutant.module).write_bytes(self.mutant.applied(self.original))
        self._next()

    def _next(self) -> None:
        tests = self.runs.pop(0)
        limit = self.passages.seconds(tests) * _PATIENCE + _GRACE
        self.running = self.worker.test(tests, limit)

    def verdict(self) -> Verdict | None:
        if self.running is None:
            return self._over("unreached", "")
        answer = self.running.finished()
        if answer is None:
            return None
        if answer["outcome"] == "survived" and self.runs:
            self._next()
            return None
        return self._over(answer["outcome"], answer["by"])

    def _over(self, outcome: str, by: str) -> Verdict:
        self.worker.source(self.mutant.module).write_bytes(self.original)
        seconds = time.monotonic() - self.started
        return Verdict(mutant=self.mutant, outcome=outcome, by=by, seconds=seconds)

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()


def judged(
    mutants: list[Mutant],
    workers: list[Worker],
    passages: Passages,
    sources: dict[str, str],
    tell: Callable[[Verdict], None],
    *,
    quick: Collection[str] = (),
) -> list[Verdict]:
    """Try every mutant, as many at a time as there are workers; those in ``quick`` by few tests."""
    waiting = list(reversed(mutants))
    idle = list(workers)
    trials: list[_Trial] = []
    verdicts: list[Verdict] = []
    try:
        while waiting or trials:
            while waiting and idle:
                trial = _trial(waiting.pop(), idle.pop(), passages, sources)
                trial.runs = trial.runs[:1] if trial.mutant.id in quick else trial.runs
                trials.append(trial)
                if trial.runs:
                    trial.begin()
            for trial in list(trials):
                verdict = trial.verdict()
                if verdict is not None:
                    trials.remove(trial)
                    idle.append(trial.worker)
                    verdicts.append(verdict)
                    tell(verdict)
            time.sleep(_PAUSE)
    finally:
        for trial in trials:
            trial.stop()
    return verdicts


def _trial(mutant: Mutant, worker: Worker, passages: Passages, sources: dict[str, str]) -> _Trial:
    runs = [run for run in split(passages.noticing(mutant, sources), passages) if run]
    original = sources[mutant.module].encode()
    return _Trial(mutant, worker, original, runs, passages)


def _file(module: str) -> str:
    return f"{module.replace('.', '/')}.py"
