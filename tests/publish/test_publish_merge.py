"""The one rule: a key leaves because it is retired, and for nothing else."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.jwks.servers import jwk, private_jwk
from tests.publish.goods import document, ed25519_jwk, key, keys, rsa_jwk

from kmsjwt import PublicKey
from kmsjwt.errors import ConfigError, DocumentUnusable, KmsJwtError
from kmsjwt.publish import merge

KIDS = ("a", "b", "c", "d", "e")
SETS = st.frozensets(st.sampled_from(KIDS))
# Keys that no verifier of ours uses, and that are somebody's all the same.
FOREIGN: dict[str, dict[str, Any]] = {
    "for encryption": {**rsa_jwk("enc"), "use": "enc", "alg": "RSA-OAEP-256"},
    "of an unknown type": {"kty": "XYZ", "kid": "odd", "x": "1", "deep": {"n": [1, 2.5, None]}},
    "without kid": {"kty": "XYZ", "x": "AA"},
    "with a certificate": {**jwk("x5"), "x5c": ["MIIB"], "x5t#S256": "abc"},
    "with key_ops": {"key_ops": ["verify"], **jwk("ops")},
}


def kids_of(body: bytes) -> list[str | None]:
    return [each.get("kid") for each in json.loads(body)["keys"]]


def test_the_first_publication_is_the_live_keys():
    merged = merge(None, keys("b", "a"))

    assert kids_of(merged.body) == ["a", "b"]
    assert (merged.kids, merged.kept, merged.removed) == (("a", "b"), (), ())
    assert len(jwt.PyJWKSet.from_json(merged.body.decode()).keys) == 2


def test_what_is_there_and_unknown_stays():
    merged = merge(document(jwk("old")), keys("new"))

    assert kids_of(merged.body) == ["new", "old"]
    assert merged.kept == ("old",)


def test_only_a_retired_key_leaves():
    merged = merge(document(jwk("a"), jwk("b"), jwk("c")), keys("c"), {"a", "never there"})

    assert kids_of(merged.body) == ["b", "c"]
    assert (merged.kept, merged.removed) == (("b",), ("a",))


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_key_stays_member_for_member(foreign):
    merged = merge(document(jwk("a"), foreign, note={"by": "hand"}), keys("b"))

    after = json.loads(merged.body)
    assert foreign in after["keys"]
    assert after["note"] == {"by": "hand"}
    assert merge(merged.body, keys("b")).body == merged.body


def test_a_live_key_is_published_as_we_write_it():
    """Somebody's leaving out of alg or use is no other key."""
    bare = {name: value for name, value in jwk("a").items() if name not in ("alg", "use")}

    assert json.loads(merge(document(bare), keys("a")).body)["keys"] == [key("a").to_jwk()]


@given(there=SETS, live=SETS, retired=SETS)
def test_the_rule_for_every_set(there, live, retired):
    current = document(*map(jwk, sorted(there))) if there else None
    left = (there - retired) | live
    if not left or live & retired:
        with pytest.raises(ConfigError):
            merge(current, keys(*live), retired)
        return

    merged = merge(current, keys(*live), retired)

    assert kids_of(merged.body) == sorted(left) == list(merged.kids)
    assert set(merged.kept) == there - retired - live
    assert set(merged.removed) == there & retired


@given(there=SETS.filter(bool), live=SETS, order=st.randoms(use_true_random=False))
def test_the_same_keys_are_the_same_bytes(there, live, order):
    first = merge(document(*map(jwk, sorted(there))), keys(*live)).body
    shuffled = list(there | live)
    order.shuffle(shuffled)

    assert merge(document(*map(jwk, shuffled)), keys(*live)).body == first
    assert merge(first, keys(*live)).body == first


def is_key_set(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text)["keys"], list)
    except (ValueError, KeyError, TypeError):
        return False


