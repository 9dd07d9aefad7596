"""Finding rings and lost keys by listing: only for a person who asks for it.

IAM: ``kms:ListAliases`` for rings; ``kms:ListKeys``, ``kms:ListResourceTags``,
``kms:DescribeKey`` and ``kms:ListAliases`` for lost keys.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable
from kmsjwt.errors import KmsAccessDenied
from kmsjwt.key_names import RING_NAME, RING_NUMBER
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.asking import described, pages, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Orphan(Immutable):
    """A key of a ring that has no alias: a run was killed or lost a race, or an alias was deleted.

    Attributes:
        ring: the ring it is tagged for.
        generation: the generation it is tagged as.
        arn: the key.
        state: its KMS key state.
        created: when it was made, ISO 8601.
        published: whether consumers may have been given its public key: its tokens may be alive.
    """

    __slots__ = ("arn", "created", "generation", "published", "ring", "state")

    ring: str
    generation: str
    arn: str
    state: str
    created: str
    published: bool

    def __init__(
        self,
        *,
        ring: str,
        generation: str,
        arn: str,
        state: str,
        created: str,
        published: bool,
    ) -> None:
        self._fill(
            ring=ring,
            generation=generation,
            arn=arn,
            state=state,
            created=created,
            published=published,
        )

    def __repr__(self) -> str:
        return f"Orphan({self.arn!r}, {self.ring!r}, {self.generation!r})"


def ring_names(client: Any) -> list[str]:
    """Return the name of every ring, by listing all aliases of the account and Region.

    Raises:
        KmsError: KMS did not say.
    """
    found: set[str] = set()
    for answer in pages(client.list_aliases, "ListAliases", "*"):
        for alias in answer["Aliases"]:
            named = re.fullmatch(f"alias/({RING_NAME})/{RING_NUMBER}", alias["AliasName"])
            if named:
                found.add(named[1])
    return sorted(found)


def ring_with(client: Any, kid: str, *, besides: str) -> str | None:
    """Return another ring of the account and Region that has a key of that ``kid``; None if none.

    Raises:
        KmsError: KMS did not say; the tags of one of its keys may not be read.
    """
    for answer in pages(client.list_aliases, "ListAliases", "*"):
        for alias in answer["Aliases"]:
            named = re.fullmatch(f"alias/({RING_NAME})/{RING_NUMBER}", alias["AliasName"])
            if named is None or named[1] == besides or "TargetKeyId" not in alias:
                continue
            if tags_of(client, alias["TargetKeyId"]).get(tags.KID) == kid:
                return named[1]
    return None


def orphans(client: Any, names: frozenset[str] = frozenset()) -> Iterator[Orphan]:
    """Yield the keys that are tagged for a ring and have no alias at all.

    Args:
        client: any boto3 KMS client.
        names: the rings; every ring if empty.

    Raises:
        KmsError: KMS did not say. Keys whose tags may not be read are passed over.
    """
    for answer in pages(client.list_keys, "ListKeys", "*"):
        for entry in answer["Keys"]:
            arn = entry["KeyArn"]
            try:
                known = tags_of(client, arn)
            except KmsAccessDenied:
                continue
            ring = known.get(tags.RING)
            if ring is not None and (not names or ring in names):
                yield from _if_unnamed(client, arn, ring, known)


def _if_unnamed(client: Any, arn: str, ring: str, known: Mapping[str, str]) -> Iterator[Orphan]:
    for answer in pages(client.list_aliases, "ListAliases", arn, KeyId=arn):
        if answer["Aliases"]:
            return
    key = described(client, arn)
    if key is not None:
        yield Orphan(
            ring=ring,
            generation=known.get(tags.GENERATION, "?"),
            arn=arn,
            state=key["KeyState"],
            created=key["CreationDate"].isoformat(),
            published=tags.KID in known,
        )
