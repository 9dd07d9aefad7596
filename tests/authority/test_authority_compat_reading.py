"""Where facts come from: a folder, or an issuer on loopback; and what neither may be."""

from __future__ import annotations

import json
import ssl
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.authority.compat_cases import ISSUER, jwk, publish, verdicts
from tests.jwks.servers import Server, body, private_jwk, raw
from tests.ministack import certificate

from kmsjwt.authority.compat import Timing, from_folder, from_issuer, judge, running
from kmsjwt.errors import ConfigError, JwksInvalid, JwksUnavailable, KmsJwtError

DISCOVERY, JWKS = "/.well-known/openid-configuration", "/.well-known/jwks.json"


@pytest.fixture
def server() -> Any:
    server = Server()
    server.answer = body(b"", status=404)
    server.answers[JWKS] = body({"keys": [jwk("RS256")]})
    server.answers[DISCOVERY] = body({"issuer": server.origin, "jwks_uri": server.origin + JWKS})
    yield server
    server.stop()


def published(issuer) -> Any:
    return from_issuer(issuer)


def test_an_issuer_is_read(server):
    server.answers[JWKS] = body({"keys": [jwk("RS256")]}, Cache_Control="public, max-age=120")

    facts = published(server.origin)

    assert facts.issuer == facts.asked == facts.discovery.issuer == server.origin
    assert facts.discovery.jwks_uri == server.origin + JWKS
    assert [(key.kid, key.alg) for key in facts.keys] == [("k-RS256", "RS256")]
    assert facts.max_age == 120
    assert json.loads(facts.jwks) == {"keys": [jwk("RS256")]}


def test_an_issuer_with_a_path_is_read_below_it(server):
    issuer = f"{server.origin}/t/1"
    server.answers["/t/1" + DISCOVERY] = body({"issuer": issuer, "jwks_uri": server.origin + JWKS})

    assert published(issuer).discovery.issuer == issuer


def test_the_jwks_is_read_where_discovery_says(server):
    server.answers["/keys"] = body({"keys": [jwk("ES256")]})
    server.answers[DISCOVERY] = body({"issuer": server.origin, "jwks_uri": f"{server.origin}/keys"})

    assert [key.alg for key in from_issuer(server.origin).keys] == ["ES256"]


def test_without_discovery_the_jwks_is_read_at_its_usual_place(server):
    del server.answers[DISCOVERY]

    facts = published(server.origin)

    assert facts.discovery is None
    assert "answered 404" in facts.no_discovery
    assert [key.alg for key in facts.keys] == ["RS256"]


def test_the_issuer_is_compared_to_the_byte(server):
    found = judge(from_issuer(server.origin + "/"), timing=Timing())

    mismatch = [
        (row.consumer, each.verdict)
        for row in found
        for each in row.findings
        if each.what == "issuer_named"
    ]
    assert mismatch == [
        ("http-api", "unknown"),
        ("rest-api", "no"),
        ("appsync", "no"),
        ("iam-oidc", "unknown"),
        ("powertools", "no"),
    ]


def test_a_jwks_too_large_to_read_is_judged_all_the_same(server):
    server.answers[JWKS] = body(json.dumps({"keys": [jwk("RS256")]}).encode().ljust(150_001))

    rows = judge(from_issuer(server.origin), timing=Timing(), consumers=["http-api", "rest-api"])

    assert [each.verdict for row in rows for each in row.findings if each.what == "max_bytes"] == [
        "no",
        "unknown",
    ]


HOSTILE = {
    "HTML": b"<html><body>Sign in</body></html>",
    "nothing": b"",
    "a list": b"[]",
    "not UTF-8": b'{"keys": ["\xff"]}',
    "two values": b"{}{}",
    "a name twice": b'{"keys": [], "keys": []}',
    "deep": b'{"keys": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "half a surrogate pair": b'{"keys": [{"kid": "\\ud800"}]}',
    "NaN": b'{"keys": [NaN]}',
    "a token": b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln",
}
NO_JWKS = {
    "one JWK": json.dumps(jwk("RS256")).encode(),
    "keys is an object": b'{"keys": {}}',
    "a private key": json.dumps({"keys": [private_jwk("p")]}).encode(),
    "one kid twice": json.dumps({"keys": [jwk("RS256", "a"), jwk("ES256", "a")]}).encode(),
    "too many": json.dumps({"keys": [{}] * 1_001}).encode(),
}
NO_DISCOVERY = {
    "no issuer": b'{"jwks_uri": "https://id.example/jwks.json"}',
    "issuer is a number": b'{"issuer": 5, "jwks_uri": "https://id.example/jwks.json"}',
    "no jwks_uri": b'{"issuer": "https://id.example"}',
    "jwks_uri is a list": b'{"issuer": "https://id.example", "jwks_uri": ["x"]}',
    "empty jwks_uri": b'{"issuer": "https://id.example", "jwks_uri": ""}',
}


