"""How a ring and its keys are named in KMS; what a ring is called stands in `kmsjwt.key_names`."""

from __future__ import annotations

from kmsjwt.key_names import RING_NAME as NAME
from kmsjwt.key_names import RING_NUMBER as NUMBER
from kmsjwt.key_names import is_ring, ring_name

__all__ = ["NAME", "NUMBER", "generation_alias", "is_ring", "pointer_alias", "ring_name"]


def pointer_alias(ring: str) -> str:
    """Return the alias of the key that signs."""
    return f"alias/{ring}"


def generation_alias(ring: str, number: int) -> str:
    """Return the alias that names a ring's key for good; the first has number 1."""
    return f"alias/{ring}/{number}"
