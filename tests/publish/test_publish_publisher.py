"""What a publisher writes, in which order, over what; and what it reads back."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from tests.jwks.servers import body, jwk, jwks, private_jwk
from tests.publish.goods import (
    ALL,
    ISSUER,
    JWKS,
    OAUTH,
    OPENID,
    document,
    ed25519_jwk,
    keys,
    kids,
    published,
    rsa_jwk,
)
from tests.publish.s3 import MemoryS3

from kmsjwt.errors import (
    ConfigError,
    DocumentUnusable,
    JwksInvalid,
    JwksUnavailable,
    PlaceDenied,
    PlaceUnavailable,
    PublishConflict,
)
from kmsjwt.publish import S3, CloudFront, Documents, Publisher

NAMES = tuple(f"s3://bucket/{path}" for path in ALL)


@pytest.mark.parametrize(
    ("issuer", "paths"),
    [
        (
            "https://id.example",
            (
                ".well-known/jwks.json",
                ".well-known/openid-configuration",
                ".well-known/oauth-authorization-server",
            ),
        ),
        (
            "https://id.example/",
            (
                ".well-known/jwks.json",
                ".well-known/openid-configuration",
                ".well-known/oauth-authorization-server",
            ),
        ),
        ("https://id.example/auth", ALL),
        ("https://id.example/auth/", ALL),
        (
            "https://id.example:8443/a/b",
            (
                "a/b/.well-known/jwks.json",
                "a/b/.well-known/openid-configuration",
                ".well-known/oauth-authorization-server/a/b",
            ),
        ),
    ],
)
def test_where_the_documents_are(issuer, paths):
    """OpenID Connect Discovery 1.0 section 4 appends; RFC 8414 section 3 puts it in between."""
    assert Documents(issuer).all == paths


@pytest.mark.parametrize("path", ["/../x", "/a//b", "/a/./b", "/a%2fb", "/a b", "/a&b", "/a*"])
def test_an_issuer_whose_path_is_no_name(path):
    with pytest.raises(ConfigError):
        Documents(f"https://id.example{path}")


def test_all_three_documents_the_jwks_first(s3, publisher):
    done = publisher.publish(keys("a", "b"))

    assert [key for operation, key in s3.log if operation == "put_object"] == list(ALL)
    assert done.written == NAMES
    assert done.unchanged == ()
    assert done.kids == ("a", "b")
    assert kids(s3) == {"a", "b"}
    discovery = published(s3, OPENID)
    assert discovery["issuer"] == ISSUER
    assert discovery["jwks_uri"] == f"{ISSUER}/.well-known/jwks.json"
    assert published(s3, OAUTH) == discovery
    for path in ALL:
        stored = s3.object(path)
        assert stored is not None
        assert stored.content_type == "application/json"
        assert stored.cache_control == "public, max-age=300"


def test_pyjwt_verifies_with_what_is_published(s3, publisher):
    from tests.jwks.servers import private_key

    publisher.publish(keys("a", "b"))

    token = jwt.encode({"sub": "ala"}, private_key("b"), "ES256", {"kid": "b"})
    key_set = jwt.PyJWKSet.from_dict(published(s3))
    assert jwt.decode(token, key_set["b"], algorithms=["ES256"]) == {"sub": "ala"}


def test_publishing_again_writes_nothing(s3, publisher):
    publisher.publish(keys("a", "b"))
    s3.log.clear()

    done = publisher.publish(keys("b", "a"))

    assert done.written == ()
    assert done.unchanged == NAMES
    assert {operation for operation, _ in s3.log} == {"get_object"}


def test_another_max_age_is_written(s3, publisher_of):
    publisher_of(s3).publish(keys("a"))

    publisher_of(s3, max_age=60).publish(keys("a"))

    stored = s3.object(JWKS)
    assert stored is not None
    assert stored.cache_control == "public, max-age=60"


def test_a_max_age_for_once(s3, publisher):
    publisher.publish(keys("a"), max_age=60)

    for path in ALL:
        stored = s3.object(path)
        assert stored is not None
        assert stored.cache_control == "public, max-age=60"
    with pytest.raises(ConfigError, match="max_age"):
        publisher.publish(keys("a"), max_age=0)


def test_two_publishers_of_one_document_keep_it_for_the_shorter_time(s3, publisher_of):
    """Each of them waits, before a new key signs, for no longer than it asked for."""
    one, other = publisher_of(s3, max_age=3_600), publisher_of(s3, max_age=300)

    def kept() -> set[str | None]:
        return {getattr(s3.object(path), "cache_control", "none") for path in ALL}

    one.publish(keys("a"))
    other.publish(keys("b"))
    assert kept() == {"public, max-age=300"}

    assert (one.publish(keys("a")).written, kept()) == ((), {"public, max-age=300"})
    assert one.publish(keys("a", "c")).written == NAMES[:1]
    assert (other.publish(keys("b")).written, kept()) == ((), {"public, max-age=300"})

    one.publish(keys("a", "c"), ["b"])
    assert kept() == {"public, max-age=3600"}


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("max-age=60", 60),
        ("public,max-age=60, must-revalidate", 60),
        ("s-maxage=60", 300),
        ("no-store", 300),
        (None, 300),
        ("max-age=600", 300),
    ],
)
def test_what_somebody_else_said_of_a_shared_document_is_understood(s3, publisher, told, kept):
    s3.put_object(
        Bucket="bucket",
        Key=JWKS,
        Body=document(jwk("theirs")),
        ContentType="application/json",
        **({} if told is None else {"CacheControl": told}),
    )

    publisher.publish(keys("a"))

    assert getattr(s3.object(JWKS), "cache_control", "none") == f"public, max-age={kept}"


def test_a_document_uploaded_by_hand_gets_its_headers(s3, publisher):
    publisher.publish(keys("a"))
    stored = s3.object(JWKS)
    assert stored is not None
    s3.put(JWKS, stored.body)

    assert publisher.publish(keys("a")).written == NAMES[:1]


def test_discovery_names_the_algorithms_of_kept_keys_too(s3, publisher):
    s3.put(JWKS, document(rsa_jwk("old", "PS256"), ed25519_jwk("older")))

    done = publisher.publish(keys("new"))

    assert done.kept == ("old", "older")
    for path in (OPENID, OAUTH):
        named = published(s3, path)["id_token_signing_alg_values_supported"]
        assert named == ["ES256", "EdDSA", "PS256"]


def test_no_document_names_an_account(s3, publisher):
    publisher.publish(keys("a"))

    for path in ALL:
        text = json.dumps(published(s3, path))
        assert not [secret for secret in ("arn:", "alias", "111122223333") if secret in text]


def test_a_preview_writes_nothing_and_says_the_same(s3, publisher):
    s3.put(JWKS, document(jwk("a"), jwk("b"), rsa_jwk("c")))

    said = publisher.preview(keys("d"), {"a"})

    assert s3.calls["put_object"] == 0
    assert published(s3, OPENID) is None
    done = publisher.publish(keys("d"), {"a"})
    for name in ("kids", "written", "unchanged", "kept", "removed"):
        assert getattr(said, name) == getattr(done, name)


def test_who_was_quicker_is_not_overwritten(s3, publisher, publisher_of):
    """Another publisher writes between our reading and our writing: both keys are there."""
    other = publisher_of(s3.client())
    other.publish(keys("a"))
    s3.before = once(lambda: other.publish(keys("b")), on=("put_object", JWKS))

    publisher.publish(keys("c"))

    assert kids(s3) == {"a", "b", "c"}
    assert s3.calls["put_object"] == 2  # one refused


def test_the_first_of_two_publishers_is_not_overwritten(s3, publisher, publisher_of):
    other = publisher_of(s3.client())
    s3.before = once(lambda: other.publish(keys("b")), on=("put_object", JWKS))

    publisher.publish(keys("c"))

    assert kids(s3) == {"b", "c"}


@pytest.mark.parametrize("number", range(20))
def test_discovery_ends_as_the_jwks_does(publisher_of, number):
    """Another publisher brings in another algorithm before any one call of ours."""
    s3 = MemoryS3()
    other = publisher_of(s3.client())
    from kmsjwt import PublicKey

    theirs = [PublicKey.from_jwk(rsa_jwk("r"))]
    publisher_of(s3.client()).publish(keys("a"))
    s3.before = once(lambda: other.publish(theirs), after=number)

    publisher_of(s3).publish([PublicKey.from_jwk(ed25519_jwk("e"))])
    s3.before = None
    other.publish(theirs)  # in case it did not run

    for path in (OPENID, OAUTH):
        named = published(s3, path)["id_token_signing_alg_values_supported"]
        assert named == ["ES256", "EdDSA", "RS256"]


def test_discovery_ends_as_the_jwks_does_where_that_was_taken_back(s3, publisher, publisher_of):
    """Another one takes our key out again; the discovery that it finds is right for it."""
    from kmsjwt import PublicKey

    other = publisher_of(s3.client())
    other.publish(keys("a"))
    for path in (OPENID, OAUTH):
        s3.before = once(lambda: other.publish(keys("a"), {"r"}), on=("put_object", path))
        publisher.publish([PublicKey.from_jwk(rsa_jwk("r"))])

        assert kids(s3) == {"a"}
        assert published(s3, path)["id_token_signing_alg_values_supported"] == ["ES256"]


def once(act: Any, *, on: tuple[str, str] | None = None, after: int = 0) -> Any:
    seen = [0]

    def hook(operation: str, key: str) -> None:
        if on is not None and (operation, key) != on:
            return
        seen[0] += 1
        if seen[0] == after + 1:
            act()

    return hook


@pytest.mark.parametrize("conflicts", [1, 3, 7])
def test_conflicts_are_tried_again(s3, publisher, conflicts):
    s3.fault("put_object", "conflict", times=conflicts)

    publisher.publish(keys("a"))

    assert kids(s3) == {"a"}


def test_endless_conflicts_are_an_error_that_may_pass(s3, publisher):
    s3.fault("put_object", "conflict", times=None)

    with pytest.raises(PublishConflict) as raised:
        publisher.publish(keys("a"))

    assert raised.value.retryable
    assert s3.calls["put_object"] == 8


def test_pauses_grow_and_end(s3):
    pauses: list[float] = []
    s3.fault("put_object", "conflict", times=None)
    publisher = Publisher(S3("bucket", client=s3), issuer=ISSUER, pause=pauses.append)

    with pytest.raises(PublishConflict):
        publisher.publish(keys("a"))

    assert pauses == sorted(pauses)
    assert sum(pauses) < 10


def test_a_write_without_an_answer_is_not_lost_on_the_next(s3, publisher):
    s3.fault("put_object", "after")

    with pytest.raises(PlaceUnavailable) as raised:
        publisher.publish(keys("a"))
    assert raised.value.retryable
    done = publisher.publish(keys("a"))

    assert done.written == NAMES[1:]


def test_a_denied_read_overwrites_nothing(s3, publisher):
    s3.put(JWKS, document(jwk("a")))
    s3.fault("get_object", "deny")

    with pytest.raises(PlaceDenied, match="s3:GetObject") as raised:
        publisher.publish(keys("b"))

    assert "s3:GetObject" in str(raised.value.fix)
    assert kids(s3) == {"a"}


def test_who_may_not_list_the_bucket_publishes_all_the_same():
    """S3 denies the reading of what is not there, unless one may list the bucket."""
    s3 = MemoryS3(lists=False)
    publisher = Publisher(S3("bucket", client=s3), issuer=ISSUER)

    assert publisher.publish(keys("a")).written == NAMES
    assert publisher.publish(keys("b")).kept == ("a",)
    assert kids(s3) == {"a", "b"}


def test_a_denied_write_is_an_error(s3, publisher):
    s3.fault("put_object", "deny")

    with pytest.raises(PlaceDenied, match="s3:PutObject"):
        publisher.publish(keys("a"))


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        (JWKS, b"<html>", "jwks_malformed"),
        (JWKS, document(private_jwk("a")), "jwks_private"),
        (OPENID, b"not json", "discovery_malformed"),
        (OPENID, b'{"issuer": "https://id.example/other"}', "discovery_other"),
        (OAUTH, b'{"jwks_uri": "https://id.example/keys.json"}', "discovery_other"),
        (JWKS, b" " * 150_001, "jwks_too_large"),
    ],
    ids=["HTML", "private", "no JSON", "another issuer's", "another JWKS", "large"],
)
def test_what_is_no_document_of_ours_is_not_overwritten(s3, publisher, path, content, code):
    s3.put(path, content)

    with pytest.raises(DocumentUnusable) as raised:
        publisher.publish(keys("a"))

    assert raised.value.code == code
    assert raised.value.where == f"s3://bucket/{path}"
    stored = s3.object(path)
    assert stored is not None
    assert stored.body == content


def test_what_somebody_added_to_discovery_stays(s3, publisher):
    theirs = {"issuer": ISSUER, "token_endpoint": f"{ISSUER}/token"}
    s3.put(OPENID, json.dumps(theirs).encode())

    publisher.publish(keys("a"))

    assert published(s3, OPENID).items() >= theirs.items()
    assert published(s3, OPENID)["jwks_uri"] == f"{ISSUER}/.well-known/jwks.json"
    assert published(s3, OAUTH).keys() != published(s3, OPENID).keys()


class TestReadBack:
    def test_before_anything_is_there(self, publisher):
        assert publisher.kids() == frozenset()

    def test_from_the_place(self, publisher):
        publisher.publish(keys("a", "b"))

        assert publisher.kids() == {"a", "b"}

    def test_only_keys_that_verify(self, s3, publisher):
        s3.put(JWKS, document(jwk("a"), {"kty": "XYZ", "kid": "odd"}))

        assert publisher.kids() == {"a"}

    @pytest.mark.parametrize("kind", ["before", "deny", "throttle"])
    def test_a_place_that_does_not_tell_is_an_error(self, s3, publisher, kind):
        publisher.publish(keys("a"))
        s3.fault("get_object", kind)

        with pytest.raises((PlaceUnavailable, PlaceDenied)):
            publisher.kids()

    def test_what_no_verifier_reads_is_an_error(self, s3, publisher):
        s3.put(JWKS, document(jwk("a"), jwk("a", "other")))

        with pytest.raises(DocumentUnusable) as raised:
            publisher.kids()
        assert raised.value.code == "jwks_duplicate_kid"

    def test_the_issuers_url_counts_as_well(self, s3, publisher_of, server):
        issuer = f"{server.origin}/auth"
        publisher = publisher_of(s3, issuer=issuer, read_from="issuer")
        publisher.publish(keys("a", "b"))
        server.publish("b", "c")

        assert publisher.kids() == {"b"}
        assert server.requests == ["/auth/.well-known/jwks.json"]

    def test_the_url_alone_where_something_else_publishes(self, server):
        publisher = Publisher(issuer=server.origin)
        server.publish("a")

        done = publisher.publish(keys("b"), {"a"})

        assert (done.written, done.unchanged, done.kept) == ((), (), ())
        assert publisher.kids() == {"a"}

    def test_another_url_than_the_issuers(self, server):
        publisher = Publisher(issuer=ISSUER, read_from=f"{server.origin}/elsewhere.json")
        server.publish("a")

        assert publisher.kids() == {"a"}
        assert server.requests == ["/elsewhere.json"]

    def test_twice_through_a_cdn(self, server):
        """One node of it has the new key, another has not."""
        answers = [body(jwks("a", "b")), body(jwks("a"))]

        def answer(handler: Any) -> None:
            answers.pop(0)(handler)

        server.answer = answer
        publisher = Publisher(issuer=server.origin, cdn="E2QWRUHAPOMQZL")

        assert publisher.kids() == {"a"}
        assert answers == []

    @pytest.mark.parametrize("status", [404, 403, 500, 301])
    def test_a_url_that_does_not_answer_is_an_error(self, server, status):
        server.answer = body(b"{}", status=status)

        with pytest.raises(JwksUnavailable):
            Publisher(issuer=server.origin).kids()

    def test_a_url_that_answers_with_something_else_is_an_error(self, server):
        server.answer = body({"keys": [private_jwk("a")]})

        with pytest.raises(JwksInvalid):
            Publisher(issuer=server.origin).kids()


class TestInvalidation:
    def test_all_documents_by_their_public_paths(self):
        asked: list[dict[str, Any]] = []

        class Client:
            def create_invalidation(self, **parameters: Any) -> dict[str, Any]:
                asked.append(parameters)
                return {}

        cdn = CloudFront("E2QWRUHAPOMQZL", client=Client())
        publisher = Publisher(issuer=ISSUER, cdn=cdn)
        publisher.invalidate()
        publisher.invalidate()

        first, second = asked
        assert first["DistributionId"] == "E2QWRUHAPOMQZL"
        assert first["InvalidationBatch"]["Paths"] == {
            "Quantity": 3,
            "Items": [f"/{path}" for path in ALL],
        }
        references = {each["InvalidationBatch"]["CallerReference"] for each in (first, second)}
        assert len(references) == 2

    def test_a_cdn_of_ones_own(self):
        class Other:
            def __init__(self) -> None:
                self.paths: list[str] = []

            def invalidate(self, paths: Any) -> None:
                self.paths = list(paths)

        other = Other()
        Publisher(issuer=ISSUER, cdn=other).invalidate()

        assert other.paths == [f"/{path}" for path in ALL]

    def test_without_a_cdn_there_is_nothing_to_do(self, s3, publisher):
        publisher.invalidate()

        assert s3.call_count == 0


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "issuer over http": ({"issuer": "http://id.example"}, "https"),
    "issuer with a query": ({"issuer": "https://id.example/?a=1"}, "query"),
    "max_age 0": ({"max_age": 0}, "max_age is 0"),
    "max_age of days": ({"max_age": 86_401}, "max_age"),
    "max_age as text": ({"max_age": "300"}, "max_age"),
    "max_age True": ({"max_age": True}, "max_age"),
    "no URL to read": ({"read_from": "s3://bucket"}, "https"),
    "a CDN that is not read through": ({"cdn": "E2QWRUHAPOMQZL"}, "CDN"),
    "a CDN by its domain": ({"cdn": "d1.cloudfront.net", "read_from": "issuer"}, "distribution"),
    "all at once": ({"issuer": "x", "max_age": 0}, "max_age is 0"),
}


@pytest.mark.parametrize(("wrong", "says"), SETTINGS.values(), ids=SETTINGS)
def test_wrong_settings_are_told_at_once(wrong, says):
    with pytest.raises(ConfigError, match=says):
        Publisher(S3("bucket", client=MemoryS3()), **{"issuer": ISSUER, **wrong})