@pytest.mark.parametrize("name", [*HOSTILE, *NO_JWKS])
def test_a_jwks_that_is_none_is_told(name, server, tmp_path):
    content = {**HOSTILE, **NO_JWKS}[name]
    server.answers[JWKS] = body(content)
    (publish(tmp_path, []) / ".well-known" / "jwks.json").write_bytes(content)

    for read, place in ((from_issuer, server.origin), (from_folder, tmp_path)):
        with pytest.raises(JwksInvalid) as raised:
            read(place)

        assert raised.value.code.startswith("jwks_")
        assert len(str(raised.value)) < 600
        assert "eyJ" not in str(raised.value)


@pytest.mark.parametrize("name", [*HOSTILE, *NO_DISCOVERY])
def test_a_discovery_that_is_none_is_told(name, server, tmp_path):
    content = {**HOSTILE, **NO_DISCOVERY}[name]
    server.answers[DISCOVERY] = body(content)
    publish(tmp_path, [jwk("RS256")])
    (tmp_path / ".well-known" / "openid-configuration").write_bytes(content)

    for read, place in ((from_issuer, server.origin), (from_folder, tmp_path)):
        with pytest.raises(JwksInvalid) as raised:
            read(place)

        assert raised.value.code == "discovery_malformed"


@pytest.mark.parametrize(
    "jwks_uri", ["ftp://id.example/x", "http://id.example/x", "no URL", "https://a:b@id.example/x"]
)
def test_a_jwks_uri_that_nothing_may_be_fetched_from(jwks_uri, server):
    server.answers[DISCOVERY] = body({"issuer": server.origin, "jwks_uri": jwks_uri})

    with pytest.raises(JwksInvalid) as raised:
        from_issuer(server.origin)

    assert raised.value.code == "discovery_malformed"
    assert "a:b" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"), JwksUnavailable),
        pytest.param(raw(b"nonsense\r\n\r\n"), JwksUnavailable),
        pytest.param(body(b"", status=302, Location="https://elsewhere.example"), JwksUnavailable),
        pytest.param(body(b"{}", Content_Encoding="gzip"), JwksInvalid),
    ],
    ids=["broken off", "no HTTP", "a redirect", "compressed"],
)
@pytest.mark.parametrize("path", [DISCOVERY, JWKS])
def test_a_server_that_misbehaves_is_told(path, answer, error, server):
    server.answers[path] = answer

    with pytest.raises(error):
        from_issuer(server.origin)


def test_a_server_that_says_nothing_is_given_up_in_time(server):
    server.answers[JWKS] = lambda handler: handler.server.released.wait(10)

    with pytest.raises(JwksUnavailable) as raised:
        from_issuer(server.origin, timeout=0.2)

    assert raised.value.code == "jwks_timeout"


def test_a_server_without_either_document(server):
    server.answers.clear()

    with pytest.raises(JwksUnavailable) as raised:
        from_issuer(server.origin)

    assert JWKS in raised.value.message


@pytest.mark.parametrize("issuer", ["http://id.example", "https://", "id.example", "https://a?b=c"])
def test_an_issuer_that_is_none(issuer):
    with pytest.raises(ConfigError) as raised:
        from_issuer(issuer)

    assert raised.value.code == "url"


class TlsServer(Server):
    scheme = "https"

    def __init__(self, certificate: Any) -> None:
        super().__init__()
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate.server, certificate.key)

    def finish_request(self, request: Any, client_address: Any) -> None:
        with self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


@pytest.fixture
def tls_server(tmp_path, monkeypatch) -> Any:
    made = certificate.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    server = TlsServer(made)
    server.answer = body(b"", status=404)
    server.answers[JWKS] = body({"keys": [jwk("RS256")]})
    yield server
    server.stop()


