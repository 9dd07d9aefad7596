"""What is published, as other people's libraries read it."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import KeySet as JoserfcKeySet
from jwcrypto.jwk import JWKSet
from tests.jwks.servers import private_key

from kmsjwt import ConfigError, KeySet, PublicKey
from kmsjwt.jwks import (
    StaticKeys,
    discovery_document,
    document_bytes,
    jwks_document,
    jwks_url,
    oauth_authorization_server_url,
    openid_configuration_url,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ISSUER = "https://id.example"


@pytest.fixture(scope="session")
def keys() -> list[PublicKey]:
    rsa_key = rsa.generate_private_key(65537, 2048).public_key()
    made: list[tuple[Any, str]] = [
        (rsa_key, "RS256"),
        (ec.generate_private_key(ec.SECP256R1()).public_key(), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()).public_key(), "ES384"),
        (ec.generate_private_key(ec.SECP521R1()).public_key(), "ES512"),
        (ec.generate_private_key(ec.SECP256K1()).public_key(), "ES256K"),
        (ed25519.Ed25519PrivateKey.generate().public_key(), "EdDSA"),
    ]
    return [PublicKey(key, alg) for key, alg in made]


def ec_key(kid: str) -> PublicKey:
    return PublicKey(private_key("a").public_key(), "ES256", kid=kid)


def by_pyjwt(document: Any) -> dict[str | None, Any]:
    return {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(document).keys}


def by_joserfc(document: Any) -> dict[str | None, Any]:
    return {key.kid: key.thumbprint() for key in JoserfcKeySet.import_key_set(document).keys}


def by_jwcrypto(document: Any) -> dict[str | None, Any]:
    return {key["kid"]: key.thumbprint() for key in JWKSet.from_json(json.dumps(document))["keys"]}


@pytest.mark.parametrize("read", [by_pyjwt, by_joserfc, by_jwcrypto])
def test_others_read_our_jwks(keys: list[PublicKey], read: Callable[[Any], Any]) -> None:
    assert set(read(jwks_document(keys))) == {key.kid for key in keys}


@pytest.mark.parametrize("read", [by_joserfc, by_jwcrypto])
def test_others_find_the_thumbprint_that_is_the_kid(
    keys: list[PublicKey], read: Callable[[Any], dict[str, str]]
) -> None:
    for kid, thumbprint in read(jwks_document(keys)).items():
        assert kid == thumbprint


def test_we_read_our_jwks(keys: list[PublicKey]) -> None:
    assert sorted(KeySet.from_jwks(jwks_document(keys)), key=lambda key: key.kid) == sorted(
        keys, key=lambda key: key.kid
    )
    assert StaticKeys(jwks_document(keys)).key(keys[0].kid) == keys[0]


def test_the_same_keys_are_the_same_bytes(keys: list[PublicKey]) -> None:
    expected = document_bytes(jwks_document(keys))
    for seed in range(10):
        shuffled = random.Random(seed).sample(keys, len(keys))
        assert document_bytes(jwks_document(iter(shuffled))) == expected
    assert document_bytes(jwks_document(KeySet(keys))) == expected
    assert json.loads(expected) == jwks_document(keys)


@given(
    st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers() | st.booleans()),
    st.randoms(use_true_random=False),
)
def test_bytes_do_not_depend_on_the_order_of_members(
    document: dict[str, Any], randomness: random.Random
) -> None:
    names = list(document)
    randomness.shuffle(names)
    assert document_bytes({name: document[name] for name in names}) == document_bytes(document)
    assert json.loads(document_bytes(document)) == document


@pytest.mark.parametrize(
    "kid",
    [
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "ARN:aws-cn:kms:cn-north-1::key",
        "alias/auth",
        "my-alias/auth",
        "111122223333",
        "auth-111122223333",
        "111122223333/auth/1",
    ],
)
def test_a_kid_that_tells_about_the_account_is_not_published(kid: str) -> None:
    with pytest.raises(ConfigError) as caught:
        jwks_document([ec_key(kid)])
    assert caught.value.code == "kid_not_public"
    assert "thumbprint" in str(caught.value)


@pytest.mark.parametrize(
    "kid",
    [
        "a",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "12345678-1234-1234-1234-123456789012",
        "mrk-12345678901234567890123456789012",
        "2026-11-22",
        "1790000000",
        "20261122093000",
        "learn-alias",
    ],
)
def test_other_kids_are_published(kid: str) -> None:
    (published,) = jwks_document([ec_key(kid)])["keys"]
    assert published["kid"] == kid


def test_never_empty_never_double_never_too_large() -> None:
    with pytest.raises(ConfigError) as empty:
        jwks_document([])
    with pytest.raises(ConfigError) as double:
        jwks_document([ec_key("a"), ec_key("a")])
    large = mldsa.MLDSA87PrivateKey.generate().public_key()
    with pytest.raises(ConfigError) as huge:
        jwks_document(PublicKey(large, "ML-DSA-87", kid=str(n)) for n in range(50))
    codes = [error.value.code for error in (empty, double, huge)]
    assert codes == ["jwks_no_usable_key", "jwks_duplicate_kid", "jwks_too_large"]


def test_discovery_document_has_what_the_standards_require() -> None:
    document = discovery_document(ISSUER, algs=["RS256", "ES256", "RS256"])
    assert document == {
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}/.well-known/jwks.json",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
    }


@pytest.mark.parametrize("issuer", [ISSUER, f"{ISSUER}/", f"{ISSUER}/tenant/"])
def test_the_issuer_is_published_to_the_character(issuer: str) -> None:
    document = discovery_document(issuer, algs=["RS256"], jwks_uri="https://cdn.example/k?v=1")
    assert (document["issuer"], document["jwks_uri"]) == (issuer, "https://cdn.example/k?v=1")


@pytest.mark.parametrize(
    ("issuer", "openid", "oauth", "keys_at"),
    [
        (
            "https://id.example",
            "https://id.example/.well-known/openid-configuration",
            "https://id.example/.well-known/oauth-authorization-server",
            "https://id.example/.well-known/jwks.json",
        ),
        (
            "https://id.example/",
            "https://id.example/.well-known/openid-configuration",
            "https://id.example/.well-known/oauth-authorization-server",
            "https://id.example/.well-known/jwks.json",
        ),
        (  # RFC 8414 section 3.1 and OpenID Connect Discovery 1.0 section 4.1 show this one
            "https://example.com/issuer1",
            "https://example.com/issuer1/.well-known/openid-configuration",
            "https://example.com/.well-known/oauth-authorization-server/issuer1",
            "https://example.com/issuer1/.well-known/jwks.json",
        ),
        (
            "https://id.example:8443/a/b/",
            "https://id.example:8443/a/b/.well-known/openid-configuration",
            "https://id.example:8443/.well-known/oauth-authorization-server/a/b",
            "https://id.example:8443/a/b/.well-known/jwks.json",
        ),
    ],
)
def test_well_known_urls(issuer: str, openid: str, oauth: str, keys_at: str) -> None:
    assert openid_configuration_url(issuer) == openid
    assert oauth_authorization_server_url(issuer) == oauth
    assert jwks_url(issuer) == keys_at


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"issuer": "id.example"}, "https"),
        ({"issuer": "http://id.example"}, "https"),
        ({"issuer": f"{ISSUER}?x"}, "query"),
        ({"issuer": f"{ISSUER}#x"}, "fragment"),
        ({"jwks_uri": ""}, "jwks_uri"),
        ({"jwks_uri": "http://id.example/k"}, "https"),
        ({"algs": []}, "algs is empty"),
        ({"algs": "RS256"}, "list"),
        ({"algs": ["HS256"]}, "HS256"),
        ({"algs": ["none"]}, "none"),
    ],
)
def test_what_may_not_be_published(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        discovery_document(**{"issuer": ISSUER, "algs": ["RS256"], **arguments})
    assert says in str(caught.value)
