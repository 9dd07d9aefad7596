"""The ``kmsjwt`` command.

Standard output carries the answer alone, so it pipes; what people read goes to standard error.
Exit codes: 0 good, 1 the token or the check failed, 2 wrong usage or configuration, 3 could not
know (try again).
"""

from kmsjwt.cli.program import main

__all__ = ["main"]
