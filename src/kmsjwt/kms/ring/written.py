"""What somebody wrote to a ring, which KMS may not show for minutes."""

from __future__ import annotations

from typing import Any


class Written:
    """The changes of one run: true, whether they can be seen yet or not.

    Attributes:
        tags: the tags that were written on keys, by the keys' ARNs.
        keys: KMS's ``KeyMetadata`` of keys that were made and claimed, by generation.
        pointed: the number of the generation that the pointer was moved to, and when, in seconds
            since 1970 by the clock of KMS; None if it was not moved.
    """

    __slots__ = ("keys", "pointed", "tags")

    def __init__(self) -> None:
        self.pointed: tuple[int, float] | None = None
        self.tags: dict[str, dict[str, str]] = {}
        self.keys: dict[int, dict[str, Any]] = {}
