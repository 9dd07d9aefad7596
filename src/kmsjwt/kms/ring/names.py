"""How a ring and its keys are named in KMS; what a ring is called stands in `kmsjwt.key_names`."""

from __future__ import annotations


def pointer_alias(ring: str) -> str:
    """Return the alias of the key that signs."""
    return f"alias/{ring}"


def generation_alias(ring: str, number: int) -> str:
    """Return the alias that names a ring's key for good; the first has number 1."""
    return f"alias/{ring}/{number}"


def naming_anew(ring: str, alias: str) -> str:
    """Return what to do about an alias of a ring that is missing."""
    return (
        "unless it may not be read, it was deleted; name its key anew: aws kms create-alias"
        f" --alias-name {alias} --target-key-id KEY, the KEY by: kmsjwt key list {ring} --orphans"
    )
