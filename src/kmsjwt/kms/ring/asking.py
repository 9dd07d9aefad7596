"""Single questions to KMS about the keys of a ring.

IAM: ``kms:DescribeKey`` and ``kms:ListResourceTags``, and what `pages` is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt import aws
from kmsjwt.errors import KmsKeyNotFound
from kmsjwt.kms.public import wrong_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_PAGES = 10_000  # a thousand keys or aliases each; an account has 100,000

Metadata = dict[str, Any]
"""KMS's ``KeyMetadata``."""


def describing(client: Any, name: str) -> dict[str, Any] | None:
    """Return KMS's whole answer about a key or alias, or None if there is none of that name.

    Raises:
        KmsError: KMS did not say.
    """
    try:
        answer: dict[str, Any] = aws.call(client.describe_key, "DescribeKey", name, KeyId=name)
    except KmsKeyNotFound:
        return None
    return answer


def described(client: Any, name: str) -> Metadata | None:
    """Return KMS's ``KeyMetadata`` of a key or alias, or None if there is none of that name.

    Raises:
        KmsError: KMS did not say.
    """
    answer = describing(client, name)
    return None if answer is None else answer["KeyMetadata"]


def tags_of(client: Any, arn: str) -> dict[str, str]:
    """Return the tags of a key.

    Raises:
        KmsError: KMS did not say.
    """
    known: dict[str, str] = {}
    for answer in pages(client.list_resource_tags, "ListResourceTags", arn, KeyId=arn):
        known.update((tag["TagKey"], tag["TagValue"]) for tag in answer["Tags"])
    return known


def pages(method: Any, action: str, key: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """Yield each page of what KMS lists.

    Raises:
        KmsError: KMS did not say.
    """
    for _ in range(_MOST_PAGES):
        answer: dict[str, Any] = aws.call(method, action, key, **parameters)
        yield answer
        if not answer.get("Truncated"):
            return
        parameters["Marker"] = answer.get("NextMarker")
        if not parameters["Marker"]:
            raise wrong_answer("it goes on and does not say where", action, key)
    raise wrong_answer(f"it has more than {_MOST_PAGES} pages", action, key)
