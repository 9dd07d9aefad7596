"""No run of publishers, whatever fails in it, takes a key out that was not retired."""

from __future__ import annotations

import json
from threading import Barrier, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.publish.goods import (
    ISSUER,
    JWKS,
    OAUTH,
    OPENID,
    keys,
    kids,
    no_pause,
    published,
    steps,
)
from tests.publish.s3 import MemoryS3

from kmsjwt.errors import KmsJwtError
from kmsjwt.publish import S3, Folder, Publisher

if TYPE_CHECKING:
    from pathlib import Path

KIDS = ("a", "b", "c", "d")
KINDS = ("before", "after", "deny", "conflict", "throttle", "stale")


class Crash(BaseException):
    """The process is killed."""


class Act(NamedTuple):
    """One publishing: what it knows, what goes wrong, and who comes in between."""

    live: frozenset[str]
    retired: frozenset[str]
    faults: tuple[tuple[str, str, int, int], ...]
    dies_before: int | None
    between: Act | None
    at: int


KIDS_SET = st.frozensets(st.sampled_from(KIDS), max_size=3)
FAULT = st.tuples(
    st.sampled_from(["get_object", "put_object"]),
    st.sampled_from(KINDS),
    st.integers(0, 4),
    st.integers(1, 3),
)


def acts(between: Any) -> Any:
    return st.builds(
        Act,
        live=KIDS_SET,
        retired=KIDS_SET,
        faults=st.lists(FAULT, max_size=2).map(tuple),
        dies_before=st.none() | st.integers(1, 9),
        between=between,
        at=st.integers(1, 6),
    )


ACT = acts(st.none() | acts(st.none()))
# Every call that a publisher of one new key makes, and one more.
EVERY_FAULT = [
    (operation, kind, skip, times)
    for operation, last in (("get_object", 7), ("put_object", 3))
    for kind in KINDS
    for skip in range(last + 1)
    for times in (1, 3)
]
ALONE: tuple[Any, ...] = (frozenset(), (), None, None, 0)


class World:
    def __init__(self) -> None:
        self.s3 = MemoryS3()
        self.allowed: set[str] = set()
        self.sound = True

    def run(self, act: Act) -> None:
        """Publish; what goes wrong ends this one alone."""
        client = self.s3.client()
        for operation, kind, skip, times in act.faults:
            client.fault(operation, kind, skip=skip, times=times)  # type: ignore[arg-type]  # drawn from its own names

        def hook(_operation: str, _key: str) -> None:
            if client.call_count == act.dies_before:
                raise Crash
            if act.between is not None and client.call_count == act.at:
                self.run(act.between)

        client.before = hook
        publisher = Publisher(S3("bucket", client=client), issuer=ISSUER, pause=no_pause)
        self.allowed |= act.retired
        try:
            publisher.publish(keys(*act.live), act.retired)
        except (KmsJwtError, Crash):
            self.sound = False


@settings(max_examples=200, deadline=None)
@given(history=st.lists(ACT, min_size=1, max_size=5))
def test_a_key_leaves_only_because_it_is_retired(history):
    """Every single write is judged, not the end of a run alone."""
    world, judged = World(), 0
    for act in history:
        world.allowed, world.sound = set(), True

        world.run(act)

        for before, after in steps(world.s3)[judged:]:
            assert before - after <= world.allowed
            assert after
        judged = len(steps(world.s3))
        if world.sound:
            require_discovery_fits(world.s3)


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=str)
def test_each_fault_of_each_call(fault):
    """One that is there, one that is to leave, one that comes; then the same again, unhindered."""
    world = World()
    world.run(Act(frozenset("ab"), *ALONE))
    act = Act(frozenset("c"), frozenset("b"), (fault,), None, None, 0)

    for each in (act, act._replace(faults=())):
        world.run(each)
        assert {"a"} <= kids(world.s3) <= {"a", "b", "c"}

    assert kids(world.s3) == {"a", "c"}
    require_discovery_fits(world.s3)


@pytest.mark.parametrize("before", range(1, 11))
def test_killed_before_each_call(before):
    world = World()
    world.run(Act(frozenset("ab"), *ALONE))

    for dies_before in (before, None):
        world.run(Act(frozenset("c"), frozenset("b"), (), dies_before, None, 0))
        assert {"a"} <= kids(world.s3) <= {"a", "b", "c"}

    assert kids(world.s3) == {"a", "c"}


@pytest.mark.parametrize("at", range(1, 11))
@pytest.mark.parametrize("there", ["", "x"])
@pytest.mark.parametrize(("first", "second"), [("a", "b"), ("xa", "bc"), ("ab", "b")])
def test_a_publisher_between_each_two_calls_of_another(there, first, second, at):
    world = World()
    if there:
        world.run(Act(frozenset(there), *ALONE))
    world.run(Act(frozenset(first), frozenset(), (), None, Act(frozenset(second), *ALONE), at))

    ran = set(second) if at <= 4 else set()  # even one that writes nothing makes 4 calls
    assert {*there, *first, *ran} <= kids(world.s3) <= {*there, *first, *second}
    for before, after in steps(world.s3):
        assert before <= after
    require_discovery_fits(world.s3)


@settings(max_examples=100, deadline=None)
@given(first=ACT, then=KIDS_SET.filter(bool))
def test_the_next_run_carries_on(first, then):
    """Whatever became of the first, a second that nothing hinders ends as if it were alone."""
    world = World()
    world.run(first)
    before = kids(world.s3)

    world.run(Act(then, *ALONE))

    assert kids(world.s3) == before | then
    require_discovery_fits(world.s3)


def require_discovery_fits(s3: MemoryS3) -> None:
    algs = sorted({each["alg"] for each in published(s3)["keys"]})
    for path in (OPENID, OAUTH):
        assert published(s3, path)["id_token_signing_alg_values_supported"] == algs


@pytest.mark.parametrize("kind", ["S3", "folder"])
def test_many_publishers_at_once_lose_no_key(tmp_path: Path, kind: str):
    s3 = MemoryS3()
    names = [f"k{number}" for number in range(6)]
    barrier = Barrier(len(names))
    failed: list[Exception] = []

    def run(name: str) -> None:
        place = S3("bucket", client=s3.client()) if kind == "S3" else Folder(tmp_path)
        publisher = Publisher(place, issuer=ISSUER, pause=no_pause)
        keys(name)
        barrier.wait(10)
        for _ in range(20):
            try:
                publisher.publish(keys(name))
            except KmsJwtError as error:
                if not error.retryable:
                    failed.append(error)
                continue
            return
        failed.append(AssertionError(name))

    threads = [Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert failed == []
    text = (tmp_path / JWKS).read_text() if kind == "folder" else json.dumps(published(s3))
    assert [each["kid"] for each in json.loads(text)["keys"]] == names
