"""Measure, print, and write the page.

python -m benchmarks [NAME ...] [--quick] [--write docs/reference/benchmarks.md]

A NAME is a module of this folder with a function ``tables(quick)``; without one, all of them run.
Exits with 1 if a target that was measured is missed.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from benchmarks.table import Table, target_table

MODULES = ("verify", "node", "ours", "processes", "issuing", "hostile", "local_kms")


def main() -> int:
    options = _options()
    tables: list[Table] = []
    for name in options.names or _present():
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
    return int(any(target.missed for target in targets))


def _present() -> list[str]:
    return [name for name in MODULES if find_spec(f"benchmarks.{name}")]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(_present()))
    parser.add_argument("--quick", action="store_true", help="few rounds: a look, not a figure")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write the handbook's page")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
