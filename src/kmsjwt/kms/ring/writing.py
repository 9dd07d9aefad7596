"""Changing a ring in KMS: each method is one fact written, or one key made and claimed.

None of them looks whether it should be done; the plan has. Each is safe to repeat.

IAM: ``kms:CreateKey`` with ``kms:TagResource``, ``kms:CreateAlias`` and ``kms:UpdateAlias`` on
the aliases and the keys, ``kms:TagResource``, ``kms:DescribeKey``; ``kms:DisableKey`` for a key
that is compromised; ``kms:ScheduleKeyDeletion`` for the key of a run that lost a race.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt.errors import KmsAccessDenied, KmsError, KmsKeyNotFound, KmsUnavailable
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.asking import described
from kmsjwt.kms.ring.fitting import fitting
from kmsjwt.kms.ring.names import generation_alias, pointer_alias
from kmsjwt.kms.ring.written import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kmsjwt.kms.ring.asking import Metadata
    from kmsjwt.rotation import RingSettings

CREATE_TIMEOUT = 30.0  # seconds; making a long RSA key takes its time
_UNTIL_SEEN = (1.0, 2.0, 4.0)  # seconds; KMS shows a new key to everybody within moments
_WAITING_DAYS = 7  # the shortest that KMS allows


class RingWriter:
    """Writes to one ring.

    Attributes:
        orphans: the ARNs of keys that came too late and are not deleted from here, since somebody
            else may need them, or it is denied.
        written: what was written since it was last made anew.
    """

    __slots__ = ("_allow", "_client", "_made", "_name", "_pause", "orphans", "written")

    def __init__(
        self,
        client: Any,
        name: str,
        *,
        allow: Callable[[], None],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Name the ring.

        Args:
            client: a boto3 KMS client, whose retries had better be off: CreateKey is not
                idempotent, and what is retried is done later than it was decided.
            name: the ring.
            allow: called before each change; it raises if what was decided is too old.
            pause: waits so many seconds, for a new key to be seen.
        """
        self._client = client
        self._name = name
        self._allow = allow
        self._pause = pause
        self._made: set[str] = set()
        self.orphans: list[str] = []
        self.written = Written()

    def make(
        self,
        number: int,
        *,
        spec: str,
        settings: RingSettings,
        gone: str = "",
        **more: object,
    ) -> Metadata:
        """Make a key that is tagged as a generation, and has no alias yet.

        Args:
            number: which generation.
            spec: its KMS key spec.
            settings: its times.
            gone: the kids that it is to tell as gone.
            **more: further members of CreateKey's request, such as ``Policy``.

        Raises:
            ConfigError: no key of that spec could have those settings; none was made.
            KmsError: KMS refused or could not be reached.
        """
        its_tags = {
            tags.RING: self._name,
            tags.GENERATION: str(number),
            **tags.of_settings(fitting(spec, settings)),
            **({tags.GONE: gone} if gone else {}),
        }
        self._allow()
        answer = aws.call(
            self._client.create_key,
            "CreateKey",
            pointer_alias(self._name),
            KeySpec=spec,
            KeyUsage="SIGN_VERIFY",
            Description=f"kmsjwt ring {self._name}, generation {number}",
            Tags=_as_list(its_tags),
            **more,
        )
        metadata: Metadata = answer["KeyMetadata"]
        self._made.add(metadata["Arn"])
        self.written.tags[metadata["Arn"]] = its_tags
        return metadata

    def claim(self, number: int, key: Metadata) -> Metadata:
        """Name a key as a generation and return the key of that name, whoever was first.

        A key that comes too late is scheduled for deletion if it was made here, or becomes one of
        ``orphans``.

        Raises:
            KmsError: KMS refused, could not be reached, or does not show the alias yet. The key
                waits for its alias; its ARN stands in the error.
        """
        alias = generation_alias(self._name, number)
        winner: Metadata | None = key
        if not self._aliased_soon(alias, key["Arn"]):
            winner = described(self._client, alias)
        if winner is None:
            raise not_visible(alias)
        if winner["Arn"] != key["Arn"]:
            self._given_up(key["Arn"])
        self.written.keys[number] = winner
        return winner

    def point(self, arn: str, *, moving: bool) -> bool:
        """Let ``alias/NAME`` point to a key.

        Args:
            arn: the key.
            moving: whether the pointer is there already. Making it anew fails if it is.

        Returns:
            Whether it was done: False if a pointer that was not seen is there after all.

        Raises:
            KmsError: KMS refused or could not be reached.
        """
        pointer = pointer_alias(self._name)
        if not moving:
            return self._aliased(pointer, arn)
        self._allow()
        aws.call(
            self._client.update_alias,
            "UpdateAlias",
            pointer,
            AliasName=pointer,
            TargetKeyId=arn,
        )
        return True

    def tag(self, arn: str, named: Mapping[str, str]) -> None:
        """Write tags on a key; those it has already are replaced.

        Raises:
            KmsError: KMS refused or could not be reached.
        """
        self._allow()
        aws.call(self._client.tag_resource, "TagResource", arn, KeyId=arn, Tags=_as_list(named))
        self.written.tags.setdefault(arn, {}).update(named)

    def disable(self, arn: str) -> None:
        """Disable a key.

        Raises:
            KmsError: KMS refused or could not be reached.
        """
        self._allow()
        aws.call(self._client.disable_key, "DisableKey", arn, KeyId=arn)

    def _aliased_soon(self, alias: str, arn: str) -> bool:
        """Create an alias of a key that may be too young to be seen by the one who is asked."""
        for seconds in _UNTIL_SEEN:
            try:
                return self._aliased(alias, arn)
            except KmsKeyNotFound:
                self._pause(seconds)
        try:
            return self._aliased(alias, arn)
        except KmsKeyNotFound:
            raise key_not_visible(arn, alias) from None

    def _aliased(self, alias: str, arn: str) -> bool:
        """Create an alias; False if it is there already, which may be our own doing."""
        self._allow()
        try:
            aws.call(
                self._client.create_alias, "CreateAlias", alias, AliasName=alias, TargetKeyId=arn
            )
        except KmsError as error:
            if error.aws_code == "AlreadyExistsException":
                return False
            error.fix = f"run this again once that is mended: the key {arn} waits for its alias" + (
                f"; {error.fix}" if error.fix else ""
            )
            raise
        return True

    def _given_up(self, arn: str) -> None:
        """Have our key deleted: another run's was claimed first, and nobody knows this one.

        One that was found may be somebody's all the same, whatever its tags say.
        """
        if arn not in self._made:
            self.orphans.append(arn)
            return
        try:
            aws.call(
                self._client.schedule_key_deletion,
                "ScheduleKeyDeletion",
                arn,
                KeyId=arn,
                PendingWindowInDays=_WAITING_DAYS,
            )
        except KmsAccessDenied:
            self.orphans.append(arn)


