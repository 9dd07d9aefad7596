"""One event of each kind, whatever the credentials."""

from __future__ import annotations

from typing import Any

from kmsjwt.testing import events

KINDS = ("rest_token", "rest_request", "http_api_v1", "http_api_v2", "websocket")
RAISING = ("rest_token", "rest_request", "websocket")


def event_of(kind, authorization, path="/orders/42", **api) -> Any:
    headers = {} if authorization is None else {"Authorization": authorization}
    if kind == "rest_token":
        return events.rest_token("GET", path, authorization=authorization, **api)
    if kind == "websocket":
        return events.websocket_connect(headers=headers, **api)
    return getattr(events, kind)("GET", path, headers=headers, **api)


def arn_member(kind) -> Any:
    return "routeArn" if kind == "http_api_v2" else "methodArn"
