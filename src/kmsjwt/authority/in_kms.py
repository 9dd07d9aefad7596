"""A ring that is published nowhere: all who verify read it from KMS themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.kms.ring.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from kmsjwt.keys import PublicKey


class InKms:
    """The `kmsjwt.authority.rotate.Publisher` of a ring whose consumers are `KmsKeys.ring`."""

    __slots__ = ("_client", "_name")

    def __init__(self, name: str, client: Any) -> None:
        """Name the ring, and a boto3 KMS client to read it with."""
        self._name = name
        self._client = client

    def publish(
        self,
        live: Iterable[PublicKey],
        retired: Collection[str],
        *,
        max_age: int | None = None,
        allow: Callable[[], None] | None = None,
        anew: object = None,
    ) -> None:
        """Do nothing: a key is published by having its alias and tags."""

    def kids(self, expected: Iterable[PublicKey] | None = None) -> frozenset[str]:
        """Return each ``kid`` that a consumer would read now: they read KMS.

        So what is expected was just read where they read. To read it once more would tell nothing
        but what KMS shows late: it would lack what was just written.

        Raises:
            KmsError: nothing is expected, and KMS did not say what there is.
        """
        if expected is None:
            expected = read(self._client, self._name, since=False).live
        return frozenset(key.kid for key in expected)

    def lingering(self) -> frozenset[str]:
        """Return nothing: a key is left out by its own tags, and stays nowhere else."""
        return frozenset()

    def invalidate(self) -> None:
        """Do nothing: no cache of ours is in between."""
