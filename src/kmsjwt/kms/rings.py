"""The keys of rings: how they are named and tagged, and reading them back.

``alias/NAME/n`` names a ring's nth key for good; ``alias/NAME`` is the pointer to the one that
signs. KMS lists aliases without a filter, for the whole account or not at all, so nothing is
listed unless that was asked for: ``alias/auth`` leads to its key, whose tag says its generation,
and the generations beside it are asked for until one is missing.

IAM: ``kms:DescribeKey``, ``kms:GetPublicKey``, ``kms:ListResourceTags``; ``kms:ListAliases`` for
finding every ring.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kmsjwt import aws
from kmsjwt.errors import ConfigError, KmsAccessDenied, KmsKeyNotFound, KmsKeyUnusable, shown
from kmsjwt.key_names import KeyReference
from kmsjwt.kms.public import fetch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

RING_TAG, GENERATION_TAG = "kmsjwt:ring", "kmsjwt:generation"

# 256 characters of an alias, less "alias/" and "/" with a generation of up to nine digits.
_NAME = r"[A-Za-z0-9_-]{1,240}"
_NUMBER = r"[1-9][0-9]{0,8}"
_NUMBERS_END = 10**9
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One key of a ring.

    Attributes:
        ring: the ring's name.
        alias: ``alias/NAME/n``; ``alias/NAME`` for a key that only the pointer names.
        arn: the key's ARN.
        kid: its thumbprint; None where KMS gives out no public key.
        spec: its KMS key spec.
        state: its KMS key state.
        is_signing: whether ``alias/NAME`` points to it.
        created: when it was made, ISO 8601.
    """

    ring: str
    alias: str
    arn: str
    kid: str | None
    spec: str
    state: str
    is_signing: bool
    created: str


def read(
    names: Sequence[str], *, client: Any = None, region: str | None = None, everything: bool = False
) -> list[Generation]:
    """Return the generations of rings, newest first.

    Args:
        names: the rings, with or without ``alias/``.
        client: any boto3 KMS client; one is made if None.
        region: the Region, if no client is given; the environment's if None.
        everything: where no ring is named, list the account's aliases to find every one, as is
            done on a KMS on this machine anyway.

    Raises:
        ConfigError: no ring is named, and listing was not asked for.
        KmsError: KMS refused, or a ring that was named is not there.
    """
    wanted = [ring_name(name) for name in names]
    client = aws.kms_client(region) if client is None else client
    if not wanted:
        if not (everything or _is_local(client)):
            raise ConfigError(
                "no ring is named, expected names such as auth",
                code="missing_option",
                fix="kmsjwt key list auth, or --all to list every alias of the account",
            )
        wanted = sorted(_listed(client))
    return [generation for name in wanted for generation in _ring(client, name)]


def ring_name(text: object) -> str:
    """Return a ring's name, given with or without ``alias/``.

    Raises:
        ConfigError: it cannot be one: a ring's aliases are ``alias/NAME`` and ``alias/NAME/1``,
            so its name has no ``/``.
    """
    name = text.removeprefix("alias/") if isinstance(text, str) else ""
    if not re.fullmatch(_NAME, name) or name == "aws":
        raise ConfigError(
            f"the key's name is {shown(text)}, expected letters, digits, '-' and '_'",
            code="ring_name",
            fix="give a plain name such as auth; its aliases become alias/auth and alias/auth/1",
        )
    return name


def pointer_alias(ring: str) -> str:
    """Return the alias of the key that signs."""
    return f"alias/{ring}"


def generation_alias(ring: str, number: int) -> str:
    """Return the alias that names a ring's key for good; the first has number 1."""
    return f"alias/{ring}/{number}"


def described(client: Any, name: str) -> dict[str, Any] | None:
    """Return KMS's ``KeyMetadata`` of a key or alias, or None if there is none of that name.

    Raises:
        KmsError: KMS did not say.
    """
    try:
        answer = aws.call(client.describe_key, "DescribeKey", name, KeyId=name)
    except KmsKeyNotFound:
        return None
    metadata: dict[str, Any] = answer["KeyMetadata"]
    return metadata


def ring_tags(client: Any, arn: str) -> dict[str, str]:
    """Return those tags of a key that say which ring and generation it is of.

    Raises:
        KmsError: KMS did not say.
    """
    answer = aws.call(client.list_resource_tags, "ListResourceTags", arn, KeyId=arn)
    return {
        tag["TagKey"]: tag["TagValue"]
        for tag in answer["Tags"]
        if tag["TagKey"] in (RING_TAG, GENERATION_TAG)
    }


def _is_local(client: Any) -> bool:
    return urlsplit(str(client.meta.endpoint_url)).hostname in _LOOPBACK


def _listed(client: Any) -> set[str]:
    found: set[str] = set()
    page: dict[str, Any] = {}
    while True:
        answer = aws.call(client.list_aliases, "ListAliases", "*", **page)
        for alias in answer["Aliases"]:
            named = re.fullmatch(f"alias/({_NAME})/{_NUMBER}", alias["AliasName"])
            if named:
                found.add(named[1])
        if not answer.get("Truncated"):
            return found
        page = {"Marker": answer["NextMarker"]}


def _ring(client: Any, name: str) -> list[Generation]:
    pointer = pointer_alias(name)
    signing = described(client, pointer)
    known = _number(client, signing["Arn"]) if signing else None
    found = list(_beside(client, name, known or 1))
    if not found and signing is None:
        raise KmsKeyNotFound(
            f"neither {pointer} nor {generation_alias(name, 1)} is there",
            action="DescribeKey",
            key=pointer,
            fix=f"make it with: kmsjwt key create {name}",
        )
    arn = signing["Arn"] if signing else ""
    if signing and arn not in [key["Arn"] for _, key in found]:
        found.append((0, signing))
    return [
        _generation(client, name, number, key, is_signing=key["Arn"] == arn)
        for number, key in sorted(found, key=lambda entry: -entry[0])
    ]


def _beside(client: Any, name: str, known: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the generations around ``known``, in both directions until one is missing."""
    directions: tuple[Iterable[int], ...] = (range(known, _NUMBERS_END), range(known - 1, 0, -1))
    for numbers in directions:
        for number in numbers:
            key = described(client, generation_alias(name, number))
            if key is None:
                break
            yield number, key


def _number(client: Any, arn: str) -> int | None:
    try:
        text = ring_tags(client, arn).get(GENERATION_TAG, "")
    except KmsAccessDenied:  # such as a key of another account: its tags are not ours to read
        return None
    return int(text) if re.fullmatch(_NUMBER, text) else None


def _generation(
    client: Any, ring: str, number: int, key: dict[str, Any], *, is_signing: bool
) -> Generation:
    return Generation(
        ring=ring,
        alias=generation_alias(ring, number) if number else pointer_alias(ring),
        arn=key["Arn"],
        kid=_kid(client, key["Arn"]),
        spec=key["KeySpec"],
        state=key["KeyState"],
        is_signing=is_signing,
        created=key["CreationDate"].isoformat(),
    )


def _kid(client: Any, arn: str) -> str | None:
    try:
        return fetch(client, KeyReference.parse(arn), None, "thumbprint").public.kid
    except (KmsKeyUnusable, KmsAccessDenied, ConfigError):
        return None  # disabled, pending deletion, or of a spec that signs no JWT
