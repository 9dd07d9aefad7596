"""The authorizer as it is deployed, under AWS's own runtime client."""

from __future__ import annotations

from typing import Any

import pytest

from kmsjwt.testing import events

AUTHORIZER = "kmsjwt.handlers.authorizer.handler"
WHOLE_STAGE = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/{}/*"
# What Python itself and awslambdaric bring, and what the bundle has.
FROM_RUNTIME = {"__main__", "awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py"}
FROM_BUNDLE = {"kmsjwt", "cryptography", "_openssl", "_cffi_backend", "imported"}


def rest_token(token: str) -> dict[str, Any]:
    return events.rest_token("GET", "/orders/42", authorization=f"Bearer {token}")


def http_api(token: str) -> dict[str, Any]:
    header = f"Bearer {token}"
    return events.http_api_v2(
        "GET", "/orders/42", headers={"Authorization": header}, identity=(header,)
    )


def effect(answer: dict[str, Any]) -> tuple[str, list[str]]:
    [statement] = answer["policyDocument"]["Statement"]
    return statement["Effect"], statement["Resource"]


def test_one_environment_answers_event_after_event(start, settings, token):
    good, late = token(), token(exp=1_700_000_000)
    function = start(AUTHORIZER, environ=settings)

    allowed = function.invoke(rest_token(good))
    refused = function.invoke(rest_token(late))
    again = function.invoke(http_api(good))

    assert allowed.what == "response"
    assert allowed.body["principalId"] == "ala"
    assert effect(allowed.body) == ("Allow", [WHOLE_STAGE.format("prod")])
    # "Unauthorized" and nothing more: the one text that API Gateway answers with 401.
    assert (refused.what, refused.message) == ("error", "Unauthorized")
    assert again.what == "response"
    assert effect(again.body) == ("Allow", [WHOLE_STAGE.format("$default")])

    log = function.log()
    assert [(line["event"], line.get("reason")) for line in log] == [
        ("start", None),
        ("authorizer", "ok"),
        ("authorizer", "expired"),
        ("authorizer", "ok"),
    ]
    for secret in (good, late, good.split(".")[2], late.split(".")[2]):
        assert secret not in function.output + refused.text


def test_simple_answers_of_an_http_api(start, settings, token):
    function = start(AUTHORIZER, environ={**settings, "KMSJWT_RESPONSE": "simple"})

    allowed = function.invoke(http_api(token()))
    denied = function.invoke(http_api(token(aud="billing")))

    assert (allowed.what, allowed.body["isAuthorized"]) == ("response", True)
    assert (denied.what, denied.body) == ("response", {"isAuthorized": False})


@pytest.mark.parametrize("event", [rest_token, http_api])
def test_a_token_that_may_not_is_denied(event, start, settings, token):
    function = start("closed.handler", environ=settings)

    allowed, denied = (
        function.invoke(event(token(tenant=tenant))) for tenant in ("open", "closed")
    )

    assert (allowed.what, effect(allowed.body)[0]) == ("response", "Allow")
    assert (denied.what, effect(denied.body)[0]) == ("response", "Deny")


def test_rules_from_a_file_in_the_bundle(start, settings, token):
    function = start(AUTHORIZER, environ={**settings, "KMSJWT_RULES": "rules.toml"})

    may, may_not = (function.invoke(rest_token(token(scope=f"orders:{s}"))) for s in ("read", "no"))

    orders = WHOLE_STAGE.format("prod").removesuffix("*") + "GET/orders/*"
    assert effect(may.body) == ("Allow", [orders])
    assert effect(may_not.body)[0] == "Deny"


def test_a_denial_instead_of_an_error_where_that_is_wished(start, settings, token):
    function = start(AUTHORIZER, environ={**settings, "KMSJWT_ON_INVALID": "deny"})

    denied = function.invoke(rest_token(token(exp=1_700_000_000)))

    assert (denied.what, effect(denied.body)[0]) == ("response", "Deny")


def test_an_event_of_no_known_kind_is_unauthorized(start, settings):
    function = start(AUTHORIZER, environ=settings)

    refused = function.invoke({"Records": []})

    assert (refused.what, refused.message) == ("error", "Unauthorized")


def test_a_wrong_environment_ends_the_start_and_names_every_fault(start):
    function = start(AUTHORIZER, environ={"KMSJWT_JWKS": "jwks.json", "KMSJWT_ISUER": "x"})

    failed = function.failed_start()

    assert (failed.what, failed.body["errorType"]) == ("init error", "ConfigError")
    for fault in (
        "'KMSJWT_ISUER' is no setting of kmsjwt, was KMSJWT_ISSUER meant?",
        "KMSJWT_AUDIENCE is unset",
        "KMSJWT_ISSUER is unset",
    ):
        assert fault in failed.message


def test_nothing_else_is_installed_and_nothing_else_is_needed(start, settings, token):
    function = start("imported.handler", environ=settings)

    posted = function.invoke(rest_token(token()))

    assert effect(posted.body["answer"])[0] == "Allow"
    assert posted.body["boto3"] == "boto3"  # the module that was not found
    assert {*posted.body["imported"]} - FROM_RUNTIME <= FROM_BUNDLE


def test_kms_keys_without_boto3_are_a_fault_that_says_so(start, settings):
    key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    function = start(AUTHORIZER, environ={**settings, "KMSJWT_JWKS": "", "KMSJWT_KEYS": key})

    failed = function.failed_start()

    assert failed.what == "init error"
    assert "boto3" in failed.message
