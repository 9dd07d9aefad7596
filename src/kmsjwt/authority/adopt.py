"""Taking a key that is there already as the first of a ring.

Its live tokens stay valid: their ``kid`` is the key's thumbprint, if they were issued so, and the
ring publishes it under that. Its key policy stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt.algorithms import for_key_spec
from kmsjwt.errors import ConfigError, KmsError, shown
from kmsjwt.key_names import ring_name
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.names import generation_alias
from kmsjwt.kms.ring.reading import described, tags_of
from kmsjwt.kms.ring.writing import RingWriter
from kmsjwt.rotation import RingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.kms.ring.reading import Metadata


def adopt(
    name: str,
    key: str,
    *,
    client: Any = None,
    region: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> bool:
    """Make a key the first generation of a ring; a run of `Rotator` then publishes and uses it.

    Safe to repeat. Nothing else about the key is changed.

    IAM: ``kms:DescribeKey`` and ``kms:ListResourceTags`` on the key, ``kms:TagResource`` with the
    tags that a generation is born with, ``kms:CreateAlias``.

    Args:
        name: the ring.
        key: the key's ARN or id.
        client: a boto3 KMS client; one is made if None.
        region: the Region, if no client is given.
        changes: the settings of the generation; see `RingSettings`. An ``alg`` that the key does
            not sign is left out: it is for the next key.

    Returns:
        Whether it was done now, and was not so before.

    Raises:
        ConfigError: the key cannot sign tokens or is of another ring, or the ring has begun with
            another key.
        KmsError: KMS did not say, or refused.
    """
    name = ring_name(name)
    client = aws.kms_client(region, attempts=1) if client is None else client
    metadata = _usable(described(client, key), key)
    first = described(client, generation_alias(name, 1))
    if first is not None:
        if first["Arn"] == metadata["Arn"]:
            return False
        raise _other(name, first["Arn"], metadata["Arn"])
    _refuse_foreign(name, metadata, tags_of(client, metadata["Arn"]))
    writer = RingWriter(client, name, allow=lambda: None)
    writer.tag(
        metadata["Arn"],
        {
            tags.RING: name,
            tags.GENERATION: "1",
            **tags.of_settings(_settings(metadata["KeySpec"], changes or {})),
        },
    )
    return _named(client, name, metadata["Arn"])


def _named(client: Any, name: str, arn: str) -> bool:
    """Name the key as the first generation.

    Not by `RingWriter.claim`, which has the key of who lost a race deleted: this one is somebody's.
    """
    alias = generation_alias(name, 1)
    try:
        aws.call(client.create_alias, "CreateAlias", alias, AliasName=alias, TargetKeyId=arn)
    except KmsError as error:
        if error.aws_code != "AlreadyExistsException":
            raise
        winner = described(client, alias)
        if winner is None or winner["Arn"] != arn:
            raise _other(name, winner["Arn"] if winner else alias, arn) from None
        return False
    return True


def _other(name: str, first: str, asked: str) -> ConfigError:
    return ConfigError(
        f"ring {name} has begun with {first}, asked for was {asked}",
        code="adopt_other",
        fix="choose another ring name, or leave the existing key out",
    )


def _usable(key: Metadata | None, asked: str) -> Metadata:
    if key is None:
        raise ConfigError(
            f"there is no key {shown(asked)}", code="adopt_key", fix="name it by its ARN"
        )
    for_key_spec(key["KeySpec"])
    if key["KeyUsage"] != "SIGN_VERIFY" or key["KeyState"] != "Enabled":
        raise ConfigError(
            f"{key['Arn']} is {key['KeyState']}, for {key['KeyUsage']}; expected Enabled, for"
            " SIGN_VERIFY",
            code="adopt_key",
        )
    return key


def _refuse_foreign(name: str, key: Metadata, known: Mapping[str, str]) -> None:
    ring, generation = known.get(tags.RING, name), known.get(tags.GENERATION, "1")
    if (ring, generation) != (name, "1"):
        raise ConfigError(
            f"{key['Arn']} is generation {generation} of ring {ring}",
            code="adopt_other",
            fix="a key belongs to one ring; make a new one for this",
        )


def _settings(spec: str, changes: Mapping[str, Any]) -> RingSettings:
    fitting = dict(changes)
    try:
        for_key_spec(spec, fitting.get("alg"))
    except ConfigError:
        del fitting["alg"]
    return RingSettings(**fitting)
