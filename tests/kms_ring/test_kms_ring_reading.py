"""Reading a ring: by whose clock, and what a ring that tells too little is taken for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kms_ring.world import DAY, START, kid_of, mark, row

from kmsjwt.errors import KmsError
from kmsjwt.kms import read_ring
from kmsjwt.kms.ring.reading import read


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


@pytest.mark.parametrize(("age", "is_clear"), [(600, True), (601, False)])
def test_a_key_s_own_alias_may_be_unseen_for_ten_minutes(
    kms: Any, clock: Any, age: int, is_clear: bool
) -> None:
    row(kms, 1, signing=1)
    kms.delete_alias(AliasName="alias/auth/1")
    clock.move(age)

    ring = read_ring(kms, "auth").ring

    assert (ring.doubt is None) == is_clear
    assert [each.number for each in ring.generations] == [1]


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("max-lifetime", "86401"),
        ("signer-refresh", "0"),
        ("alg", "HS256"),
        ("consumer-cache", "-1"),
    ],
)
def test_settings_that_no_ring_can_have_are_not_known(kms: Any, tag: str, text: str) -> None:
    (arn,) = row(kms, 1, signing=1)
    mark(kms, arn, tag, text=text)

    (generation,) = read_ring(kms, "auth").ring.generations

    assert generation.settings is None


@pytest.mark.parametrize(
    ("text", "is_clear"),
    [
        ("2026-09-22T14:13:20Z", True),
        ("2026-09-23T02:13:20Z", True),
        ("2026-09-23T02:13:21Z", False),
    ],
)
def test_a_fact_may_lie_a_day_ahead(kms: Any, clock: Any, text: str, is_clear: bool) -> None:
    (arn,) = row(kms, 1, signing=1)
    clock.move(DAY // 2)
    mark(kms, arn, "confirmed", text=text)

    (generation,) = read_ring(kms, "auth").ring.generations

    assert (generation.doubt is None) == is_clear


def test_only_a_live_key_can_be_told_as_gone_by_another(kms: Any) -> None:
    arns = row(kms, 3, signing=3)
    mark(kms, arns[0], "retired")
    mark(kms, arns[2], "gone", text=f"{kid_of(kms, arns[0])} {kid_of(kms, arns[1])}")

    first, second, third = read(kms, "auth", down_to=1).ring.generations

    assert first.marks.compromised is None
    assert second.marks.compromised == second.marks.retired == second.born
    assert not third.marks.are_final


@pytest.mark.parametrize(("since", "expected"), [(True, START), (False, None)])
def test_when_the_pointer_moved_is_told_to_who_asks(
    kms: Any, since: bool, expected: float | None
) -> None:
    row(kms, 2, signing=2)

    assert read(kms, "auth", since=since).ring.signing_since == expected


def test_a_list_that_goes_on_and_does_not_say_where_is_no_answer(kms: Any) -> None:
    row(kms, 1, signing=1)

    class Endless:
        def list_resource_tags(self, **parameters: Any) -> Any:
            return {**kms.list_resource_tags(**parameters), "Truncated": True}

        def __getattr__(self, name: str) -> Any:
            return getattr(kms, name)

    with pytest.raises(KmsError, match="does not say where"):
        read_ring(Endless(), "auth")
