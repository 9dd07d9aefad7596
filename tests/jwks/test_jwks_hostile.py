"""Servers that are broken or mean: a clear error when cold, the good keys when warm."""

from __future__ import annotations

import gzip
import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.jwks.servers import Clock, Handler, Server, body, jwk, jwks, private_jwk, raw, silent

from kmsjwt import KeySet
from kmsjwt.errors import JwksInvalid, JwksUnavailable, KeySourceError
from kmsjwt.jwks import JwksUrl
from kmsjwt.jwks.fetch import fetch
from kmsjwt.jwks.urls import read_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.jwks.servers import Answer

LIMIT = 150_000
HEAD = b"HTTP/1.1 200 OK\r\n"
GOOD = json.dumps(jwks("a")).encode()


def drip(start: bytes, endless: bytes) -> Answer:
    """Send a byte every 20 ms: each read is quick, the whole would take for ever."""

    def answer(handler: Handler) -> None:
        handler.wfile.write(start)
        while not handler.server.released.wait(0.02):
            handler.wfile.write(endless)

    return answer


def flood(line: int) -> Answer:
    """Send header lines of that many bytes for ever."""

    def answer(handler: Handler) -> None:
        handler.wfile.write(HEAD)
        while not handler.server.released.is_set():
            handler.wfile.write(b"X-Padding: " + b"x" * line + b"\r\n")

    return answer


def padded(size: int) -> bytes:
    return GOOD[:-1] + b" " * (size - len(GOOD)) + b"}"


def redirect(status: int) -> Answer:
    return body(b"", status=status, Location="https://login.example/keys?state=s3cret")


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> Answer:
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + framed + end)


def named(answer: Answer, error: type[KeySourceError], code: str, says: str, name: str) -> Any:
    return pytest.param(answer, error, code, says, id=name)


