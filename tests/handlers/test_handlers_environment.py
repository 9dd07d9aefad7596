"""What the functions make of their environment, before any token is looked at."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from tests.handlers.support import ISSUER

from kmsjwt.cli.options import WITHOUT_TWIN
from kmsjwt.cli.program import parser
from kmsjwt.errors import ConfigError
from kmsjwt.handlers import authorizer, issue, jwks
from kmsjwt.handlers._environment import COMMAND_LINE, KNOWN
from kmsjwt.local import LocalKms
from kmsjwt.local.http import running
from kmsjwt.testing import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:eu-central-1:111122223333:key/{KEY}"
GOOD = {"KMSJWT_KEY": ARN, "KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": "orders"}
FUNCTIONS = pytest.mark.parametrize(
    "build", [issue.build, authorizer.build, jwks.build], ids=["issue", "authorizer", "jwks"]
)


def refused(build, **settings) -> Any:
    with pytest.raises(ConfigError) as caught:
        build(environ={**GOOD, **settings}, client=LocalKms())
    assert caught.value.code == "environment"
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("900", 900),
        ("900s", 900),
        ("15m", 900),
        ("2h", 7_200),
        ("1d", 86_400),
        ("PT15M", 900),
        ("PT900S", 900),
        ("PT1H30M", 5_400),
        ("P1D", 86_400),
        ("P0DT1H", 3_600),
        (" 15m ", 900),
    ],
)
def test_lengths_of_time_in_three_spellings(kms, ec_key, log, text, seconds):
    function = issue.build(
        environ={**GOOD, "KMSJWT_KEY": ec_key, "KMSJWT_LIFETIME": text}, client=kms, log=log
    )

    assert function({"sub": "ala"})["expires_in"] == seconds


@pytest.mark.parametrize(
    "text", ["0", "-1", "15 m", "1.5h", "15M", "pt15m", "P", "PT", "P1DT", "P1M", "P1Y", "ten", "٣"]
)
def test_other_lengths_of_time_are_refused(text):
    assert "KMSJWT_LIFETIME is" in refused(issue.build, KMSJWT_LIFETIME=text)


@pytest.mark.parametrize("blank", ["", "   "], ids=["empty", "blank"])
def test_empty_means_unset(kms, ec_key, log, blank):
    settings = dict.fromkeys(
        (
            "KMSJWT_KEYS",
            "KMSJWT_JWKS",
            "KMSJWT_LIFETIME",
            "KMSJWT_MAX_LIFETIME",
            "KMSJWT_CALLERS",
            "KMSJWT_PROFILE",
            "KMSJWT_RECIPE_UNTIL",
            "KMSJWT_RECIPE_OPEN",
            "KMSJWT_KID",
            "KMSJWT_TYP",
            "KMSJWT_VERIFY",
            "KMSJWT_ON_INVALID",
            "KMSJWT_RESPONSE",
            "KMSJWT_AUDIENCES_ALLOWED",
            "KMSJWT_REGION",
            "KMSJWT_NONSENSE",
        ),
        blank,
    )
    environ = {**GOOD, "KMSJWT_KEY": ec_key, **settings}

    token = issue.build(environ=environ, client=kms, log=log)({"sub": "ala"})["access_token"]
    check = authorizer.build(environ=environ, client=kms, log=log)

    event = {
        "type": "TOKEN",
        "methodArn": "arn:aws:execute-api:eu-central-1:123456789012:api/prod/GET/x",
        "authorizationToken": f"Bearer {token}",
    }
    assert check(event)["principalId"] == "ala"
    assert "KMSJWT_ISSUER is unset" in refused(issue.build, KMSJWT_ISSUER=blank)
    assert "KMSJWT_AUDIENCE is unset" in refused(authorizer.build, KMSJWT_AUDIENCE=blank)
    assert "KMSJWT_ISSUER is unset" in refused(authorizer.build, KMSJWT_ISSUER=blank)


@FUNCTIONS
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("KMSJWT_AUDIENC", "KMSJWT_AUDIENCE"),
        ("KMSJWT_CALLER", "KMSJWT_CALLERS"),
        ("KMSJWT_RECIPE_UTIL", "KMSJWT_RECIPE_UNTIL"),
        ("KMSJWT_XYZ", ""),
    ],
)
def test_a_misspelt_setting_stops_the_function(build, name, meant):
    message = refused(build, **{name: "x"})

    assert repr(name) in message
    assert f"was {meant}" in message if meant else "was KMSJWT" not in message


def test_all_faults_are_told_together():
    message = refused(
        authorizer.build,
        KMSJWT_KEY="",
        KMSJWT_ISSUER="",
        KMSJWT_AUDIENCE="",
        KMSJWT_ON_INVALID="403",
        KMSJWT_RESPONSE="plain",
        KMSJWT_VERIFY="never",
        KMSJWT_MAX_LIFETIME="long",
        KMSJWT_PROFILE="article",
        KMSJWT_RECIPE_UNTIL="yesterday",
        KMSJWT_KID="arn",
        KMSJWT_AUDIENC="x",
    )

    for name in (
        "KMSJWT_KEYS is unset",
        "KMSJWT_ISSUER",
        "KMSJWT_AUDIENCE is",
        "KMSJWT_ON_INVALID",
        "KMSJWT_RESPONSE",
        "KMSJWT_VERIFY",
        "KMSJWT_MAX_LIFETIME",
        "KMSJWT_PROFILE",
        "KMSJWT_RECIPE_UNTIL",
        "KMSJWT_KID",
        "KMSJWT_AUDIENC'",
    ):
        assert name in message
    assert len(message.splitlines()) == 1


def test_the_faults_of_the_issue_function_are_told_together():
    message = refused(
        issue.build,
        KMSJWT_KEY="",
        KMSJWT_ISSUER="",
        KMSJWT_CALLERS="all",
        KMSJWT_LIFETIME="2h",
        KMSJWT_MAX_LIFETIME="1h",
        KMSJWT_RECIPE_OPEN="yes",
    )

    for part in ("KMSJWT_KEY is unset", "KMSJWT_ISSUER", "KMSJWT_CALLERS", "at most 3600", "OPEN"):
        assert part in message


def test_a_lifetime_over_a_day_is_no_maximum():
    assert "86400" in refused(issue.build, KMSJWT_MAX_LIFETIME="2d")


@pytest.mark.parametrize(
    ("build", "settings", "told"),
    [
        pytest.param(issue.build, {"KMSJWT_KEY": "auth"}, "alias/auth", id="bare alias"),
        pytest.param(
            authorizer.build, {"KMSJWT_KEYS": "not a key!"}, "expected an id", id="no key"
        ),
        pytest.param(
            authorizer.build, {"KMSJWT_JWKS": "/nowhere/jwks.json"}, "cannot be read", id="no file"
        ),
        pytest.param(
            authorizer.build,
            {"KMSJWT_JWKS": "http://id.example/jwks.json"},
            "https",
            id="plain URL",
        ),
    ],
)
def test_what_cannot_be_used_is_told_at_start(build, settings, told):
    assert told in refused(build, **settings, KMSJWT_ISSUER="")


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"KMSJWT_KEY": "alias/auth"}, id="KMSJWT_KEY"),
        pytest.param({"KMSJWT_KEYS": f"{ARN} alias/auth"}, id="KMSJWT_KEYS"),
        pytest.param(
            {"KMSJWT_KEY": "arn:aws:kms:eu-central-1:111122223333:alias/auth"}, id="alias ARN"
        ),
        pytest.param({"KMSJWT_KEY": "", "KMS_KEY_ID": "alias/auth"}, id="KMS_KEY_ID"),
    ],
)
@pytest.mark.parametrize("build", [authorizer.build, jwks.build], ids=["authorizer", "jwks"])
def test_an_alias_verifies_nothing_and_the_message_says_why(build, settings):
    assert "live tokens of its former key would be refused" in refused(build, **settings)


def test_an_alias_is_told_of_its_ring():
    assert "ring:NAME" in refused(authorizer.build, KMSJWT_KEY="alias/auth")


def test_kms_verify_needs_kms_keys(tmp_path):
    message = refused(authorizer.build, KMSJWT_JWKS="https://id.example/j", KMSJWT_VERIFY="kms")

    assert "KMSJWT_VERIFY is kms" in message


@FUNCTIONS
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS"])
@pytest.mark.parametrize(
    "inside",
    [{"AWS_LAMBDA_FUNCTION_NAME": "f"}, {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}],
    ids=["function name", "execution environment"],
)
@pytest.mark.parametrize("url", ["http://127.0.0.1:4599", "HTTP://kms.example", "ftp://x"])
def test_inside_lambda_a_plain_endpoint_is_refused(build, name, inside, url):
    assert f"{name} is no https URL" in refused(build, **{name: url}, **inside)


@pytest.mark.parametrize(
    "settings",
    [
        {"AWS_ENDPOINT_URL_KMS": "http://127.0.0.1:4599"},
        {"AWS_ENDPOINT_URL_KMS": "https://vpce.example", "AWS_LAMBDA_FUNCTION_NAME": "f"},
        {"AWS_ENDPOINT_URL_KMS": "http://127.0.0.1:1", "AWS_EXECUTION_ENV": "CloudShell"},
    ],
    ids=["outside", "https", "another service"],
)
def test_other_endpoints_are_none_of_our_business(settings, log):
    issue.build(environ={**GOOD, **settings}, client=LocalKms(), log=log)

    assert log.last["event"] == "start"


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        pytest.param({"KMSJWT_KEY": ARN}, ("KMSJWT_KEY", ARN, None), id="ours"),
        pytest.param(
            {"KMSJWT_KEY": "", "KMS_KEY_ID": KEY}, ("KMS_KEY_ID", KEY, None), id="the recipe's"
        ),
        pytest.param(
            {"KMSJWT_KEY": ARN, "KMS_KEY_ID": KEY}, ("KMSJWT_KEY", ARN, "KMS_KEY_ID"), id="both"
        ),
    ],
)
def test_the_start_up_line_says_which_key_won(settings, line, log):
    issue.build(environ={**GOOD, **settings}, client=LocalKms(), log=log)

    assert log.last["event"] == "start"
    assert (log.last["key_from"], log.last["key"], log.last["ignored"]) == line


@pytest.mark.parametrize(
    ("settings", "chosen"),
    [
        ({}, "KMSJWT_KEY"),
        ({"KMSJWT_KEY": "", "KMS_KEY_ID": KEY}, "KMS_KEY_ID"),
        ({"KMSJWT_JWKS": "https://id.example/jwks.json"}, "KMSJWT_JWKS"),
        ({"KMSJWT_JWKS": "https://id.example/jwks.json", "KMSJWT_KEYS": KEY}, "KMSJWT_KEYS"),
        ({"KMSJWT_KEY": "alias/auth", "KMSJWT_KEYS": KEY}, "KMSJWT_KEYS"),
        ({"KMSJWT_KEY": "alias/auth", "KMSJWT_JWKS": "https://id.example/j"}, "KMSJWT_JWKS"),
    ],
)
def test_what_verifies_is_chosen_in_this_order(settings, chosen, log):
    authorizer.build(environ={**GOOD, **settings}, client=LocalKms(), log=log)

    assert log.last["keys_from"] == chosen


@pytest.mark.parametrize("build", [authorizer.build, jwks.build], ids=["authorizer", "jwks"])
def test_the_start_up_line_leaves_out_a_urls_query(build, log):
    build(environ={**GOOD, "KMSJWT_JWKS": "https://id.example/j?key=hush"}, log=log)

    assert log.last["keys"] == "https://id.example/j"
    assert "hush" not in log.text()


def python(code, **environ) -> Any:
    """Run Python as Lambda would start it: a bare environment, and nothing imported before."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", ["issue", "authorizer", "jwks"])
