"""One event of each kind, whatever the credentials."""

from __future__ import annotations

from typing import Any

from kmsjwt.testing import events

KINDS = ("rest_token", "rest_request", "http_api_v1", "http_api_v2", "websocket")
RAISING = ("rest_token", "rest_request", "websocket")
ROUTED = ("rest_token", "rest_request", "http_api_v1", "http_api_v2")
APPSYNC_ID = "h4nq2zpt7vdlcfxk3mw5yb6ejr"


def event_of(kind, authorization, path="/orders/42", **api) -> Any:
    headers = {} if authorization is None else {"Authorization": authorization}
    if kind == "rest_token":
        return events.rest_token("GET", path, authorization=authorization, **api)
    if kind == "websocket":
        return events.websocket_connect(headers=headers, **api)
    return getattr(events, kind)("GET", path, headers=headers, **api)


def arn_member(kind) -> Any:
    return "routeArn" if kind == "http_api_v2" else "methodArn"


def routed_event(kind, method, path, authorization, **more) -> Any:
    """Return the event of one request on a kind that has routes."""
    if kind == "rest_token":
        return events.rest_token(method, path, authorization=authorization)
    headers = {"Authorization": authorization}
    return getattr(events, kind)(method, path, headers=headers, **more)


def bare_event(kind) -> Any:
    """Return an event with neither headers, query, cookies nor identity."""
    event = appsync_event("") if kind == "appsync" else event_of(kind, "")
    for member in ("headers", "multiValueHeaders", "queryStringParameters", "cookies"):
        event.pop(member, None)
    event.pop("multiValueQueryStringParameters", None)
    for member in ("identitySource", "authorizationToken"):
        if member in event:
            event[member] = None
    return event


def appsync_event(authorization) -> Any:
    """Return what an AppSync API sends (AppSync developer guide, AWS_LAMBDA authorization)."""
    return {
        "authorizationToken": authorization,
        "requestContext": {
            "apiId": APPSYNC_ID,
            "accountId": "123456789012",
            "requestId": "b80ed838-14c6-4500-b4c3-b694c7bef086",
            "queryString": "query Mine { orders { id } }",
            "operationName": "Mine",
            "variables": {"id": 42},
        },
        "requestHeaders": {"content-type": "application/json"},
    }
