"""Deleting a retired key, which no rotation does: it cannot be undone.

IAM: ``kms:GetKeyLastUsage``, ``kms:DisableKey``, ``kms:TagResource`` and
``kms:ScheduleKeyDeletion`` beside what reading a ring takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, KmsError, shown
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.names import ring_name
from kmsjwt.kms.ring.reading import read
from kmsjwt.kms.ring.writing import RingWriter
from kmsjwt.rotation.settings import DAY

if TYPE_CHECKING:
    from datetime import datetime

    from kmsjwt.rotation import Generation

RETIRED_FOR = 7 * DAY
"""Seconds for which a key must have been retired."""
WINDOW = 30
"""Days that KMS waits before it deletes, and during which the deletion can be cancelled."""
_WINDOWS = range(7, 31)  # KMS API, ScheduleKeyDeletion


class Deletion(Immutable):
    """A key that KMS will delete.

    Attributes:
        generation: its generation.
        last_use: when it was last used, as far as KMS says; None for never.
        date: when KMS deletes it; None if nothing was done yet.
    """

    __slots__ = ("date", "generation", "last_use")

    generation: Generation
    last_use: datetime | None
    date: datetime | None

    def __init__(
        self, generation: Generation, *, last_use: datetime | None, date: datetime | None
    ) -> None:
        self._fill(generation=generation, last_use=last_use, date=date)

    def __repr__(self) -> str:
        return f"Deletion({self.generation!r}, {self.date})"


def delete(
    name: str,
    number: int,
    *,
    client: Any = None,
    region: str | None = None,
    retired_for: int = RETIRED_FOR,
    window: int = WINDOW,
    force: bool = False,
    dry_run: bool = False,
) -> Deletion:
    """Disable the key of a retired generation and schedule its deletion.

    Args:
        name: the ring.
        number: the generation.
        client: any boto3 KMS client; one is made if None.
        region: the Region, if no client is given.
        retired_for: seconds for which it must have been retired.
        window: days until KMS deletes it, 7 to 30.
        force: also if KMS does not say when it was last used, or somebody else disabled it.
        dry_run: check everything and change nothing.

    Raises:
        ConfigError: it is not retired, not for long enough, was used since, or a number makes
            no sense.
        KmsError: KMS refused, or did not say.
    """
    if window not in _WINDOWS:
        raise ConfigError(f"window is {shown(window)}, expected 7 to 30 days", code="window")
    name = ring_name(name)
    client = aws.kms_client(region) if client is None else client
    ring = read(client, name, since=False, down_to=number).ring
    generation = ring.generation(number)
    if generation is None:
        raise ConfigError(
            f"ring {name} has no generation {number}",
            code="no_such_generation",
            fix=f"see kmsjwt key list {name}",
        )
    since = _require_retired(generation, ring.now, retired_for, is_signing=ring.signing == number)
    last_use = _last_use(client, generation, since, force=force)
    if generation.state == "Disabled" and generation.marks.disabled is None and not force:
        raise _refused(generation, "was disabled by somebody else", "ask them, then add --force")
    if dry_run:
        return Deletion(generation, last_use=last_use, date=None)
    writer = RingWriter(client, name, allow=lambda: None)
    if generation.state == "Enabled":
        writer.disable(generation.arn)
        writer.tag(generation.arn, {tags.DISABLED: tags.moment(ring.now)})
    answer = aws.call(
        client.schedule_key_deletion,
        "ScheduleKeyDeletion",
        generation.arn,
        KeyId=generation.arn,
        PendingWindowInDays=window,
    )
    return Deletion(generation, last_use=last_use, date=answer["DeletionDate"])


def _require_retired(
    generation: Generation, now: float, retired_for: int, *, is_signing: bool
) -> float:
    """Return since when it is retired, long enough and beyond doubt."""
    if generation.doubt is not None:
        raise _refused(generation, f"is in doubt: {generation.doubt}", "clear that up first")
    retired = generation.marks.retired
    if is_signing or retired is None:
        raise _refused(generation, "is not retired", "let kmsjwt key rotate retire it in its time")
    if now - retired < retired_for:
        left = retired_for - (now - retired)
        raise _refused(
            generation,
            f"is retired for {(now - retired) / DAY:.1f} days, expected {retired_for / DAY:g}",
            f"try again in {left / DAY:.1f} days",
        )
    return retired


def _last_use(client: Any, generation: Generation, since: float, *, force: bool) -> datetime | None:
    try:
        answer = aws.call(
            client.get_key_last_usage, "GetKeyLastUsage", generation.arn, KeyId=generation.arn
        )
    except KmsError as error:
        if force:
            return None
        error.fix = f"{error.fix}; or add --force, if you know that nobody uses it"
        raise
    used: datetime | None = (answer.get("KeyLastUsage") or {}).get("Timestamp")
    if used is not None and used.timestamp() > since:
        raise _refused(
            generation,
            f"was used at {used.isoformat()}, after it retired",
            "find who signs with it in CloudTrail; what it signs now, nobody accepts",
        )
    tracked: datetime | None = answer.get("TrackingStartDate")
    if not force and (tracked is None or tracked.timestamp() > since):
        raise _refused(generation, "retired before KMS kept track of uses", "add --force")
    return used


def _refused(generation: Generation, why: str, fix: str) -> ConfigError:
    return ConfigError(
        f"the key of generation {generation.number} {why}: it is not deleted",
        code="not_deletable",
        fix=fix,
    )