@settings(max_examples=300, deadline=None)
@given(current=st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_no_bytes_are_overwritten_that_are_no_jwks(current):
    assume(not is_key_set(current))  # which may be guessed
    with pytest.raises(DocumentUnusable):
        merge(current, keys("a"))


BAD_DOCUMENTS = {
    "empty": (b"", "jwks_malformed"),
    "cut off": (document(jwk("a"))[:-9], "jwks_malformed"),
    "HTML": (b"<html>Not found</html>", "jwks_malformed"),
    "no keys": (b"{}", "jwks_malformed"),
    "keys is no list": (b'{"keys": {"a": 1}}', "jwks_malformed"),
    "a key that is none": (b'{"keys": ["a"]}', "jwks_malformed"),
    "a kid that is no text": (b'{"keys": [{"kty": "EC", "kid": 7}]}', "jwks_malformed"),
    "a member twice": (b'{"keys": [], "keys": []}', "jwks_malformed"),
    "private": (document(jwk("b"), private_jwk("p")), "jwks_private"),
    "a kid twice": (document(jwk("b"), jwk("b", "other")), "jwks_duplicate_kid"),
    "too many keys": (document(*[{"kty": "X"}] * 1_001), "jwks_too_many_keys"),
    "another key under the kid": (document(jwk("a", "other")), "publish_other_key"),
    "the kid of a key of another type": (document(rsa_jwk("a")), "publish_other_key"),
    "the kid of no key": (document({"kty": "EC", "kid": "a"}), "publish_other_key"),
}


@pytest.mark.parametrize(("current", "code"), BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS)
def test_a_document_that_cannot_be_read_is_an_error(current, code):
    with pytest.raises(DocumentUnusable) as raised:
        merge(current, keys("a"), where="s3://bucket/jwks.json")

    error = raised.value
    assert error.code == code
    assert "s3://bucket/jwks.json" in error.message
    assert error.fix
    assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(
    ("current", "kid"),
    [
        (document(jwk("b"), private_jwk("p")), "p"),
        (document(jwk("b"), jwk("b", "other")), "b"),
        (document(jwk("b"), jwk("x", "other"), rsa_jwk("x")), "x"),
    ],
    ids=["private", "twice", "twice, of two types"],
)
def test_a_bad_key_leaves_by_its_name(current, kid):
    merged = merge(current, keys("a"), {kid})

    assert merged.removed == (kid,)
    assert kid not in kids_of(merged.body)


def test_nothing_private_is_ever_in_it():
    body = merge(document(jwk("b"), private_jwk("p")), keys("a"), {"p"}).body

    assert private_jwk("p")["d"].encode() not in body


def test_the_algorithms_are_those_of_all_keys():
    kept = [rsa_jwk("r", "PS384"), ed25519_jwk("e"), FOREIGN["for encryption"]]

    assert merge(document(*kept), keys("a")).algs == {"PS384", "EdDSA", "ES256"}


def test_a_key_keeps_its_algorithm():
    """RS256 under the kid of a PS256 key: tokens of the first would be refused."""
    published = rsa_jwk("r")
    ours = PublicKey.from_jwk({**published, "alg": "PS256"})

    with pytest.raises(DocumentUnusable, match="RS256") as raised:
        merge(document(published), [ours])
    assert raised.value.code == "publish_other_key"


NEVER = {
    "nothing at all": (None, [], set(), "publish_empty"),
    "the last key": (document(jwk("a")), [], {"a"}, "publish_empty"),
    "nothing that verifies": (document(jwk("a"), {"kty": "X"}), [], {"a"}, "publish_empty"),
    "live and retired": (document(jwk("a")), ["a"], {"a"}, "publish_retired"),
    "retired as text": (document(jwk("a")), ["b"], "a", "publish_retired"),
    "retired by number": (document(jwk("a")), ["b"], [1], "publish_retired"),
    "two live of one kid": (None, ["a", "a"], set(), "jwks_duplicate_kid"),
}


@pytest.mark.parametrize(("current", "live", "retired", "code"), NEVER.values(), ids=NEVER)
def test_what_is_never_published(current, live, retired, code):
    with pytest.raises(ConfigError) as raised:
        merge(current, keys(*live), retired)

    assert raised.value.code == code


def test_no_kid_of_ours_names_an_account():
    telling = PublicKey.from_jwk({**jwk("a"), "kid": "arn:aws:kms:eu-central-1:111122223333:key/k"})

    with pytest.raises(ConfigError) as raised:
        merge(None, [telling])
    assert raised.value.code == "kid_not_public"


def test_at_most_150000_bytes():
    current = document({"kty": "XYZ", "kid": "big", "x": "y" * 149_700}, jwk("a"))

    with pytest.raises(KmsJwtError) as raised:
        merge(current, keys("b"))
    assert raised.value.code == "jwks_too_large"
    assert kids_of(merge(current, keys("b"), {"big"}).body) == ["a", "b"]
