"""A ring's first key: made once, however often this runs and wherever it is killed.

``alias/NAME/1`` names the key for good and is the claim to it; ``alias/NAME`` is the pointer
that signers follow. Each step is looked up before it is taken, so a run that was killed is
finished by the next one. CreateKey is the one step that KMS would take twice: it is sent once,
and a key that a killed run left without an alias is found again by its tags, if it is among the
first 100 of the account. The pointer is never moved: KMS refuses to create an alias that is there.
Whether the ring has gone on without it is looked up just before; what is left is a pointer that
another run makes and moves, and somebody deletes, in between.

IAM: ``kms:CreateKey`` and ``kms:TagResource``, ``kms:CreateAlias`` on the aliases and the key,
``kms:DescribeKey``, ``kms:GetPublicKey``, ``kms:ListResourceTags``; ``kms:ListKeys`` and
``kms:ListAliases`` for finding what a killed run left, which is skipped without them;
``kms:ScheduleKeyDeletion`` for the key of a run that lost a race.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable
from kmsjwt.errors import ConfigError
from kmsjwt.key_names import KeyReference, ring_name
from kmsjwt.kms.public import fetch
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.asking import described, tags_of
from kmsjwt.kms.ring.beginning import LIVED, headless, left_behind, refuse_headless
from kmsjwt.kms.ring.fitting import fitting
from kmsjwt.kms.ring.names import generation_alias, pointer_alias
from kmsjwt.kms.ring.writing import RingWriter, not_visible, ring_clients
from kmsjwt.rotation import RingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.kms.ring.asking import Metadata

DEFAULT_SPEC = "RSA_2048"
"""RS256 keys: the only ones that HTTP API, REST API and ALB authorizers all accept."""


class CreatedRing(Immutable):
    """A ring that is there: the key that signs for it, and whether it is new.

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
        return f"CreatedRing({self.alias!r}, {self.arn!r})"


def create_ring(
    name: str,
    *,
    spec: str | None = None,
    settings: Mapping[str, Any] | None = None,
    multi_region: bool = False,
    policy: str | None = None,
    client: Any = None,
    region: str | None = None,
) -> CreatedRing:
    """Make a ring's first key and its two aliases, or whatever of them is missing.

    Args:
        name: the ring's name; ``auth``, ``alias/auth`` and ``ring:auth`` are the same.
        spec: the KMS key spec; RSA_2048 for a new key if None.
        settings: those of the ring's times that differ from the defaults of `RingSettings`.
        multi_region: make a multi-Region key. Its successors will be such keys as well.
        policy: the key policy of a new key, as JSON; KMS's default if None.
        client: any boto3 KMS client, whose retries had better be off: CreateKey is not
            idempotent. Two suitable ones are made if None.
        region: the Region, if no client is given.

    Returns:
        The key that ``alias/NAME`` points to.

    Raises:
        ConfigError: the name is impossible, ``alias/NAME`` or ``alias/NAME/1`` is somebody
            else's, or the ring's key
            has another spec, or other settings, than those asked for.
        KmsError: KMS refused or could not be reached. Running it again goes on from there.
    """
    making = _Creation(ring_name(name), spec, settings or {}, client, region)
    more: dict[str, Any] = {"MultiRegion": True} if multi_region else {}
    if policy is not None:
        more["Policy"] = policy
    key, created = making.key(**more)
    if not created:
        making.refuse_other_spec(key)
        making.refuse_other_settings(key)
    public = fetch(making.client, KeyReference.parse(key["Arn"]), None, "thumbprint").public
    return CreatedRing(arn=key["Arn"], alias=making.pointer, kid=public.kid, created=created)


