"""The matrix, for a terminal and as a page of the handbook."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interop.cells import Cell, Outcome

from kmsjwt.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from interop.runtimes import Runtime

GROUPS = {
    "RSA": tuple(alg for alg in ALGORITHMS if alg.startswith(("RS", "PS"))),
    "Elliptic curves": tuple(alg for alg in ALGORITHMS if alg.startswith(("ES", "Ed"))),
    "ML-DSA": tuple(alg for alg in ALGORITHMS if alg.startswith("ML-DSA")),
}
MARKS = {
    "✓": "both ways: the library reads our token, and we read its",
    "→": "the library reads our token; it signs none of its own, or (\\*) one that we refuse",
    "←": "we read the library's token; it does not read ours",
    "–": "the library does not know the algorithm",
    "✗": "a fault, ours or theirs",
}
LEFT_OUT = {
    "Java, .NET, PHP": "no JWT library of theirs was found among Debian 12's packages, so each run "
    "would have to fetch and build one",
    "Rust's jsonwebtoken, Erlang's jose, Haskell's jwt, C++'s cpp-jwt, Perl's Mojo::JWT, "
    "latchset's jose": "packaged, as others are, but not tried",
}

_TEMPLATE = Path(__file__).with_name("page.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One runtime as it was met.

    Attributes:
        runtime: which.
        version: its own version.
        libraries: their versions, by name.
        cells: what was tried, by library and algorithm.
        missing: why it was not run; then the rest is empty.
    """

    runtime: Runtime
    version: str = ""
    libraries: dict[str, str]
    cells: dict[tuple[str, str], Cell]
    missing: str = ""


def mark(cell: Cell) -> str:
    """Return the sign of a cell."""
    if Outcome.WRONG in (cell.reads_ours.outcome, cell.read_by_us.outcome):
        return "✗"
    star = "*" if cell.read_by_us.outcome is Outcome.ODD else ""
    signs = {(True, True): "✓", (True, False): "→", (False, True): "←", (False, False): "–"}
    return signs[cell.reads_ours.good, cell.read_by_us.good] + star


def printed(found: Sequence[Found]) -> str:
    """Return the matrix for a terminal."""
    parts = []
    for name, algs in GROUPS.items():
        rows = [("", *algs)]
        for each in found:
            rows += [
                (f"{library} ({each.runtime.language})", *_marks(each, library, algs))
                for library in each.libraries
            ]
        parts.append(f"{name}\n{_aligned(rows)}")
    parts.append("\n".join(f"{sign}  {meaning}" for sign, meaning in MARKS.items()))
    gone = [each for each in found if each.missing]
    parts += [
        f"not run: {', '.join(each.runtime.speaks_for)} ({each.runtime.language}): {each.missing}\n"
        f"  {each.runtime.advice}"
        for each in gone
    ]
    return "\n\n".join(parts)


def markdown(found: Sequence[Found], *, date: str) -> str:
    """Return the page. ``date`` is the day of the run."""
    cells = [cell for each in found for cell in each.cells.values()]
    return _TEMPLATE.read_text("utf-8").format(
        libraries=sum(len(each.libraries) for each in found),
        languages=len({each.runtime.language for each in found}),
        algorithms=len(ALGORITHMS),
        date=date,
        read=sum(cell.reads_ours.good for cell in cells),
        back=sum(cell.read_by_us.good for cell in cells),
        marks=_table(("mark", "meaning"), MARKS.items()),
        matrix=_matrix(found),
        ed25519=_readers(cells, "Ed25519"),
        eddsa=_readers(cells, "EdDSA"),
        oddities=_oddities(cells),
        unknown=_table(("library", "algorithms", "it says"), _unknown(found)),
        versions=_table(("library", "version", "language", "its version"), _versions(found)),
        left_out=_table(("left out", "why"), LEFT_OUT.items()),
        apt=_apt(found),
    )


def _matrix(found: Sequence[Found]) -> str:
    sections = []
    for name, algs in GROUPS.items():
        rows = [
            (library, each.runtime.language, *_marks(each, library, algs))
            for each in found
            for library in each.libraries
        ]
        heads = ("library", "language", *(f"`{alg}`" for alg in algs))
        sections.append(f"## {name}\n\n{_table(heads, rows)}")
    return "\n\n".join(sections)


def _marks(each: Found, library: str, algs: Iterable[str]) -> tuple[str, ...]:
    return tuple(mark(each.cells[library, alg]) for alg in algs)


def _readers(cells: Sequence[Cell], alg: str) -> int:
    return sum(cell.alg == alg and cell.reads_ours.good for cell in cells)


def _oddities(cells: Sequence[Cell]) -> str:
    return "\n".join(
        f"- \\* {cell.library}, asked to sign {cell.alg}: {cell.read_by_us.why}."
        for cell in cells
        if cell.read_by_us.outcome is Outcome.ODD
    )


def _unknown(found: Sequence[Found]) -> list[tuple[str, ...]]:
    algs: dict[tuple[str, str], list[str]] = {}
    for cell in (cell for each in found for cell in each.cells.values()):
        for verdict, task in ((cell.reads_ours, "verify"), (cell.read_by_us, "sign")):
            if verdict.outcome is Outcome.UNSUPPORTED:
                said = f"asked to {task}: {verdict.why.replace(cell.alg, '…')}"
                algs.setdefault((cell.library, said), []).append(cell.alg)
                break  # what can't be read need not be signed
    return [(library, ", ".join(names), said) for (library, said), names in algs.items()]


def _versions(found: Sequence[Found]) -> list[tuple[str, ...]]:
    return [
        (library, version, each.runtime.language, each.version)
        for each in found
        for library, version in each.libraries.items()
    ]


def _apt(found: Sequence[Found]) -> str:
    packages = dict.fromkeys(name for each in found for name in each.runtime.packages)
    command = f"$ sudo apt-get install --no-install-recommends {' '.join(packages)}"
    lines = textwrap.wrap(
        command, 96, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return " \\\n".join(lines)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
