"""Looking around before a ring's first key is made: it may have begun already.

IAM: ``kms:ListAliases``, or ``kms:DescribeKey`` on the ring's aliases, to find keys of a ring whose
pointer is gone; ``kms:ListKeys``, ``kms:ListAliases``, ``kms:ListResourceTags`` and
``kms:DescribeKey`` to find what a run that was cut off left behind. Whoever may not look finds
nothing.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt.errors import ConfigError, KmsError
from kmsjwt.key_names import RING_NUMBER
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.asking import described, pages, tags_of
from kmsjwt.kms.ring.names import generation_alias, pointer_alias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kmsjwt.kms.ring.asking import Metadata
    from kmsjwt.rotation import RingSettings

LIVED = frozenset({tags.DRAINING, tags.RETIRED, tags.COMPROMISED, tags.DISABLED})
"""Tags of a key that has signed, or was given up before it could."""

_PAGES = 100  # of aliases; an account has 50 aliases to a page
_PROBED = 30  # generations, where aliases may not be listed
_SEARCHED = 100  # keys; one page of ListKeys


def refuse_headless(client: Any, name: str) -> None:
    """Refuse to begin a ring of which later keys are there, as far as that may be seen.

    Its first key may be: somebody else begins with it just now.

    Raises:
        ConfigError: such a key is there (``ring_headless``).
    """
    try:
        found = _listed(client, name)
    except KmsError:
        found = next(_probed(client, name), None)
    if found is not None:
        raise headless(name, found)


def headless(name: str, alias: str) -> ConfigError:
    """Return the error for a ring whose keys are there, and whose pointer is not."""
    pointer = pointer_alias(name)
    return ConfigError(
        f"{alias} is there, and {pointer}, which points to the key that signs, is not",
        code="ring_headless",
        fix=f"point it to the key that signed last, the one without the tag {tags.DRAINING}:"
        f" aws kms create-alias --alias-name {pointer} --target-key-id KEY",
    )


def _listed(client: Any, name: str) -> str | None:
    later = re.compile(f"{re.escape(pointer_alias(name))}/(?!1$){RING_NUMBER}")
    for answer in islice(pages(client.list_aliases, "ListAliases", "*"), _PAGES):
        for alias in answer["Aliases"]:
            if later.fullmatch(alias["AliasName"]):
                return str(alias["AliasName"])
    return None


def _probed(client: Any, name: str) -> Iterator[str]:
    for number in range(2, _PROBED):
        alias = generation_alias(name, number)
        try:
            if described(client, alias) is not None:
                yield alias
        except KmsError:
            continue


def left_behind(
    client: Any, name: str, spec: str, settings: RingSettings, *, number: int = 1
) -> Metadata | None:
    """Return the key that a run made for a generation and could not name; the oldest of several.

    It is searched for among the first 100 keys of the account.
    """
    try:
        listed = aws.call(client.list_keys, "ListKeys", "*", Limit=_SEARCHED)["Keys"]
    except KmsError:
        return None
    found = [
        key
        for key, known in _unnamed(client, (name, str(number)), listed)
        if (key["KeySpec"], key["KeyUsage"]) == (spec, "SIGN_VERIFY")
        and _same(tags.settings_in(known), settings)
    ]
    return min(found, key=lambda key: str(key["CreationDate"]), default=None)


def _unnamed(
    client: Any, generation: tuple[str, str], listed: Iterable[Mapping[str, str]]
) -> Iterator[tuple[Metadata, Mapping[str, str]]]:
    """Yield the keys, with their tags, that could become a generation of a ring."""
    for entry in listed:
        arn = entry["KeyArn"]
        try:
            known = tags_of(client, arn)
            if (known.get(tags.RING), known.get(tags.GENERATION)) != generation:
                continue
            named = aws.call(client.list_aliases, "ListAliases", arn, KeyId=arn)["Aliases"]
            key = described(client, arn)
        except KmsError:
            continue
        if key is not None and key["KeyState"] == "Enabled" and not (named or known.keys() & LIVED):
            yield key, known


def _same(settings: RingSettings | None, wanted: RingSettings) -> bool:
    return settings is not None and tags.of_settings(settings) == tags.of_settings(wanted)
