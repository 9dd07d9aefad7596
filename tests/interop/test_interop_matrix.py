"""Every algorithm with every Python and JavaScript library, both ways.

`make interop` does the same with the libraries of the other languages.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from interop.cells import Outcome
from interop.runtimes import NODE, PYTHON, RUNTIMES
from tests.interop.known import READS, SIGNS

from kmsjwt.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interop.adapters import Adapter
    from interop.cells import Bench, Verdict

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "interoperability.md"
EVERY_CELL = pytest.mark.parametrize(
    ("library", "alg"),
    [(library, alg) for library in READS for alg in ALGORITHMS],
)


def expected(known: bool) -> Outcome:
    return Outcome.GOOD if known else Outcome.UNSUPPORTED


@EVERY_CELL
def test_a_library_reads_our_token_and_refuses_forgeries(
    library: str, alg: str, bench: Bench, adapters: Mapping[str, Adapter]
):
    verdict: Verdict = bench.reads_ours(adapters[library], library, alg)

    assert verdict.outcome is expected(alg in READS[library]), verdict.why


@EVERY_CELL
def test_we_read_a_library_s_token_and_refuse_forgeries(
    library: str, alg: str, bench: Bench, adapters: Mapping[str, Adapter]
):
    verdict: Verdict = bench.read_by_us(adapters[library], library, alg)

    assert verdict.outcome is expected(alg in SIGNS[library]), verdict.why


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_every_algorithm_has_independent_readers_and_signers(alg: str):
    """Two of each, of different hands: one could share our mistake."""
    assert len([library for library, algs in READS.items() if alg in algs]) >= 2
    assert len([library for library, algs in SIGNS.items() if alg in algs]) >= 2


def test_the_known_libraries_are_those_that_are_run():
    assert list(READS) == list(SIGNS) == [*PYTHON.speaks_for, *NODE.speaks_for]


def test_the_matrix_is_wide():
    """At least ten verifiers in at least four languages."""
    assert sum(len(runtime.speaks_for) for runtime in RUNTIMES) >= 10
    assert len({runtime.language for runtime in RUNTIMES}) >= 4


@pytest.mark.parametrize("library", READS)
def test_the_page_shows_what_is_so(library: str):
    """Run `make interop` when this is red."""
    assert shown(library) == {
        alg: "✓" if alg in SIGNS[library] else "→" if alg in READS[library] else "–"
        for alg in ALGORITHMS
    }


def shown(library: str) -> dict[str, str]:
    """Return the marks that the page has for a library."""
    marks: dict[str, str] = {}
    algs: list[str] = []
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[:2] == ["library", "language"]:
            algs = [cell.strip("`") for cell in cells[2:]]
        elif not line:
            algs = []
        elif algs and cells[0] == library:
            marks |= zip(algs, cells[2:], strict=True)
    return marks
