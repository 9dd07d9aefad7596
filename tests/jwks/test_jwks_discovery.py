"""Following the JWKS that an issuer names (OpenID Connect Discovery 1.0 section 4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.jwks.servers import Clock, Server, body, jwks, raw, silent

from kmsjwt.errors import JwksInvalid, JwksUnavailable, KeySourceError
from kmsjwt.jwks import JwksUrl, discovery_document, document_bytes

if TYPE_CHECKING:
    from pathlib import Path

WELL_KNOWN = "/.well-known/openid-configuration"


def configure(server: Server, iss: str, path: str = WELL_KNOWN, **members: Any) -> None:
    content = {"issuer": iss, "jwks_uri": f"{server.origin}/keys", **members}
    server.answers = {path: body(content), "/keys": body(jwks("a"))}
    server.answer = body(b"", status=404)


@pytest.mark.parametrize(
    ("path", "well_known"),
    [
        ("", WELL_KNOWN),
        ("/", WELL_KNOWN),
        ("/tenant", f"/tenant{WELL_KNOWN}"),
        ("/tenant/", f"/tenant{WELL_KNOWN}"),
    ],
)
def test_the_keys_are_where_the_issuer_says(
    server: Server, clock: Clock, path: str, well_known: str
) -> None:
    issuer = server.origin + path
    configure(server, issuer, well_known)
    source = JwksUrl.from_issuer(issuer, clock=clock)
    assert server.requests == []
    assert source.key("a").kid == "a"
    assert server.requests == [well_known, "/keys"]


def test_what_we_publish_is_what_we_follow(server: Server, clock: Clock) -> None:
    document = discovery_document(server.origin, algs=["ES256"])
    server.answers = {
        WELL_KNOWN: body(document_bytes(document)),
        "/.well-known/jwks.json": body(jwks("a")),
    }
    assert JwksUrl.from_issuer(server.origin, clock=clock).key("a").kid == "a"


def test_the_configuration_ages_with_the_keys(server: Server, clock: Clock) -> None:
    configure(server, server.origin)
    source = JwksUrl.from_issuer(server.origin, clock=clock)
    source.key("a")
    configure(server, server.origin, jwks_uri=f"{server.origin}/moved")
    server.answers["/moved"] = body(jwks("b"))
    clock.now += 299
    source.key("a")
    assert len(server.requests) == 2
    clock.now += 1
    assert source.key("b").kid == "b"
    assert server.requests[2:] == [WELL_KNOWN, "/moved"]


def test_a_seed_saves_the_configuration_too(server: Server, clock: Clock, tmp_path: Path) -> None:
    seed = tmp_path / "jwks.json"
    seed.write_text(json.dumps(jwks("a")))
    JwksUrl.from_issuer(server.origin, clock=clock, seed=seed).key("a")
    assert server.requests == []


BAD: list[Any] = [
    pytest.param({"issuer": "https://id.example"}, "discovery_issuer", "expected", id="another"),
    pytest.param({"issuer": None}, "discovery_issuer", "None", id="no issuer"),
    pytest.param({"issuer": ["x"]}, "discovery_issuer", "expected", id="list of issuers"),
    pytest.param({"jwks_uri": None}, "discovery_malformed", "jwks_uri", id="no jwks_uri"),
    pytest.param({"jwks_uri": "/keys"}, "discovery_malformed", "https", id="relative"),
    pytest.param(
        {"jwks_uri": "http://id.example/keys"}, "discovery_malformed", "expected https", id="http"
    ),
    pytest.param({"jwks_uri": "file:///etc/keys"}, "discovery_malformed", "jwks_uri", id="file"),
    pytest.param(
        {"jwks_uri": "https://u:hunter2@id.example/"}, "discovery_malformed", "password", id="user"
    ),
    pytest.param(
        {"jwks_uri": "https://id.example/\r\nX: y"}, "discovery_malformed", "percent", id="header"
    ),
]


@pytest.mark.parametrize(("members", "code", "says"), BAD)
def test_a_bad_configuration_is_refused_and_nothing_else_is_fetched(
    server: Server, clock: Clock, members: dict[str, Any], code: str, says: str
) -> None:
    configure(server, server.origin, **members)
    with pytest.raises(JwksInvalid) as caught:
        JwksUrl.from_issuer(server.origin, clock=clock).key("a")
    assert caught.value.code == code
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert server.requests == [WELL_KNOWN]


@pytest.mark.parametrize(
    "given", ["{}/", "{}/tenant/../", "{}:0000"], ids=["slash", "path", "other spelling"]
)
def test_the_issuer_is_compared_to_the_character(server: Server, clock: Clock, given: str) -> None:
    configure(server, given.format(server.origin))
    with pytest.raises(JwksInvalid):
        JwksUrl.from_issuer(server.origin, clock=clock).key("a")


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        pytest.param(WELL_KNOWN, body(b"<html>"), id="HTML"),
        pytest.param(WELL_KNOWN, body(b"{}", status=500), id="configuration down"),
        pytest.param("/keys", body(b"{}", status=500), id="keys down"),
        pytest.param("/keys", raw(b""), id="keys hang up"),
    ],
)
def test_an_outage_of_either_keeps_the_good_keys(
    server: Server, clock: Clock, path: str, answer: Any
) -> None:
    configure(server, server.origin)
    source = JwksUrl.from_issuer(server.origin, clock=clock)
    good = source.key("a")
    server.answers[path] = answer
    clock.now += 300
    assert source.key("a") is good
    with pytest.raises(JwksUnavailable):
        source.key("b")


def test_both_requests_share_one_time_limit(server: Server, clock: Clock) -> None:
    configure(server, server.origin)
    server.answers["/keys"] = silent
    source = JwksUrl.from_issuer(server.origin, clock=clock, timeout=0.2)
    with pytest.raises(KeySourceError) as caught:
        source.key("a")
    assert caught.value.code == "jwks_timeout"
    assert f"{server.origin}/keys" in str(caught.value)
