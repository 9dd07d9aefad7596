"""Keys in AWS KMS: signing with them, verifying what they signed, and rings of them.

A ring is made with `create_ring`, read with `read_ring` and verified with by `RingKeys`; its
settings are in `kmsjwt.rotation`, rotating it in `kmsjwt.authority`. What is about rings alone
loads when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kmsjwt.kms.client import KmsClient
from kmsjwt.kms.signer import KmsSigner
from kmsjwt.kms.sources import KmsKeys, KmsVerify

if TYPE_CHECKING:
    from kmsjwt.kms.ring.create import CreatedRing, create_ring
    from kmsjwt.kms.ring.keys import RingKeys
    from kmsjwt.kms.ring.reading import RingReading
    from kmsjwt.kms.ring.reading import read as read_ring

__all__ = [
    "CreatedRing",
    "KmsClient",
    "KmsKeys",
    "KmsSigner",
    "KmsVerify",
    "RingKeys",
    "RingReading",
    "create_ring",
    "read_ring",
]

_OF_RINGS = {
    "CreatedRing": ("create", "CreatedRing"),
    "RingKeys": ("keys", "RingKeys"),
    "RingReading": ("reading", "RingReading"),
    "create_ring": ("create", "create_ring"),
    "read_ring": ("reading", "read"),
}


def __getattr__(name: str) -> Any:
    if name in _OF_RINGS:
        module, its_name = _OF_RINGS[name]
        return getattr(import_module(f"kmsjwt.kms.ring.{module}"), its_name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