def ring_clients(
    client: Any, region: str | None, *, attempts: int = aws.ATTEMPTS
) -> tuple[Any, Any]:
    """Return the clients to read a ring with and to write to it: the one given, or two new ones.

    The one that writes sends nothing twice: CreateKey sent again after a lost answer would make
    a second key, and any change that is sent again comes later than it was decided.

    Args:
        client: a boto3 KMS client for both, or None.
        region: the Region, if no client is given.
        attempts: how often a reading is sent before giving up.

    Raises:
        ConfigError: boto3 is not installed, or no Region is known.
    """
    if client is not None:
        return client, client
    return (
        aws.kms_client(region, attempts=attempts),
        aws.kms_client(region, attempts=1, read_timeout=CREATE_TIMEOUT),
    )


def not_visible(alias: str) -> KmsUnavailable:
    """Return the error for an alias that is taken and cannot be seen."""
    return KmsUnavailable(
        f"{alias} exists but cannot be seen yet: KMS shows new aliases late",
        action="DescribeKey",
        key=alias,
        code="alias_not_visible",
        fix="try again in a minute; nothing is lost",
    )


def key_not_visible(key: str, alias: str) -> KmsUnavailable:
    """Return the error for a key that was made a moment ago and cannot be seen."""
    return KmsUnavailable(
        f"the key {key}, made for {alias}, cannot be seen yet: KMS shows new keys late",
        action="CreateAlias",
        key=key,
        code="key_not_visible",
        fix="try again in five minutes: it waits for its alias, and a sooner run may make another",
    )


def _as_list(named: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in named.items()]
