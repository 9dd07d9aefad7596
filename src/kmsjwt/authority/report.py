"""What a rotation did, as JSON: for pipes and for the function's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.kms.ring.tags import moment

if TYPE_CHECKING:
    from kmsjwt.authority.outcome import Report
    from kmsjwt.rotation import Generation, Ring


def as_json(report: Report, *, withdrawing: Generation | None = None) -> dict[str, Any]:
    """Return a report as plain values; times in ISO 8601.

    Args:
        report: what a run did.
        withdrawing: a generation of which to tell as well what it would mean to withdraw it.
    """
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
        "withdrawals": withdrawals(ring, withdrawing),
    }


def withdrawals(ring: Ring, withdrawing: Generation | None = None) -> list[dict[str, Any]]:
    """Return what the withdrawn keys mean to whom as plain values, the newest generation first.

    Args:
        ring: as it was read.
        withdrawing: a generation to tell of as if it were withdrawn now.
    """
    meant = [] if withdrawing is None else [withdrawing]
    meant += [each for each in ring.generations if each.marks.compromised is not None][::-1]
    if not meant:  # what follows takes time to import
        return []
    from kmsjwt.authority.withdrawal import consequences

    return [
        {
            "generation": each.number,
            "kid": each.kid,
            "consequences": [found.to_dict() for found in consequences(ring, each)],
        }
        for each in meant
    ]
