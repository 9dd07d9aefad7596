"""A fault names the variable it is about, and one that is alone says what to set."""

from __future__ import annotations

from typing import Any

import pytest
from tests.handlers.support import ISSUER

from kmsjwt.errors import ClaimsRefused, ConfigError
from kmsjwt.handlers import authorizer, issue, jwks
from kmsjwt.local import LocalKms
from kmsjwt.testing import Tokens

ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GOOD = {"KMSJWT_KEY": ARN, "KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": "orders"}
BUILDS: dict[str, Any] = {"issue": issue.build, "authorizer": authorizer.build, "jwks": jwks.build}


def refused(function, **settings) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        BUILDS[function](environ={**GOOD, **settings}, client=LocalKms())
    assert caught.value.code == "environment"
    return caught.value


@pytest.fixture
def files(tmp_path, monkeypatch) -> Any:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.toml").write_text('[[rule]]\nroute = "GET /orders/*"\n')
    (tmp_path / "wrong.toml").write_text('[[rule]]\nroute = "get /a"\n[[rule]]\nroute = "/b/"\n')
    (tmp_path / "seed.json").write_text('{"keys": []}')
    Tokens().write_jwks("jwks.json")


NAMED = {
    "a JWKS file that is not there": (
        {"KMSJWT_JWKS": "keys/jwks.json"},
        "KMSJWT_JWKS: the JWKS file 'keys/jwks.json' cannot be read",
    ),
    "a JWKS that is something else": (
        {"KMSJWT_JWKS": "rules.toml"},
        "KMSJWT_JWKS: 'rules.toml' is no JWKS",
    ),
    "a JWKS over http": (
        {"KMSJWT_JWKS": "http://id.example/jwks.json"},
        "KMSJWT_JWKS: url 'http://id.example/jwks.json' is http",
    ),
    "keys that are none": ({"KMSJWT_KEYS": f"{ARN}:auth"}, "KMSJWT_KEYS: the KMS key is "),
    "a key that is none": ({"KMSJWT_KEY": f"{ARN}:auth"}, "KMSJWT_KEY: the KMS key is "),
    "the article's key that is none": (
        {"KMSJWT_KEY": "", "KMS_KEY_ID": f"{ARN}:auth"},
        "KMS_KEY_ID: the KMS key is ",
    ),
}


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("settings", "told"), NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("function", ["authorizer", "jwks"])
def test_a_fault_names_its_variable(function, settings, told):
    error = refused(function, **settings)

    assert error.message.startswith(told)
    assert error.fix  # its own next step, not once more in the message
    assert error.fix not in error.message


def test_the_issue_functions_key_too():
    assert refused("issue", KMSJWT_KEY="auth!").message.startswith("KMSJWT_KEY: the KMS key is ")


@pytest.mark.usefixtures("files")
def test_a_seed_that_cannot_be_used_is_told_of_as_well():
    error = refused("authorizer", KMSJWT_JWKS="https://id.example/j", KMSJWT_JWKS_SEED="seed.json")

    assert "KMSJWT_JWKS_SEED" in error.message


STEPS = {
    "issuer unset": ({"KMSJWT_ISSUER": ""}, "set KMSJWT_ISSUER, such as https://id.example"),
    "audience unset": ({"KMSJWT_AUDIENCE": ""}, "set KMSJWT_AUDIENCE, such as orders"),
    "keys unset": ({"KMSJWT_KEY": ""}, "set KMSJWT_KEYS, such as ring:auth"),
    "a choice": ({"KMSJWT_RESPONSE": "plain"}, "change KMSJWT_RESPONSE: "),
    "a misspelling": ({"KMSJWT_ISUER": "x"}, "change KMSJWT_ISUER: "),
    "rules that are not there": ({"KMSJWT_RULES": "no.toml"}, "name a file of the bundle"),
}


@pytest.mark.parametrize(("settings", "step"), STEPS.values(), ids=STEPS)
def test_what_is_wrong_alone_says_what_to_do(settings, step):
    error = refused("authorizer", **settings)

    assert str(error.fix).startswith(step)
    assert len(error.faults) == 1


@pytest.mark.usefixtures("files")
def test_several_faults_are_told_apart_and_in_one_line():
    error = refused(
        "authorizer", KMSJWT_ISSUER="", KMSJWT_JWKS="no.json", KMSJWT_RULES="wrong.toml"
    )

    about = [fault.split()[0] for fault in error.faults]
    assert sorted(about) == ["KMSJWT_ISSUER", "KMSJWT_JWKS:", "KMSJWT_RULES:", "KMSJWT_RULES:"]
    assert "\n" not in str(error)
    assert "kmsjwt jwks --key" in str(error)  # with others beside it, too


@pytest.mark.usefixtures("files")
def test_what_a_kept_simple_answer_cannot_follow_is_told_in_variables():
    message = refused("authorizer", KMSJWT_RESPONSE="simple", KMSJWT_RULES="rules.toml").message

    assert "'GET /orders/*'" in message
    assert "KMSJWT_RESPONSE=iam" in message
    assert "KMSJWT_CACHE_TTL=0" in message
    assert "response 'iam'" not in message


@pytest.mark.parametrize(
    ("name", "meant"), [("KMSJWT_AUD", "KMSJWT_AUDIENCE"), ("KMSJWT_ISS", "KMSJWT_ISSUER")]
)
def test_the_beginning_of_a_name_is_enough_to_tell_what_was_meant(name, meant):
    assert f"was {meant} meant?" in refused("authorizer", **{name: "x"}).message


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("function", ["authorizer", "jwks"])
def test_keys_that_are_passed_over_are_told_of(log, function):
    settings = {**GOOD, "KMSJWT_KEYS": ARN, "KMSJWT_JWKS": "jwks.json"}
    BUILDS[function](environ=settings, client=LocalKms(), log=log)
    assert (log.last["keys_from"], log.last["ignored"]) == ("KMSJWT_KEYS", "KMSJWT_JWKS")

    BUILDS[function](environ={**settings, "KMSJWT_KEYS": ""}, client=LocalKms(), log=log)
    assert (log.last["keys_from"], log.last["ignored"]) == ("KMSJWT_JWKS", None)


@pytest.mark.parametrize("name", ["KMSJWT_ISSUER", "KMSJWT_AUDIENCE", "KMSJWT_TYP"])
def test_any_in_small_letters_is_a_name_and_worth_a_warning(log, name):
    authorizer.build(environ={**GOOD, name: "any"}, client=LocalKms(), log=log)

    (warning,) = log.last["warnings"]
    assert name in warning
    assert "ANY" in warning
    assert log.last["level"] == "WARN"


@pytest.mark.parametrize(
    ("event", "inside"),
    [
        ({"sub": "ala", "scope": "x"}, "put scope inside claims"),
        ({"sub": "ala", "tenant": "t1", "roles": []}, "put roles, tenant inside claims"),
        ({"Records": []}, "KMSJWT_CALLERS=iam"),
    ],
    ids=["one", "two", "no caller's"],
)
def test_a_claim_beside_sub_is_told_where_it_belongs(kms, environ, event, inside):
    with pytest.raises(ClaimsRefused) as caught:
        issue.build(environ=environ, client=kms)(event)
    assert caught.value.code == "not_direct"
    assert inside in str(caught.value)
