"""One fetch at a time, whoever else asks meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from tests.jwks.servers import Clock, Handler, Server, body, jwks

from kmsjwt.errors import JwksUnavailable, KmsJwtError, UnknownKey
from kmsjwt.jwks import JwksUrl

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 16


class Gate:
    """An answer that is given when the test opens the gate."""

    def __init__(self, answer: Callable[[Handler], None]) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()
        self._answer = answer

    def __call__(self, handler: Handler) -> None:
        self.reached.set()
        self.open.wait(10)
        self._answer(handler)


def at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    """Call from ``count`` threads that start together; return results and our errors."""
    barrier = threading.Barrier(count)

    def run(_: int) -> Any:
        barrier.wait(10)
        try:
            return call()
        except KmsJwtError as error:
            return type(error)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_cold_all_threads_share_one_fetch(server: Server, clock: Clock) -> None:
    source = JwksUrl(server.url, clock=clock)
    keys = at_once(THREADS, lambda: source.key("a"))
    assert len(server.requests) == 1
    assert all(key is keys[0] for key in keys)


def test_cold_all_threads_share_one_failure(server: Server, clock: Clock) -> None:
    server.fail()
    source = JwksUrl(server.url, clock=clock)
    assert at_once(THREADS, lambda: source.key("a")) == [JwksUnavailable] * THREADS
    assert len(server.requests) == 1


def test_unknown_kids_of_all_threads_share_one_fetch(server: Server, clock: Clock) -> None:
    source = JwksUrl(server.url, clock=clock)
    source.key("a")
    clock.now += 30
    names = iter(range(THREADS))
    assert at_once(THREADS, lambda: source.key(f"made up {next(names)}")) == [UnknownKey] * THREADS
    assert len(server.requests) == 2


def test_known_keys_are_answered_while_a_fetch_is_under_way(server: Server, clock: Clock) -> None:
    source = JwksUrl(server.url, timeout=5, clock=clock)
    known = source.key("a")
    gate = server.answer = Gate(body(jwks("a", "b")))
    clock.now += 300
    with ThreadPoolExecutor(2) as pool:
        fetching = pool.submit(source.key, "a")
        assert gate.reached.wait(10)
        assert source.key("a") is known
        assert [key.kid for key in source.key_set()] == ["a"]
        waiting = pool.submit(source.key, "b")
        assert not waiting.done()
        gate.open.set()
        assert fetching.result(10) is known
        assert waiting.result(10).kid == "b"
    assert len(server.requests) == 2


def test_a_new_key_is_waited_for_while_another_thread_fetches_it(
    server: Server, clock: Clock
) -> None:
    source = JwksUrl(server.url, timeout=5, clock=clock)
    source.key("a")
    gate = server.answer = Gate(body(jwks("a", "b")))
    clock.now += 30
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(source.key, "b")
        assert gate.reached.wait(10)
        second = pool.submit(source.key, "b")
        threading.Timer(0.05, gate.open.set).start()
        assert first.result(10) is second.result(10)
    assert len(server.requests) == 2


def test_a_thread_does_not_wait_for_ever_for_another(server: Server) -> None:
    """As when the other hangs in a name look-up, which no time limit covers."""
    main = threading.get_ident()
    held = threading.Event()
    stuck = threading.Event()

    def clock() -> float:
        if threading.get_ident() != main and server.requests:  # within the fetch, as it ends
            stuck.set()
            held.wait(10)
        return 1_790_000_000.0

    server.fail()
    source = JwksUrl(server.url, timeout=0.1, clock=clock)
    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(source.key, "a")
        assert stuck.wait(10)
        with pytest.raises(JwksUnavailable) as busy:
            source.key("a")
        held.set()
        with pytest.raises(JwksUnavailable, match="503"):
            fetching.result(10)
    assert busy.value.code == "jwks_busy"


@pytest.mark.parametrize("rounds", [8])
def test_readers_and_rotations_together(server: Server, rounds: int) -> None:
    """Whatever the interleaving: keys that are always published are always found."""
    clock = Clock()
    source = JwksUrl(server.url, clock=clock, cool_down=5)
    server.publish("a", "b0")
    stop = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        while not stop.is_set():
            try:
                if source.key("a").kid != "a":
                    wrong.append("another key")
            except KmsJwtError as error:
                wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for turn in range(rounds):
        server.publish("a", f"b{turn}")
        clock.now += 300
        source.key(f"b{turn}")
    stop.set()
    for reader in readers:
        reader.join(10)
    assert wrong == []
