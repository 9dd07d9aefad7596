"""Authorizer events in their real shapes, built in one call.

Shapes: API Gateway developer guide, "Input to a Lambda authorizer" and "Lambda authorizers for
HTTP APIs", and events seen in the wild. Header values that repeat are given as a list.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from kmsjwt.testing.routes import path_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Values = Mapping[str, str | Sequence[str]]

API_ID = "a1b2c3d4e5"
ACCOUNT = "123456789012"
REGION = "eu-central-1"
_REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
_SOURCE_IP = "203.0.113.7"


def arn(
    method: str,
    path: str,
    *,
    stage: str = "prod",
    api_id: str = API_ID,
    region: str = REGION,
    account: str = ACCOUNT,
    partition: str = "aws",
) -> str:
    """Return the ARN by which API Gateway knows a request: ``…:api/stage/GET/orders/42``."""
    api = f"arn:{partition}:execute-api:{region}:{account}:{api_id}/{stage}"
    return f"{api}/{method}{path}"


def rest_token(
    method: str = "GET", path: str = "/", *, authorization: str, **api: str
) -> dict[str, Any]:
    """Return the event of a REST API's TOKEN authorizer: three members, no more.

    Args:
        method: HTTP method.
        path: the request's path, without the stage.
        authorization: the whole header value, such as ``Bearer eyJ…``.
        **api: stage, api_id, region, account, partition, as for `arn`.
    """
    return {
        "type": "TOKEN",
        "methodArn": arn(method, path, **api),
        "authorizationToken": authorization,
    }


def rest_request(
    method: str = "GET",
    path: str = "/",
    *,
    headers: Values | None = None,
    query: Values | None = None,
    route: str | None = None,
    now: float | None = None,
    **api: str,
) -> dict[str, Any]:
    """Return the event of a REST API's REQUEST authorizer.

    Args:
        method: HTTP method.
        path: the request's path, without the stage.
        headers: the request's headers, names as the client wrote them.
        query: the query parameters, decoded.
        route: the resource's path, such as ``/orders/{id}``; the path itself if None.
        now: seconds since 1970.
        **api: stage, api_id, region, account, partition, as for `arn`.
    """
    resource = route or path
    stage, api_id = api.get("stage", "prod"), api.get("api_id", API_ID)
    return {
        "type": "REQUEST",
        "methodArn": arn(method, path, **api),
        "resource": resource,
        "path": path,
        "httpMethod": method,
        **_rest_values(headers, query),
        "pathParameters": path_parameters(resource, path),
        "stageVariables": {},
        "requestContext": {
            "resourceId": "0abc12",
            "resourcePath": resource,
            "httpMethod": method,
            "extendedRequestId": "XQz1aFAKEiAMFYQ=",
            "requestTime": _request_time(now),
            "path": f"/{stage}{path}",
            "accountId": api.get("account", ACCOUNT),
            "protocol": "HTTP/1.1",
            "stage": stage,
            "domainPrefix": api_id,
            "requestTimeEpoch": _milliseconds(now),
            "requestId": _REQUEST_ID,
            "identity": {"sourceIp": _SOURCE_IP, "userAgent": "kmsjwt.testing"},
            "domainName": _domain(api),
            "apiId": api_id,
        },
    }


def http_api_v1(
    method: str = "GET",
    path: str = "/",
    *,
    headers: Values | None = None,
    query: Values | None = None,
    route: str | None = None,
    identity: Iterable[str] | None = None,
    now: float | None = None,
    **api: str,
) -> dict[str, Any]:
    """Return the event of an HTTP API's authorizer, payload format 1.0.

    Args:
        method: HTTP method.
        path: the request's path, without the stage.
        headers: the request's headers.
        query: the query parameters, decoded.
        route: the route's path, such as ``/orders/{id}``; the path itself if None.
        identity: the identity sources' values; the Authorization header's if None.
        now: seconds since 1970.
        **api: stage (default ``$default``), api_id, region, account, partition.
    """
    api.setdefault("stage", "$default")
    event = rest_request(method, path, headers=headers, query=query, route=route, now=now, **api)
    joined = ",".join(_authorization(headers) if identity is None else identity)
    event["requestContext"]["resourceId"] = f"{method} {route or path}"
    return {
        "version": "1.0",
        **event,
        "identitySource": joined,
        "authorizationToken": joined,
    }


def http_api_v2(
    method: str = "GET",
    path: str = "/",
    *,
    headers: Values | None = None,
    query: Values | None = None,
    route: str | None = None,
    identity: Iterable[str] | None = None,
    now: float | None = None,
    **api: str,
) -> dict[str, Any]:
    """Return the event of an HTTP API's authorizer, payload format 2.0.

    Header names are lower-cased and repeated values joined by commas, as HTTP APIs do. What is
    empty is left out. Arguments as for `http_api_v1`.
    """
    api.setdefault("stage", "$default")
    route_key = f"{method} {route or path}"
    joined = {name.lower(): ",".join(_listed(value)) for name, value in (headers or {}).items()}
    sources = _authorization(headers) if identity is None else list(identity)
    optional = {
        "cookies": [text for text in joined.pop("cookie", "").split("; ") if text],
        "queryStringParameters": {k: ",".join(_listed(v)) for k, v in (query or {}).items()},
        "pathParameters": path_parameters(route or path, path),
    }
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": arn(method, path, **api),
        "identitySource": sources or None,
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": urlencode({k: _listed(v) for k, v in (query or {}).items()}, doseq=True),
        "headers": joined,
        **{name: value for name, value in optional.items() if value},
        "requestContext": {
            "accountId": api.get("account", ACCOUNT),
            "apiId": api.get("api_id", API_ID),
            "domainName": _domain(api),
            "domainPrefix": api.get("api_id", API_ID),
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": _SOURCE_IP,
                "userAgent": "kmsjwt.testing",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": route_key,
            "stage": api["stage"],
            "time": _request_time(now),
            "timeEpoch": _milliseconds(now),
        },
    }


def websocket_connect(
    *,
    headers: Values | None = None,
    query: Values | None = None,
    now: float | None = None,
    **api: str,
) -> dict[str, Any]:
    """Return the event of a WebSocket API's authorizer: route ``$connect``, no method, no path.

    Args:
        headers: the handshake's headers.
        query: the query parameters, decoded.
        now: seconds since 1970.
        **api: stage, api_id, region, account, partition, as for `arn`.
    """
    milliseconds = _milliseconds(now)
    return {
        "type": "REQUEST",
        "methodArn": arn("$connect", "", **api),
        **_rest_values(headers, query),
        "stageVariables": {},
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "extendedRequestId": "FDmBFAKEEoAMEqY=",
            "requestTime": _request_time(now),
            "messageDirection": "IN",
            "stage": api.get("stage", "prod"),
            "connectedAt": milliseconds,
            "requestTimeEpoch": milliseconds,
            "identity": {"sourceIp": _SOURCE_IP},
            "requestId": "FDmBFAKEEoAMEqY=",
            "domainName": _domain(api),
            "connectionId": "FDmBeFAKEIAMCIQg=",
            "apiId": api.get("api_id", API_ID),
        },
    }


def _rest_values(headers: Values | None, query: Values | None) -> dict[str, Any]:
    """Single-value members keep the last of repeated values, multi-value members all."""
    many_headers = {name: _listed(value) for name, value in (headers or {}).items()}
    many_query = {name: _listed(value) for name, value in (query or {}).items()}
    return {
        "headers": {name: values[-1] for name, values in many_headers.items() if values},
        "multiValueHeaders": many_headers,
        "queryStringParameters": {name: values[-1] for name, values in many_query.items()},
        "multiValueQueryStringParameters": many_query,
    }


def _listed(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _authorization(headers: Values | None) -> list[str]:
    for name, value in (headers or {}).items():
        if name.lower() == "authorization":
            return [",".join(_listed(value))]
    return []


def _domain(api: Mapping[str, str]) -> str:
    api_id, region = api.get("api_id", API_ID), api.get("region", REGION)
    return f"{api_id}.execute-api.{region}.amazonaws.com"


def _milliseconds(now: float | None) -> int:
    return int((time.time() if now is None else now) * 1000)


def _request_time(now: float | None) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now))
