"""Events as AWS documents them, written out here from the guides."""

from __future__ import annotations

from typing import Any

Headers = list[tuple[str, str]]


def _joined(headers: Headers, *, lower: bool) -> dict[str, str]:
    joined: dict[str, list[str]] = {}
    for name, value in headers:
        joined.setdefault(name.lower() if lower else name, []).append(value)
    return {name: ",".join(values) for name, values in joined.items()}


def _listed(headers: Headers) -> dict[str, list[str]]:
    listed: dict[str, list[str]] = {}
    for name, value in headers:
        listed.setdefault(name, []).append(value)
    return listed


def payload_2_0(
    method: str, path: str, headers: Headers, *, host: str = "lambda-url.eu-central-1.on.aws"
) -> dict[str, Any]:
    """Lambda guide, "Invoking Lambda function URLs"; API Gateway guide, payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"x-forwarded-proto": "https", **_joined(headers, lower=True)},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "urlid",
            "domainName": f"urlid.{host}",
            "domainPrefix": "urlid",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "agent",
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        "body": None,
        "isBase64Encoded": False,
    }


def http_api(method: str, path: str, headers: Headers) -> dict[str, Any]:
    return payload_2_0(method, path, headers, host="execute-api.eu-central-1.amazonaws.com")


def alb(method: str, path: str, headers: Headers) -> dict[str, Any]:
    """ELB guide, "Lambda functions as targets": of repeated headers the last one is told."""
    return {
        "requestContext": {
            "elb": {
                "targetGroupArn": "arn:aws:elasticloadbalancing:us-east-2:123456789012:"
                "targetgroup/my-target-group/6d0ecf831eec9f09"
            }
        },
        "httpMethod": method,
        "path": path,
        "queryStringParameters": {},
        "headers": {"x-forwarded-proto": "https", **dict(headers)},
        "body": "",
        "isBase64Encoded": False,
    }


def alb_multi(method: str, path: str, headers: Headers) -> dict[str, Any]:
    """The same with ``lambda.multi_value_headers.enabled``."""
    event = alb(method, path, [])
    del event["headers"], event["queryStringParameters"]
    return {
        **event,
        "multiValueHeaders": {"x-forwarded-proto": ["https"], **_listed(headers)},
        "multiValueQueryStringParameters": {},
    }


def rest(method: str, path: str, headers: Headers) -> dict[str, Any]:
    """API Gateway guide, "Input format of a Lambda function for proxy integration"."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": _listed(headers),
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path[1:]},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "apiid",
            "httpMethod": method,
            "path": f"/prod{path}",
            "protocol": "HTTP/1.1",
            "requestId": "id",
            "resourcePath": "/{proxy+}",
            "stage": "prod",
            "identity": {"sourceIp": "203.0.113.7"},
        },
        "body": None,
        "isBase64Encoded": False,
    }
