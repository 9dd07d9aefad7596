"""Several sources of keys: not to know a key, and not to be able to know it, are two things."""

from __future__ import annotations

from typing import Any

import pytest
from tests.handlers.support import ISSUER, NOW
from tests.recipe.article import Article, base64url

from kmsjwt.errors import CannotKnow, UnknownKey
from kmsjwt.handlers import authorizer
from kmsjwt.handlers._sources import AnyKeys
from kmsjwt.kms import KmsKeys, KmsVerify
from kmsjwt.local import LocalKms
from kmsjwt.testing import Gateway


@pytest.fixture
def down() -> Any:
    """A KMS that does not answer."""
    kms = LocalKms()
    kms.faults.add("GetPublicKey", kind="drop", times=None)
    kms.faults.add("DescribeKey", kind="drop", times=None)
    return kms


def kid_of(source: Any) -> str:
    return str(next(iter(source.key_set())).kid)


@pytest.mark.parametrize("first", ["knows nothing", "does not answer"])
def test_where_one_source_does_not_answer_a_key_is_not_unknown(kms, down, ec_key, rsa_key, first):
    """Its key may be the one; a refusal would deny what may be allowed, for as long as cached."""
    sources = [KmsKeys(ec_key, client=kms), KmsKeys(rsa_key, client=down)]
    if first == "does not answer":
        sources.reverse()

    with pytest.raises(CannotKnow) as caught:
        AnyKeys(sources, keys=2).key("nobody's")

    assert not isinstance(caught.value, UnknownKey)


@pytest.mark.parametrize("first", ["knows it", "does not answer"])
def test_a_key_that_one_source_has_is_had_though_another_does_not_answer(
    kms, down, ec_key, rsa_key, first
):
    known = KmsKeys(ec_key, client=kms)
    sources = [known, KmsKeys(rsa_key, client=down)]
    if first == "does not answer":
        sources.reverse()

    assert AnyKeys(sources, keys=2).key(kid_of(known)).alg.name == "ES256"


def test_a_key_that_no_source_has_is_unknown(kms, ec_key, rsa_key):
    sources = [KmsKeys(key, client=kms) for key in (ec_key, rsa_key)]

    with pytest.raises(UnknownKey) as caught:
        AnyKeys(sources, keys=2).key("nobody's")
    assert caught.value.code == "unknown_key"


def test_no_key_is_meant_where_several_are_configured_and_the_token_names_none(
    kms, ec_key, rsa_key
):
    sources = [KmsKeys(key, client=kms) for key in (ec_key, rsa_key)]

    with pytest.raises(UnknownKey) as caught:
        AnyKeys(sources, keys=2).key(None)
    assert caught.value.code == "kid_missing"
    assert AnyKeys(sources[:1], keys=1).key(None).alg.name == "ES256"


def test_one_source_that_asks_each_time_makes_all_of_them_do_so(kms, ec_key, rsa_key):
    """Then the answer is as fresh as KMS's, and nobody should keep it."""
    local, asking = KmsKeys(ec_key, client=kms), KmsVerify(rsa_key, client=kms)

    assert AnyKeys([local, asking], keys=2).asks_each_time
    assert AnyKeys([asking, local], keys=2).asks_each_time
    assert not AnyKeys([local, local], keys=2).asks_each_time


def test_a_function_whose_ring_does_not_answer_denies_nothing(kms, ec_key, rsa_key, log):
    """API Gateway keeps a refusal, and no answer 500."""
    environ = {
        "KMSJWT_ISSUER": ISSUER,
        "KMSJWT_AUDIENCE": "orders",
        "KMSJWT_KEYS": f"{ec_key} ring:unread",
    }
    check = authorizer.build(environ=environ, client=kms, log=log, clock=lambda: NOW)
    token = Article(kms, rsa_key).token(header={"kid": "nobody's"}, spell=base64url)
    request = {"headers": {"Authorization": f"Bearer {token}"}}

    with kms.faults.add("DescribeKey", kind="drop", times=None):
        assert Gateway(check).request("GET", "/", **request).status == 500
