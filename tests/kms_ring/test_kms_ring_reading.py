"""Reading a ring: by whose clock, and what a ring that tells too little is taken for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kms_ring.world import START, row

from kmsjwt.errors import KmsError
from kmsjwt.kms import read_ring


class Dated:
    """A client that changes the Date of every answer of one operation."""

    def __init__(self, kms: Any, change: Any) -> None:
        self._kms = kms
        self._change = change

    def describe_key(self, **parameters: Any) -> Any:
        answer = self._kms.describe_key(**parameters)
        self._change(answer["ResponseMetadata"]["HTTPHeaders"])
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kms, name)


def test_the_present_is_the_latest_time_that_kms_told(kms: Any) -> None:
    row(kms, 2, signing=1)
    told = [f"Mon, 21 Sep 2026 15:0{minute}:00 GMT" for minute in (3, 9, 1)]

    reading = read_ring(Dated(kms, lambda headers: headers.update(date=told.pop(0))), "auth")

    assert told == []
    assert reading.ring.now == 1_790_002_800 + 9 * 60
    assert START == 1_790_000_000


@pytest.mark.parametrize("name", ["date"])
def test_an_answer_without_a_date_is_not_taken_for_one_of_kms(kms: Any, name: str) -> None:
    row(kms, 1, signing=1)

    with pytest.raises(KmsError, match="no Date header") as raised:
        read_ring(Dated(kms, lambda headers: headers.pop(name)), "auth")

    assert raised.value.code == "kms_wrong_answer"
