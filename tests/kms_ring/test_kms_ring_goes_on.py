"""A ring that has gone on is not pointed back to its first key, whoever lost its pointer."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kms_ring.world import SPEC, born

from kmsjwt.errors import ConfigError
from kmsjwt.kms.ring.create import create_ring
from kmsjwt.local import LocalKms


class Overtaken:
    """A client behind whose back others go on to a second key, and the pointer is lost."""

    def __init__(self, kms: LocalKms, at: str) -> None:
        self._kms = kms
        self._at = at

    def __getattr__(self, name: str) -> Any:
        def call(**parameters: Any) -> Any:
            answer = getattr(self._kms, name)(**parameters)
            if name == self._at and parameters.get("KeyId") in (None, "alias/auth/1"):
                self._at = ""
                for number in (1, 2):
                    if f"alias/auth/{number}" not in aliases(self._kms):
                        born(self._kms, number)
            return answer

        return call


def aliases(kms: LocalKms) -> set[str]:
    return {alias["AliasName"] for alias in kms.list_aliases()["Aliases"]}


@pytest.mark.parametrize("listing", [True, False], ids=["listed", "probed"])
def test_where_a_later_key_is_there_the_first_is_not_pointed_to(listing: bool) -> None:
    kms = LocalKms()
    born(kms, 1)
    born(kms, 2)
    if not listing:
        kms.permissions.deny("ListAliases", reader="ours")

    with pytest.raises(ConfigError, match="alias/auth/2 is there") as raised:
        create_ring("auth", client=kms.reader("ours"))

    assert raised.value.code == "ring_headless"
    assert aliases(kms) == {"alias/auth/1", "alias/auth/2"}


@pytest.mark.parametrize("at", ["describe_key", "create_key"])
def test_nor_where_it_comes_while_the_ring_is_looked_at(at: str) -> None:
    kms = LocalKms()
    if at == "describe_key":
        born(kms, 1)

    with pytest.raises(ConfigError, match="alias/auth/2 is there") as raised:
        create_ring("auth", spec=SPEC, client=Overtaken(kms, at))

    assert raised.value.code == "ring_headless"
    assert aliases(kms) == {"alias/auth/1", "alias/auth/2"}


def test_a_first_key_that_is_alone_gets_its_pointer() -> None:
    kms = LocalKms()
    arn = born(kms, 1)

    assert create_ring("auth", client=kms).arn == arn
    assert aliases(kms) == {"alias/auth", "alias/auth/1"}
