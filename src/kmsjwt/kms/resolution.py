"""What a signer knows of the alias that it follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt._immutable import Immutable
from kmsjwt.errors import KmsKeyUnusable, KmsUnavailable

if TYPE_CHECKING:
    from kmsjwt.key_names import KeyReference
    from kmsjwt.kms.ring.following import Followed
    from kmsjwt.kms.signer import KmsSigningKey


class Resolution(Immutable):
    """Which key an alias stood for, when KMS said so, and when KMS was and is to be asked.

    Attributes:
        key: the key.
        generation: what its tags said, if it is one of a ring's.
        since: when KMS first named it here.
        looked_up: when KMS last named it.
        asked: when KMS was last asked.
        look_again: when KMS is to be asked next.
    """

    __slots__ = ("asked", "generation", "key", "look_again", "looked_up", "since")

    key: KmsSigningKey
    generation: Followed | None
    since: float
    looked_up: float
    asked: float
    look_again: float

    def __init__(
        self,
        key: KmsSigningKey,
        generation: Followed | None,
        since: float,
        looked_up: float,
        asked: float,
        look_again: float,
    ) -> None:
        self._fill(
            key=key,
            generation=generation,
            since=since,
            looked_up=looked_up,
            asked=asked,
            look_again=look_again,
        )


def behind(pointer: KeyReference, seen: Followed, newest: Followed) -> KmsUnavailable:
    """Return the error for a pointer that shows an older generation than one that has signed."""
    return KmsUnavailable(
        f"{pointer} shows generation {seen.number}, and generation {newest.number} has signed here:"
        " a signer never goes back",
        action="GetPublicKey",
        key=pointer.text,
        code="ring_behind",
        fix="KMS shows moved aliases late; if it was moved back by hand, rotate instead",
    )


def withdrawn(pointer: KeyReference, arn: str, generation: Followed) -> KmsKeyUnusable:
    """Return the error for a key that must not sign."""
    ring = pointer.text.rpartition("/")[2]
    return KmsKeyUnusable(
        f"{pointer} points to {arn}, generation {generation.number} of ring {ring}, which is"
        f" {generation.withdrawn} and signs no more",
        action="ListResourceTags",
        key=pointer.text,
        code="ring_withdrawn",
        fix=f"have another key sign: kmsjwt key rotate {ring}",
    )
