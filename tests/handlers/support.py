"""What the tests of the Lambda functions share; PyJWT reads what they issue."""

from __future__ import annotations

import json
from typing import Any

import jwt

NOW = 1_800_000_000
ISSUER = "https://id.example"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/shop"
USER = f"arn:aws:iam::{ACCOUNT}:user/people/ala"


class Recorder:
    """A log that can be read."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def __call__(self, level: str, event: str, **fields: object) -> None:
        self.lines.append({"level": level, "event": event, **fields})

    @property
    def last(self) -> dict[str, Any]:
        return self.lines[-1]

    def text(self) -> str:
        return json.dumps(self.lines)


def read(token: str, kms: Any, key: str, algorithm: str = "ES256") -> dict[str, Any]:
    """Verify with PyJWT and cryptography alone, against the key as KMS publishes it."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    public: Any = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    claims: dict[str, Any] = jwt.decode(
        token,
        public,
        algorithms=[algorithm],
        options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
    )
    return claims


def rest(body: object = None, arn: str | None = None, **members: Any) -> dict[str, Any]:
    """Return the event of a REST API's proxy integration."""
    return {
        "resource": "/token",
        "path": "/token",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "a1b2c3d4e5",
            "stage": "prod",
            "identity": {"userArn": arn, "sourceIp": "203.0.113.7"},
        },
        "body": _text(body),
        "isBase64Encoded": False,
        **members,
    }


def http_api(body: object = None, arn: str | None = None, **members: Any) -> dict[str, Any]:
    """Return the event of an HTTP API of payload format 2.0, which function URLs share."""
    authorizer = {"authorizer": {"iam": {"userArn": arn, "accountId": ACCOUNT}}} if arn else {}
    event = {
        "version": "2.0",
        "routeKey": "POST /token",
        "rawPath": "/token",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "a1b2c3d4e5",
            "http": {"method": "POST", "path": "/token"},
            **authorizer,
        },
        "isBase64Encoded": False,
        **members,
    }
    if body is not None:
        event["body"] = _text(body)
    return event


def _text(body: object) -> str | None:
    return body if body is None or isinstance(body, str) else json.dumps(body)


def body_of(answer: dict[str, Any]) -> Any:
    """Return what an HTTP answer says."""
    assert isinstance(answer["body"], str)
    return json.loads(answer["body"])
