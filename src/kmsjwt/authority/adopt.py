"""Taking a key that is there already as the first of a ring.

Its live tokens stay valid: their ``kid`` is the key's thumbprint, if they were issued so, and the
ring publishes it under that, and lets the key drain for as long as any of them may live. Its key
policy stays as it is.

The alias comes first, and the tags after it: who loses a race has left nothing on somebody's key,
and one that has the tags alone would be listed as lost. An alias alone is no beginning, so that
the next call goes on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt._immutable import Immutable
from kmsjwt.algorithms import for_key_spec
from kmsjwt.errors import ConfigError, KmsAccessDenied, KmsError, shown
from kmsjwt.issuer import MAX_LIFETIME
from kmsjwt.key_names import KeyReference, ring_name
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.asking import described, tags_of
from kmsjwt.kms.ring.beginning import LIVED
from kmsjwt.kms.ring.names import generation_alias, pointer_alias
from kmsjwt.kms.ring.writing import RingWriter, not_visible
from kmsjwt.rotation import RingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.kms.ring.asking import Metadata


class Adoption(Immutable):
    """A key that is the first of a ring, or would be.

    Attributes:
        ring: the ring.
        arn: the key's ARN.
        alias: the alias of the first generation.
        spec: the KMS key spec.
        alg: the JOSE algorithm that the ring signs with it.
        max_lifetime: seconds that no token of it outlives; None if its tags do not say.
        is_new: whether it was not so before.
    """

    __slots__ = ("alg", "alias", "arn", "is_new", "max_lifetime", "ring", "spec")

    ring: str
    arn: str
    alias: str
    spec: str
    alg: str
    max_lifetime: int | None
    is_new: bool

    def __init__(
        self,
        *,
        ring: str,
        arn: str,
        alias: str,
        spec: str,
        alg: str,
        max_lifetime: int | None,
        is_new: bool,
    ) -> None:
        self._fill(
            ring=ring,
            arn=arn,
            alias=alias,
            spec=spec,
            alg=alg,
            max_lifetime=max_lifetime,
            is_new=is_new,
        )

    def __repr__(self) -> str:
        return f"Adoption({self.alias!r}, {self.arn!r})"


def adopt(
    name: str,
    key: str,
    *,
    client: Any = None,
    region: str | None = None,
    changes: Mapping[str, Any] | None = None,
    alg: str | None = None,
    before: int = MAX_LIFETIME,
    dry_run: bool = False,
) -> Adoption:
    """Make a key the first generation of a ring; a run of `Rotator` then publishes and uses it.

    Safe to repeat. Nothing else about the key is changed.

    IAM: ``kms:DescribeKey`` and ``kms:ListResourceTags`` on the key, ``kms:TagResource`` with the
    tags that a generation is born with, ``kms:CreateAlias``.

    Args:
        name: the ring.
        key: the key's ARN or id.
        client: a boto3 KMS client; one is made if None.
        region: the Region, if no client is given and no ARN says it.
        changes: the settings of the generation; see `RingSettings`. An ``alg`` that the key does
            not sign is left out: it is for the next key.
        alg: the JOSE algorithm that this very key is to sign with.
        before: seconds that no token outlives which it has signed so far; by default the longest
            that `kmsjwt.Issuer` lets any live. Where the ring's maximum is shorter, that counts
            from the next key on: this one drains for as long as its longest token lives.
        dry_run: look at everything, and change nothing.

    Returns:
        The key as the ring's first.

    Raises:
        ConfigError: the key cannot sign tokens, or not with ``alg``, or is of another ring, or a
            tag says that it is done signing; or the ring has begun with another key, or
            ``alias/NAME`` leads to another; or ``before`` is longer than any ring lets a key
            drain. The key that the ring has begun with is good in any state.
        KmsError: KMS did not say, or refused.
    """
    name = ring_name(name)
    if client is None:
        client = aws.kms_client(KeyReference.parse(key).region or region, attempts=1)
    metadata = _described(client, key)
    is_new = _is_free(client, name, metadata)
    told: RingSettings | None = _settings(metadata["KeySpec"], changes or {}, alg, before)
    if told is not None and is_new and not dry_run:
        is_new = _adopted(client, name, metadata["Arn"], told)
    if not is_new:
        told = tags.settings_in(tags_of(client, metadata["Arn"]))
    return Adoption(
        ring=name,
        arn=metadata["Arn"],
        alias=generation_alias(name, 1),
        spec=metadata["KeySpec"],
        alg=_alg(metadata["KeySpec"], told),
        max_lifetime=None if told is None else told.max_lifetime,
        is_new=is_new,
    )


def has_gone_on(name: str, *, client: Any = None, region: str | None = None) -> bool:
    """Tell whether a later key of the ring signs, and what was its first cannot be seen any more.

    Then there is nothing left that a ring could begin with. KMS takes a key's alias away when it
    deletes the key.

    Args:
        name: the ring.
        client: a boto3 KMS client; one is made if None.
        region: the Region, if no client is given.

    Raises:
        KmsError: KMS did not say.
    """
    if client is None:
        client = aws.kms_client(region, attempts=1)
    try:
        if described(client, generation_alias(name, 1)) is not None:
            return False
    except KmsAccessDenied:
        pass  # what KMS may answer about an alias that is not there
    pointer = described(client, pointer_alias(name))
    if pointer is None:
        return False
    known = tags_of(client, pointer["Arn"])
    return known.get(tags.RING) == name and known.get(tags.GENERATION, "1") != "1"


def _is_free(client: Any, name: str, key: Metadata) -> bool:
    """Tell whether the ring is yet to begin with the key, or has begun with it.

    An alias alone is no beginning: somebody may have given it by hand.

    Raises:
        ConfigError: neither.
    """
    first = described(client, generation_alias(name, 1))
    if first is not None and first["Arn"] != key["Arn"]:
        raise _other(name, first["Arn"], key["Arn"])
    known = tags_of(client, key["Arn"])
    if first is not None and _has_begun(name, known):
        return False
    _require_usable(key)
    pointer = described(client, pointer_alias(name))
    if pointer is not None and pointer["Arn"] != key["Arn"]:
        raise ConfigError(
            f"{pointer_alias(name)} leads to {pointer['Arn']}, asked for was {key['Arn']}",
            code="adopt_other",
            fix="choose another ring name, or name the key that the alias leads to",
        )
    _refuse_foreign(name, key, known)
    return True


def _has_begun(name: str, known: Mapping[str, str]) -> bool:
    """Tell whether a key that has the first alias says that it is the first.

    One that says so, and none of its times, is yet to be told them.
    """
    is_first = tags.stranger(name, 1, known) is None
    return is_first and not known.keys().isdisjoint({*tags.TIMES, *LIVED})


def _adopted(client: Any, name: str, arn: str, settings: RingSettings) -> bool:
    """Name the key, then tag it; False if another call did all of that meanwhile."""
    is_named_here = _named(client, name, arn)
    if not is_named_here and _has_begun(name, tags_of(client, arn)):
        return False
    writer = RingWriter(client, name, allow=lambda: None)
    # Every setting, since nothing takes away what is left of a former life.
    settled = {tags.BUNDLE: "no", **tags.of_settings(settings)}
    try:
        writer.tag(arn, {tags.RING: name, tags.GENERATION: "1", **settled})
    except KmsError as error:
        error.fix = f"run this again once that is mended: {generation_alias(name, 1)} is there" + (
            f"; {error.fix}" if error.fix else ""
        )
        raise
    return True


def _named(client: Any, name: str, arn: str) -> bool:
    """Name the key as the first generation; False if it was so already.

    Not by `RingWriter.claim`, which has the key of who lost a race deleted: this one is somebody's.
    """
    alias = generation_alias(name, 1)
    try:
        aws.call(client.create_alias, "CreateAlias", alias, AliasName=alias, TargetKeyId=arn)
    except KmsError as error:
        if error.aws_code != "AlreadyExistsException":
            raise
        winner = described(client, alias)
        if winner is None:
            raise not_visible(alias) from None
        if winner["Arn"] != arn:
            raise _other(name, winner["Arn"], arn) from None
        return False
    return True


def _other(name: str, first: str, asked: str) -> ConfigError:
    return ConfigError(
        f"ring {name} has begun with {first}, asked for was {asked}",
        code="adopt_other",
        fix="choose another ring name, or leave the existing key out",
    )


def _described(client: Any, asked: str) -> Metadata:
    key = described(client, asked)
    if key is None:
        raise ConfigError(
            f"there is no key {shown(asked)}", code="adopt_key", fix="name it by its ARN"
        )
    for_key_spec(key["KeySpec"])
    return key


def _require_usable(key: Metadata) -> None:
    if key["KeyUsage"] != "SIGN_VERIFY" or key["KeyState"] != "Enabled":
        raise ConfigError(
            f"{key['Arn']} is {key['KeyState']}, for {key['KeyUsage']}; expected Enabled, for"
            " SIGN_VERIFY",
            code="adopt_key",
            fix="enable it, or name another key",
        )


def _refuse_foreign(name: str, key: Metadata, known: Mapping[str, str]) -> None:
    ring, generation = known.get(tags.RING, name), known.get(tags.GENERATION, "1")
    if (ring, generation) != (name, "1"):
        raise ConfigError(
            f"{key['Arn']} is generation {generation} of ring {ring}",
            code="adopt_other",
            fix="a key belongs to one ring; make a new one for this",
        )
    over = sorted(known.keys() & LIVED)
    if over:
        raise ConfigError(
            f"{key['Arn']} has the tag {over[0]}: it has signed, and is done with that",
            code="adopt_other",
            fix="name another key; or, if you know better: aws kms untag-resource",
        )


def _settings(spec: str, changes: Mapping[str, Any], alg: str | None, before: int) -> RingSettings:
    if type(before) is not int or not 1 <= before <= MAX_LIFETIME:
        raise ConfigError(
            f"before is {shown(before)}, expected 1 to {MAX_LIFETIME} s",
            code="adopt_before",
            fix="let tokens that live longer end first",
        )
    fitting = dict(changes)
    if alg is not None:
        fitting["alg"] = for_key_spec(spec, alg).name
    else:
        fitting["alg"] = _signed(spec, fitting.get("alg"))
    asked = RingSettings(**fitting)
    return asked.replaced(max_lifetime=max(asked.max_lifetime, before))


def _alg(spec: str, settings: RingSettings | None) -> str:
    return _signed(spec, None if settings is None else settings.alg)


def _signed(spec: str, alg: str | None) -> str:
    """Return the algorithm, if a key of the spec signs it, or else the spec's own."""
    try:
        return for_key_spec(spec, alg).name
    except ConfigError:
        return for_key_spec(spec).name
