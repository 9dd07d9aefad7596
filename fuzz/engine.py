"""One target under libFuzzer, in this process: ``python -m fuzz.engine NAME SEEDS FLAG...``."""

from __future__ import annotations

import hashlib
import sys
from importlib import import_module
from pathlib import Path

import atheris


def main() -> None:
    """Write the seeds, run them once, and hand over to libFuzzer, which ends the process."""
    name, folder, *flags = sys.argv[1:]
    with atheris.instrument_imports(include=["kmsjwt"]):
        target = import_module(f"fuzz.{name}")
        for seed in target.seeds():
            # Here, so that what is imported at its first use is watched as well.
            target.one_input(seed)
            (Path(folder) / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    atheris.Setup([sys.argv[0], *flags], target.one_input)
    atheris.Fuzz()


main()