def test_importing_for_build_needs_no_environment(name):
    code, _, errors = python(f"from kmsjwt.handlers import {name}; {name}.build")

    assert (code, errors) == (0, "")


@pytest.mark.parametrize("name", ["issue", "authorizer", "jwks"])
def test_looking_the_handler_up_with_a_wrong_environment_fails_with_our_message(name):
    code, _, errors = python(
        f"import importlib; getattr(importlib.import_module('kmsjwt.handlers.{name}'), 'handler')",
        KMSJWT_ISUER="https://id.example",
    )

    assert code == 1
    last = errors.strip().splitlines()[-1]
    assert last.startswith("kmsjwt.errors.ConfigError: ")
    assert "was KMSJWT_ISSUER meant?" in last


def test_the_handler_is_built_once_and_another_name_is_no_handler(kms, rsa_key, tmp_path):
    bundled = tmp_path / "jwks.json"
    answer = jwks.build(environ={**GOOD, "KMSJWT_KEY": rsa_key}, client=kms)({})
    bundled.write_text(answer["body"])
    code, printed, errors = python(
        "from kmsjwt.handlers import authorizer\n"
        "assert authorizer.handler is authorizer.handler\n"
        "print(hasattr(authorizer, 'handlr'))",
        **{**GOOD, "KMSJWT_KEY": "alias/auth", "KMSJWT_JWKS": str(bundled)},
    )

    assert (code, errors) == (0, "")
    start, other = printed.splitlines()
    assert json.loads(start)["keys_from"] == "KMSJWT_JWKS"
    assert other == "False"


