"""The limits of what is fetched and published, at the limit itself and one beside it."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.jwks.servers import Clock, Handler, Server, body, jwk, jwks, private_key

from kmsjwt import ConfigError, KeySet, PublicKey
from kmsjwt.errors import JwksUnavailable, KeySourceError
from kmsjwt.jwks import JwksFile, JwksUrl, StaticKeys, jwks_document

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_URL = 2048
LARGEST_DOCUMENT = 150_000


def refusal(url: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        JwksUrl(url)  # type: ignore[arg-type]  # whatever somebody configures
    return caught.value


def test_the_length_of_a_url():
    start = "https://id.example/"

    JwksUrl(start + "x" * (LONGEST_URL - len(start)))
    assert refusal(start + "x" * (LONGEST_URL + 1 - len(start))).code == "url"


@pytest.mark.parametrize("port", [1, 65_535])
def test_the_first_and_the_last_port(port: int):
    assert str(port) in repr(JwksUrl(f"https://id.example:{port}/"))


@pytest.mark.parametrize("text", ["user:hunter2@id.example/keys", "//user:hunter2@id.example"])
def test_what_is_no_url_may_hold_a_password(text: str):
    assert "hunter2" not in str(refusal(text))


def test_what_is_no_url_is_shown_without_its_query():
    told = str(refusal("id.example/keys?token=s3cret"))

    assert "id.example/keys" in told
    assert "s3cret" not in told


def test_the_root_of_a_host_is_asked_for_by_its_name(server: Server, clock: Clock):
    assert JwksUrl(server.origin, clock=clock).key("a").kid == "a"
    assert server.requests == ["/"]


def test_a_host_that_does_not_accept_ends_with_the_time_limit(clock: Clock):
    """Its queue is full, so that connecting alone would take minutes."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        waiting = []
        for _ in range(3):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())
            waiting.append(caller)
        started = time.monotonic()
        source = JwksUrl(f"http://127.0.0.1:{deaf.getsockname()[1]}/", timeout=0.2, clock=clock)

        with pytest.raises(JwksUnavailable) as caught:
            source.key("a")

        assert caught.value.code == "jwks_timeout"
        assert time.monotonic() - started < 1
        for caller in waiting:
            caller.close()


@pytest.mark.parametrize("status", [201, 299, 400, 404])
def test_only_a_redirect_is_called_one(server: Server, clock: Clock, status: int):
    server.answer = body(b"", status=status, Location="https://id.example/other")

    with pytest.raises(JwksUnavailable) as caught:
        JwksUrl(server.url, clock=clock).key("a")
    assert caught.value.code == "jwks_status"


@pytest.mark.parametrize("status", [300, 301, 399])
def test_a_redirect_is_called_one(server: Server, clock: Clock, status: int):
    server.answer = body(b"", status=status, Location="https://id.example/other")

    with pytest.raises(JwksUnavailable) as caught:
        JwksUrl(server.url, clock=clock).key("a")
    assert caught.value.code == "jwks_redirect"
    assert caught.value.retryable is False


def test_a_redirect_to_nowhere_is_a_status(server: Server, clock: Clock):
    server.answer = body(b"", status=302)

    with pytest.raises(JwksUnavailable) as caught:
        JwksUrl(server.url, clock=clock).key("a")
    assert caught.value.code == "jwks_status"


def test_how_large_a_published_document_may_be():
    public = private_key("a").public_key()

    def size(kid: str) -> int:
        published = jwks_document([PublicKey(public, "ES256", kid=kid)])
        return len(json.dumps(published, separators=(",", ":")))

    most = LARGEST_DOCUMENT - size("x") + 1
    assert size("x" * most) == LARGEST_DOCUMENT
    with pytest.raises(ConfigError) as caught:
        size("x" * (most + 1))
    assert caught.value.code == "jwks_too_large"


def test_how_large_a_file_may_be(tmp_path: Path):
    content = json.dumps({"keys": [jwk("a")]}).encode()
    path = tmp_path / "jwks.json"
    path.write_bytes(content + b" " * (LARGEST_DOCUMENT - len(content)))

    assert JwksUrl("https://id.example/", seed=path, clock=Clock()).key("a").kid == "a"
    path.write_bytes(content + b" " * (LARGEST_DOCUMENT + 1 - len(content)))
    with pytest.raises(ConfigError):
        JwksUrl("https://id.example/", seed=path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"keys": []}', "no usable key"),
        (b"eyJhbGciOiJSUzI1NiJ9.e30.AAAA", "looks like a token"),
        (b"\n<html>", "looks like HTML"),
        (b"[]", "no object"),
    ],
)
def test_a_bad_file_is_named_and_told_from_others(tmp_path: Path, content: bytes, says: str):
    path = tmp_path / "published.json"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=says) as caught:
        JwksFile(path)
    assert "published.json" in str(caught.value)


