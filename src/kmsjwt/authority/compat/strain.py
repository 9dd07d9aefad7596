"""What it comes to that something published strains a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.authority.compat.limits import LIMITS
from kmsjwt.authority.compat.verdicts import Finding

if TYPE_CHECKING:
    from kmsjwt.authority.compat.verdicts import Verdict


def strained(name: str, what: str, strain: str) -> list[Finding]:
    """Return the finding, or none if the consumer is known not to mind.

    Args:
        name: the consumer's short name.
        what: the limit's name.
        strain: what is, in words.
    """
    limit = LIMITS.get((name, what))
    if limit is None:
        why = f"{strain}: whether it minds is not confirmed"
        return [Finding(verdict="unknown", what=what, why=why, source=None)]
    if limit.value is False:
        return []
    # Of the port alone its source says "should".
    verdict: Verdict = "warn" if what == "no_port" else "no"
    return [Finding(verdict=verdict, what=what, why=strain, source=limit.source)]
