"""From a key in ministack's KMS to a request let in: by the gateway's own JWT authorizer, too."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
import pytest
from tests.jwks.servers import body
from tests.ministack import deployed
from tests.ministack.doors import KINDS

from kmsjwt import Issuer
from kmsjwt.jwks import discovery_document, document_bytes, jwks_document
from kmsjwt.kms import KmsKeys, KmsSigner

SCOPE = "orders:read"
JWKS, DISCOVERY = "/.well-known/jwks.json", "/.well-known/openid-configuration"


@pytest.fixture(scope="module")
def key(cloud) -> Any:
    made = cloud.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    return made["KeyMetadata"]["Arn"]


@pytest.fixture(scope="module")
def keys(cloud, key) -> Any:
    return KmsKeys(key, client=cloud.client("kms")).key_set()


@pytest.fixture(scope="module")
def issuer_url(website, keys) -> Any:
    """Publish what an issuer publishes, rendered by kmsjwt, and return its ``iss``."""
    algs = {each.alg.name for each in keys}
    documents = {
        JWKS: jwks_document(keys),
        DISCOVERY: discovery_document(website.origin, algs=algs),
    }
    for path, document in documents.items():
        website.answers[path] = body(document_bytes(document), Content_Type="application/json")
    return website.origin


@pytest.fixture(scope="module")
def issue(cloud, functions, key, issuer_url) -> Any:
    """Return a call of the issue function, which signs in ministack's KMS."""
    told = {"KMSJWT_KEY": key, "KMSJWT_ISSUER": issuer_url, "KMSJWT_AUDIENCE": "orders"}
    functions.arn("issue", "kmsjwt.handlers.issue.handler", told)

    def call(**event: Any) -> Any:
        answer = cloud.client("lambda").invoke(
            FunctionName="issue", Payload=json.dumps({"sub": "ala", **event})
        )
        return json.loads(answer["Payload"].read())

    return call


@pytest.fixture(scope="module")
def native(cloud, backend, issuer_url) -> Any:
    """An HTTP API whose routes are behind the gateway's own JWT authorizer."""
    return deployed.jwt_api(cloud, backend, issuer=issuer_url, audience="orders", scope=SCOPE)


def test_a_token_signed_in_its_kms_is_one_for_pyjwt(issue, keys, issuer_url):
    token = issue(claims={"scope": SCOPE})["access_token"]

    [published] = jwks_document(keys)["keys"]
    claims = jwt.decode(
        token, jwt.PyJWK(published), algorithms=["RS256"], audience="orders", issuer=issuer_url
    )

    assert (claims["sub"], claims["scope"]) == ("ala", SCOPE)


def test_the_gateways_own_authorizer_lets_our_token_in(issue, native, website, issuer_url):
    token = issue(claims={"scope": SCOPE})["access_token"]

    reply = native.get("/orders", f"Bearer {token}")

    assert reply.status == 200
    assert reply.context["jwt"]["claims"]["sub"] == "ala"
    assert {DISCOVERY, JWKS} <= set(website.requests)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        pytest.param({"claims": {"scope": "orders:write"}}, 403, id="another scope"),
        pytest.param({}, 403, id="no scope"),
        pytest.param({"claims": {"scope": SCOPE}, "aud": "billing"}, 401, id="another audience"),
        pytest.param(
            {"claims": {"scope": SCOPE}, "aud": ["billing", "orders"]}, 200, id="two audiences"
        ),
    ],
)
def test_what_the_gateways_own_authorizer_makes_of_our_tokens(asked, status, issue, native):
    token = issue(**asked)["access_token"]

    assert native.get("/orders", f"Bearer {token}").status == status


@pytest.mark.parametrize(
    ("issuer", "age", "status"),
    [
        pytest.param(None, 0, 200, id="now"),
        pytest.param(None, 3_600, 401, id="expired"),
        pytest.param("https://elsewhere.example", 0, 401, id="another issuer"),
    ],
)
def test_its_time_and_its_issuer_are_looked_at(issuer, age, status, cloud, key, native, issuer_url):
    signer = KmsSigner(key, client=cloud.client("kms"))
    then = Issuer(issuer or issuer_url, signer, clock=lambda: time.time() - age)

    token = then.issue(sub="ala", aud="orders", claims={"scope": SCOPE}).token

    assert native.get("/orders", f"Bearer {token}").status == status


def test_a_changed_token_is_refused(issue, native):
    header, payload, signature = issue(claims={"scope": SCOPE})["access_token"].split(".")
    changed = signature[:-8] + ("A" * 8 if signature[-8:] != "A" * 8 else "B" * 8)

    assert native.get("/orders", f"Bearer {header}.{payload}.{changed}").status == 401
    assert native.get("/orders").status == 401


@pytest.mark.parametrize("source", ["KMSJWT_KEYS", "KMSJWT_JWKS"])
def test_our_authorizer_lets_it_in_by_the_key_or_by_the_published_set(
    source, cloud, functions, backend, issue, key, issuer_url
):
    """Inside the function: boto3 over TLS to KMS, or a fetch of the published key set."""
    where = {"KMSJWT_KEYS": key, "KMSJWT_JWKS": issuer_url + JWKS}[source]
    function = functions.arn(
        f"by-{source}",
        "kmsjwt.handlers.authorizer.handler",
        {"KMSJWT_ISSUER": issuer_url, "KMSJWT_AUDIENCE": "orders", source: where},
    )
    door = KINDS["REST TOKEN"].on_ministack(cloud, function, backend)

    statuses = [
        door.get("/orders", f"Bearer {issue(**asked)['access_token']}").status
        for asked in ({}, {"aud": "billing"})
    ]

    assert statuses == [200, 401]
