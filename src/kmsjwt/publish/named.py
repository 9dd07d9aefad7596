"""A place by its name: ``s3://bucket/prefix`` or a folder's path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kmsjwt.errors import ConfigError, shown
from kmsjwt.publish.folder import Folder
from kmsjwt.publish.s3 import S3

if TYPE_CHECKING:
    from kmsjwt.publish.places import Place


def place(text: str, *, client: Any = None, region: str | None = None) -> Place:
    """Return the place that a text names.

    Args:
        text: ``s3://bucket``, ``s3://bucket/prefix``, or the path of a folder.
        client: a boto3 S3 client, for a bucket; one is made if there is none.
        region: the bucket's Region; boto3's if None.

    Raises:
        ConfigError: it is neither.
    """
    if not text.strip() or "\0" in text:
        raise _impossible(text)
    if text.startswith("s3://"):
        bucket, _, prefix = text.removeprefix("s3://").partition("/")
        return S3(bucket, prefix, client, region)
    if re.match(r"(?i)(?:[a-z][a-z0-9+.-]+://|s3:|arn:)", text):
        raise _impossible(text)
    return Folder(text)


def _impossible(text: str) -> ConfigError:
    what = shown(text.partition("?")[0]) if "@" not in text else "no place"
    return ConfigError(
        f"the place to publish is {what}, expected s3://bucket/prefix or a folder",
        code="place",
        fix="documents are written there; where consumers read them is the issuer's URL",
    )
