"""A ring's first key: made once, however often this runs and wherever it is killed.

``alias/NAME/1`` names the key for good and is the claim to it; ``alias/NAME`` is the pointer
that signers follow. Each step is looked up before it is taken, so a run that was killed is
finished by the next one. CreateKey is the one step that KMS would take twice: it is sent once,
and a key that a killed run left without an alias is found again by its tags, if it is among the
first 100 of the account.

IAM: ``kms:CreateKey`` and ``kms:TagResource``, ``kms:CreateAlias`` on the aliases and the key,
``kms:DescribeKey``, ``kms:GetPublicKey``; ``kms:ListKeys``, ``kms:ListResourceTags`` and
``kms:ListAliases`` for finding what a killed run left, which is skipped without them;
``kms:ScheduleKeyDeletion`` for the key of a run that lost a race.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt._immutable import Immutable
from kmsjwt.algorithms import for_key_spec
from kmsjwt.errors import ConfigError, KmsError, KmsUnavailable
from kmsjwt.key_names import KeyReference
from kmsjwt.kms.public import fetch
from kmsjwt.kms.rings import (
    GENERATION_TAG,
    RING_TAG,
    described,
    generation_alias,
    pointer_alias,
    ring_name,
    ring_tags,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_SPEC = "RSA_2048"
"""RS256 keys: the only ones that HTTP API, REST API and ALB authorizers all accept."""

_CREATE_TIMEOUT = 30.0  # seconds; making a long RSA key takes its time
_SEARCHED = 100  # keys; one page of ListKeys
_WAITING_DAYS = 7  # the shortest that KMS allows


class RingKey(Immutable):
    """The key that signs for a ring.

    Attributes:
        arn: the key's ARN.
        alias: the pointer, ``alias/NAME``.
        kid: the RFC 7638 thumbprint of its public key.
        created: whether this call made the key.
    """

    __slots__ = ("alias", "arn", "created", "kid")

    arn: str
    alias: str
    kid: str
    created: bool

    def __init__(self, *, arn: str, alias: str, kid: str, created: bool) -> None:
        self._fill(arn=arn, alias=alias, kid=kid, created=created)

    def __repr__(self) -> str:
        return f"RingKey({self.alias!r}, {self.arn!r})"


def create_key(
    name: str, *, spec: str | None = None, client: Any = None, region: str | None = None
) -> RingKey:
    """Make a ring's first key and its two aliases, or whatever of them is missing.

    Args:
        name: the ring's name; ``auth`` and ``alias/auth`` are the same.
        spec: the KMS key spec; RSA_2048 for a new key if None.
        client: any boto3 KMS client, whose retries had better be off: CreateKey is not
            idempotent. Two suitable ones are made if None.
        region: the Region, if no client is given.

    Returns:
        The key that ``alias/NAME`` points to.

    Raises:
        ConfigError: the name is impossible, ``alias/NAME`` is somebody else's, or the ring's key
            has another spec than the one asked for.
        KmsError: KMS refused or could not be reached. Running it again goes on from there.
    """
    ring = _Ring(ring_name(name), spec, client, region)
    key, created = ring.key()
    ring.refuse_other_spec(key)
    public = fetch(ring.client, KeyReference.parse(key["Arn"]), None, "thumbprint").public
    return RingKey(arn=key["Arn"], alias=ring.pointer, kid=public.kid, created=created)


class _Ring:
    """The steps. Keys are KMS's own ``KeyMetadata``."""

    def __init__(self, name: str, spec: str | None, client: Any, region: str | None) -> None:
        if spec is not None:
            for_key_spec(spec)
        self.name = name
        self.pointer = pointer_alias(name)
        self.first = generation_alias(name, 1)
        self.client = aws.kms_client(region) if client is None else client
        self._given = client
        self._region = region
        self._spec = spec

    def key(self) -> tuple[dict[str, Any], bool]:
        """Return the key that signs, and whether it was made just now."""
        pointed, first = described(self.client, self.pointer), described(self.client, self.first)
        if pointed is not None:
            if first is None or first["Arn"] != pointed["Arn"]:
                self._refuse_foreign(pointed)
            return pointed, False
        if first is not None:
            return self._pointed_to(first), False
        found = self._orphan()
        key = found or self._made()
        claimed = self._claimed(key)
        is_new = found is None and claimed["Arn"] == key["Arn"]
        return self._pointed_to(claimed), is_new

    def refuse_other_spec(self, key: dict[str, Any]) -> None:
        if self._spec not in (None, key["KeySpec"]):
            raise ConfigError(
                f"{self.pointer} exists with spec {key['KeySpec']}, asked for was {self._spec}",
                code="ring_spec",
                fix="leave --spec out, or choose another name",
            )

    def _refuse_foreign(self, key: dict[str, Any]) -> None:
        if ring_tags(self.client, key["Arn"]).get(RING_TAG) == self.name:
            return  # a later generation signs
        raise ConfigError(
            f"{self.pointer} points to {key['Arn']}, which is not tagged as of ring {self.name}",
            code="alias_taken",
            fix="choose another name; if it was made in the last five minutes, try again",
        )

    def _made(self) -> dict[str, Any]:
        client = self._given
        if client is None:  # CreateKey sent again after a lost answer would make a second key
            client = aws.kms_client(self._region, attempts=1, read_timeout=_CREATE_TIMEOUT)
        spec = self._spec or DEFAULT_SPEC
        answer = aws.call(
            client.create_key,
            "CreateKey",
            self.pointer,
            KeySpec=spec,
            KeyUsage="SIGN_VERIFY",
            Description=f"kmsjwt ring {self.name}, generation 1",
            Tags=[
                {"TagKey": RING_TAG, "TagValue": self.name},
                {"TagKey": GENERATION_TAG, "TagValue": "1"},
            ],
        )
        metadata: dict[str, Any] = answer["KeyMetadata"]
        return metadata

    def _claimed(self, key: dict[str, Any]) -> dict[str, Any]:
        """Name the key ``alias/NAME/1`` and return the key of that name, whoever was first."""
        if self._aliased(self.first, key["Arn"]):
            return key
        winner = described(self.client, self.first)
        if winner is None:
            raise self._not_visible(self.first)
        if winner["Arn"] != key["Arn"]:
            self._given_up(key["Arn"])
        return winner

    def _pointed_to(self, key: dict[str, Any]) -> dict[str, Any]:
        """Point ``alias/NAME`` to the key and return it."""
        if self._aliased(self.pointer, key["Arn"]):
            return key
        pointed = described(self.client, self.pointer)
        if pointed is None:
            raise self._not_visible(self.pointer)
        if pointed["Arn"] != key["Arn"]:
            self._refuse_foreign(pointed)
        return pointed

    def _aliased(self, alias: str, arn: str) -> bool:
        """Create an alias; False if it is there already, which may be our own doing."""
        try:
            aws.call(
                self.client.create_alias, "CreateAlias", alias, AliasName=alias, TargetKeyId=arn
            )
        except KmsError as error:
            if error.aws_code == "AlreadyExistsException":
                return False
            error.fix = f"run this again once that is mended: the key {arn} waits for its alias" + (
                f"; {error.fix}" if error.fix else ""
            )
            raise
        return True

    def _not_visible(self, alias: str) -> KmsUnavailable:
        return KmsUnavailable(
            f"{alias} exists but cannot be seen yet: KMS shows new aliases late",
            action="DescribeKey",
            key=alias,
            code="alias_not_visible",
            fix="try again in a minute; nothing is lost",
        )

    def _given_up(self, arn: str) -> None:
        """Let go of our key: another run's was claimed first."""
        try:
            aws.call(
                self.client.schedule_key_deletion,
                "ScheduleKeyDeletion",
                arn,
                KeyId=arn,
                PendingWindowInDays=_WAITING_DAYS,
            )
        except KmsError as error:
            error.fix = f"another run made {self.first} first: the key {arn} may be deleted"
            raise

    def _orphan(self) -> dict[str, Any] | None:
        """Return the key that a killed run made for this ring and could not name."""
        try:
            listed = aws.call(self.client.list_keys, "ListKeys", "*", Limit=_SEARCHED)["Keys"]
        except KmsError:
            return None  # may not look: then no key is found, as on every first run
        found = [key for key in self._ours(entry["KeyArn"] for entry in listed) if key]
        return min(found, key=lambda key: str(key["CreationDate"]), default=None)

    def _ours(self, arns: Iterator[str]) -> Iterator[dict[str, Any] | None]:
        for arn in arns:
            try:
                if ring_tags(self.client, arn) == {RING_TAG: self.name, GENERATION_TAG: "1"}:
                    yield self._usable_orphan(arn)
            except KmsError:
                continue

    def _usable_orphan(self, arn: str) -> dict[str, Any] | None:
        named = aws.call(self.client.list_aliases, "ListAliases", arn, KeyId=arn)["Aliases"]
        key = described(self.client, arn)
        if named or key is None or key["KeyState"] != "Enabled":
            return None
        return key if key["KeySpec"] == (self._spec or DEFAULT_SPEC) else None
