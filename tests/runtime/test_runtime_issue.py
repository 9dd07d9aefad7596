"""The issue function as it is deployed, under AWS's own runtime client, boto3 alone beside it.

KMS is the local one, in another process, asked by boto3 over TLS.
"""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import import_key

from kmsjwt.testing import events

ISSUE = "kmsjwt.handlers.issue.handler"
AUTHORIZER = "kmsjwt.handlers.authorizer.handler"
ISSUER = "https://id.example"


@pytest.fixture
def settings(kms) -> dict[str, str]:
    return {
        **kms.environment(tls=True),
        "KMSJWT_KEY": kms.arns["ES256"],
        "KMSJWT_ISSUER": ISSUER,
        "KMSJWT_AUDIENCE": "orders",
    }


@pytest.fixture
def public(kms) -> Any:
    """The key as KMS publishes it, in DER."""
    return kms.client().get_public_key(KeyId=kms.arns["ES256"])["PublicKey"]


def test_a_direct_call_gives_a_token(start, settings, lambdas_boto3, public):
    function = start(ISSUE, environ=settings, beside=lambdas_boto3)

    posted = function.invoke({"sub": "ala", "claims": {"tenant": "t1"}})

    assert posted.what == "response", posted.text
    token = posted.body["access_token"]
    by_pyjwt = jwt.decode(
        token,
        load_der_public_key(public),  # type: ignore[arg-type]  # of any kind, to mypy
        algorithms=["ES256"],
        audience="orders",
        issuer=ISSUER,
    )
    by_joserfc = joserfc_jwt.decode(token, import_key(public, "EC"), algorithms=["ES256"]).claims
    assert by_pyjwt == by_joserfc
    assert (by_pyjwt["sub"], by_pyjwt["tenant"]) == ("ala", "t1")
    assert by_pyjwt["exp"] - by_pyjwt["iat"] == posted.body["expires_in"] == 900
    issued = function.log()[-1]
    assert (issued["decision"], issued["jti"]) == ("issued", by_pyjwt["jti"])
    assert token.split(".")[2] not in function.output


def test_what_it_issues_an_authorizer_with_the_same_key_lets_in(start, settings, lambdas_boto3):
    issue = start(ISSUE, environ=settings, beside=lambdas_boto3)
    authorizer = start(AUTHORIZER, environ=settings, beside=lambdas_boto3)

    token = issue.invoke({"sub": "ala"}).body["access_token"]
    allowed = authorizer.invoke(events.rest_token(authorization=f"Bearer {token}"))

    assert allowed.what == "response", allowed.text
    assert allowed.body["principalId"] == "ala"
    assert allowed.body["policyDocument"]["Statement"][0]["Effect"] == "Allow"


def test_a_caller_behind_a_gateway_gets_an_http_answer(start, settings, lambdas_boto3, public):
    role = "arn:aws:sts::123456789012:assumed-role/shop"
    event = {
        "version": "2.0",
        "requestContext": {
            "http": {"method": "POST", "path": "/token"},
            "authorizer": {"iam": {"userArn": f"{role}/session-7"}},
        },
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"aud": "orders", "lifetime": 60}),
        "isBase64Encoded": False,
    }
    function = start(ISSUE, environ={**settings, "KMSJWT_CALLERS": "iam"}, beside=lambdas_boto3)

    answered = function.invoke(event).body
    refused = function.invoke({**event, "requestContext": {}}).body

    assert (answered["statusCode"], refused["statusCode"]) == (200, 401)
    claims = jwt.decode(
        json.loads(answered["body"])["access_token"],
        load_der_public_key(public),  # type: ignore[arg-type]  # of any kind, to mypy
        algorithms=["ES256"],
        audience="orders",
    )
    assert (claims["sub"], claims["exp"] - claims["iat"]) == (role, 60)


def test_what_may_not_be_asked_for_is_an_error_of_the_call(start, settings, lambdas_boto3):
    function = start(ISSUE, environ=settings, beside=lambdas_boto3)

    refused = function.invoke({"sub": "ala", "claims": {"iss": "https://elsewhere.example"}})

    assert (refused.what, refused.body["errorType"]) == ("error", "ClaimsRefused")


def test_a_key_that_is_not_there_fails_without_a_token(start, settings, lambdas_boto3):
    gone = settings["KMSJWT_KEY"][:-4] + "0000"
    function = start(ISSUE, environ={**settings, "KMSJWT_KEY": gone}, beside=lambdas_boto3)

    failed = function.invoke({"sub": "ala"})

    assert (failed.what, failed.body["errorType"]) == ("error", "KmsKeyNotFound")


@pytest.mark.parametrize(
    ("changed", "has_boto3", "fault"),
    [
        pytest.param({}, False, "boto3", id="no boto3 beside it"),
        pytest.param(
            {"AWS_ENDPOINT_URL_KMS": "http://127.0.0.1:9"},
            True,
            "AWS_ENDPOINT_URL_KMS is no https URL",
            id="an endpoint without TLS",
        ),
    ],
)
def test_what_it_cannot_work_with_ends_the_start(
    changed, has_boto3, fault, start, settings, lambdas_boto3
):
    function = start(
        ISSUE, environ={**settings, **changed}, beside=lambdas_boto3 if has_boto3 else None
    )

    failed = function.failed_start()

    assert (failed.what, failed.body["errorType"]) == ("init error", "ConfigError")
    assert fault in failed.message
