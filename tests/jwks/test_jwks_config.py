"""Wrong settings are named, all of them, before anything is fetched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.jwks.servers import jwks

from kmsjwt import Verifier
from kmsjwt.errors import ConfigError
from kmsjwt.jwks import JwksFile, JwksUrl

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://id.example/jwks.json"

BAD_URLS: list[Any] = [
    pytest.param("http://id.example/jwks.json", "expected https", id="http"),
    pytest.param("http://127.0.0.2/", "expected https", id="http, near loopback"),
    pytest.param("http://127.0.0.1.example/", "expected https", id="http, looks like loopback"),
    pytest.param("http://localhost.example/", "expected https", id="http, starts with localhost"),
    pytest.param("http://127.1/", "expected https", id="http, short spelling"),
    pytest.param("http://[::ffff:127.0.0.1]/", "expected https", id="http, mapped"),
    pytest.param("http://169.254.169.254/latest/", "expected https", id="metadata"),
    pytest.param("file:///var/task/jwks.json", "host", id="file"),
    pytest.param("ftp://id.example/jwks.json", "ftp, expected https", id="ftp"),
    pytest.param("jwks.json", "expected an https URL", id="a path"),
    pytest.param("id.example/jwks.json", "expected an https URL", id="no scheme"),
    pytest.param("https:/id.example/jwks.json", "expected an https URL", id="one slash"),
    pytest.param("", "expected an https URL", id="empty"),
    pytest.param(None, "expected an https URL", id="None"),
    pytest.param(b"https://id.example/", "expected an https URL", id="bytes"),
    pytest.param("https://", "host", id="no host"),
    pytest.param("https:///jwks.json", "host", id="empty host"),
    pytest.param("https://user:hunter2@id.example/", "password", id="password"),
    pytest.param("https://id.example\\@evil.example/", "", id="backslash"),
    pytest.param("https://id.example:443:443/", "host", id="two ports"),
    pytest.param("https://id.example:0/", "1 to 65535", id="port 0"),
    pytest.param("https://id.example:65536/", "1 to 65535", id="port too high"),
    pytest.param("https://id.example:١٢/", "host", id="Arabic digits"),
    pytest.param("https://[::1/", "host", id="open bracket"),
    pytest.param("https://ïd.example/", "xn--", id="not ASCII"),
    pytest.param("https://id..example/", "host", id="empty label"),
    pytest.param("https://id.example/#keys", "fragment", id="fragment"),
    pytest.param("https://id.example/a b", "percent", id="space"),
    pytest.param("https://id.example/\r\nHost: x", "percent", id="line break"),
    pytest.param("https://id.example/é", "percent", id="path not ASCII"),
    pytest.param("https://id.example/\x00", "percent", id="NUL"),
    pytest.param(" https://id.example/", "expected an https URL", id="leading space"),
    pytest.param("https://id.example/" + "x" * 3_000, "expected an https URL", id="3 kB"),
]


@pytest.mark.parametrize(("url", "says"), BAD_URLS)
@pytest.mark.parametrize("make", [JwksUrl, JwksUrl.from_issuer], ids=["url", "issuer"])
def test_bad_url(make: Any, url: Any, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(url)
    message = str(caught.value)
    assert says in message
    assert "hunter2" not in message
    assert message.isascii()
    assert message.count("\n") == 0
    assert len(message) < 300


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example",
        "https://id.example/jwks.json?version=1",
        "HTTPS://ID.EXAMPLE:8443/a/b;c=d/%7Ee",
        "https://203.0.113.7/",
        "https://[2001:db8::7]:8443/jwks.json",
        "https://xn--d-bga.example/",
        "http://127.0.0.1/",
        "http://localhost:8080/jwks.json",
        "http://LOCALHOST/",
        "http://[::1]:8080/",
    ],
)
def test_good_url(url: str) -> None:
    assert "JwksUrl(" in repr(JwksUrl(url))


def test_an_issuer_has_no_query() -> None:
    with pytest.raises(ConfigError, match="query") as caught:
        JwksUrl.from_issuer("https://id.example/?token=s3cret")
    assert "s3cret" not in str(caught.value)


def test_a_query_is_in_no_repr() -> None:
    assert repr(JwksUrl(f"{URL}?token=s3cret")) == f"JwksUrl('{URL}')"


BAD_TIMES: list[Any] = [
    pytest.param({"timeout": 0}, "timeout is 0", id="zero"),
    pytest.param({"back_off": -1}, "back_off is -1", id="negative"),
    pytest.param({"cool_down": None}, "cool_down is None", id="None"),
    pytest.param({"max_age": "300"}, "max_age is '300'", id="text"),
    pytest.param({"max_age": True}, "max_age is True", id="bool"),
    pytest.param({"max_age": float("nan")}, "max_age is nan", id="NaN"),
    pytest.param({"max_stale": float("inf")}, "max_stale is inf", id="for ever"),
    pytest.param({"timeout": 6}, "back_off is 5 s, expected at least timeout", id="timeout"),
    pytest.param({"back_off": 31}, "cool_down is 30 s, expected at least back_off", id="back-off"),
    pytest.param({"max_age": 10}, "max_age is 10 s, expected at least cool_down", id="max age"),
    pytest.param({"max_stale": 60}, "max_stale is 60 s, expected at least max_age", id="stale"),
]


@pytest.mark.parametrize(("times", "says"), BAD_TIMES)
def test_bad_times(times: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        JwksUrl(URL, **times)
    assert says in str(caught.value)


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        JwksUrl(
            "http://id.example/", seed=tmp_path / "none.json", alg="HS256", timeout=0, max_age=-1
        )
    for part in ("expected https", "none.json", "HS256", "timeout is 0", "max_age is -1"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html>", "jwks_malformed"),
        (b'{"keys": []}', "jwks_no_usable_key"),
        (json.dumps({"keys": [{"kty": "oct", "k": "AA"}]}).encode(), "jwks_private"),
        (b" " * 150_001, "jwks_file"),
    ],
)
@pytest.mark.parametrize("make", [JwksFile, lambda path: JwksUrl(URL, seed=path)])
def test_bad_file(make: Any, content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        make(path)
    assert caught.value.code == code


def test_a_verifier_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(jwks("a")))
    Verifier(JwksUrl(URL, seed=path), issuer="https://id.example", audience="orders")
