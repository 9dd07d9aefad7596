"""Each condition of what is merged, read back and settled, at its limit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.jwks.servers import body, jwk, jwks, private_jwk
from tests.jwks.test_jwks_tls import TlsServer, authority  # noqa: F401  a fixture
from tests.publish.goods import (
    ALL,
    ISSUER,
    JWKS,
    OPENID,
    document,
    key,
    keys,
    kids,
    published,
)

from kmsjwt.errors import (
    ConfigError,
    JwksInvalid,
    JwksUnavailable,
    PlaceDenied,
    PublishConflict,
)
from kmsjwt.publish import S3, Publisher, merge
from kmsjwt.publish.readback import algs_of, issuer_documents, kids_of, stored_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jwks.servers import Server

WELL_KNOWN = "/.well-known/openid-configuration"


@pytest.fixture
def tls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[TlsServer]:
    trusted = request.getfixturevalue("authority")
    certificate: Path = trusted.certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    running = TlsServer(trusted.good)
    yield running
    running.stop()


def names(server: Server, **members: Any) -> None:
    """Have a server answer with a configuration, and with a JWKS for any other path."""
    configuration = {"issuer": server.origin, "jwks_uri": f"{server.origin}/keys", **members}
    server.answers[WELL_KNOWN] = body(configuration)


@pytest.mark.parametrize("retired", [["a", 1], [b"a"], b"a", {"a": 1, 2: 2}], ids=ascii)
def test_retired_keys_are_named_by_text_each_of_them(retired: Any):
    with pytest.raises(ConfigError) as caught:
        merge(document(jwk("a")), keys("b"), retired)
    assert caught.value.code == "publish_retired"


def test_what_is_there_without_a_live_key_is_merged_all_the_same():
    merged = merge(document(jwk("a"), jwk("b")), [], ["a"])

    assert (merged.kids, merged.kept, merged.added) == (("b",), ("b",), ())


class TestAnIssuersDocuments:
    def test_the_jwks_is_where_the_configuration_says(self, server):
        names(server)
        found = issuer_documents(server.origin)

        assert server.requests == [WELL_KNOWN, "/keys"]
        assert found.jwks_uri == f"{server.origin}/keys"
        assert found.discovery is not None
        assert found.discovery.issuer == server.origin
        assert found.no_discovery == ""
        assert kids_of(found.key_set) == {"a"}

    @pytest.mark.parametrize("status", [404, 403, 500])
    def test_without_a_configuration_it_is_where_issuers_of_ours_have_it(self, server, status):
        server.answers[WELL_KNOWN] = body(b"{}", status=status)
        found = issuer_documents(server.origin)

        assert found.discovery is None
        assert f"answered {status}" in found.no_discovery
        assert found.jwks_uri == f"{server.origin}/.well-known/jwks.json"
        assert kids_of(found.key_set) == {"a"}

    def test_a_configuration_elsewhere_is_not_taken_for_none(self, server):
        server.answers[WELL_KNOWN] = body(b"", status=302, Location="https://id.example/")

        with pytest.raises(JwksUnavailable) as caught:
            issuer_documents(server.origin)
        assert caught.value.code == "jwks_redirect"
        assert server.requests == [WELL_KNOWN]

    @pytest.mark.parametrize(
        "members",
        [
            {"issuer": ""},
            {"issuer": 7},
            {"issuer": None},
            {"jwks_uri": ""},
            {"jwks_uri": ["https://id.example/"]},
            {"jwks_uri": "jwks.json"},
            {"jwks_uri": "http://id.example/jwks.json"},
        ],
        ids=ascii,
    )
    def test_a_configuration_names_an_issuer_and_a_url(self, server, members):
        names(server, **members)

        with pytest.raises(JwksInvalid) as caught:
            issuer_documents(server.origin)
        assert caught.value.code == "discovery_malformed"
        assert server.requests == [WELL_KNOWN]

    @pytest.mark.parametrize("content", [b"<html>", b"[]", b""])
    def test_a_configuration_is_a_json_object(self, server, content):
        server.answers[WELL_KNOWN] = body(content)

        with pytest.raises(JwksInvalid) as caught:
            issuer_documents(server.origin)
        assert caught.value.code == "discovery_malformed"

    def test_a_secure_issuer_has_a_secure_jwks(self, tls, server):
        names(tls)
        assert kids_of(issuer_documents(tls.origin).key_set) == {"a"}
        names(tls, jwks_uri=server.url)

        with pytest.raises(JwksInvalid, match="expected https") as caught:
            issuer_documents(tls.origin)
        assert caught.value.code == "discovery_malformed"
        assert server.requests == []

    def test_a_jwks_too_large_to_read_is_told_as_one(self, server):
        names(server)
        server.answer = body(b" " * 150_001)
        found = issuer_documents(server.origin)

        assert (found.jwks, found.key_set) == (None, None)

    def test_another_fault_of_a_jwks_is_an_error(self, server):
        names(server)
        server.answer = body(jwks("a"), Content_Encoding="gzip")

        with pytest.raises(JwksInvalid) as caught:
            issuer_documents(server.origin)
        assert caught.value.code == "jwks_encoding"

    def test_a_jwks_of_no_usable_key(self, server):
        names(server)
        server.answer = body({"keys": [{"kty": "XYZ"}]})
        found = issuer_documents(server.origin)

        assert found.jwks is not None
        assert found.key_set is None

    def test_a_jwks_that_nobody_may_use(self, server):
        names(server)
        server.answer = body({"keys": [private_jwk("a")]})

        with pytest.raises(JwksInvalid) as caught:
            issuer_documents(server.origin)
        assert caught.value.code == "jwks_private"
        assert caught.value.message.count(f"{server.origin}/keys") == 1


def test_no_keys_have_no_kid_and_no_algorithm():
    assert kids_of(None) == algs_of(None) == frozenset()


def test_a_kid_that_is_another_key_s_is_not_there(s3, publisher):
    s3.put(JWKS, document(jwk("a"), jwk("b"), jwk("c", "other")))

    assert publisher.kids(expected=keys("a", "c", "d")) == {"a", "b"}
    assert kids_of(stored_keys(S3("bucket", client=s3), JWKS), [key("c")]) == {"a", "b"}


def test_a_jwks_that_is_taken_away_meanwhile_has_no_discovery(s3, publisher):
    s3.fault("get_object", "stale", skip=2)  # the JWKS, to tell its algorithms
    with pytest.raises(ConfigError) as caught:
        publisher.publish(keys("a"))
    assert caught.value.code == "algorithms"
    assert s3.object(OPENID) is None
    publisher.publish(keys("a"))

    assert kids(s3) == {"a"}
    assert published(s3, OPENID)["id_token_signing_alg_values_supported"] == ["ES256"]


@pytest.mark.parametrize("conflicts", [0, 1, 3])
def test_nobody_waits_before_the_first_attempt_and_longer_before_each_next(s3, conflicts):
    pauses: list[float] = []
    s3.fault("put_object", "conflict", times=conflicts)
    Publisher(S3("bucket", client=s3), issuer=ISSUER, pause=pauses.append).publish(keys("a"))

    # Two documents are read once more after they were written.
    assert pauses[:conflicts] == [0.04, 0.08, 0.16][:conflicts]
    assert pauses[conflicts:] == [0.04, 0.04]


def test_all_attempts_have_a_pause_between_them(s3):
    pauses: list[float] = []
    s3.fault("put_object", "conflict", times=None)

    with pytest.raises(PublishConflict):
        Publisher(S3("bucket", client=s3), issuer=ISSUER, pause=pauses.append).publish(keys("a"))
    assert pauses == [0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56]


def test_a_document_that_is_written_twice_is_told_once(s3, publisher, publisher_of):
    """Another one's state of it is found after ours was written, and made good."""
    writes: list[str] = []

    def before(operation: str, path: str) -> None:
        if operation == "put_object" and path == OPENID:
            writes.append(path)
        if operation == "get_object" and path == OPENID and len(writes) == 1:
            s3.put(OPENID, json.dumps({"issuer": ISSUER}).encode())

    s3.before = before
    done = publisher.publish(keys("a"))

    assert len(writes) == 2
    assert done.written == tuple(f"s3://bucket/{path}" for path in ALL)


def test_a_preview_of_what_may_not_be_read_says_nothing(s3, publisher):
    s3.put(JWKS, document(jwk("a")))
    s3.fault("get_object", "deny")

    with pytest.raises(PlaceDenied):
        publisher.preview(keys("b"))


def test_nothing_is_written_that_may_not_be_any_more(s3, publisher):
    class TooLateError(Exception):
        pass

    def allow() -> None:
        raise TooLateError

    with pytest.raises(TooLateError):
        publisher.publish(keys("a"), allow=allow)
    assert s3.calls["put_object"] == 0
