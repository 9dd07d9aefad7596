"""Measure, print, and write the page.

python -m benchmarks [NAME ...] [--quick] [--write docs/reference/benchmarks.md]

A NAME is a module of this folder with a function ``tables(quick)``; without one, all of them run.
A missed target is told in the table and on the page; it is a figure, not a failure.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from benchmarks.table import Table, target_table

MODULES = (
    "verify",
    "steps",
    "node",
    "ours",
    "processes",
    "cold_steps",
    "memory_sizes",
    "issuing",
    "issuing_steps",
    "hostile",
    "local_kms",
)


def main() -> int:
    options = _options()
    tables: list[Table] = []
    for name in options.names or MODULES:
        module = import_module(f"benchmarks.{name}")
        for table in module.tables(options.quick):
            print(table.text(), end="\n\n", flush=True)
            tables.append(table)
    targets = [target for table in tables for target in table.targets]
    if targets:
        print(target_table(targets).text())
    if options.write:
        from benchmarks.page import page

        options.write.write_text(page(tables, targets, quick=options.quick), encoding="utf-8")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(MODULES))
    parser.add_argument("--quick", action="store_true", help="few rounds: a look, not a figure")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write the handbook's page")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(MODULES))
    if unknown:
        parser.error(f"no benchmark is named {unknown[0]}, expected {', '.join(MODULES)}")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
