"""Finding the key that is to be withdrawn, and telling what is left to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt._immutable import replaced
from kmsjwt.errors import CannotKnow, ConfigError, shown
from kmsjwt.kms.ring.names import pointer_alias
from kmsjwt.rotation.planning import LEAVING

if TYPE_CHECKING:
    from collections.abc import Collection

    from kmsjwt.authority.outcome import Report
    from kmsjwt.rotation import Generation, Ring


def find(ring: Ring, which: str) -> Generation | None:
    """Return the generation of that ``kid`` or number, if it is known."""
    return next((each for each in ring.generations if which in (each.kid, str(each.number))), None)


def unknown(ring: Ring, which: str) -> ConfigError:
    """Return the error for a key that is neither the ring's nor published."""
    return ConfigError(
        f"ring {ring.name} has no key {shown(which)}, and none is published by that kid",
        code="no_such_generation",
        fix=f"name one by its kid or number: kmsjwt key list {ring.name}",
    )


def keeper_of(ring: Ring, besides: Generation | None) -> Generation | None:
    """Return the key that may tell what another cannot: the newest that is in good order."""
    living = (each for each in reversed(ring.generations) if each.is_usable)
    return next((each for each in living if each is not besides), None)


def as_withdrawn(ring: Ring, which: str) -> Ring:
    """Return the ring as it would be.

    Raises:
        ConfigError: no generation that is known has that ``kid`` or number.
    """
    generation = find(ring, which)
    if generation is None:
        raise unknown(ring, which)
    marks = replaced(generation.marks, compromised=ring.now, retired=ring.now)
    others = (each for each in ring.generations if each is not generation)
    return replaced(ring, generations=(*others, replaced(generation, marks=marks)))


def require_done(
    report: Report,
    kid: str | None,
    number: int,
    published: Collection[str],
    *,
    keep_enabled: bool,
) -> None:
    """See that a withdrawn key is out of service.

    Args:
        report: of the run that withdrew it.
        kid: its ``kid``.
        number: its generation; 0 for none that is known.
        published: each ``kid`` that can be found in any place where consumers read.
        keep_enabled: whether its KMS key stays enabled.

    Raises:
        CannotKnow: naming what is left.
    """
    ring = report.ring
    left = []
    if kid in published:
        left.append(f"kid {kid} is still published")
    if number and ring.signing == number:
        left.append(f"{pointer_alias(ring.name)} still points to it")
    generation = ring.generation(number)
    was_disabled = any(step.action == "disable" for step, _ in report.done)
    is_enabled = generation is not None and generation.state not in ("Disabled", LEAVING)
    if is_enabled and not (keep_enabled or was_disabled):
        left.append("its KMS key is still enabled")
    if not left:
        return
    why = f": {ring.doubt}" if ring.doubt is not None else ""
    raise CannotKnow(
        f"the withdrawal is not complete: {'; '.join(left)}{why}",
        code="withdrawal_unfinished",
        fix=f"run kmsjwt key rotate {ring.name} in five minutes, and again until it succeeds",
        retryable=ring.doubt is None,
    )
