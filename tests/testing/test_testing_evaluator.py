"""The policy evaluator, by what IAM documents of Allow, Deny and wildcards."""

from __future__ import annotations

import fnmatch
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmsjwt.testing import Gateway, NotSimulated

API = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5"
HEADERS = {"Authorization": "x"}


def statement(effect, resource, action="execute-api:Invoke", **more) -> Any:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def reason_of(path, *statements, method="GET") -> Any:
    answer = {"principalId": "p", "policyDocument": {"Statement": list(statements)}}
    return Gateway(lambda *_: answer).request(method, path, headers=HEADERS).reason


@pytest.mark.parametrize(
    ("resource", "path", "allowed"),
    [
        (f"{API}/prod/*", "/orders/42", True),
        (f"{API}/prod/GET/orders/42", "/orders/42", True),
        (f"{API}/prod/GET/orders/42", "/orders/421", False),
        (f"{API}/prod/GET/orders/4?", "/orders/42", True),
        (f"{API}/prod/GET/orders/4?", "/orders/4", False),
        (f"{API}/prod/GET/orders/*", "/orders/42/lines/1", True),
        (f"{API}/prod/GET/users/*/orders", "/users/a/b/orders", True),
        (f"{API}/prod/GET/Orders/*", "/orders/42", False),
        (f"{API}/prod/POST/*", "/orders/42", False),
        (f"{API}/dev/*", "/orders/42", False),
        (f"{API}/*", "/orders/42", True),
        ("*", "/orders/42", True),
        ("arn:aws:execute-api:*:*:*", "/orders/42", True),
        ("arn:aws-cn:execute-api:*:*:*", "/orders/42", False),
        (f"{API}/prod/GET/a.c", "/abc", False),
        (f"{API}/prod/GET/a[bc]", "/ab", False),
        (f"{API}/prod/GET/a$b", "/a$b", True),
        (f"{API}/prod/GET/*", "/a\nb", True),
    ],
)
def test_resources(resource, path, allowed):
    expected = "allowed" if allowed else "implicit_deny"
    assert reason_of(path, statement("Allow", resource)) == expected
    assert reason_of(path, statement("Allow", ["arn:other", resource])) == expected


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("execute-api:Invoke", True),
        ("execute-api:invoke", True),
        ("execute-api:*", True),
        ("*", True),
        (["s3:GetObject", "execute-api:Inv*"], True),
        ("execute-api:ManageConnections", False),
        ("s3:*", False),
    ],
    ids=str,
)
def test_actions(action, allowed):
    reason = reason_of("/", statement("Allow", "*", action))
    assert reason == ("allowed" if allowed else "implicit_deny")


def test_an_explicit_denial_wins_wherever_it_stands():
    allow, deny = statement("Allow", f"{API}/prod/*"), statement("Deny", f"{API}/prod/GET/admin/*")
    for statements in ((allow, deny), (deny, allow)):
        assert reason_of("/admin/x", *statements) == "explicit_deny"
        assert reason_of("/orders", *statements) == "allowed"
    assert reason_of("/orders", deny) == "implicit_deny"


@pytest.mark.parametrize(
    "unknown",
    [
        statement("Allow", f"{API}/prod/GET/${{aws:username}}"),
        statement("Allow", f"{API}/prod/GET/${{*}}"),
        statement("Allow", "*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
        statement("Allow", "*", NotResource="*"),
        statement("Allow", "*", NotAction="*"),
        statement("Allow", "*", Principal="*"),
    ],
    ids=str,
)
def test_what_is_not_known_of_aws_is_said_aloud(unknown):
    with pytest.raises(NotSimulated):
        reason_of("/orders", unknown)


@given(
    st.text("ab/:*?", max_size=8),
    st.text("ab/:", max_size=8),
)
def test_wildcards_agree_with_the_shell_s(pattern, path):
    """Without brackets in the alphabet, fnmatch means the same by ``*`` and ``?``."""
    expected = fnmatch.fnmatchcase(f"/{path}", f"/{pattern}")
    resource = f"{API}/prod/GET/{pattern}"
    assert (reason_of(f"/{path}", statement("Allow", resource)) == "allowed") == expected
