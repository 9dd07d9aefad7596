"""What a pasted token is, and why libraries refuse it. Nothing here is a verifier.

`diagnose` is pure: text, keys and the time in, a `Diagnosis` out. It takes any text whatever.
"""

from kmsjwt.cli.inspection.catalogue import CATALOGUE, Finding
from kmsjwt.cli.inspection.diagnosis import Diagnosis, diagnose

__all__ = ["CATALOGUE", "Diagnosis", "Finding", "diagnose"]
