"""When keys are fetched, how long they serve, and what is said when they do not."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.jwks.servers import Clock, Server, body, jwk, jwks

from kmsjwt.errors import JwksInvalid, JwksUnavailable, KeySourceError, UnknownKey
from kmsjwt.jwks import JwksUrl

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400


@pytest.fixture
def seed(tmp_path: Path) -> str:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(jwks("a")))
    return str(path)


def fetches(server: Server, call: Any) -> int:
    before = len(server.requests)
    with suppress(UnknownKey, KeySourceError):
        call()
    return len(server.requests) - before


def test_fetches_when_first_asked_and_not_again_while_fresh(server: Server, clock: Clock) -> None:
    source = JwksUrl(server.url, clock=clock)
    assert server.requests == []
    for _ in range(3):
        assert source.key("a").kid == "a"
        clock.now += 99
    assert server.requests == ["/jwks.json"]


@pytest.mark.parametrize(("age", "requests"), [(299.9, 1), (300, 2), (30 * DAY, 2), (-1, 2)])
def test_refetches_at_max_age_and_after_a_clock_that_went_back(
    server: Server, clock: Clock, age: float, requests: int
) -> None:
    source = JwksUrl(server.url, max_age=300, clock=clock)
    source.key("a")
    clock.now += age
    source.key("a")
    source.key_set()
    assert len(server.requests) == requests


def test_a_rotated_key_is_found_by_its_first_token(server: Server, clock: Clock) -> None:
    source = JwksUrl(server.url, clock=clock, cool_down=30)
    source.key("a")
    server.publish("a", "b")
    clock.now += 30
    assert source.key("b").kid == "b"
    assert len(server.requests) == 2


def test_a_withdrawn_key_is_unknown_once_the_set_has_aged(server: Server, clock: Clock) -> None:
    server.publish("a", "b")
    source = JwksUrl(server.url, clock=clock)
    source.key("b")
    server.publish("a")
    clock.now += 300
    with pytest.raises(UnknownKey):
        source.key("b")


def test_unknown_kids_cost_one_fetch_per_cool_down(server: Server, clock: Clock) -> None:
    source = JwksUrl(server.url, clock=clock, cool_down=30)
    source.key("a")
    for second in range(90):
        with pytest.raises(UnknownKey) as refused:
            source.key(f"made up {second}")
        assert not refused.value.retryable
        clock.now += 1
    assert len(server.requests) == 3


def test_a_token_without_kid_gets_the_only_key_and_never_causes_a_fetch(
    server: Server, clock: Clock
) -> None:
    source = JwksUrl(server.url, clock=clock)
    assert source.key(None).kid == "a"
    server.publish("a", "b")
    clock.now += 299
    source.key("a")
    assert source.key(None).kid == "a"
    clock.now += 1
    with pytest.raises(UnknownKey) as refused:
        source.key(None)
    assert refused.value.code == "kid_missing"
    clock.now += 200
    assert fetches(server, lambda: source.key(None)) == 0


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(st.floats(0, 100), st.sampled_from(["a", "x", "y", None])), max_size=40
    )
)
def test_no_order_of_tokens_causes_more_fetches_than_the_cool_down_allows(
    server: Server, steps: list[tuple[float, str | None]]
) -> None:
    clock = Clock()
    start, before = clock.now, len(server.requests)
    source = JwksUrl(server.url, clock=clock, cool_down=30)
    for seconds, kid in steps:
        clock.now += seconds
        if kid in ("a", None):
            assert source.key(kid).kid == "a"
        else:
            with pytest.raises(UnknownKey):
                source.key(kid)
    assert len(server.requests) - before <= 1 + (clock.now - start) / 30


def test_a_seed_serves_without_a_fetch_until_it_is_old(
    server: Server, clock: Clock, seed: str
) -> None:
    source = JwksUrl(server.url, seed=seed, clock=clock)
    clock.now += 299
    assert source.key("a").kid == "a"
    assert server.requests == []
    clock.now += 1
    assert source.key("a").kid == "a"
    assert len(server.requests) == 1


def test_a_seed_asks_at_once_for_a_kid_it_lacks(server: Server, clock: Clock, seed: str) -> None:
    server.publish("a", "b")
    source = JwksUrl(server.url, seed=seed, clock=clock)
    assert source.key("b").kid == "b"
    assert len(server.requests) == 1


def test_a_seed_lasts_no_longer_than_a_fetched_set(server: Server, clock: Clock, seed: str) -> None:
    server.fail()
    source = JwksUrl(server.url, seed=seed, clock=clock)
    with pytest.raises(JwksUnavailable):
        source.key("b")
    clock.now += DAY - 1
    assert source.key("a").kid == "a"
    clock.now += 1
    with pytest.raises(JwksUnavailable) as stale:
        source.key("a")
    assert stale.value.code == "jwks_stale"


def test_good_keys_serve_through_an_outage_and_not_beyond_max_stale(
    server: Server, clock: Clock
) -> None:
    source = JwksUrl(server.url, clock=clock, max_stale=DAY)
    source.key("a")
    fetched_at = clock.now
    server.fail()
    for age in range(0, DAY, 3_600):
        clock.now = fetched_at + age
        assert source.key("a").kid == "a"
        assert [key.kid for key in source.key_set()] == ["a"]
    clock.now = fetched_at + DAY
    for ask in (lambda: source.key("a"), source.key_set):
        with pytest.raises(JwksUnavailable, match="503") as stale:
            ask()
        assert stale.value.retryable
    server.publish("a")
    clock.now += 5
    assert source.key("a").kid == "a"


def test_in_an_outage_an_unknown_kid_is_not_refused_but_not_known(
    server: Server, clock: Clock
) -> None:
    source = JwksUrl(server.url, clock=clock)
    source.key("a")
    server.fail()
    for age in (30, 31, 61, 300, 301, 3_600):
        clock.now = 1_790_000_000 + age
        with pytest.raises(JwksUnavailable) as unknown:
            source.key("b")
        assert unknown.value.retryable
        assert "'b'" in str(unknown.value)


def test_a_server_that_fails_is_left_alone_for_the_back_off(server: Server, clock: Clock) -> None:
    server.fail()
    source = JwksUrl(server.url, clock=clock, back_off=5)
    for _ in range(20):
        with pytest.raises(JwksUnavailable, match="503"):
            source.key("a")
        clock.now += 1
    assert len(server.requests) == 4
    server.publish("a")
    assert source.key("a").kid == "a"


def test_a_server_that_fails_later_is_left_alone_too(server: Server, clock: Clock) -> None:
    source = JwksUrl(server.url, clock=clock, back_off=5)
    source.key("a")
    server.fail()
    clock.now += 300
    for _ in range(20):
        source.key("a")
        clock.now += 1
    assert len(server.requests) == 1 + 4


def test_a_clock_that_went_back_gives_no_more_than_max_stale(server: Server, clock: Clock) -> None:
    source = JwksUrl(server.url, clock=clock, max_stale=DAY)
    source.key("a")
    server.fail()
    clock.now -= 365 * DAY
    returned_at = clock.now
    source.key("a")
    clock.now += 5
    assert fetches(server, lambda: source.key("a")) == 1
    clock.now = returned_at + DAY
    with pytest.raises(JwksUnavailable):
        source.key("a")
    clock.now = 1_790_000_000  # where the old set would have been young again
    with pytest.raises(JwksUnavailable):
        source.key("a")


def test_failures_of_a_clock_that_went_back_do_not_block_the_next_try(
    server: Server, clock: Clock
) -> None:
    server.fail()
    source = JwksUrl(server.url, clock=clock)
    assert fetches(server, lambda: source.key("a")) == 1
    clock.now -= DAY
    server.publish("a")
    assert source.key("a").kid == "a"


@pytest.mark.parametrize(
    ("cache_control", "still_fresh_at", "aged_out_at"),
    [
        pytest.param("max-age=60", 59, 60, id="shorter counts"),
        pytest.param("public, MAX-AGE=60, must-revalidate", 59, 60, id="among others"),
        pytest.param("max-age=86400", 299, 300, id="longer does not"),
        pytest.param("max-age=0", 29, 30, id="never under the cool-down"),
        pytest.param("no-store", 29, 30, id="no-store"),
        pytest.param("no-cache", 29, 30, id="no-cache"),
        pytest.param("s-maxage=40", 299, 300, id="s-maxage is for shared caches"),
        pytest.param("max-age=-1", 299, 300, id="nonsense is ignored"),
        pytest.param("max-age=99999999999999999999", 299, 300, id="absurd is ignored"),
    ],
)
def test_cache_control_shortens_and_never_lengthens(
    server: Server, clock: Clock, cache_control: str, still_fresh_at: float, aged_out_at: float
) -> None:
    server.answer = body(jwks("a"), Cache_Control=cache_control)
    source = JwksUrl(server.url, clock=clock, max_age=300, cool_down=30)
    source.key("a")
    clock.now = 1_790_000_000 + still_fresh_at
    assert fetches(server, lambda: source.key("a")) == 0
    clock.now = 1_790_000_000 + aged_out_at
    assert fetches(server, lambda: source.key("a")) == 1


def test_an_unchanged_key_stays_the_same_object(server: Server, clock: Clock) -> None:
    server.publish("a", "b", "c")
    source = JwksUrl(server.url, clock=clock)
    a, b = source.key("a"), source.key("b")
    server.answer = body({"keys": [jwk("d"), jwk("b", material="other"), jwk("a")]})
    clock.now += 300
    assert source.key("a") is a
    assert source.key("b") is not b
    assert source.key("b") != b
    assert [key.kid for key in source.key_set()] == ["d", "b", "a"]


def test_a_seeded_key_stays_the_same_object(server: Server, clock: Clock, seed: str) -> None:
    source = JwksUrl(server.url, seed=seed, clock=clock)
    a = source.key("a")
    clock.now += 300
    assert source.key("a") is a
    assert len(server.requests) == 1


def test_the_reasons_of_skipped_keys_are_kept(server: Server, clock: Clock) -> None:
    server.answer = body({"keys": [jwk("a"), {"kty": "EC", "crv": "P-192", "kid": "b"}]})
    source = JwksUrl(server.url, clock=clock)
    source.key("a")
    clock.now += 300
    (reason,) = source.key_set().skipped
    assert "P-192" in reason


def test_each_failed_fetch_is_told_once(server: Server, clock: Clock) -> None:
    told: list[tuple[str, str, dict[str, object]]] = []

    def log(level: str, event: str, **fields: object) -> None:
        told.append((level, event, fields))

    source = JwksUrl(server.url, clock=clock, log=log)
    source.key("a")
    assert told == []
    server.fail()
    clock.now += 300
    source.key("a")
    source.key("a")
    ((level, event, fields),) = told
    assert (level, event, fields["code"]) == ("WARN", "jwks_fetch_failed", "jwks_status")
    assert fields["keys_kept"] == 1
    assert server.url in str(fields["reason"])


def test_errors_are_new_each_time_and_hold_no_frames(server: Server, clock: Clock) -> None:
    server.answer = body(b"<html>")
    source = JwksUrl(server.url, clock=clock)
    raised = []
    for _ in range(2):
        with pytest.raises(JwksInvalid) as caught:
            source.key("a")
        raised.append(caught.value)
    assert raised[0] is not raised[1]
    assert [error.__context__ for error in raised] == [None, None]
