"""Runs a measured script and then prints the names of all modules that it loaded, in order."""

import os
import sys


def _print_modules(_: int) -> None:
    specs = {name: getattr(module, "__spec__", None) for name, module in sys.modules.items()}
    # Without those that only go by another name, such as os.path, and what no import has made.
    print(*(name for name, spec in specs.items() if spec is not None and spec.name == name))


os._exit = _print_modules  # type: ignore[assignment]  # a script ends with it, this one does not
del sys.argv[0]
with open(sys.argv[0]) as file:  # noqa: PTH123 - no module but the script's own is wanted
    exec(compile(file.read(), sys.argv[0], "exec"))
