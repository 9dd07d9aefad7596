"""The jwks function: the key set, cached, over every kind of HTTP event."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from tests.handlers.support import NOW, http_api, rest

from kmsjwt.errors import ConfigError
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
    assert answer["headers"]["Cache-Control"] == "public, max-age=150"
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
        assert answer["headers"]["Cache-Control"] == "public, max-age=150"
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


OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"


def of_path(event_of, path, **more) -> Any:
    """Return a GET event of that path, in the members that each kind of gateway has."""
    event = event_of(**more)
    event["rawPath" if "rawPath" in event else "path"] = path
    return event


def document(answer) -> Any:
    assert answer["statusCode"] == 200
    return json.loads(answer["body"])


@EVENTS
@pytest.mark.parametrize("path", [OPENID, OAUTH, f"/prod{OPENID}", f"{OAUTH}/"])
def test_discovery_is_answered_at_its_paths(function, event_of, path):
    answer = function(of_path(event_of, path))

    told = document(answer)
    assert told["issuer"] == "https://id.example"
    assert told["jwks_uri"] == "https://id.example/.well-known/jwks.json"
    assert told["id_token_signing_alg_values_supported"] == ["ES256"]
    assert answer["headers"]["Cache-Control"] == "public, max-age=150"
    etag = answer["headers"]["ETag"]
    again = function(of_path(event_of, path, headers={"If-None-Match": etag}))
    assert (again["statusCode"], again["body"]) == (304, "")
    assert function(of_path(event_of, path, method="HEAD"))["body"] == ""
    assert etag != function(event_of())["headers"]["ETag"]


@EVENTS
def test_an_issuer_with_a_path(environ, kms, log, event_of):
    function = jwks.build(
        environ={**environ, "KMSJWT_ISSUER": "https://id.example/auth"}, client=kms, log=log
    )

    for path in (f"/auth{OPENID}", f"{OAUTH}/auth"):
        told = document(function(of_path(event_of, path)))
        assert told["issuer"] == "https://id.example/auth"
        assert told["jwks_uri"] == "https://id.example/auth/.well-known/jwks.json"
    # RFC 8414 section 3: what follows is the issuer's path, so this is another issuer's.
    assert function(of_path(event_of, f"{OAUTH}/other"))["statusCode"] == 404


@EVENTS
@pytest.mark.parametrize("path", [OPENID, OAUTH])
@pytest.mark.parametrize("issuer", ["", "ANY", "my-issuer", "http://id.example"])
def test_no_discovery_without_an_issuer_that_is_a_url(environ, kms, log, event_of, path, issuer):
    function = jwks.build(environ={**environ, "KMSJWT_ISSUER": issuer}, client=kms, log=log)

    answer = function(of_path(event_of, path))

    assert answer["statusCode"] == 404
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert "keys" in document(function(event_of()))
    warned = [line["event"] for line in log.lines if line["level"] == "WARN"]
    assert warned == (["no_discovery"] if issuer not in ("", "ANY") else [])


def test_discovery_names_the_algorithms_of_all_keys(environ, kms, ec_key, rsa_key, log):
    function = jwks.build(
        environ={**environ, "KMSJWT_KEYS": f"{ec_key} {rsa_key}"}, client=kms, log=log
    )

    told = document(function(of_path(http_get, OPENID)))

    assert told["id_token_signing_alg_values_supported"] == ["ES256", "RS256"]
    for secret in ("111122223333", "arn:", "alias"):
        assert secret not in json.dumps(told)


@EVENTS
def test_every_other_path_is_the_key_set(function, event_of):
    for path in ("/", "/.well-known/jwks.json", "/keys", "/auth/.well-known/jwks.json", ""):
        assert "keys" in document(function(of_path(event_of, path)))


@pytest.mark.parametrize(("setting", "seconds"), [("60", 60), ("PT10M", 600), ("", 300)])
def test_its_answers_and_its_own_memory_share_one_number(environ, log, setting, seconds):
    kms, now = LocalKms(), [NOW]
    asked: list[str] = []
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]

    class Client:
        def get_public_key(self, **parameters) -> Any:
            asked.append(parameters["KeyId"])
            return kms.get_public_key(**parameters)

    function = jwks.build(
        environ={**environ, "KMSJWT_KEY": key, "KMSJWT_DOCUMENT_MAX_AGE": setting},
        client=Client(),
        log=log,
        clock=lambda: now[0],
    )
    answer = function({})
    now[0] += seconds // 2 - 1
    function({})
    assert len(asked) == 1
    now[0] += 1
    function({})

    assert len(asked) == 2
    assert answer["headers"]["Cache-Control"] == f"public, max-age={seconds // 2}"


@pytest.mark.parametrize("setting", ["0", "-1", "2d", "soon", "5 m"])
def test_a_max_age_that_makes_no_sense(environ, kms, log, setting):
    with pytest.raises(ConfigError, match="KMSJWT_DOCUMENT_MAX_AGE"):
        jwks.build(environ={**environ, "KMSJWT_DOCUMENT_MAX_AGE": setting}, client=kms, log=log)


def test_kms_trouble_is_no_discovery_either(environ, log):
    kms = LocalKms()
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    function = jwks.build(environ={**environ, "KMSJWT_KEY": key}, client=kms, log=log)

    with kms.faults.add("GetPublicKey", kind="throttle", times=None):
        answer = function(of_path(http_get, OPENID))

    assert answer["statusCode"] == 503
    assert answer["headers"]["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [None, 7, [], {"a": OPENID}])
def test_an_odd_path_is_no_path(function, path):
    assert "keys" in document(function({"rawPath": path}))
