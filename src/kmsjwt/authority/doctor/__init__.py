"""Is this deployment right? Facts are gathered once, then each check looks at them by itself.

Nothing is changed and nothing is signed: permissions are tried with KMS's ``DryRun``. `gathering`
asks; the ``check_`` modules judge; whoever calls prints.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kmsjwt.authority.doctor import (
    check_basics,
    check_drift,
    check_keys,
    check_published,
    check_rings,
)
from kmsjwt.authority.doctor.deployment import FUNCTIONS, Action, Deployment, Function, Told, Use
from kmsjwt.authority.doctor.findings import Diagnosis, Finding, Verdict
from kmsjwt.authority.doctor.gathering import gather

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "FUNCTIONS",
    "Action",
    "Deployment",
    "Diagnosis",
    "Finding",
    "Function",
    "Told",
    "Use",
    "Verdict",
    "examine",
]

_CHECKS = (
    check_basics.settings,
    check_basics.caller,
    check_keys.key,
    check_keys.sign,
    check_keys.verify,
    check_keys.public,
    check_rings.ring,
    check_rings.rotation,
    check_drift.drift,
    check_published.published,
    check_published.discovery,
    check_published.max_age,
    check_basics.cache,
    check_basics.clock,
)


def examine(
    deployment: Deployment,
    *,
    kms: Any = None,
    sts: Any = None,
    clock: Callable[[], float] = time.time,
) -> Diagnosis:
    """Look at everything that a deployment depends on.

    Args:
        deployment: what to look at.
        kms: a boto3 KMS client; those that are needed are made if None.
        sts: a boto3 STS client; one is made if None.
        clock: seconds since 1970.

    Returns:
        At least one finding of each check. What went wrong on the way is a finding, too.
    """
    facts = gather(deployment, kms=kms, sts=sts, clock=clock)
    return Diagnosis(findings=tuple(found for check in _CHECKS for found in check(facts)))
