"""Handlers of one's own: what they are given, and what is no HTTP request."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from tests.gateway.minting import Recorder
from tests.web import shapes, world

from kmsjwt.gateway.request import UnknownEvent
from kmsjwt.web.aws_lambda import protect


def protected(guard, seen=None) -> Any:
    @protect(guard)
    def handler(event, context, *, token):
        """Serve orders."""
        if seen is not None:
            seen.append((event, context, token))
        return {"statusCode": 204}

    return handler


def test_the_handler_gets_the_very_event_and_context_and_the_token():
    seen: list[Any] = []
    event, context = shapes.alb("GET", "/orders/1", world.bearer(world.READER)), object()

    assert protected(world.guard(), seen)(event, context) == {"statusCode": 204}

    assert seen[0][0] is event
    assert seen[0][1] is context
    assert seen[0][2].claims["scope"] == "orders:read"


def test_it_keeps_its_name_and_may_be_called_without_a_context():
    handler = protected(world.guard())

    assert (handler.__name__, handler.__doc__) == ("handler", "Serve orders.")
    assert "token" in inspect.signature(handler).parameters
    event = shapes.payload_2_0("GET", "/orders/1", world.bearer(world.READER))
    assert handler(event) == {"statusCode": 204}


def test_what_the_handler_raises_is_the_handlers():
    @protect(world.guard())
    def handler(event, context, *, token):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        handler(shapes.rest("GET", "/orders/1", world.bearer(world.READER)), None)


def test_the_request_id_is_logged():
    class Context:
        aws_request_id = "8f5b"

    log = Recorder()
    protected(world.guard(log))(shapes.payload_2_0("GET", "/orders/1", []), Context())

    assert log.last["request_id"] == "8f5b"


NO_REQUESTS = {
    "none": None,
    "text": "GET /",
    "empty": {},
    "schedule": {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
    "queue": {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]},
    "authorizer": {"type": "TOKEN", "methodArn": "arn", "authorizationToken": "Bearer x"},
    "context no object": {"requestContext": "x", "httpMethod": "GET", "path": "/"},
    "no context": {"httpMethod": "GET", "path": "/orders/1", "headers": {}},
    "no method": {"requestContext": {"http": {}}, "rawPath": "/"},
    "no path": {"requestContext": {"http": {"method": "GET"}}, "path": "/"},
    "method no text": {"requestContext": {}, "httpMethod": 1, "path": "/"},
    "path no text": {"requestContext": {}, "httpMethod": "GET", "path": ["/"]},
}


@pytest.mark.parametrize("case", NO_REQUESTS)
def test_an_event_that_is_no_request_never_reaches_the_handler(case):
    seen: list[Any] = []

    with pytest.raises(UnknownEvent, match="no HTTP request"):
        protected(world.guard(), seen)(NO_REQUESTS[case])

    assert seen == []


@pytest.mark.parametrize(
    ("event", "many"),
    [
        (shapes.alb_multi("GET", "/", []), True),
        (shapes.alb("GET", "/", []), False),
        (shapes.rest("GET", "/", []), False),
        ({**shapes.alb_multi("GET", "/", []), "multiValueHeaders": None}, True),
    ],
    ids=["alb multi", "alb", "rest", "alb multi, no headers"],
)
def test_the_answer_has_the_form_of_the_question(event, many):
    answer = protected(world.guard())(event)

    assert ("multiValueHeaders" in answer, "headers" in answer) == (many, not many)
    assert answer["isBase64Encoded"] is False
    assert json.loads(answer["body"]) == {"error": "unauthorized"}


def test_the_path_is_the_events_own():
    """The stage of an HTTP API, where it has a name, stands in ``rawPath`` and counts."""
    event = shapes.http_api("GET", "/prod/orders/1", world.bearer(world.READER))
    event["requestContext"]["stage"] = "prod"

    assert protected(world.guard())(event)["statusCode"] == 403
