"""Try every algorithm with every library, both ways, and show what came of it.

python -m interop.matrix [--write PAGE]

Exit code 1 if anything is wrong, or an algorithm has no independent reader. A runtime that is not
installed is named and passed over; the page is then left as it is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from interop.adapters import Missing
from interop.cells import Bench, Cell, Outcome
from interop.page import Found
from interop.runtimes import RUNTIMES, Runtime
from interop.tokens import OurTokens, TheirKeys

from interop import page
from kmsjwt.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and write the page if asked to."""
    options = _options(arguments)
    found = run(RUNTIMES)
    faults = [*wrong(found), *unread(found)]
    print(page.printed(found))
    for fault in faults:
        print(fault, file=sys.stderr)
    if options.write:
        _write(options.write, found, faults)
    return 1 if faults else 0


def run(runtimes: Iterable[Runtime]) -> list[Found]:
    """Try all libraries of these runtimes."""
    bench = Bench(OurTokens(), TheirKeys())
    with tempfile.TemporaryDirectory() as scratch:
        return [_tried(runtime, bench, Path(scratch)) for runtime in runtimes]


def wrong(found: Iterable[Found]) -> list[str]:
    """Return what is wrong, a line for each."""
    return [
        f"wrong: {cell.library} {cell.alg}: {verdict.why}"
        for each in found
        for cell in each.cells.values()
        for verdict in (cell.reads_ours, cell.read_by_us)
        if verdict.outcome is Outcome.WRONG
    ]


def unread(found: Iterable[Found]) -> list[str]:
    """Return the algorithms that no library reads and the libraries that read nothing."""
    cells = [cell for each in found for cell in each.cells.values()]
    read = {cell.alg for cell in cells if cell.reads_ours.good}
    readers = {cell.library for cell in cells if cell.reads_ours.good}
    mute = dict.fromkeys(cell.library for cell in cells if cell.library not in readers)
    return [
        *(f"wrong: no library reads {alg}" for alg in ALGORITHMS if alg not in read),
        *(f"wrong: {library} reads nothing" for library in mute),
    ]


def _tried(runtime: Runtime, bench: Bench, scratch: Path) -> Found:
    cells: dict[tuple[str, str], Cell] = {}
    try:
        with runtime.start(scratch) as adapter:
            for library in runtime.speaks_for:
                for alg in ALGORITHMS:
                    cells[library, alg] = bench.cell(adapter, library, alg)
            libraries = {name: adapter.libraries[name] for name in runtime.speaks_for}
            return Found(runtime=runtime, version=adapter.runtime, libraries=libraries, cells=cells)
    except Missing as error:
        return Found(runtime=runtime, libraries={}, cells={}, missing=str(error))


def _write(path: Path, found: Sequence[Found], faults: Sequence[str]) -> None:
    if faults or any(each.missing for each in found):
        print(f"\n{path} is left as it was: it is written when all ran and nothing is wrong.")
        return
    today = datetime.now(UTC).date().isoformat()
    path.write_text(page.markdown(found, date=today), "utf-8")
    print(f"\nwritten: {path}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m interop.matrix")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write the page there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