def test_a_file_name_that_cannot_be(tmp_path: Path):
    with pytest.raises(ConfigError, match="no such name is possible") as caught:
        JwksFile(f"{tmp_path}/a\0b")
    assert caught.value.code == "jwks_file"


def test_a_key_set_is_held_as_it_is():
    """What was skipped, and why, is still told."""
    keys = KeySet.from_jwks({"keys": [jwk("a"), {"kty": "LATTICE"}]})

    assert StaticKeys(keys).key_set().skipped == keys.skipped
    assert len(keys.skipped) == 1


@pytest.mark.parametrize(
    "times",
    [
        {"timeout": 5, "back_off": 5, "cool_down": 5, "max_age": 5, "max_stale": 5},
        {"timeout": 0.001},
        {"max_age": 86_400.0},
    ],
)
def test_times_may_be_equal_and_small(times: dict[str, Any]):
    JwksUrl("https://id.example/", **times)


TIMES = ("timeout", "back_off", "cool_down", "max_age", "max_stale")
DAY, END_OF_TIME = 86_400, 253_402_300_799


@pytest.mark.parametrize(
    "times", [dict.fromkeys(TIMES, DAY), {"max_stale": END_OF_TIME}, {"max_stale": 2.5e11}], ids=str
)
def test_how_long_a_time_may_be(times: dict[str, Any]):
    JwksUrl("https://id.example/", **times)


@pytest.mark.parametrize(
    "seconds",
    [END_OF_TIME + 1, 1e300, 10**400, 10**5000, -(10**400)],
    ids=["year 10000", "1e300", "no float", "no text", "negative"],
)
@pytest.mark.parametrize("name", TIMES)
def test_a_time_that_no_clock_tells_is_refused(name: str, seconds: float):
    """Python's floats, and a system's timers, hold no such number."""
    with pytest.raises(ConfigError, match=f"{name} is .*, expected a positive number") as caught:
        JwksUrl("https://id.example/", **{name: seconds})  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.code == "jwks_times"


def test_a_fetch_does_not_last_for_days():
    times: dict[str, Any] = dict.fromkeys(TIMES, DAY + 1)
    with pytest.raises(ConfigError, match="86400 at most"):
        JwksUrl("https://id.example/", **times)


@pytest.mark.parametrize("method", ["key", "key_set"])
@pytest.mark.parametrize("before", ["nothing", "keys too old"])
def test_what_does_not_serve_is_waited_for(server: Server, clock: Clock, method: str, before: str):
    """Whoever comes while another thread fetches gets the new keys, not an error at once."""
    source = JwksUrl(server.url, clock=clock)
    if before == "keys too old":
        source.key("a")
        clock.now += 86_400
        server.requests.clear()
    asked, answered = threading.Event(), threading.Event()

    def slowly(handler: Handler) -> None:
        asked.set()
        answered.wait(1)
        body(jwks("a"))(handler)

    server.answer = slowly
    outcomes: list[str] = []

    def ask() -> None:
        try:
            found = source.key("a") if method == "key" else next(iter(source.key_set()))
            outcomes.append(found.kid)
        except KeySourceError as error:
            outcomes.append(error.code)

    first, second = threading.Thread(target=ask), threading.Thread(target=ask)
    first.start()
    assert asked.wait(1)
    second.start()
    second.join(0.05)  # it has come to wait, or it is over with an error
    answered.set()
    first.join(2)
    second.join(2)

    assert outcomes == ["a", "a"]
    assert len(server.requests) == 1


def test_keys_that_aged_on_their_way_deny_nobody(server: Server, clock: Clock):
    """A set that is old when it arrives cannot tell that there is no such key."""

    def late(handler: Handler) -> None:
        clock.now += 300
        body(jwks("a"))(handler)

    server.answer = late
    with pytest.raises(JwksUnavailable):  # a 500, and never a 401
        JwksUrl(server.url, clock=clock).key("b")


@pytest.mark.parametrize("max_stale", [86_400, 600])
def test_how_old_the_last_keys_may_be_is_told(server: Server, clock: Clock, max_stale: float):
    source = JwksUrl(server.url, clock=clock, max_stale=max_stale)
    source.key("a")
    server.fail()
    clock.now += max_stale

    with pytest.raises(JwksUnavailable, match=f"older than {max_stale} s") as caught:
        source.key("a")
    assert caught.value.code == "jwks_stale"


def test_a_log_is_told_of_the_very_first_failure(server: Server, clock: Clock):
    lines: list[dict[str, object]] = []
    server.fail()
    source = JwksUrl(server.url, clock=clock, log=lambda *_, **fields: lines.append(fields))

    with pytest.raises(JwksUnavailable):
        source.key("a")
    assert [(line["code"], line["keys_kept"]) for line in lines] == [("jwks_status", 0)]


def test_how_many_keys_there_are_is_known_without_asking(tmp_path):
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(jwks("a", "b")))

    assert JwksUrl("https://id.example/jwks.json").key_count == 0
    assert JwksUrl("https://id.example/jwks.json", seed=str(seed)).key_count == 2
