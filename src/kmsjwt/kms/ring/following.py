"""What the tags of a key say to a signer that was led to it.

IAM: ``kms:ListResourceTags`` on the ring's keys, of the caller's own account: KMS answers nobody
else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable
from kmsjwt.errors import KmsAccessDenied, KmsError, KmsKeyNotFound
from kmsjwt.key_names import RING_NUMBER
from kmsjwt.kms.ring import tags
from kmsjwt.kms.ring.asking import tags_of
from kmsjwt.kms.ring.names import pointer_alias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kmsjwt.rotation import RingSettings


class Followed(Immutable):
    """A generation as a signer sees it.

    Attributes:
        number: which generation of its ring it is.
        settings: its times; None if its tags do not say them, because somebody changed them by
            hand: the signer's own times count then.
        withdrawn: ``retired`` or ``compromised``, if it must not sign; else empty.
    """

    __slots__ = ("number", "settings", "withdrawn")

    number: int
    settings: RingSettings | None
    withdrawn: str

    def __init__(self, number: int, settings: RingSettings | None, withdrawn: str) -> None:
        self._fill(number=number, settings=settings, withdrawn=withdrawn)

    def __repr__(self) -> str:
        return f"Followed({self.number}, {self.settings!r}, {self.withdrawn!r})"


def follow(
    client: Any, ring: str, arn: str, *, required: bool, readable: bool = False
) -> Followed | None:
    """Read what a key says of itself.

    Args:
        client: any boto3 KMS client.
        ring: the ring whose pointer led here.
        arn: the key.
        required: whether it must be a generation of the ring with settings.
        readable: whether it must let its tags be read: it is of the caller's own account.

    Returns:
        None if it need not be one, and is none or need not let its tags be read.

    Raises:
        KmsError: its tags cannot be read now, or say too little.
    """
    if not required and getattr(client, "list_resource_tags", None) is None:
        return None  # a stand-in for KMS that signs and no more
    try:
        known = tags_of(client, arn)
    except KmsError as error:
        is_hidden = isinstance(error, (KmsAccessDenied, KmsKeyNotFound))
        if not (required or error.retryable or (readable and is_hidden)):
            return None
        if is_hidden:
            error.fix = _without_tags(ring, error.fix)
        raise
    number = known.get(tags.GENERATION, "")
    if known.get(tags.RING) != ring or not re.fullmatch(RING_NUMBER, number):
        if required:
            raise _unclear(ring, arn, "it is not tagged as a key of that ring")
        return None
    settings = tags.settings_in(known)
    if required and settings is None:
        raise _unclear(ring, arn, "its tags do not say the ring's times")
    return Followed(int(number), settings, _withdrawn(ring, arn, known))


def _without_tags(ring: str, fix: str | None) -> str:
    way = f"name {pointer_alias(ring)} by its ARN to follow it without reading tags"
    return f"{fix}; {way}" if fix else way


def _withdrawn(ring: str, arn: str, known: Mapping[str, str]) -> str:
    marks, doubt = tags.marks_in(known)
    if doubt is not None:
        raise _unclear(ring, arn, doubt)
    if marks.compromised is not None:
        return "compromised"
    return "" if marks.retired is None else "retired"


def _unclear(ring: str, arn: str, why: str) -> KmsError:
    return KmsError(
        f"{pointer_alias(ring)} points to {arn}, which is not followed: {why}",
        action="ListResourceTags",
        key=arn,
        code="ring_not_followed",
        fix=f"see kmsjwt key list {ring}; new tags and aliases are seen everywhere within minutes",
    )
