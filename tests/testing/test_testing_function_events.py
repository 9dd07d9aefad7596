"""Events of function URLs and load balancers, as AWS's guides show them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from kmsjwt.testing import events

GIVEN: dict[str, Any] = {
    "headers": {"Authorization": "Bearer x", "X-Two": ["1", "2"], "Cookie": "a=1; b=2"},
    "query": {"q": ["1", "2"], "r": "a b&c"},
    "cookies": ["session=x"],
}


def test_a_function_url_has_payload_format_2_0():
    event = events.function_url(
        "POST", "/orders/42", body='{"n": 1}', now=1_660_464_500.09, **GIVEN
    )
    request_id = event["requestContext"].pop("requestId")
    domain = event["requestContext"].pop("domainName")
    assert isinstance(request_id, str)
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/orders/42",
        "rawQueryString": "q=1&q=2&r=a+b%26c",
        "cookies": ["a=1", "b=2", "session=x"],
        "headers": {"authorization": "Bearer x", "x-two": "1,2"},
        "queryStringParameters": {"q": "1,2", "r": "a b&c"},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": domain.split(".")[0],
            "domainPrefix": domain.split(".")[0],
            "http": {
                "method": "POST",
                "path": "/orders/42",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "kmsjwt.testing",
            },
            "routeKey": "$default",
            "stage": "$default",
            "time": "14/Aug/2022:08:08:20 +0000",
            "timeEpoch": 1_660_464_500_090,
        },
        "body": '{"n": 1}',
        "isBase64Encoded": False,
    }
    assert domain.endswith(".lambda-url.eu-central-1.on.aws")
    assert json.loads(json.dumps(event)) == event


def test_a_function_url_leaves_out_what_is_empty():
    event = events.function_url()
    assert not {"cookies", "queryStringParameters", "body"} & set(event)
    assert (event["rawPath"], event["rawQueryString"], event["headers"]) == ("/", "", {})


def test_a_function_url_tells_the_client_s_agent_and_where_it_is():
    event = events.function_url(headers={"User-Agent": "curl"}, url_id="abc", region="us-east-1")
    assert event["requestContext"]["http"]["userAgent"] == "curl"
    assert event["requestContext"]["domainName"] == "abc.lambda-url.us-east-1.on.aws"


def test_a_load_balancer_tells_the_last_of_repeated_values_and_decodes_nothing():
    event = events.alb("POST", "/orders/42", body="text", **GIVEN)
    target_group = event["requestContext"]["elb"].pop("targetGroupArn")
    assert event == {
        "requestContext": {"elb": {}},
        "httpMethod": "POST",
        "path": "/orders/42",
        "queryStringParameters": {"q": "2", "r": "a%20b%26c"},
        "headers": {
            "authorization": "Bearer x",
            "x-two": "2",
            "cookie": "a=1; b=2; session=x",
        },
        "body": "text",
        "isBase64Encoded": False,
    }
    assert target_group.startswith("arn:aws:elasticloadbalancing:eu-central-1:123456789012:target")


def test_a_load_balancer_with_multi_value_headers_has_those_alone():
    event = events.alb("GET", "/", multi_value=True, target_group="arn:x", **GIVEN)
    assert event == {
        "requestContext": {"elb": {"targetGroupArn": "arn:x"}},
        "httpMethod": "GET",
        "path": "/",
        "multiValueQueryStringParameters": {"q": ["1", "2"], "r": ["a%20b%26c"]},
        "multiValueHeaders": {
            "authorization": ["Bearer x"],
            "x-two": ["1", "2"],
            "cookie": ["a=1; b=2; session=x"],
        },
        "body": "",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("build", [events.function_url, events.alb], ids=lambda b: b.__name__)
def test_bytes_are_base64(build):
    event = build("POST", "/", body=b"\xff\x00")
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\xff\x00"