UNAVAILABLE = [
    (redirect(302), "jwks_redirect", "https://login.example/keys", "redirect"),
    (redirect(308), "jwks_redirect", "never followed", "permanent redirect"),
    (body(b"<h1>no</h1>", status=404), "jwks_status", "answered 404, expected 200", "404"),
    (body(GOOD, status=500), "jwks_status", "answered 500", "500 with a good body"),
    (body(GOOD, status=206), "jwks_status", "answered 206", "206"),
    (body(b"", status=304), "jwks_status", "answered 304", "304"),
    (raw(b""), "jwks_connection", "", "hangs up"),
    (raw(b"\x16\x03\x01 hello\r\n\r\n"), "jwks_connection", "", "does not speak HTTP"),
    (raw(HEAD + b"Content-Length: 9999\r\n\r\n" + GOOD), "jwks_truncated", "9999", "truncated"),
    (chunked(GOOD[:50], end=b"50\r\n{"), "jwks_connection", "", "truncated chunk"),
    (chunked(GOOD, end=b"zz\r\n"), "jwks_connection", "", "chunk of no length"),
    (flood(10), "jwks_connection", "", "endless header"),
    (flood(60_000), "jwks_connection", "sent more than", "endless header of long lines"),
    (raw(HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n"), "jwks_connection", "", "long header line"),
    (silent, "jwks_timeout", "in time", "silent"),
    (drip(b"", b"H"), "jwks_timeout", "in time", "drips its status line"),
    (drip(HEAD + b"X-Slow: ", b"x"), "jwks_timeout", "in time", "drips its header"),
    (drip(HEAD + b"\r\n{", b" "), "jwks_timeout", "in time", "drips its body"),
    (drip(b"HTTP/1.1 100 Continue\r\n\r\n", b"H"), "jwks_timeout", "", "continues"),
]
INVALID = [
    (body(b"<!doctype html><title>Sign in</title>"), "jwks_malformed", "HTML", "HTML"),
    (body(b""), "jwks_malformed", "not JSON", "empty"),
    (body(b"[]"), "jwks_malformed", "no object", "a list"),
    (body(b"{}"), "jwks_malformed", "keys", "no keys member"),
    (body({"keys": "a"}), "jwks_malformed", "keys", "keys is no list"),
    (body({"keys": []}), "jwks_no_usable_key", "no usable key", "no key"),
    (body({"keys": [{"kty": "RSA"}]}), "jwks_no_usable_key", "no usable key", "no usable key"),
    (body(GOOD.decode().encode("utf-16")), "jwks_malformed", "UTF-8", "UTF-16"),
    (body(b"\xef\xbb\xbf" + GOOD), "jwks_malformed", "not JSON", "byte order mark"),
    (body(GOOD[:-1] + b',"keys":[]}'), "jwks_malformed", "twice", "duplicate member"),
    (body(b'{"keys":' + b"[" * 60_000 + b"]" * 60_000 + b"}"), "jwks_malformed", "deep", "deep"),
    (body({"keys": [jwk("a"), jwk("a")]}), "jwks_duplicate_kid", "share the kid", "kid twice"),
    (body({"keys": [jwk("a"), private_jwk("b")]}), "jwks_private", "compromised", "private key"),
    (body({"keys": [jwk("a"), {"kty": "oct", "k": "AA"}]}), "jwks_private", "k", "secret key"),
    (body(padded(LIMIT + 1)), "jwks_too_large", "150000", "one byte too large"),
    (chunked(padded(LIMIT + 1)), "jwks_too_large", "150000", "too large, unannounced"),
    (raw(HEAD + b"Content-Length: 10000000000\r\n\r\n"), "jwks_too_large", "150000", "10 GB"),
    (body(gzip.compress(GOOD), Content_Encoding="gzip"), "jwks_encoding", "gzip", "gzip"),
]
HOSTILE = [named(answer, JwksUnavailable, *rest) for answer, *rest in UNAVAILABLE] + [
    named(answer, JwksInvalid, *rest) for answer, *rest in INVALID
]


def source_of(server: Server, clock: Clock) -> JwksUrl:
    return JwksUrl(server.url, timeout=0.25, clock=clock)


@pytest.mark.parametrize(("answer", "error", "code", "says"), HOSTILE)
def test_cold_it_is_an_error_that_says_why(
    server: Server,
    clock: Clock,
    answer: Answer,
    error: type[KeySourceError],
    code: str,
    says: str,
) -> None:
    server.answer = answer
    started = time.monotonic()
    with pytest.raises(error) as caught:
        source_of(server, clock).key("a")
    assert time.monotonic() - started < 2
    message = str(caught.value)
    assert caught.value.code == code
    assert says in message
    assert server.url in message
    assert "s3cret" not in message
    assert len(message) < 400
    assert message.count("\n") == 0


@pytest.mark.parametrize(("answer", "error", "code", "says"), HOSTILE)
def test_warm_it_never_replaces_good_keys(
    server: Server,
    clock: Clock,
    answer: Answer,
    error: type[KeySourceError],
    code: str,
    says: str,
) -> None:
    source = source_of(server, clock)
    good = source.key("a")
    server.answer = answer
    clock.now += 300
    assert source.key("a") is good
    with pytest.raises(JwksUnavailable) as unknown:  # a 500, and never a 401
        source.key("b")
    assert says in str(unknown.value)
    assert len(server.requests) == 2
    server.publish("a", "b")
    clock.now += 5
    assert source.key("b").kid == "b"


GOOD_ANSWERS: list[Any] = [
    pytest.param(body(padded(LIMIT)), id="exactly as large as may be"),
    pytest.param(chunked(GOOD[:7], GOOD[7:]), id="chunks"),
    pytest.param(chunked(*(GOOD[i : i + 1] for i in range(len(GOOD)))), id="chunks of a byte"),
    pytest.param(raw(b"HTTP/1.0 200 OK\r\n\r\n" + GOOD), id="HTTP/1.0 without a length"),
    pytest.param(raw(b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"\r\n" + GOOD), id="continue"),
    pytest.param(body(GOOD, Content_Type="text/plain"), id="any media type"),
    pytest.param(body(GOOD, Content_Encoding="Identity"), id="identity"),
    pytest.param(body(GOOD, Connection="keep-alive"), id="keep-alive"),
]


@pytest.mark.parametrize("answer", GOOD_ANSWERS)
def test_odd_but_good_answers_are_read(server: Server, clock: Clock, answer: Answer) -> None:
    server.answer = answer
    assert source_of(server, clock).key("a").kid == "a"


def test_nobody_there(clock: Clock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(JwksUnavailable, match="refused") as caught:
        JwksUrl(f"http://127.0.0.1:{port}/jwks.json", clock=clock).key("a")
    assert caught.value.retryable


def test_no_request_is_made_when_the_time_is_up(server: Server) -> None:
    with pytest.raises(JwksUnavailable) as caught:
        fetch(read_url(server.url, "url"), time.monotonic() - 1)
    assert caught.value.code == "jwks_timeout"
    assert server.requests == []


def test_a_full_backlog_ends_with_the_time_limit(clock: Clock) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        started = time.monotonic()
        source = JwksUrl(f"http://127.0.0.1:{deaf.getsockname()[1]}/", timeout=0.2, clock=clock)
        with pytest.raises(JwksUnavailable):
            source.key("a")
        assert time.monotonic() - started < 1


def test_localhost_is_tried_at_each_of_its_addresses(server: Server, clock: Clock) -> None:
    source = JwksUrl(f"http://localhost:{server.server_port}/jwks.json", clock=clock)
    assert source.key("a").kid == "a"


def test_the_request_is_plain(server: Server, clock: Clock) -> None:
    JwksUrl(f"{server.origin}/keys?v=1&x=%20", clock=clock).key("a")
    assert server.requests == ["/keys?v=1&x=%20"]
    assert server.last_headers == {
        "Host": f"127.0.0.1:{server.server_port}",
        "Accept": "application/jwk-set+json, application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "kmsjwt",
        "Connection": "close",
    }


def test_a_proxy_in_the_environment_is_not_asked(
    server: Server, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert JwksUrl(server.url, clock=clock).key("a").kid == "a"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
jwk_like = st.dictionaries(
    st.sampled_from(["kty", "kid", "alg", "use", "key_ops", "crv", "x", "y", "n", "e", "d", "pub"]),
    json_values | st.sampled_from(["RSA", "EC", "P-256", "RS256", "ES256", "sig", "AQAB"]),
)
documents: st.SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=300),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.lists(jwk_like | json_values, max_size=4).map(
        lambda keys: json.dumps({"keys": keys}).encode()
    ),
)


def outcome(ask: Callable[[], KeySet]) -> KeySet | KeySourceError:
    try:
        return ask()
    except KeySourceError as error:
        return error


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=documents)
def test_any_document_is_a_key_set_or_an_error_of_ours(server: Server, content: bytes) -> None:
    server.answer = body(content)
    answer = outcome(JwksUrl(server.url, clock=Clock()).key_set)
    assert isinstance(answer, (KeySet, JwksInvalid))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=300), after_head=st.booleans())
def test_any_answer_is_a_key_set_or_an_error_of_ours(
    server: Server, content: bytes, *, after_head: bool
) -> None:
    server.answer = raw(HEAD + content if after_head else content)
    answer = outcome(JwksUrl(server.url, clock=Clock()).key_set)
    assert isinstance(answer, (KeySet, KeySourceError))