def test_an_https_issuer_is_accepted_where_http_is_not(server, tls_server):
    origin = tls_server.origin
    tls_server.answers[DISCOVERY] = body({"issuer": origin, "jwks_uri": origin + JWKS})

    found = judge(from_issuer(origin), timing=Timing(), consumers=["rest-api"])
    plain = judge(from_issuer(server.origin), timing=Timing(), consumers=["rest-api"])

    assert (verdicts(found), verdicts(plain)) == ({"rest-api": "ok"}, {"rest-api": "no"})


def test_an_https_issuer_cannot_send_us_to_this_machine(server, tls_server):
    """A published document does not choose what is fetched from loopback without TLS."""
    named = {"issuer": tls_server.origin, "jwks_uri": server.origin + JWKS}
    tls_server.answers[DISCOVERY] = body(named)

    with pytest.raises(JwksInvalid) as raised:
        from_issuer(tls_server.origin)

    assert raised.value.code == "discovery_malformed"
    assert server.requests == []


def test_a_folder_is_read(tmp_path):
    facts = from_folder(publish(tmp_path, [jwk("RS256"), jwk("ES256")]))

    assert (facts.asked, facts.issuer) == (None, ISSUER)
    assert [key.alg for key in facts.keys] == ["RS256", "ES256"]
    assert set(verdicts(judge(facts, timing=Timing(), consumers=["rest-api"])).values()) == {"ok"}


@pytest.mark.parametrize("what", ["empty", "a file in its place", "a folder for the JWKS"])
def test_a_folder_without_a_jwks(what, tmp_path):
    if what == "a file in its place":
        (tmp_path / ".well-known").write_text("")
    elif what == "a folder for the JWKS":
        (tmp_path / ".well-known" / "jwks.json").mkdir(parents=True)

    with pytest.raises(ConfigError) as raised:
        from_folder(tmp_path)

    assert raised.value.code == "compat_folder"


def test_a_folder_whose_discovery_points_elsewhere(tmp_path):
    elsewhere = {"issuer": ISSUER, "jwks_uri": "https://cdn.example/jwks.json"}

    with pytest.raises(KmsJwtError) as raised:
        from_folder(publish(tmp_path, [jwk("RS256")], discovery=elsewhere))

    assert raised.value.code == "compat_folder"
    assert "https://cdn.example/jwks.json" in raised.value.message


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
MEMBERS = st.sampled_from(["kid", "kty", "alg", "use", "key_ops", "crv", "n", "e", "x", "y", "z"])
CHANGED = st.builds(
    lambda alg, changes: {**jwk(alg), **changes},
    st.sampled_from(["RS256", "ES256", "EdDSA"]),
    st.dictionaries(MEMBERS, VALUES, max_size=3),
)
KEYS = st.lists(CHANGED | VALUES, max_size=3)


def read(folder) -> Any:
    """Return the facts, or the code of the refusal."""
    try:
        return from_folder(folder), None
    except KmsJwtError as error:
        return None, error.code


@settings(max_examples=150, deadline=None)
@given(keys=KEYS)
def test_whatever_stands_in_a_jwks_it_is_judged_or_refused(keys, tmp_path_factory):
    """Powertools' code is run on it, too; no exception of its own gets out."""
    facts, refused = read(publish(tmp_path_factory.mktemp("any"), keys))

    if facts is None:
        assert refused.startswith("jwks_")
        return
    run = running.powertools(facts, running.trials(facts, None, now=1_800_000_000))
    assert run is not None
    rows = judge(facts, timing=Timing(), runs={"powertools": run})
    assert [row.consumer for row in rows if not row.told] == []
    if not any(key.trouble is None for key in facts.keys):
        by_rules = {row.verdict for row in rows if row.consumer != "powertools"}
        assert "ok" not in by_rules


@settings(max_examples=150, deadline=None)
@given(document=VALUES | st.fixed_dictionaries({"issuer": VALUES, "jwks_uri": VALUES}))
def test_whatever_discovery_is_it_is_judged_or_refused(document, tmp_path_factory):
    written = json.dumps(document).encode()
    folder = publish(tmp_path_factory.mktemp("any"), [jwk("RS256")], discovery=written)
    facts, refused = read(folder)

    if facts is None:
        assert refused in ("discovery_malformed", "compat_folder")
        return
    assert len(judge(facts, timing=Timing())) == 7
