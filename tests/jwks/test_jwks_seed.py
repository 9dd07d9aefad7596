"""A seed with a date: what it spares, and how long a key that was withdrawn lives on in it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.jwks.servers import Clock, Server, jwks

from kmsjwt.errors import ConfigError, JwksUnavailable, KeySourceError, UnknownKey
from kmsjwt.jwks import JwksUrl
from kmsjwt.jwks.seed import FILE, MAX_AGE, read_seed, seed_bytes
from kmsjwt.keys import KeySet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOUR, DAY = 3_600, 86_400
READ_AT = 1_790_000_000
YEAR_9999 = 253_402_300_799  # its last second
HUGE = 10**400  # an integer that no float can hold


@pytest.fixture
def seed(server: Server, tmp_path: Path) -> Callable[..., str]:
    """Write a seed of the keys ``a`` and ``b``; by default as a bundle's, read at READ_AT."""
    told = {**jwks("a", "b"), "read_at": READ_AT, "read_from": server.url}

    def write(**members: Any) -> str:
        path = tmp_path / FILE
        path.write_text(json.dumps({**told, **members}))
        return str(path)

    return write


def started(server: Server, clock: Clock, path: str) -> JwksUrl:
    """Return what a new process has."""
    return JwksUrl(server.url, seed=path, seed_max_age=MAX_AGE, clock=clock)


@pytest.mark.parametrize(
    ("age", "requests"),
    [(-HOUR, 0), (0, 0), (DAY, 0), (MAX_AGE - 1, 0), (MAX_AGE, 1), (400 * DAY, 1)],
    ids=["a clock ahead", "new", "a day", "nearly a week", "a week", "last year's"],
)
def test_a_process_begins_without_a_fetch_while_the_seed_is_young(
    server: Server, clock: Clock, seed: Any, age: int, requests: int
) -> None:
    clock.now = READ_AT + age

    assert started(server, clock, seed()).key("a").kid == "a"

    assert len(server.requests) == requests


def test_each_process_learns_within_its_first_minutes_that_a_key_was_withdrawn(
    server: Server, clock: Clock, seed: Any
) -> None:
    server.publish("b")
    path = seed()
    for began in range(READ_AT, READ_AT + MAX_AGE, DAY):
        clock.now = began
        source = started(server, clock, path)
        clock.now = began + 299
        source.key("a")  # this is the price of a seed
        clock.now = began + 300
        with pytest.raises(UnknownKey):
            source.key("a")


def test_an_unknown_kid_ends_it_sooner(server: Server, clock: Clock, seed: Any) -> None:
    server.publish("b", "c")
    source = started(server, clock, seed())

    assert source.key("c").kid == "c"

    with pytest.raises(UnknownKey):
        source.key("a")


def test_no_process_that_begins_after_a_week_takes_a_withdrawn_key(
    server: Server, clock: Clock, seed: Any
) -> None:
    server.publish("b")
    clock.now = READ_AT + MAX_AGE
    with pytest.raises(UnknownKey):
        started(server, clock, seed()).key("a")


def test_keeping_a_process_from_the_url_does_not_put_off_the_end(
    server: Server, clock: Clock, seed: Any
) -> None:
    server.fail()
    clock.now = READ_AT + MAX_AGE - HOUR
    source = started(server, clock, seed())
    clock.now = READ_AT + MAX_AGE - 1
    assert source.key("a").kid == "a"

    clock.now = READ_AT + MAX_AGE

    for ask in (lambda: source.key("a"), source.key_set):
        with pytest.raises(JwksUnavailable, match="older than the seed may be") as ended:
            ask()
        assert ended.value.code == "jwks_stale"
    with pytest.raises(JwksUnavailable):
        started(server, clock, seed()).key("a")


