"""``python -m kmsjwt`` is the ``kmsjwt`` command."""

import sys

from kmsjwt.cli import main

sys.exit(main())
