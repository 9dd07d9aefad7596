"""An authorizer that is not kmsjwt's: it answers as the Authorization header names."""

from __future__ import annotations

from typing import Any


def handler(event: dict[str, Any], context: object) -> Any:
    print("asked")  # see backend.py
    named = event.get("authorizationToken")
    if named is None:
        headers = {name.lower(): value for name, value in event["headers"].items()}
        named = headers["authorization"]
    arn = event.get("methodArn") or event["routeArn"]
    if named == "raise unauthorized":
        raise RuntimeError("unauthorized")
    if named == "raise Unauthorized":
        raise RuntimeError("Unauthorized")
    return answers(arn)[named]


def answers(arn: str) -> dict[str, Any]:
    """Return the answers by name, for a request of that ARN."""
    return {
        # As in countless examples: the policy names the one ARN that was asked for.
        "one ARN": _iam(Resource=arn),
        "tell the ARN": {**_iam(), "context": {"arn": arn}},
        "Statement is an object": {
            **_iam(),
            "policyDocument": {"Version": "2012-10-17", "Statement": _statement()},
        },
        "allowed and denied": {
            **_iam(),
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [_statement(), _statement(Effect="Deny", Resource=arn)],
            },
        },
        "a question mark in Resource": _iam(Resource=f"{arn[:-1]}?"),
        "context of a list": {**_iam(), "context": {"roles": ["a", "b"]}},
        "context of null": {**_iam(), "context": {"tenant": None}},
        "context of numbers": {**_iam(), "context": {"n": 7, "yes": True, "text": "a"}},
        "context is a text": {**_iam(), "context": "tenant"},
        "context of claims": {**_iam(), "context": {"claims": "a"}},
        "no principalId": {"policyDocument": _iam()["policyDocument"]},
        "no policyDocument": {"principalId": "ala"},
        "no Statement": {**_iam(), "policyDocument": {"Version": "2012-10-17", "Statement": []}},
        "Effect of neither kind": _iam(Effect="allow"),
        "Action of another service": _iam(Action="s3:GetObject"),
        "no Action": _iam(Action=None),
        "Resource of 513 characters": _iam(Resource=["*", "x" * 513]),
        "answer of 9,000 bytes": {**_iam(), "context": {"text": "x" * 9_000}},
        "no object": [],
        "isAuthorized": {"isAuthorized": True},
        "isAuthorized is a text": {"isAuthorized": "true"},
    }


def _iam(**changed: Any) -> dict[str, Any]:
    return {
        "principalId": "ala",
        "policyDocument": {"Version": "2012-10-17", "Statement": [_statement(**changed)]},
    }


def _statement(**changed: Any) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*", **changed}
    return {name: value for name, value in statement.items() if value is not None}
