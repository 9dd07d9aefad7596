"""The Python and the Node program, each started once when first wanted, and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from interop.adapters import Adapter, Missing
from interop.cells import Bench
from interop.runtimes import NODE, PYTHON, Runtime
from interop.tokens import OurTokens, TheirKeys
from tests.giving_up import give_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Adapters(Mapping[str, Adapter]):
    """The running program of each library."""

    def __init__(self, running: ExitStack, scratch: Path) -> None:
        self._running = running
        self._scratch = scratch
        self._started: dict[Runtime, Adapter] = {}

    def __getitem__(self, library: str) -> Adapter:
        runtime = PYTHON if library in PYTHON.speaks_for else NODE
        if runtime not in self._started:
            try:
                adapter = runtime.start(self._scratch)
            except Missing as error:  # npm without a network
                give_up(str(error))
            self._started[runtime] = self._running.enter_context(adapter)
        return self._started[runtime]

    def __iter__(self) -> Iterator[str]:
        return iter((*PYTHON.speaks_for, *NODE.speaks_for))

    def __len__(self) -> int:
        return len(tuple(self))


@pytest.fixture(scope="session")
def bench() -> Bench:
    return Bench(OurTokens(), TheirKeys())


@pytest.fixture(scope="session")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapters]:
    with ExitStack() as programs:
        yield Adapters(programs, tmp_path_factory.mktemp("adapters"))