def test_the_authorizer_with_a_bundled_jwks_starts_light(kms, rsa_key, tmp_path):
    bundled = tmp_path / "jwks.json"
    answer = jwks.build(environ={**GOOD, "KMSJWT_KEY": rsa_key}, client=kms)({})
    bundled.write_text(answer["body"])
    code, printed, errors = python(
        "import sys, kmsjwt.handlers.authorizer as a; a.handler\n"
        "heavy = {'boto3', 'botocore', 'http.client', 'ssl', 'urllib.request', 'argparse',\n"
        "    'logging', 'dataclasses', 'asyncio', 'kmsjwt.kms', 'kmsjwt.aws', 'datetime'}\n"
        "print(sorted(heavy & set(sys.modules)))",
        **{**GOOD, "KMSJWT_JWKS": str(bundled)},
    )

    assert (code, errors) == (0, "")
    assert printed.splitlines()[-1] == "[]"


def test_the_handler_strings_need_no_code(kms, rsa_key):
    """Lambda's way: one environment, three handlers, boto3 made by us."""
    lookup = (
        "import json; from importlib import import_module as load\n"
        "issue, check, jwks = [getattr(load(f'kmsjwt.handlers.{name}'), 'handler')\n"
        "    for name in ('issue', 'authorizer', 'jwks')]\n"
        "token = issue({'sub': 'ala'}, None)['access_token']\n"
        "arn = 'arn:aws:execute-api:eu-central-1:123456789012:api/prod/GET/x'\n"
        "event = {'type': 'TOKEN', 'methodArn': arn, 'authorizationToken': f'Bearer {token}'}\n"
        "print(json.dumps([check(event, None)['principalId'], jwks({}, None)['statusCode']]))"
    )
    with running(kms) as server:
        code, printed, errors = python(
            lookup,
            **{**GOOD, "KMSJWT_KEY": rsa_key},
            AWS_ENDPOINT_URL_KMS=server.endpoint_url,
            AWS_ACCESS_KEY_ID="any",
            AWS_SECRET_ACCESS_KEY="any",
        )

    assert (code, errors) == (0, "")
    assert json.loads(printed.splitlines()[-1]) == ["ala", 200]


