"""`policy`, for people with an authorizer of their own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmsjwt.errors import ConfigError
from kmsjwt.gateway import policy
from kmsjwt.gateway.iam import printable

API = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3"


def test_the_answer_is_what_the_developer_guide_shows():
    answer = policy("ala", "Allow", f"{API}/prod/*", {"tenant": "t1", "n": 7, "vip": True})
    assert answer == {
        "principalId": "ala",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": [f"{API}/prod/*"],
                }
            ],
        },
        "context": {"tenant": "t1", "n": 7, "vip": True},
    }


def test_several_resources_and_a_denial():
    resources = (f"{API}/prod/GET/orders/*", f"{API}/prod/POST/orders")
    (statement,) = policy("ala", "Deny", resources)["policyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Resource"] == list(resources)


GOOD = {
    "whole stage": f"{API}/prod/*",
    "every stage": f"{API}/*/*",
    "$default stage": f"{API}/$default/*",
    "any method and path": f"{API}/prod/*/*",
    "any path of a method": f"{API}/prod/GET/*",
    "root": f"{API}/prod/GET/",
    "WebSocket connect": f"{API}/prod/$connect",
    "HTTP API default route": f"{API}/$default/$default",
    "path with colons": f"{API}/prod/GET/users/urn:x:1",
    "another partition": "arn:aws-cn:execute-api:cn-north-1:123456789012:a1b2/prod/*",
    "512 characters": f"{API}/prod/GET/".ljust(512, "x"),
}


@pytest.mark.parametrize("resource", GOOD.values(), ids=GOOD)
def test_resources_that_mean_what_they_say(resource):
    (statement,) = policy("ala", "Allow", [resource])["policyDocument"]["Statement"]
    assert statement["Resource"] == [resource]


BAD = {
    "everything": "*",
    "every API": "arn:aws:execute-api:*:*:*",
    "any Region": "arn:aws:execute-api:*:123456789012:a1b2/prod/*",
    "any API": "arn:aws:execute-api:eu-west-1:123456789012:*/prod/*",
    "another service": "arn:aws:s3:::bucket/key",
    "API alone": API,
    "stage alone": f"{API}/prod",
    "stage and slash": f"{API}/prod/",
    "part of a stage": f"{API}/pro*/GET/orders",
    "part of a method": f"{API}/prod/G*/orders",
    "part of a method, any path": f"{API}/prod/G*/*",
    "part of a method, no path": f"{API}/prod/G*",
    "any method of one path": f"{API}/prod/*/orders",
    "any method of an open path": f"{API}/prod/*/orders/*",
    "star within a path": f"{API}/prod/GET/users/*/orders",
    "star within a segment": f"{API}/prod/GET/orders*",
    "two stars": f"{API}/prod/GET/**",
    "question mark": f"{API}/prod/GET/order?",
    "variable": f"{API}/prod/GET/${{aws:username}}",
    "space": f"{API}/prod/GET/a b",
    "newline": f"{API}/prod/GET/a\n",
    "not ASCII": f"{API}/prod/GET/żółw",
    "513 characters": f"{API}/prod/GET/".ljust(513, "x"),
    "empty": "",
    "bytes": b"arn",
    "None": None,
    "number": 5,
}


@pytest.mark.parametrize("resource", BAD.values(), ids=BAD)
def test_resources_that_would_be_refused_or_mean_more_than_they_say(resource):
    for resources in ([resource], [f"{API}/prod/*", resource]):
        with pytest.raises(ConfigError) as caught:
            policy("ala", "Allow", resources)
        assert caught.value.code == "policy_resource"
        assert "expected" in str(caught.value) or "takes 512" in str(caught.value)


@pytest.mark.parametrize("resources", [[], (), None, 5], ids=repr)
def test_no_resources(resources):
    with pytest.raises(ConfigError) as caught:
        policy("ala", "Allow", resources)
    assert caught.value.code == "policy_resource"


@pytest.mark.parametrize("effect", ["allow", "ALLOW", "", None, True, "Allow "], ids=repr)
def test_effects(effect):
    with pytest.raises(ConfigError) as caught:
        policy("ala", effect, f"{API}/prod/*")
    assert caught.value.code == "policy_effect"


@pytest.mark.parametrize("principal", ["", None, 5, "a\nb", "\ud800"], ids=ascii)
def test_principals(principal):
    with pytest.raises(ConfigError) as caught:
        policy(principal, "Allow", f"{API}/prod/*")
    assert caught.value.code == "policy_principal"


CONTEXTS = {
    "list": {"roles": ["a"]},
    "object": {"user": {"id": 1}},
    "None": {"tenant": None},
    "NaN": {"n": float("nan")},
    "infinity": {"n": float("inf")},
    "bytes": {"n": b"x"},
    "reserved": {"claims": "x"},
    "empty name": {"": "x"},
    "name no text": {1: "x"},
    "surrogate": {"n": "\ud800"},
    "surrogate in a name": {"\ud800": "x"},
    "no mapping": ["tenant"],
}


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_contexts_that_the_gateway_would_refuse(context):
    with pytest.raises(ConfigError) as caught:
        policy("ala", "Allow", f"{API}/prod/*", context)
    assert caught.value.code == "policy_context"


def test_eight_kilobytes_and_no_more():
    def size(n) -> Any:
        return policy("ala", "Allow", f"{API}/prod/*", {"s": "x" * n})

    spare = 8_192 - len(json.dumps(size(0)))
    assert len(json.dumps(size(spare))) == 8_192
    with pytest.raises(ConfigError) as caught:
        size(spare + 1)
    assert caught.value.code == "answer_too_large"


@given(st.text(st.characters()), st.text(st.characters()))
def test_two_principals_never_become_one(one, other):
    assert (printable(one) == printable(other)) == (one == other)
    assert printable(one).isascii()
    assert printable(one).isprintable()
