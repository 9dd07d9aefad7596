"""`invoke`: the Lambda functions called here, their log on stderr, their answer on stdout."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from tests.cli.conftest import ISSUER

METHOD_ARN = "arn:aws:execute-api:eu-central-1:111122223333:a123456789/prod/GET/orders/42"
ASK = '{"sub": "ala", "aud": "orders"}'


@pytest.fixture
def function_settings(aws: Any, monkeypatch: Any, arn: Any) -> Any:
    monkeypatch.setenv("KMSJWT_KEY", arn)
    monkeypatch.setenv("KMSJWT_ISSUER", ISSUER)
    monkeypatch.setenv("KMSJWT_AUDIENCE", "orders")


@pytest.mark.usefixtures("aws")
def test_the_jwks_function_answers(typed, arn, published):
    done = typed("invoke", "jwks", "{}", "--keys", arn)

    answer = json.loads(done.out)
    assert (done.code, answer["statusCode"]) == (0, 200)
    assert json.loads(answer["body"]) == published


@pytest.mark.usefixtures("aws")
def test_keys_named_by_alias_are_refused_with_the_way_to_their_arns(typed):
    done = typed("invoke", "jwks", "{}", "--keys", "alias/auth")

    (ring,) = json.loads(typed("key", "list", "auth", "--json").out)
    assert done.code == 2
    assert "kmsjwt key list NAME --json" in done.err
    assert ring["arn"].startswith("arn:")


def asking(token: Any) -> Any:
    event = {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": METHOD_ARN}
    return json.dumps(event)


def test_each_fault_has_a_line_of_its_own(typed, monkeypatch):
    monkeypatch.setenv("KMSJWT_JWKS", "no.json")
    done = typed("invoke", "authorizer", "{}", "--rules", "no.toml", "--response", "xml")

    first, *faults, last = done.err.splitlines()
    assert done.code == 2
    assert first == "error: 5 things are wrong"
    assert sorted(line.split()[0] for line in faults) == [
        "--response",
        "--rules:",
        "KMSJWT_AUDIENCE",
        "KMSJWT_ISSUER",
        "KMSJWT_JWKS:",
    ]
    assert last.startswith("  fix: ")


def test_variables_of_the_command_line_have_a_line_each_too(typed, monkeypatch):
    monkeypatch.setenv("KMSJWT_LIFETIME", "long")
    monkeypatch.setenv("KMSJWT_JSON", "perhaps")
    done = typed("issue")

    assert done.err.splitlines()[0] == "error: 2 things are wrong"
    assert len(done.err.splitlines()) == 3


def test_an_event_file_that_is_not_there_is_told_what_else_there_is(typed):
    done = typed("invoke", "jwks", "event.json")

    assert "fix: give a file with the event, the JSON itself, or - " in done.err


@pytest.mark.usefixtures("function_settings")
@pytest.mark.parametrize("where", ["inline", "file", "stdin"])
def test_the_issue_function_answers(typed, tmp_path, where):
    (tmp_path / "event.json").write_text(ASK)
    named = {"inline": ASK, "file": "event.json", "stdin": "-"}[where]

    done = typed("invoke", "issue", named, stdin=ASK)

    token = json.loads(done.out)["access_token"]
    assert done.code == 0
    assert jwt.decode(token, options={"verify_signature": False})["sub"] == "ala"
    assert json.loads(done.err.splitlines()[-1])["decision"] == "issued"
    assert token not in done.err


@pytest.mark.usefixtures("function_settings")
def test_the_authorizer_answers(typed, token):
    done = typed("invoke", "authorizer", asking(token))

    (statement,) = json.loads(done.out)["policyDocument"]["Statement"]
    assert (done.code, statement["Effect"]) == (0, "Allow")
    assert json.loads(done.err.splitlines()[-1])["decision"] == "allow"


@pytest.mark.usefixtures("function_settings")
@pytest.mark.parametrize(
    ("options", "out"), [([], ""), (["--on-invalid", "deny"], "Deny")], ids=["401", "deny"]
)
def test_a_token_that_is_refused_is_a_failed_check(typed, token, options, out):
    done = typed("invoke", "authorizer", *options, asking(token[:-8]))

    assert done.code == 1
    assert out in done.out
    assert "signature" in done.err
    assert token[:40] not in done.err


@pytest.mark.usefixtures("function_settings")
def test_what_is_typed_wins_over_the_environment(typed, token):
    done = typed("invoke", "authorizer", "--audience", "billing", asking(token))

    assert done.code == 1
    assert "wrong_audience" in done.err


@pytest.mark.usefixtures("function_settings")
def test_settings_of_the_command_line_are_no_misspelt_ones_of_the_function(typed, monkeypatch):
    for name in ("KMSJWT_FOLDER", "KMSJWT_CLAIM", "KMSJWT_CLIENT_ID", "KMSJWT_SPEC"):
        monkeypatch.setenv(name, "x")

    assert typed("invoke", "issue", ASK).code == 0


@pytest.mark.usefixtures("function_settings")
def test_a_fault_of_kms_is_no_refusal(typed, token, kms):
    with kms.faults.add("GetPublicKey", kind="drop", times=None):
        done = typed("invoke", "authorizer", asking(token))

    assert (done.code, done.out) == (3, "")


@pytest.mark.usefixtures("function_settings")
def test_what_may_not_be_asked_for_is_told(typed):
    done = typed("invoke", "issue", '{"sub": "ala", "aud": "orders", "iss": "me"}')

    assert done.code in (1, 2)
    assert "iss" in done.err
