"""What a rotation did, as JSON: for pipes and for the function's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.kms.ring.tags import moment

if TYPE_CHECKING:
    from kmsjwt.authority.rotate import Report


def as_json(report: Report) -> dict[str, Any]:
    """Return a report as plain values; times in ISO 8601."""
    ring = report.ring
    return {
        "ring": ring.name,
        "signing": ring.signing,
        "generations": [
            {"generation": each.number, "stage": ring.stage(each), "kid": each.kid}
            for each in ring.generations
        ],
        "done": [
            {"step": step.action, "generation": step.number, "why": step.why, "told": told}
            for step, told in report.done
        ],
        "due": [
            {"step": step.action, "generation": step.number, "why": step.why}
            for step in report.plan.due
        ],
        "later": [
            {
                "what": later.what,
                "at": None if later.at is None else moment(later.at),
                "why": later.why,
            }
            for later in report.plan.later
        ],
        "orphans": list(report.orphans),
    }
