"""The keys of rings, read by asking for names that may be there.

KMS lists aliases without a filter, for the whole account or not at all, so nothing is listed
unless that was asked for: ``alias/auth`` leads to its key, whose tag says its generation, and
the generations beside it are asked for until one is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kmsjwt import aws
from kmsjwt.errors import ConfigError, KmsAccessDenied, KmsKeyNotFound, KmsKeyUnusable
from kmsjwt.kms.create import GENERATION_TAG, ring_name
from kmsjwt.kms.public import fetch
from kmsjwt.kms.reference import KeyReference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_GENERATION = re.compile(r"alias/([A-Za-z0-9_-]+)/([1-9][0-9]{0,8})")


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


def read(names: Sequence[str], *, region: str | None, everything: bool) -> list[Generation]:
    """Return the generations of rings, newest first.

    Args:
        names: the rings, with or without ``alias/``.
        region: the Region; the environment's if None.
        everything: list the account's aliases to find every ring.

    Raises:
        ConfigError: no ring is named, and listing was not asked for.
        KmsError: KMS refused, or a ring that was named is not there.
    """
    wanted = [ring_name(name) for name in names]
    client = aws.kms_client(region)
    if not wanted:
        if not (everything or _is_local(client)):
            raise ConfigError(
                "no ring is named, expected names such as auth",
                code="missing_option",
                fix="kmsjwt key list auth, or --all to list every alias of the account",
            )
        wanted = sorted(_listed(client))
    return [generation for name in wanted for generation in _ring(client, name)]


def _is_local(client: Any) -> bool:
    host = urlsplit(str(client.meta.endpoint_url)).hostname or ""
    return host in {"127.0.0.1", "::1", "localhost"}


def _listed(client: Any) -> set[str]:
    found: set[str] = set()
    page: dict[str, Any] = {}
    while True:
        answer = aws.call(client.list_aliases, "ListAliases", "*", **page)
        for alias in answer["Aliases"]:
            named = _GENERATION.fullmatch(alias["AliasName"])
            if named:
                found.add(named[1])
        if not answer.get("Truncated"):
            return found
        page = {"Marker": answer["NextMarker"]}


def _ring(client: Any, name: str) -> list[Generation]:
    pointer = f"alias/{name}"
    signing = _described(client, pointer)
    known = _number(client, signing["Arn"]) if signing else None
    found = list(_beside(client, name, known or 1))
    if not found and signing is None:
        raise KmsKeyNotFound(
            f"neither {pointer} nor {pointer}/1 is there",
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
    directions: tuple[Iterable[int], ...] = (range(known, 10**9), range(known - 1, 0, -1))
    for numbers in directions:
        for number in numbers:
            key = _described(client, f"alias/{name}/{number}")
            if key is None:
                break
            yield number, key


def _described(client: Any, name: str) -> dict[str, Any] | None:
    try:
        answer = aws.call(client.describe_key, "DescribeKey", name, KeyId=name)
    except KmsKeyNotFound:
        return None
    metadata: dict[str, Any] = answer["KeyMetadata"]
    return metadata


def _number(client: Any, arn: str) -> int | None:
    try:
        answer = aws.call(client.list_resource_tags, "ListResourceTags", arn, KeyId=arn)
    except KmsAccessDenied:  # such as a key of another account: its tags are not ours to read
        return None
    tags = {tag["TagKey"]: tag["TagValue"] for tag in answer["Tags"]}
    text = tags.get(GENERATION_TAG, "")
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,8}", text) else None


def _generation(
    client: Any, ring: str, number: int, key: dict[str, Any], *, is_signing: bool
) -> Generation:
    return Generation(
        ring=ring,
        alias=f"alias/{ring}/{number}" if number else f"alias/{ring}",
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
    except (
        KmsKeyUnusable,
        KmsAccessDenied,
        ConfigError,
    ):  # disabled, pending deletion, or of a spec that signs no JWT
        return None
