"""`kmsjwt doctor` as it is typed: what it prints, its JSON, and how it ends."""

from __future__ import annotations

import json
import os
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tests.authority.ward import Ward
from tests.jwks.servers import Server

from kmsjwt.cli import main
from kmsjwt.cli.local import environment
from kmsjwt.local.http import running

if TYPE_CHECKING:
    from collections.abc import Iterator

# A token's first characters; made up.
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkIn0.c2lnbmF0dXJl"


@pytest.fixture(scope="module")
def ward() -> Iterator[Ward]:
    server = Server()
    made = Ward(server, now=time.time())
    yield made
    server.stop()


@pytest.fixture(scope="module")
def endpoint_url(ward) -> Iterator[str]:
    with running(ward.kms) as served:
        yield served.endpoint_url


@pytest.fixture(autouse=True)
def around(monkeypatch, tmp_path, endpoint_url, ward) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "KMSJWT_", "KMS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name, value in environment(os.environ, endpoint_url, "eu-central-1").items():
        monkeypatch.setenv(name, value)
    for name, value in ward.environ("issue").items():
        monkeypatch.setenv(name, value)
    ward.kms.faults.clear()


@pytest.fixture
def typed(capsys) -> Any:
    def run(*words: str) -> Any:
        capsys.readouterr()
        code = main(["doctor", *words])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


def verdicts(done: Any) -> dict[str, str]:
    return {each["check"]: each["verdict"] for each in json.loads(done.out)["findings"]}


def test_what_is_well_ends_with_0(typed):
    done = typed()

    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith(
        "ok    settings   issue function (guessed: KMSJWT_KEY and KMSJWT_ISS"
    )
    assert "KMSJWT_KEY=ring:auth (environment)" in lines[0]
    assert {line.split()[0] for line in lines} == {"ok", "skip"}
    assert "1 skipped · exit code 0" in done.err


def test_a_warning_ends_with_0(typed, monkeypatch):
    monkeypatch.setenv("KMSJWT_MAX_LIFETIME", "2h")

    done = typed()

    assert done.code == 0
    assert "warn  lifetime   KMSJWT_MAX_LIFETIME is 2 h" in done.out
    assert "1 warned" in done.err


def test_a_failure_ends_with_1_and_says_what_follows_and_what_to_do(typed, ward):
    with ward.kms.faults.add("Sign", kind="access_denied", times=None):
        done = typed()

    assert done.code == 1
    at = done.out.splitlines().index(
        next(line for line in done.out.splitlines() if line.startswith("FAIL"))
    )
    fact, consequence, fix = done.out.splitlines()[at : at + 3]
    assert fact.startswith("FAIL  sign       AccessDenied: kms:Sign on ring:auth")
    assert consequence == " " * 17 + "no token is issued"
    assert fix.startswith(" " * 17 + "fix: give the function's role what this prints: kmsjwt iam ")
    assert "1 failed" in done.err


def test_a_silent_kms_ends_with_3(typed, ward):
    with ward.kms.faults.add(kind="drop", times=None):
        done = typed("--issuer", "plain")

    assert done.code == 3
    assert "??    key" in done.out


def test_nothing_to_look_at_is_wrong_usage(typed, monkeypatch):
    for name in ward_names():
        monkeypatch.delenv(name)

    done = typed()

    assert done.code == 2
    assert "--function issue|authorizer|jwks|rotate" in done.err


def ward_names() -> list[str]:
    return [name for name in os.environ if name.startswith("KMSJWT_")]


def test_json_says_the_same(typed, ward):
    with ward.kms.faults.add("Sign", kind="access_denied", times=None):
        done = typed("--json")

    told = json.loads(done.out)
    assert (told["function"], told["verdict"], told["exit_code"]) == ("issue", "fail", done.code)
    assert told["chosen_by"] == "guessed: KMSJWT_KEY and KMSJWT_ISSUER are set"
    (sign,) = (each for each in told["findings"] if each["check"] == "sign")
    assert sign["consequence"] == "no token is issued"
    (key,) = (each for each in told["findings"] if each["check"] == "key")
    assert (key["verdict"], key["consequence"], key["fix"]) == ("ok", None, None)


def test_options_win_over_the_environment_and_are_named(typed):
    done = typed("--function", "rotate", "--ring", "auth", "--json")

    told = json.loads(done.out)
    assert told["function"] == "rotate"
    assert "KMSJWT_RING=auth (option)" in told["findings"][0]["fact"]
    assert done.code == 0


def test_the_function_may_be_named_by_the_environment(typed, monkeypatch):
    monkeypatch.setenv("KMSJWT_FUNCTION", "jwks")
    monkeypatch.setenv("KMSJWT_KEYS", "ring:auth")

    done = typed("--json")

    assert json.loads(done.out)["function"] == "jwks"
    assert verdicts(done)["settings"] == "ok"


def test_a_bundled_file_that_a_ring_does_not_wait_for(typed, ward, tmp_path):
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": list(ward.site.keys.values())}))

    done = typed("--jwks", "jwks.json")

    assert done.code == 0
    assert "warn  published  jwks.json is a file, and ring auth rotates without it" in done.out


def test_a_bundled_file_without_the_key_that_signs(typed, tmp_path):
    (tmp_path / "jwks.json").write_text('{"keys": []}')

    done = typed("--jwks", "jwks.json")

    assert done.code == 1
    assert "FAIL  published" in done.out


def test_a_token_in_a_setting_is_not_printed(typed, monkeypatch):
    monkeypatch.setenv("KMSJWT_LIFETIME", TOKEN)
    monkeypatch.setenv("KMSJWT_AUDIENCE", TOKEN)

    for words in ((), ("--json",)):
        done = typed(*words)
        assert done.code == 1
        assert "eyJ" not in done.out + done.err


def test_a_local_kms_knows_no_callers_and_sts_is_not_asked(typed):
    done = typed("--json")

    assert verdicts(done)["caller"] == "skip"


def test_only_reading_and_dry_runs_reach_kms(typed, ward):
    """No key was used, made, named or moved."""
    keys = {each["KeyId"] for each in ward.kms.list_keys()["Keys"]}
    used = {key: ward.kms.get_key_last_usage(KeyId=key) for key in keys}
    aliases = ward.kms.list_aliases()["Aliases"]
    for words in ((), ("--function", "rotate", "--ring", "auth")):
        typed(*words)

    assert {each["KeyId"] for each in ward.kms.list_keys()["Keys"]} == keys
    assert ward.kms.list_aliases()["Aliases"] == aliases
    for key, before in used.items():
        after = ward.kms.get_key_last_usage(KeyId=key)
        assert {**after, "ResponseMetadata": 0} == {**before, "ResponseMetadata": 0}
