"""Key ids, aliases and ARNs: which is which; apart from ``kmsjwt.kms`` on purpose, as specs is."""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass

__all__ = ["Arn", "is_key_id", "new_key_id", "partition_of"]

_KEY_ID = re.compile(r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})")
_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-iso", "aws-iso"))


@dataclass(frozen=True, slots=True)
class Arn:
    """An ARN of a key or an alias; ``resource`` is ``"key/…"`` or ``"alias/…"``."""

    region: str
    account_id: str
    resource: str

    def __str__(self) -> str:
        partition = partition_of(self.region)
        return f"arn:{partition}:kms:{self.region}:{self.account_id}:{self.resource}"

    @classmethod
    def parse(cls, text: str) -> Arn | None:
        """Return the ARN, or None if ``text`` is not one of a KMS key or alias."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or parts[2] != "kms":
            return None
        arn = cls(*parts[3:])
        return arn if str(arn) == text and arn.resource.startswith(("key/", "alias/")) else None


def partition_of(region: str) -> str:
    """Return the partition that a Region is in: ``aws``, ``aws-cn`` and so on."""
    return next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")


def is_key_id(text: str) -> bool:
    """Tell whether ``text`` is formed as a key id: a UUID, or ``mrk-`` and 32 hex digits."""
    return _KEY_ID.fullmatch(text) is not None


def new_key_id(*, multi_region: bool) -> str:
    """Return a fresh key id."""
    return f"mrk-{secrets.token_hex(16)}" if multi_region else str(uuid.uuid4())
