"""Verdicts of earlier runs, as long as the module and the test that noticed are the same."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from scripts.mutation.campaign import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.mutation.sites import Mutant


class Kept:
    """What was noticed before, in a file that every verdict is written to at once.

    A survivor is never kept: a new test may notice it. So is none that ran into its time limit.
    """

    def __init__(self, file: Path, root: Path, sources: dict[str, str]) -> None:
        """Read the file, if it is there.

        Args:
            file: lines of JSON, the later one right.
            root: the checkout that is examined.
            sources: its modules, by name.
        """
        self._file = file
        self._root = root
        self._modules = {name: _digest(text.encode()) for name, text in sources.items()}
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        self._rows = {(row[0], row[1]): row[2:] for row in map(json.loads, lines)}

    def of(self, mutant: Mutant) -> Verdict | None:
        """Return the verdict on a mutant, if neither its module nor the test has changed."""
        row = self._rows.get((self._modules[mutant.module], mutant.id))
        if row is None:
            return None
        by, test, seconds = row
        if test != self._digest_of(by):
            return None
        return Verdict(mutant=mutant, outcome="killed", by=by, seconds=seconds)

    def add(self, verdict: Verdict) -> None:
        """Keep a verdict, if it can be kept."""
        test = self._digest_of(verdict.by)
        if verdict.outcome != "killed" or not test:
            return
        module = self._modules[verdict.mutant.module]
        row = [module, verdict.mutant.id, verdict.by, test, round(verdict.seconds, 2)]
        self._file.parent.mkdir(exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def _digest_of(self, test: str) -> str:
        path = self._root / test.partition("::")[0]
        return _digest(path.read_bytes()) if path.is_file() else ""


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
