"""The environment: every setting that is documented is one, and what else is told of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kmsjwt.errors import ConfigError
from kmsjwt.handlers._environment import Environment

REFERENCE = Path(__file__).parents[2] / "docs/reference"
NAMES = sorted(
    {
        name
        for page in ("settings.md", "command-line.md")
        for name in re.findall(r"\bKMSJWT_[A-Z_]*[A-Z]\b", (REFERENCE / page).read_text("utf-8"))
    }
)


def faults(**variables: str) -> list[str]:
    return Environment(variables).faults


def test_no_setting_that_is_documented_is_a_misspelling():
    assert len(NAMES) > 30
    assert faults(**dict.fromkeys(NAMES, "https://id.example")) == []


@pytest.mark.parametrize("name", ["KMSJWT", "KMS_JWT_ISSUER", "kmsjwt_issuer", "MY_KMSJWT_ISUER"])
def test_what_does_not_begin_as_ours_is_somebody_elses(name):
    assert faults(**{name: "x"}) == []


@pytest.mark.parametrize("value", ["", " ", "\t\n"])
def test_a_blank_variable_is_there_and_says_nothing(value):
    env = Environment({"KMSJWT_ISSUER": value, "KMSJWT_ISUER": value})

    assert (env.text("KMSJWT_ISSUER"), env.faults) == (None, [])
    assert env.is_blank("KMSJWT_ISSUER")
    assert not env.is_blank("KMSJWT_AUDIENCE")


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({}, None),
        ({"AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        ({"AWS_DEFAULT_REGION": "eu-west-3", "AWS_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_REGION": "eu-west-2", "KMSJWT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "eu-west-2", "KMSJWT_REGION": " "}, "eu-west-2"),
    ],
    ids=str,
)
def test_the_region_is_ours_or_else_lambda_s(variables, region):
    assert Environment(variables).region() == region


@pytest.mark.parametrize(
    ("text", "least", "seconds"),
    [("1", 1, 1), ("0", 1, None), ("0", 0, 0), ("59", 60, None), ("60", 60, 60), ("1h", 60, 3_600)],
)
def test_a_length_of_time_has_a_least(text, least, seconds):
    env = Environment({"KMSJWT_PERIOD": text})

    assert env.seconds("KMSJWT_PERIOD", least=least) == seconds
    assert bool(env.faults) is (seconds is None)


def test_what_is_set_to_none_of_its_choices_is_a_fault_and_unset_is_none():
    env = Environment({"KMSJWT_PUBLIC": "maybe", "KMSJWT_BUNDLE": "no"})

    assert env.choice("KMSJWT_BUNDLE", "yes", "no") == "no"
    assert env.choice("KMSJWT_VERIFY", "local", "kms") is None
    assert env.faults == []
    assert env.choice("KMSJWT_PUBLIC", "yes", "no") is None
    assert env.faults == ["KMSJWT_PUBLIC is 'maybe', expected yes or no"]


def test_what_must_be_there_is_told_if_it_is_not():
    env = Environment({"KMSJWT_RING": "auth"})

    assert (env.required("KMSJWT_RING", "a name"), env.faults) == ("auth", [])
    assert env.required("KMSJWT_ISSUER", "a URL") == ""
    assert env.faults == ["KMSJWT_ISSUER is unset, expected a URL"]
    with pytest.raises(ConfigError) as caught:
        env.refuse_faults()
    assert (caught.value.code, caught.value.message) == ("environment", env.faults[0])
    assert caught.value.fix == "set KMSJWT_ISSUER, such as https://id.example"


INSIDE = {"AWS_LAMBDA_FUNCTION_NAME": "f"}


@pytest.mark.parametrize(
    ("variables", "is_fault"),
    [
        ({**INSIDE, "KMSJWT_JWKS": "http://id.example/j"}, True),
        ({**INSIDE, "KMSJWT_JWKS": "HTTP://id.example/j"}, True),
        ({**INSIDE, "KMSJWT_JWKS": "https://id.example/j"}, False),
        ({**INSIDE, "KMSJWT_JWKS": "keys/jwks.json"}, False),
        ({"KMSJWT_JWKS": "http://127.0.0.1/j"}, False),
        ({**INSIDE, "AWS_ENDPOINT_URL": "http://127.0.0.1"}, True),
        ({**INSIDE, "AWS_ENDPOINT_URL_KMS": "HTTPS://vpce.example"}, False),
        ({"AWS_ENDPOINT_URL_KMS": "http://127.0.0.1"}, False),
        ({"AWS_EXECUTION_ENV": "AWS_Lambda_x", "AWS_ENDPOINT_URL_KMS": "http://a"}, True),
        ({"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE", "AWS_ENDPOINT_URL_KMS": "http://a"}, False),
        (INSIDE, False),
    ],
    ids=str,
)
def test_inside_lambda_nothing_is_asked_in_plain_text(variables, is_fault):
    """Whoever answers there would be believed."""
    assert bool(faults(**variables)) is is_fault


@pytest.mark.parametrize(
    ("name", "such_as"),
    [
        ("KMSJWT_AUDIENCE", "orders"),
        ("KMSJWT_KEY", "alias/auth"),
        ("KMSJWT_KEYS", "ring:auth"),
        ("KMSJWT_RING", "auth"),
    ],
)
def test_what_is_missing_alone_is_told_with_an_example(name, such_as):
    env = Environment({})
    env.required(name, "something")

    with pytest.raises(ConfigError) as caught:
        env.refuse_faults()
    assert caught.value.fix == f"set {name}, such as {such_as}"


def test_a_second_is_the_least_unless_another_is_said():
    env = Environment({"KMSJWT_PERIOD": "1", "KMSJWT_LIFETIME": "0"})

    assert (env.seconds("KMSJWT_PERIOD"), env.faults) == (1, [])
    assert env.seconds("KMSJWT_LIFETIME") is None
    assert len(env.faults) == 1


def _refusing() -> None:
    raise ConfigError("it is wrong", code="wrong", fix="mend it")


@pytest.mark.parametrize(("about", "told"), [("", ""), ("KMSJWT_KEY", "KMSJWT_KEY: ")])
def test_what_cannot_be_made_is_a_fault_of_the_variable_it_is_made_of(about, told):
    env = Environment({})

    assert env.attempt(_refusing, about=about) is None
    assert env.faults == [f"{told}it is wrong; mend it"]
    with pytest.raises(ConfigError, match="it is wrong") as caught:
        env.refuse_faults()
    assert caught.value.fix == "mend it"
    assert Environment({}).attempt(lambda: 7) == 7
