"""The jwks function: the key set, cached, over every kind of HTTP event."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from tests.handlers.support import NOW, http_api, rest

from kmsjwt.handlers import issue, jwks
from kmsjwt.local import LocalKms


def rest_get(headers=None, method="GET") -> Any:
    return rest(httpMethod=method, headers=headers or {}, multiValueHeaders=None)


def http_get(headers=None, method="GET") -> Any:
    event = http_api(headers=headers or {})
    event["requestContext"]["http"]["method"] = method
    return event


def many_values(headers=None, method="GET") -> Any:
    values = {name: [value] for name, value in (headers or {}).items()}
    return rest(httpMethod=method, headers=None, multiValueHeaders=values)


EVENTS = pytest.mark.parametrize(
    "event_of", [rest_get, http_get, many_values], ids=["REST", "HTTP API, URL", "multi-value"]
)


@pytest.fixture
def function(environ, kms, log, clock) -> Any:
    return jwks.build(environ=environ, client=kms, log=log, clock=clock)


@EVENTS
def test_the_key_set_verifies_what_is_issued(environ, kms, log, function, event_of):
    token = issue.build(environ=environ, client=kms, log=log, clock=lambda: NOW)({"sub": "ala"})[
        "access_token"
    ]

    answer = function(event_of())

    assert answer["statusCode"] == 200
    assert answer["headers"]["Cache-Control"] == "public, max-age=300"
    assert answer["headers"]["Content-Type"] == "application/json"
    keys = jwt.PyJWKSet.from_json(answer["body"])
    kid = jwt.get_unverified_header(token)["kid"]
    claims = jwt.decode(
        token,
        keys[kid],
        algorithms=["ES256"],
        audience="orders",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["sub"] == "ala"


@EVENTS
@pytest.mark.parametrize(
    "name", ["If-None-Match", "if-none-match"], ids=["as written", "lower case"]
)
def test_who_has_it_already_gets_304(function, event_of, name):
    etag = function(event_of())["headers"]["ETag"]

    for value in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = function(event_of({name: value}))

        assert (answer["statusCode"], answer["body"]) == (304, "")
        assert answer["headers"]["ETag"] == etag
        assert answer["headers"]["Cache-Control"] == "public, max-age=300"
    assert function(event_of({name: '"other"'}))["statusCode"] == 200


def test_another_set_has_another_etag(environ, kms, rsa_key, function, log):
    other = jwks.build(environ={**environ, "KMSJWT_KEY": rsa_key}, client=kms, log=log)

    assert function({})["headers"]["ETag"] != other({})["headers"]["ETag"]
    assert function({})["headers"]["ETag"] == function({})["headers"]["ETag"]


@EVENTS
def test_head_is_get_without_a_body(function, event_of):
    head, get = function(event_of(method="HEAD")), function(event_of())

    assert (head["statusCode"], head["body"]) == (200, "")
    assert head["headers"] == get["headers"]


@EVENTS
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_405(function, event_of, method):
    answer = function(event_of(method=method))

    assert answer["statusCode"] == 405
    assert answer["headers"]["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "x",
        {"headers": []},
        {"headers": {"If-None-Match": 7}},
        {"multiValueHeaders": {"If-None-Match": [None, {}]}},
        {"requestContext": [], "httpMethod": None},
        {"requestContext": {"http": {"method": ["GET"]}}},
    ],
)
def test_an_odd_event_gets_the_public_keys_all_the_same(function, event):
    assert function(event)["statusCode"] == 200


def test_all_named_keys_are_published_and_nothing_private(environ, kms, ec_key, rsa_key, log):
    function = jwks.build(
        environ={**environ, "KMSJWT_KEYS": f"{ec_key} {rsa_key}"}, client=kms, log=log
    )
    body = function({})["body"]

    keys = json.loads(body)["keys"]
    assert {key["kty"] for key in keys} == {"EC", "RSA"}
    assert {key["alg"] for key in keys} == {"ES256", "RS256"}
    assert all(key["use"] == "sig" and "d" not in key for key in keys)
    for secret in ("111122223333", "arn:", "alias"):
        assert secret not in body


def test_a_bundled_set_is_published_without_kms(environ, function, tmp_path, log):
    bundled = tmp_path / "jwks.json"
    bundled.write_text(function({})["body"])
    again = jwks.build(environ={**environ, "KMSJWT_JWKS": str(bundled)}, client=object(), log=log)

    assert again({})["body"] == function({})["body"]


def test_kms_trouble_is_no_empty_set_and_is_not_stored(environ, log):
    kms = LocalKms()
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    function = jwks.build(environ={**environ, "KMSJWT_KEY": key}, client=kms, log=log)

    with kms.faults.add("GetPublicKey", kind="throttle", times=None):
        answer = function(http_get())

    assert answer["statusCode"] == 503
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert json.loads(answer["body"]) == {"error": "unavailable"}
    assert log.last["level"] == "ERROR"
