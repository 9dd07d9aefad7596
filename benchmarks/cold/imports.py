"""Imports the modules that its environment names, and then runs another script of this folder."""

import os
import sys

for name in os.environ["MODULES"].split():
    __import__(name)
del sys.argv[0]
with open(sys.argv[0]) as file:  # noqa: PTH123 - pathlib would be one more import
    exec(compile(file.read(), sys.argv[0], "exec"))