def test_what_was_fetched_has_no_end_of_a_seed(server: Server, clock: Clock, seed: Any) -> None:
    clock.now = READ_AT + MAX_AGE - 400
    source = started(server, clock, seed())
    clock.now += 300
    source.key("a")
    server.fail()

    clock.now += 12 * HOUR

    assert source.key("a").kid == "a"


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    starts=st.floats(0, 2 * MAX_AGE),
    steps=st.lists(
        st.tuples(st.floats(0, 2 * DAY), st.sampled_from(["a", "x"]), st.booleans()), max_size=12
    ),
)
def test_whatever_happens_a_withdrawn_key_is_never_taken_after_its_bounds(
    server: Server, seed: Any, starts: float, steps: list[tuple[float, str, bool]]
) -> None:
    """The server lacks ``a`` all the time, and fails at times."""
    clock = Clock(READ_AT + starts)
    source = started(server, clock, seed())
    began = failed_at = clock.now
    heard = False
    for seconds, kid, is_up in steps:
        clock.now += seconds
        server.publish("b") if is_up else server.fail()
        before = len(server.requests)
        with suppress(UnknownKey, KeySourceError):
            source.key(kid)
            assert not heard
            assert clock.now < READ_AT + MAX_AGE
            assert clock.now < began + DAY
            # After a failure it is not asked again for 30 seconds.
            assert clock.now < max(began + 300, failed_at + 30) or not is_up
        asked = len(server.requests) > before
        heard = heard or (is_up and asked)
        failed_at = failed_at if is_up or not asked else clock.now


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"read_at": None}, "has read_at None"),
        ({"read_at": True}, "has read_at True"),
        ({"read_at": "2026-11-23T00:00:00Z"}, "has read_at '2026"),
        ({"read_at": 1.5}, "has read_at 1.5"),
        ({"read_at": -1}, "has read_at -1"),
        ({"read_at": -HUGE}, "has read_at -1000"),
        ({"read_at": HUGE}, "has read_at 1000"),
        ({"read_from": None}, "has read_from None, expected the URL"),
        ({"read_from": ""}, "has read_from ''"),
        ({"read_from": ["https://id.example"]}, "has read_from of type"),
    ],
    ids=[
        "none",
        "a truth",
        "a text",
        "a fraction",
        "before 1970",
        "of no calendar",
        "a time that never comes",
        "from nowhere",
        "from an empty URL",
        "from several",
    ],
)
def test_a_seed_that_does_not_say_when_and_where_it_was_read_is_refused(
    server: Server, clock: Clock, seed: Any, members: dict[str, Any], told: str
) -> None:
    clock.now = READ_AT
    with pytest.raises(ConfigError, match=told) as refused:
        started(server, clock, seed(**members))
    assert refused.value.code == "jwks_seed"


@pytest.mark.parametrize("ahead", [HOUR + 1, DAY, 400 * DAY])
def test_a_seed_of_a_time_to_come_is_none_and_stops_nothing(
    server: Server, clock: Clock, seed: Any, ahead: int
) -> None:
    clock.now = READ_AT
    server.publish("b")
    source = started(server, clock, seed(read_at=READ_AT + ahead))

    assert "later than now" in str(source.seed_unused)
    assert source.key_count == 0
    with pytest.raises(UnknownKey):
        source.key("a")


@pytest.mark.parametrize("max_age", [MAX_AGE, None])
@pytest.mark.parametrize(
    ("elsewhere", "told"),
    [
        (lambda _: "https://dev.example/jwks.json", "'https://dev.example/jwks.json'"),
        (lambda url: f"{url}/", "/jwks.json/'"),
        (lambda url: f"{url}?tenant=dev", "the same address with another query"),
    ],
    ids=["another host", "a slash", "a query"],
)
def test_a_seed_of_another_url_is_none(
    server: Server, clock: Clock, seed: Any, elsewhere: Any, told: str, max_age: int | None
) -> None:
    """A zip that was bundled for dev lies beside prod's URL."""
    clock.now = READ_AT
    server.publish("b")
    path = seed(read_from=elsewhere(server.url))
    source = JwksUrl(server.url, seed=path, seed_max_age=max_age, clock=clock)

    assert told in str(source.seed_unused)
    assert "tenant" not in str(source.seed_unused)
    assert source.key_count == 0
    with pytest.raises(UnknownKey):
        source.key("a")
    assert server.requests == ["/jwks.json"]


