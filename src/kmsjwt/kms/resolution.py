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


def signs_otherwise(before: Followed | None, now: Followed | None) -> bool:
    """Tell whether a key is to sign otherwise than before.

    Times that its tags do not say any more take nothing back.
    """
    told = None if now is None else now.settings
    known = None if before is None else before.settings
    if told is None:
        return False
    return known is None or (told.alg, told.max_lifetime) != (known.alg, known.max_lifetime)


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


def other_kid(pointer: KeyReference, kid: str) -> KmsKeyUnusable:
    """Return the error for a key of a ring under a name that no ring publishes."""
    ring = pointer.text.rpartition("/")[2]
    return KmsKeyUnusable(
        f"kid is {kid}, and the keys of ring {ring} are published by their thumbprints",
        action="ListResourceTags",
        key=pointer.text,
        code="ring_kid",
        fix="leave kid out: no verifier of the ring knows its keys by another name",
    )
