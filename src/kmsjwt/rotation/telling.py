"""What people are told of a key that holds a rotation up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kmsjwt.rotation.facts import Generation


def unsaid(leaving: Generation) -> str:
    """Say why a key that KMS will delete does not retire: nowhere is room to write it."""
    return (
        f"it is {leaving.state}, and other keys have no room left to say that it has retired: have"
        " KMS keep one of those that it will delete, or, once no token of this one lives, take it"
        f" out by name: kmsjwt publish --remove {leaving.kid}"
    )


def untold(leaving: Generation) -> str:
    """Say why a key that KMS will delete does not retire: there is no other to write it on."""
    return (
        f"it is {leaving.state}, and no other key is in order to say that it has retired: have KMS"
        " keep it, or another of the ring sign again"
    )


def stuck(ring: str, under_way: Generation) -> str:
    """Say why no key is made: the one that was made last cannot sign."""
    state = under_way.doubt or (
        f"it is {under_way.state}"
        if under_way.state != "Enabled"
        else "its public key cannot be read"
    )
    told = (
        f"generation {under_way.number} comes first, and cannot sign ({state}): mend that, or give"
        f" it up with kmsjwt key rotate {ring} --compromised {under_way.number}"
    )
    if under_way.doubt is None:
        return told
    alias = f"alias/{ring}/{under_way.number}"
    return (
        f"{told}; if its key is not the ring's: aws kms delete-alias --alias-name {alias}; KMS"
        " shows late what was changed in the last five minutes"
    )


def joined(numbers: list[int]) -> str:
    """Return numbers as a sentence has them."""
    return " and ".join(map(str, numbers))
