"""Every fix is one that can be done at the command line, and leads on."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.cli import forge
from tests.cli.conftest import ISSUER

DEMANDS = ["--issuer", ISSUER, "--audience", "orders"]
ISSUE = ["issue", *DEMANDS, "--subject", "ala", "--key", "alias/auth"]
NO_REGION = ("--region", "AWS_REGION", "kmsjwt local run -- COMMAND")


@pytest.fixture
def files(tmp_path, published, token) -> Any:
    contents = {
        "jwks.json": published,
        "jwk.json": published["keys"][0],
        "empty.json": {"keys": []},
        "no-keys.json": {"error": "no"},
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "token.txt").write_text(f"{token}\n")
    (tmp_path / "nothing.txt").write_text(" \n")


@pytest.mark.parametrize(
    "words",
    [
        ["key", "create", "x"],
        ["key", "list"],
        ISSUE,
        ["jwks", "--key", "alias/auth"],
        ["verify", "--key", "alias/auth", *DEMANDS, "x"],
        ["inspect", "--key", "alias/auth", "x"],
    ],
    ids=" ".join,
)
def test_without_a_region_the_ways_on_are_named(typed, words):
    done = typed(*words)

    assert done.code in (1, 2)
    assert "no AWS Region" in done.err
    assert all(way in done.err for way in NO_REGION)


@pytest.mark.parametrize(
    ("words", "meant", "helped"),
    [
        (["issue", "--kye", "x"], "--key", "kmsjwt issue --help"),
        (["issue", "--iss", "x"], "--issuer", "kmsjwt issue --help"),
        (["verify", "--audiance", "x", "t"], "--audience", "kmsjwt verify --help"),
        (["key", "create", "--regoin", "x", "n"], "--region", "kmsjwt key create --help"),
        (["local", "run", "--foldr", "x", "true"], "--folder", "kmsjwt local run --help"),
        (["inspct", "x"], "inspect", "kmsjwt --help"),
        (["key", "crate", "x"], "create", "kmsjwt key --help"),
        (["invoke", "authoriser", "{}"], "authorizer", "kmsjwt invoke --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_misspelt_word_is_told_with_the_one_it_may_be(typed, words, meant, helped):
    done = typed(*words)

    assert done.code == 2
    assert f"fix: was {meant} meant? see {helped}" in done.err


def test_a_misspelt_variable_is_warned_of_and_hinders_nothing(typed, monkeypatch, token):
    monkeypatch.setenv("KMSJWT_ISUER", "secret-value")
    monkeypatch.setenv("KMSJWT_CLIENT_ID", "one of ours")

    done = typed("inspect", token)

    warnings = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert done.code == 0
    assert len(warnings) == 1
    assert "KMSJWT_ISUER" in warnings[0]
    assert "KMSJWT_ISSUER meant" in warnings[0]
    assert "secret-value" not in done.err


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("jwks", "told"),
    [
        ("jwk.json", ("'jwk.json'", "one JWK", 'wrap it: {"keys": [...]}')),
        ("empty.json", ("'empty.json'", "it is empty", "kmsjwt jwks --key KEY")),
        ("no-keys.json", ("'no-keys.json'", "kmsjwt jwks --key KEY")),
        ("token.txt", ("'token.txt'", "looks like a token", "kmsjwt jwks --key KEY")),
        ("gone.json", ("'gone.json'", "cannot be read", "kmsjwt jwks --key KEY")),
        ("http://127.0.0.1:1/jwks", ("http://127.0.0.1:1/jwks", "refused", "give --jwks a file")),
    ],
)
def test_a_jwks_that_cannot_be_used_is_named_with_what_to_do(typed, token, jwks, told):
    done = typed("verify", "--jwks", jwks, *DEMANDS, token)

    assert done.code in (2, 3)
    assert all(words in done.err for words in told)
    assert len(done.err.strip().splitlines()) <= 2


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--alg", "RS256"], 0, "ok · RS256"),
        (["--alg", "PS256"], 1, "expected PS256"),
        (["--alg", "RS265"], 2, "expected one of RS256"),
        (["--kid", "key-id"], 2, "--kid with --key alone"),
        (["--region", "eu-west-1"], 2, "--region with --key alone"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_demanded_beside_a_jwks_is_kept_or_refused(typed, token, options, code, told):
    done = typed("verify", "--jwks", "jwks.json", *options, *DEMANDS, token)

    assert done.code == code
    assert told in done.err


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("command", [["inspect"], ["verify", "--jwks", "jwks.json", *DEMANDS]])
def test_a_file_is_read_where_one_is_named(typed, command):
    done = typed(*command, "token.txt")

    assert done.code == 0
    assert "read from token.txt" in done.err
    assert "ala" in done.out


def test_a_token_is_never_taken_for_a_file_that_is_not_there(typed, token):
    done = typed("inspect", f"{token}{'A' * 5000}")

    assert "read from" not in done.err


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("given", ["", "  ", "-", "nothing.txt"])
@pytest.mark.parametrize(
    "command",
    [["inspect"], ["verify", "--jwks", "jwks.json", *DEMANDS], ["invoke", "issue"]],
    ids=["inspect", "verify", "invoke"],
)
def test_nothing_is_refused_alike_wherever_it_comes_from(typed, command, given):
    done = typed(*command, given, stdin="\n")

    assert (done.code, done.out) == (2, "")
    if command[0] == "verify" and given == "":
        assert "missing: TOKEN" in done.err
    else:
        assert "is empty, expected the " in done.err
        assert "- for standard input" in done.err


@pytest.mark.usefixtures("aws")
def test_kms_is_not_asked_to_verify_by_an_alias_and_the_way_to_the_arn_is_told(typed, token, arn):
    done = typed("verify", "--verify", "kms", "--key", "alias/auth", *DEMANDS, token)

    (ring,) = json.loads(typed("key", "list", "auth", "--json").out)
    assert done.code == 2
    assert "kmsjwt key list NAME --json" in done.err
    assert ring["arn"] == arn


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("RS256", "its spec is RSA_2048"),
        ("es256", "its spec is ECC_NIST_P256"),
        ("RSA", "expected RSA_2048, RSA_3072"),
    ],
)
def test_a_spec_that_is_none_is_told_with_those_there_are(typed, spec, told):
    done = typed("key", "create", "x", "--spec", spec)

    assert (done.code, done.out) == (2, "")
    assert told in done.err


@pytest.mark.usefixtures("aws")
def test_a_spec_may_be_written_small(typed):
    assert typed("key", "create", "ec", "--spec", "ecc_nist_p256").code == 0


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("lifetime", "told"), [("1h30m", "PT1H30M"), ("2d", "--max-lifetime"), ("90m", "")]
)
def test_a_lifetime_is_told_as_it_is_written(typed, lifetime, told):
    done = typed(*ISSUE, "--lifetime", lifetime)

    assert done.code == (2 if told else 0)
    assert told in done.err


@pytest.mark.usefixtures("files")
def test_with_json_a_refusal_is_json_with_its_stable_code(typed, token):
    refused = ["--issuer", ISSUER, "--audience", "billing"]

    for words, exit_code, code in (
        (["--jwks", "jwks.json", *refused, token], 1, "wrong_audience"),
        (["--jwks", "http://127.0.0.1:1/jwks", *refused, token], 3, "jwks_connection"),
        (["--jwks", "jwks.json", token], 2, "missing_option"),
    ):
        done = typed("verify", "--json", *words)
        error = json.loads(done.out)["error"]

        assert (done.code, error["code"]) == (exit_code, code)
        assert error["message"] in done.err
        assert token[:24] not in done.out


def test_one_key_is_one_key(typed, tmp_path, rsa_key):
    (tmp_path / "one.json").write_text(json.dumps(forge.jwks(forge.jwk(forge.rsa_key()))))
    token = forge.good(rsa_key, {"kid": "other"})

    verified = typed("verify", "--jwks", "one.json", *DEMANDS, token)
    inspected = typed("inspect", "--jwks", "one.json", token)

    assert "not the trusted key" in verified.err
    assert "not the key given" in inspected.out


@pytest.mark.usefixtures("aws")
def test_an_operation_that_the_local_kms_lacks_is_named(endpoint_url):
    client = boto3.client("kms", endpoint_url=endpoint_url)

    with pytest.raises(ClientError, match="The local KMS has no GenerateDataKey") as caught:
        client.generate_data_key(KeyId="alias/auth", KeySpec="AES_256")
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"


def test_a_corrupt_alias_list_is_called_one(typed, tmp_path):
    folder = tmp_path / ".kmsjwt" / "eu-central-1"
    folder.mkdir(parents=True)
    (folder / "aliases.json").write_text("{")

    done = typed("local", "run", "--", "true")

    assert done.code == 2
    assert "the alias list " in done.err
    assert "lose the Region's aliases" in done.err


@pytest.mark.parametrize(
    "command", [["verify", *DEMANDS], ["verify", "--json", *DEMANDS], ["inspect", "--json"]]
)
def test_what_a_claim_says_cannot_command_the_terminal(typed, tmp_path, rsa_key, command):
    """C1 controls, bidi marks and line separators stay escaped, and JSON reads back the same."""
    hostile = "\x9b31m\x7f\u202e\u2066\u200b\u2028\x85 ala"
    (tmp_path / "jwks.json").write_text(json.dumps(forge.jwks(forge.jwk(rsa_key))))
    now = int(time.time())
    claims = {**forge.CLAIMS, "iat": now, "exp": now + 900, "name": hostile}
    token = forge.good(rsa_key, claims=claims)

    done = typed(*command, "--jwks", "jwks.json", token)

    assert all(line.isprintable() for line in done.out.splitlines())
    assert hostile in json.dumps(json.loads(done.out), ensure_ascii=False)


@pytest.mark.usefixtures("files")
def test_what_any_leaves_unchecked_is_said(typed, token, monkeypatch):
    monkeypatch.setenv("KMSJWT_ISSUER", "ANY")
    monkeypatch.setenv("KMSJWT_AUDIENCE", "ANY")

    done = typed("verify", "--jwks", "jwks.json", token)

    assert done.code == 0
    assert "not checked, since ANY was said: issuer, audience" in done.err
