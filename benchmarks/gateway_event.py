"""What an HTTP API sends its Lambda authorizer."""

from __future__ import annotations

from typing import Any


def http_api_event(compact: str) -> dict[str, Any]:
    """Return an HTTP API event of payload format 2.0, parsed."""
    bearer = f"Bearer {compact}"
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/GET/orders/17",
        "identitySource": [bearer],
        "routeKey": "GET /orders/{id}",
        "rawPath": "/prod/orders/17",
        "rawQueryString": "expand=lines",
        "headers": {
            "accept": "application/json",
            "authorization": bearer,
            "content-length": "0",
            "host": "abcdef1234.execute-api.eu-central-1.amazonaws.com",
            "user-agent": "orders-web/4.2",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "queryStringParameters": {"expand": "lines"},
        "pathParameters": {"id": "17"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef1234",
            "domainName": "abcdef1234.execute-api.eu-central-1.amazonaws.com",
            "http": {
                "method": "GET",
                "path": "/prod/orders/17",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "orders-web/4.2",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "GET /orders/{id}",
            "stage": "prod",
            "time": "21/Nov/2026:20:39:08 +0000",
            "timeEpoch": 1795293548000,
        },
    }
