"""Authorizer events in their real shapes, built in one call.

Shapes: API Gateway developer guide, "Input to a Lambda authorizer" and "Lambda authorizers for
HTTP APIs", AppSync developer guide, "Authorization and authentication", and events seen in the
wild. Header values that repeat are given as a list. `function_url` and `alb` are no authorizer's:
they come to a function that checks tokens itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from kmsjwt.testing.event_parts import (
    ACCOUNT,
    API_ID,
    REGION,
    SOURCE_IP,
    USER_AGENT,
    listed,
    milliseconds,
    request_time,
    split_cookies,
    with_cookies,
)
from kmsjwt.testing.function_events import alb, function_url
from kmsjwt.testing.routes import named_route, path_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kmsjwt.testing.event_parts import Values

__all__ = [
    "ACCOUNT",
    "API_ID",
    "APPSYNC_API_ID",
    "REGION",
    "alb",
    "appsync",
    "arn",
    "function_url",
    "http_api_v1",
    "http_api_v2",
    "rest_request",
    "rest_token",
    "websocket_connect",
]

APPSYNC_API_ID = "h4nq2zpt7vdlcfxk3mw5yb6ejr"
_REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


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
    cookies: str | Sequence[str] | None = None,
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
        cookies: cookies such as ``session=x``, for the Cookie header.
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
        **_rest_values(with_cookies(headers, cookies), query),
        "pathParameters": path_parameters(resource, path),
        "stageVariables": {},
        "requestContext": {
            "resourceId": "0abc12",
            "resourcePath": resource,
            "httpMethod": method,
            "extendedRequestId": "XQz1aFAKEiAMFYQ=",
            "requestTime": request_time(now),
            "path": f"/{stage}{path}",
            "accountId": api.get("account", ACCOUNT),
            "protocol": "HTTP/1.1",
            "stage": stage,
            "domainPrefix": api_id,
            "requestTimeEpoch": milliseconds(now),
            "requestId": _REQUEST_ID,
            "identity": {"sourceIp": SOURCE_IP, "userAgent": USER_AGENT},
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
    cookies: str | Sequence[str] | None = None,
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
        cookies: cookies such as ``session=x``, for the Cookie header.
        route: the route's path, such as ``/orders/{id}``, or its key, such as ``ANY /orders/{id}``
            or ``$default``; the path itself if None.
        identity: the identity sources' values; the Authorization header's if None.
        now: seconds since 1970.
        **api: stage (default ``$default``), api_id, region, account, partition.
    """
    api.setdefault("stage", "$default")
    named = named_route(route, method, path)
    event = rest_request(
        method,
        path,
        headers=headers,
        query=query,
        cookies=cookies,
        route=named.path,
        now=now,
        **api,
    )
    joined = ",".join(_authorization(headers) if identity is None else identity)
    event["requestContext"]["resourceId"] = named.key
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
    cookies: str | Sequence[str] | None = None,
    route: str | None = None,
    identity: Iterable[str] | None = None,
    now: float | None = None,
    **api: str,
) -> dict[str, Any]:
    """Return the event of an HTTP API's authorizer, payload format 2.0.

    Header names are lower-cased and repeated values joined by commas, as HTTP APIs do. Cookies,
    those of a Cookie header too, stand in ``cookies`` and not among the headers. What is empty is
    left out. Arguments as for `http_api_v1`.
    """
    api.setdefault("stage", "$default")
    named = named_route(route, method, path)
    joined, apart = split_cookies(headers, cookies)
    sources = _authorization(headers) if identity is None else list(identity)
    optional = {
        "cookies": apart,
        "queryStringParameters": {k: ",".join(listed(v)) for k, v in (query or {}).items()},
        "pathParameters": path_parameters(named.path, path),
    }
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": arn(method, path, **api),
        "identitySource": sources or None,
        "routeKey": named.key,
        "rawPath": path,
        "rawQueryString": urlencode({k: listed(v) for k, v in (query or {}).items()}, doseq=True),
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
                "sourceIp": SOURCE_IP,
                "userAgent": USER_AGENT,
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": named.key,
            "stage": api["stage"],
            "time": request_time(now),
            "timeEpoch": milliseconds(now),
        },
    }


def websocket_connect(
    *,
    headers: Values | None = None,
    query: Values | None = None,
    cookies: str | Sequence[str] | None = None,
    now: float | None = None,
    **api: str,
) -> dict[str, Any]:
    """Return the event of a WebSocket API's authorizer: route ``$connect``, no method, no path.

    Args:
        headers: the handshake's headers.
        query: the query parameters, decoded.
        cookies: cookies such as ``session=x``, for the Cookie header.
        now: seconds since 1970.
        **api: stage, api_id, region, account, partition, as for `arn`.
    """
    epoch = milliseconds(now)
    return {
        "type": "REQUEST",
        "methodArn": arn("$connect", "", **api),
        **_rest_values(with_cookies(headers, cookies), query),
        "stageVariables": {},
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "extendedRequestId": "FDmBFAKEEoAMEqY=",
            "requestTime": request_time(now),
            "messageDirection": "IN",
            "stage": api.get("stage", "prod"),
            "connectedAt": epoch,
            "requestTimeEpoch": epoch,
            "identity": {"sourceIp": SOURCE_IP},
            "requestId": "FDmBFAKEEoAMEqY=",
            "domainName": _domain(api),
            "connectionId": "FDmBeFAKEIAMCIQg=",
            "apiId": api.get("api_id", API_ID),
        },
    }


def appsync(
    *,
    authorization: str,
    query: str = "query MyQuery { __typename }",
    operation: str | None = None,
    variables: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    api_id: str = APPSYNC_API_ID,
    account: str = ACCOUNT,
) -> dict[str, Any]:
    """Return the event of an AppSync API's authorizer.

    ``requestHeaders`` is there if headers are given: AWS announced it in April 2024, but its
    exact shape is not verified against AWS. Nor is ``operationName`` of an unnamed operation.

    Args:
        authorization: the whole Authorization header.
        query: the GraphQL document.
        operation: the name of the operation to run.
        variables: the operation's variables.
        headers: the request's headers.
        api_id: the API's id.
        account: the account's number.
    """
    event: dict[str, Any] = {
        "authorizationToken": authorization,
        "requestContext": {
            "apiId": api_id,
            "accountId": account,
            "requestId": "b80ed838-14c6-4500-b4c3-b694c7bef086",
            "queryString": query,
            "operationName": operation,
            "variables": dict(variables or {}),
        },
    }
    if headers is not None:
        event["requestHeaders"] = dict(headers)
    return event


def _rest_values(headers: Values | None, query: Values | None) -> dict[str, Any]:
    """Single-value members keep the last of repeated values, multi-value members all."""
    many_headers = {name: listed(value) for name, value in (headers or {}).items()}
    many_query = {name: listed(value) for name, value in (query or {}).items()}
    return {
        "headers": {name: values[-1] for name, values in many_headers.items() if values},
        "multiValueHeaders": many_headers,
        "queryStringParameters": {name: values[-1] for name, values in many_query.items()},
        "multiValueQueryStringParameters": many_query,
    }


def _authorization(headers: Values | None) -> list[str]:
    for name, value in (headers or {}).items():
        if name.lower() == "authorization":
            return [",".join(listed(value))]
    return []


def _domain(api: Mapping[str, str]) -> str:
    api_id, region = api.get("api_id", API_ID), api.get("region", REGION)
    return f"{api_id}.execute-api.{region}.amazonaws.com"
