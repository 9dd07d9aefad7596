"""Deleting a retired key, which no rotation does: it cannot be undone.

IAM: ``kms:GetKeyLastUsage``, ``kms:DisableKey``, ``kms:TagResource`` and
``kms:ScheduleKeyDeletion`` beside what reading a ring takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError, KmsError, shown
from kmsjwt.key_names import key_id, ring_name
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.asking import described
from kmsjwt.kms.ring.reading import read
from kmsjwt.kms.ring.writing import RingWriter
from kmsjwt.rotation.facts import LEAVING
from kmsjwt.rotation.settings import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kmsjwt.rotation import Generation, Ring

RETIRED_FOR = 7 * DAY
"""Seconds for which a key must have been retired."""
WINDOW = 30
"""Days that KMS waits before it deletes, and during which the deletion can be cancelled."""
_FORCE = "or add --force, if you know that nobody uses it"
_WAITS_FOR_REPLICAS = "PendingReplicaDeletion"
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
    """Disable the key of a retired generation and schedule its deletion. Safe to repeat.

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
        ConfigError: it is not retired, not for long enough, was used since, has replicas in
            other Regions, or a number makes no sense.
        KmsError: KMS refused, or did not say.
    """
    if window not in _WINDOWS:
        raise ConfigError(f"window is {shown(window)}, expected 7 to 30 days", code="window")
    name = ring_name(name)
    client = aws.kms_client(region) if client is None else client
    ring = read(client, name, since=False, down_to=number).ring
    generation = _required(ring, number)
    since = _retired_since(ring, generation, retired_for)
    last_use = _last_use(client, generation, since, force=force)
    if not force:
        _refuse_disabled(generation)
    _refuse_replicas(client, generation)
    date = None if dry_run else _scheduled(client, ring, generation, window)
    return Deletion(generation, last_use=last_use, date=date)


def _required(ring: Ring, number: int) -> Generation:
    generation = ring.generation(number)
    if generation is None:
        raise ConfigError(
            f"ring {ring.name} has no generation {number}",
            code="no_such_generation",
            fix=f"see kmsjwt key list {ring.name}",
        )
    return generation


def _scheduled(client: Any, ring: Ring, generation: Generation, window: int) -> datetime:
    """Disable the key, have KMS delete it, and return when it will."""
    date: datetime
    if generation.state in LEAVING and (key := described(client, generation.arn)) is not None:
        date = key["DeletionDate"]
        return date
    writer = RingWriter(client, ring.name, allow=lambda: None)
    if generation.state == "Enabled":
        # The tag first: a run that is cut off in between is carried on by the next one.
        writer.tag(generation.arn, {tags.DISABLED: tags.moment(ring.now)})
        writer.disable(generation.arn)
    answer = aws.call(
        client.schedule_key_deletion,
        "ScheduleKeyDeletion",
        generation.arn,
        KeyId=generation.arn,
        PendingWindowInDays=window,
    )
    if "DeletionDate" not in answer:  # a replica was made in between
        raise _with_replicas(generation, ())
    date = answer["DeletionDate"]
    return date


def _refuse_replicas(client: Any, generation: Generation) -> None:
    """Refuse a multi-Region key that has replicas: KMS would wait for those, without end.

    Which members KMS answers with is not verified against AWS.
    """
    key = described(client, generation.arn) or {}
    replicas = key.get("MultiRegionConfiguration", {}).get("ReplicaKeys", ())
    is_primary = key.get("MultiRegionConfiguration", {}).get("MultiRegionKeyType") == "PRIMARY"
    if (is_primary and replicas) or key.get("KeyState") == _WAITS_FOR_REPLICAS:
        raise _with_replicas(generation, [str(each.get("Region")) for each in replicas])


def _with_replicas(generation: Generation, regions: Iterable[str]) -> ConfigError:
    where = ", ".join(sorted(regions))
    return _refused(
        generation,
        f"has replicas, in {where}" if where else "has replicas",
        "delete them first, and try again once KMS has: aws kms schedule-key-deletion --key-id"
        f" {key_id(generation.arn)} --region REGION",
    )


def _retired_since(ring: Ring, generation: Generation, retired_for: int) -> float:
    """Return since when it is retired, long enough and beyond doubt."""
    if generation.doubt is not None:
        raise ConfigError(
            f"{generation.doubt}: it is not deleted",
            code="not_deletable",
            fix="mend its tags or its alias, which say what it is: "
            f"aws kms list-resource-tags --key-id {generation.arn}",
        )
    retired = generation.marks.retired
    if ring.signing == generation.number or retired is None:
        raise _refused(generation, "is not retired", _how_to_retire(ring, generation))
    past = max(0.0, ring.now - retired)  # a mark is written a second ahead of what it tells
    if past < retired_for:
        raise _refused(
            generation,
            f"is retired for {past / DAY:.1f} days, expected {retired_for / DAY:g}",
            f"try again in {(retired_for - past) / DAY:.1f} days",
        )
    return retired


def _how_to_retire(ring: Ring, generation: Generation) -> str:
    number, rotate = generation.number, f"kmsjwt key rotate {ring.name}"
    if number < ring.newest_number:
        return f"let {rotate} retire it in its time"
    if ring.signing is not None and ring.signing < number:
        return f"it is to sign next; to give it up: {rotate} --compromised {number}"
    return (
        f"nothing follows it yet: {rotate} --start; or to give up the ring, once its tokens are"
        f" dead: aws kms disable-key --key-id {generation.arn}, and a week later"
        " aws kms schedule-key-deletion"
    )


def _refuse_disabled(generation: Generation) -> None:
    marks = generation.marks
    if generation.state == "Disabled" and marks.disabled is None and marks.compromised is None:
        raise _refused(generation, "was disabled by somebody else", "ask them, then add --force")


def _last_use(client: Any, generation: Generation, since: float, *, force: bool) -> datetime | None:
    answer = _usage(client, generation, force=force)
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


def _usage(client: Any, generation: Generation, *, force: bool) -> dict[str, Any]:
    """Return what KMS says of the key's last use; nothing, if it does not and need not."""
    ask = getattr(client, "get_key_last_usage", None)
    if ask is None and not force:
        why = "may be in use: this boto3 has no GetKeyLastUsage, which would tell"
        raise _refused(generation, why, f"upgrade boto3; {_FORCE}")
    if ask is None:
        return {}
    arn = generation.arn
    try:
        answer: dict[str, Any] = aws.call(ask, "GetKeyLastUsage", arn, KeyId=arn)
    except KmsError as error:
        if force:
            return {}
        error.fix = f"{error.fix}; {_FORCE}"
        raise
    return answer


def _refused(generation: Generation, why: str, fix: str) -> ConfigError:
    return ConfigError(
        f"the key of generation {generation.number} {why}: it is not deleted",
        code="not_deletable",
        fix=fix,
    )