class _Creation:
    """The steps. Keys are KMS's own ``KeyMetadata``."""

    def __init__(
        self,
        name: str,
        spec: str | None,
        settings: Mapping[str, Any],
        client: Any,
        region: str | None,
    ) -> None:
        self._asked = settings
        self._settings = RingSettings(**settings)
        self._spec = spec
        if spec is not None:
            fitting(spec, self._settings)
        self.name = name
        self.pointer = pointer_alias(name)
        self.client, writing = ring_clients(client, region)
        self._first = generation_alias(name, 1)
        self._writer = RingWriter(writing, name, allow=lambda: None)

    def key(self, **more: Any) -> tuple[Metadata, bool]:
        """Return the key that signs, and whether it was made just now, of that request."""
        pointed, first = described(self.client, self.pointer), described(self.client, self._first)
        if pointed is not None:
            if first is None or first["Arn"] != pointed["Arn"]:
                self._refuse_foreign(pointed)
            return pointed, False
        if first is not None:
            self._refuse_stranger(first)
            self._refuse_gone_on(first)
            return self._pointed_to(first), False
        spec = self._spec or DEFAULT_SPEC
        fitting(spec, self._settings)
        refuse_headless(self.client, self.name)
        found = left_behind(self.client, self.name, spec, self._settings)
        key = found or self._made(**more)
        claimed = self._writer.claim(1, key)
        is_ours = claimed["Arn"] == key["Arn"]
        if not is_ours:
            self._refuse_stranger(claimed)
            self._refuse_gone_on(claimed)
        return self._pointed_to(claimed), is_ours and found is None

    def _refuse_gone_on(self, first: Metadata) -> None:
        """Refuse to let a key sign that has signed before, or that others follow: they are to."""
        if tags_of(self.client, first["Arn"]).keys() & LIVED:
            raise headless(self.name, self._first)
        refuse_headless(self.client, self.name)

    def _made(self, **more: Any) -> Metadata:
        spec = self._spec or DEFAULT_SPEC
        return self._writer.make(1, spec=spec, settings=self._settings, **more)

    def refuse_other_spec(self, key: Metadata) -> None:
        """Refuse a ring that is there with another spec than the one asked for."""
        if self._spec not in (None, key["KeySpec"]):
            raise ConfigError(
                f"{self.pointer} exists with spec {key['KeySpec']}, asked for was {self._spec}",
                code="ring_spec",
                fix="leave --spec out, or choose another name",
            )

    def refuse_other_settings(self, key: Metadata) -> None:
        """Refuse a ring that is there with other settings than those asked for.

        Those of a key so young that its tags cannot be seen were asked for by its maker.
        """
        settings = tags.settings_in(tags_of(self.client, key["Arn"]))
        for name, value in self._asked.items() if settings is not None else ():
            if getattr(settings, name) != value:
                raise ConfigError(
                    f"{self.pointer} exists with {name} {getattr(settings, name)},"
                    f" asked for was {value}",
                    code="ring_settings",
                    fix="settings come with the next key: kmsjwt key rotate --start",
                )

    def _refuse_foreign(self, key: Metadata) -> None:
        if tags_of(self.client, key["Arn"]).get(tags.RING) == self.name:
            return  # a later generation signs
        raise ConfigError(
            f"{self.pointer} points to {key['Arn']}, which is not tagged as of ring {self.name}",
            code="alias_taken",
            fix="choose another name; if it was made in the last five minutes, try again",
        )

    def _refuse_stranger(self, key: Metadata) -> None:
        """Refuse a key that has the first generation's alias, and was not made for the ring."""
        why = tags.stranger(self.name, 1, tags_of(self.client, key["Arn"]))
        if why is not None:
            raise ConfigError(
                f"{self._first} is there, and is not the ring's: {why}",
                code="alias_taken",
                fix="choose another name; if it was made in the last five minutes, try again; if an"
                " adoption was given up: aws kms delete-alias",
            )

    def _pointed_to(self, key: Metadata) -> Metadata:
        """Point ``alias/NAME`` to the key and return it."""
        if self._writer.point(key["Arn"], moving=False):
            return key
        pointed = described(self.client, self.pointer)
        if pointed is None:
            raise not_visible(self.pointer)
        if pointed["Arn"] != key["Arn"]:
            self._refuse_foreign(pointed)
        return pointed