def test_the_command_lines_own_variables_are_no_misspellings():
    """A shell with options of the command line exported builds functions all the same."""
    variables = {
        "KMSJWT_" + action.dest.upper()
        for action in every_option(parser())
        if action.option_strings and action.dest not in WITHOUT_TWIN
    }

    assert variables - KNOWN - COMMAND_LINE == set()


def every_option(of: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from every_option(command)
        else:
            yield action


@pytest.mark.parametrize(
    ("spec", "alg"),
    [("RSA_2048", "PS256"), ("ECC_NIST_EDWARDS25519", "EdDSA")],
    ids=["PS256", "EdDSA"],
)
def test_one_of_a_keys_algorithms_is_chosen_by_name(spec, alg):
    """What a key could sign several ways, it signs and verifies the one way that is named."""
    kms = LocalKms()
    arn = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    environ = {**GOOD, "KMSJWT_KEY": arn, "KMSJWT_ALG": alg}

    token = issue.build(environ=environ, client=kms)({"sub": "ala"})["access_token"]
    gateway = Gateway(authorizer.build(environ=environ, client=kms))

    assert jwt.get_unverified_header(token)["alg"] == alg
    assert gateway.request("GET", "/", headers={"Authorization": f"Bearer {token}"}).status == 200
    assert "KMSJWT_ALG" in refused(issue.build, KMSJWT_ALG="HS256")
    assert "KMSJWT_ALG" in refused(
        issue.build,
        KMSJWT_ALG=alg,
        KMSJWT_PROFILE="recipe",
        KMSJWT_RECIPE_UNTIL="2026-11-22T12:00:00Z",
    )


@FUNCTIONS
def test_inside_lambda_a_plain_jwks_is_refused(build):
    """Whoever answers on a plain URL would choose the keys that are trusted."""
    settings = {"KMSJWT_JWKS": "http://127.0.0.1:1/jwks.json", "AWS_LAMBDA_FUNCTION_NAME": "f"}

    assert "KMSJWT_JWKS is an http URL" in refused(build, **settings)


@pytest.mark.parametrize("text", ["{0},{1}", "{0}, {1}", "{0} {1}"], ids=["comma", "both", "space"])
def test_lists_are_parted_by_commas_or_spaces(text, log):
    kms = LocalKms()
    arns = [
        kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        for _ in range(2)
    ]
    function = jwks.build(environ={"KMSJWT_KEYS": text.format(*arns)}, client=kms, log=log)

    published = json.loads(function({"requestContext": {}, "httpMethod": "GET"})["body"])

    assert len(published["keys"]) == 2
