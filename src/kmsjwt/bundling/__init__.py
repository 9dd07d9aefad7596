"""What is deployed: kmsjwt, the wheels it needs and a user's own files, in one zip for Lambda.

Made on any machine, for any of Lambda's Pythons and processors: wheels are downloaded, nothing is
compiled for a machine. The same inputs give the same bytes.
"""

from kmsjwt.bundling.build import Bundle, build
from kmsjwt.bundling.target import PYTHONS, Target

__all__ = ["PYTHONS", "Bundle", "Target", "build"]
