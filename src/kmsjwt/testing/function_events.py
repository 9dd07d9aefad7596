"""Events of functions that are asked without an authorizer before them, for in-function use.

Shapes: Lambda developer guide, "Invoking Lambda function URLs" (payload format 2.0), and the
Application Load Balancer guide, "Lambda functions as targets", with the samples there.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from kmsjwt.testing.event_parts import (
    ACCOUNT,
    REGION,
    SOURCE_IP,
    USER_AGENT,
    listed,
    milliseconds,
    request_time,
    split_cookies,
    with_cookies,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kmsjwt.testing.event_parts import Values

_URL_ID = "k3v6x2wq5hcyzj7n4tbdmr0afe1uglps"
_TARGET_GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/api/6d0ecf831eec9f09"


def function_url(
    method: str = "GET",
    path: str = "/",
    *,
    headers: Values | None = None,
    query: Values | None = None,
    cookies: str | Sequence[str] | None = None,
    body: str | bytes | None = None,
    url_id: str = _URL_ID,
    region: str = REGION,
    now: float | None = None,
) -> dict[str, Any]:
    """Return the event of a function URL of auth type NONE: payload format 2.0.

    Header names are lower-cased and repeated values joined by commas; ``routeKey`` and ``stage``
    are always ``$default``, and ``accountId`` is ``anonymous``, as in AWS's sample. What is empty
    is left out. The headers that Lambda adds itself (``host``, ``x-forwarded-for``, …) are not
    there.

    Args:
        method: HTTP method.
        path: the request's path.
        headers: the request's headers; a Cookie header goes to ``cookies``.
        query: the query parameters, decoded.
        cookies: cookies such as ``session=x``.
        body: text as it is, bytes as base64.
        url_id: the first label of the URL's host name.
        region: the function's Region.
        now: seconds since 1970.
    """
    joined, apart = split_cookies(headers, cookies)
    domain = f"{url_id}.lambda-url.{region}.on.aws"
    many = {name: listed(value) for name, value in (query or {}).items()}
    text, encoded = _body(body)
    optional = {
        "cookies": apart,
        "queryStringParameters": {name: ",".join(values) for name, values in many.items()},
        "body": text,
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": urlencode(many, doseq=True),
        "headers": joined,
        **{name: value for name, value in optional.items() if value},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": url_id,
            "domainName": domain,
            "domainPrefix": url_id,
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": SOURCE_IP,
                "userAgent": joined.get("user-agent", USER_AGENT),
            },
            "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
            "routeKey": "$default",
            "stage": "$default",
            "time": request_time(now),
            "timeEpoch": milliseconds(now),
        },
        "isBase64Encoded": encoded,
    }


def alb(
    method: str = "GET",
    path: str = "/",
    *,
    headers: Values | None = None,
    query: Values | None = None,
    cookies: str | Sequence[str] | None = None,
    body: str | bytes | None = None,
    multi_value: bool = False,
    target_group: str = _TARGET_GROUP,
) -> dict[str, Any]:
    """Return the event of a function that is an Application Load Balancer's target.

    Header names are in lower case, as in AWS's samples. A load balancer does not decode query
    parameters, so they are percent-encoded here; of repeated values it tells the last, unless the
    target group has multi-value headers on. The headers that it adds itself (``host``,
    ``x-forwarded-for``, …) are not there.

    Args:
        method: HTTP method.
        path: the request's path.
        headers: the request's headers.
        query: the query parameters, decoded.
        cookies: cookies such as ``session=x``, for the Cookie header.
        body: text as it is, bytes as base64.
        multi_value: whether ``multiValueHeaders`` and ``multiValueQueryStringParameters`` stand
            in place of their single-value namesakes.
        target_group: the target group's ARN.
    """
    many_headers = {name.lower(): values for name, values in with_cookies(headers, cookies).items()}
    many_query = {
        _quoted(name): [_quoted(text) for text in listed(value)]
        for name, value in (query or {}).items()
    }
    values: dict[str, Any] = (
        {"multiValueQueryStringParameters": many_query, "multiValueHeaders": many_headers}
        if multi_value
        else {"queryStringParameters": _last(many_query), "headers": _last(many_headers)}
    )
    text, encoded = _body(body)
    return {
        "requestContext": {"elb": {"targetGroupArn": target_group}},
        "httpMethod": method,
        "path": path,
        **values,
        "body": text,
        "isBase64Encoded": encoded,
    }


def _last(many: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in many.items() if values}


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _body(body: str | bytes | None) -> tuple[str, bool]:
    if isinstance(body, bytes):
        return base64.b64encode(body).decode("ascii"), True
    return body or "", False