def test_what_an_issuer_names_begins_with_a_seed_of_that_issuer_alone(
    server: Server, clock: Clock, seed: Any
) -> None:
    clock.now = READ_AT
    at_issuer, at_url = (
        JwksUrl.from_issuer(
            server.origin, seed=seed(read_from=url), seed_max_age=MAX_AGE, clock=clock
        )
        for url in (server.origin, server.url)
    )

    assert (at_issuer.key_count, at_issuer.seed_unused) == (2, None)
    assert (at_url.key_count, at_url.seed_unused is None) == (0, False)


@pytest.mark.parametrize("make", [JwksUrl, JwksUrl.from_issuer], ids=["a URL", "an issuer"])
@pytest.mark.parametrize("named", ["none", None, HUGE], ids=["a word", "nothing", "a number"])
def test_what_cannot_be_followed_is_told_beside_a_seed(
    clock: Clock, seed: Any, make: Any, named: Any
) -> None:
    with pytest.raises(ConfigError, match=r"url is|issuer is"):
        make(named, seed=seed(), seed_max_age=MAX_AGE, clock=clock)


def test_no_query_is_told_of_either_url(server: Server, seed: Any) -> None:
    path = seed(read_from=f"{server.url}?secret=dev")

    _, _, why = read_seed(path, url=f"{server.url}?secret=prod", alg=None, max_age=60, now=READ_AT)

    assert "the same address with another query" in str(why)
    assert "secret" not in str(why)


@pytest.mark.parametrize("read_at", [0, YEAR_9999])
def test_a_seed_may_be_of_any_second_that_a_date_can_name(
    server: Server, seed: Any, read_at: int
) -> None:
    age = YEAR_9999
    _, until, _ = read_seed(
        seed(read_at=read_at), url=server.url, alg=None, max_age=age, now=READ_AT
    )

    assert until == read_at + age


@pytest.mark.parametrize("read_at", [-1, YEAR_9999 + 1])
def test_a_seed_of_another_second_is_refused(server: Server, seed: Any, read_at: int) -> None:
    with pytest.raises(ConfigError, match="read_at"):
        JwksUrl(server.url, seed=seed(read_at=read_at), seed_max_age=MAX_AGE)


@pytest.mark.parametrize(
    "age",
    [0, -1, float("inf"), float("nan"), "7d", True, YEAR_9999 + 1, HUGE],
    ids=lambda age: str(age)[:8],
)
def test_an_age_that_is_none_is_refused(server: Server, seed: Any, age: Any) -> None:
    with pytest.raises(ConfigError, match="seed_max_age is"):
        JwksUrl(server.url, seed=seed(), seed_max_age=age)


def test_what_is_written_is_a_jwks_for_others_and_a_seed_for_us(
    server: Server, clock: Clock, tmp_path: Path
) -> None:
    written = seed_bytes(KeySet.from_jwks(jwks("b", "a")), READ_AT, server.url)
    (tmp_path / FILE).write_bytes(written)
    clock.now = READ_AT

    source = started(server, clock, str(tmp_path / FILE))

    theirs = jwt.PyJWKSet.from_json(written.decode())
    assert [key.key_id for key in theirs.keys] == ["a", "b"]
    assert {key.kid for key in source.key_set()} == {"a", "b"}
    assert server.requests == []


def test_a_week_is_the_longest_in_a_bundle_and_a_second_the_shortest_anywhere(
    server: Server, clock: Clock, seed: Any
) -> None:
    assert MAX_AGE == 7 * DAY
    clock.now = READ_AT
    source = JwksUrl(server.url, seed=seed(), seed_max_age=1, clock=clock)

    assert source.key("b").kid == "b"
    clock.now += 1
    with pytest.raises(UnknownKey):  # the server has another by now
        source.key("b")


@pytest.mark.parametrize(("age", "is_over"), [(59, False), (60, True), (61, True)])
def test_a_seed_whose_time_is_over_has_no_keys(
    server: Server, seed: Any, age: int, is_over: bool
) -> None:
    keys, until, why = read_seed(seed(), url=server.url, alg=None, max_age=60, now=READ_AT + age)

    assert (keys is None, until) == (is_over, READ_AT + 60)
    assert why == ("its time was over at 1790000060, in seconds since 1970" if is_over else None)
