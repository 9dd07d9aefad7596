"""The pytest plugin: one line in a user's conftest, and nothing of pytest for anybody else."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

USERS_TEST = """
from kmsjwt.handlers import authorizer, issue
from kmsjwt.testing import Clock, Gateway, Tokens
from kmsjwt.local import LocalKms


def ours(tokens, clock, tmp_path):
    environ = {
        "KMSJWT_JWKS": str(tokens.write_jwks(tmp_path / "jwks.json")),
        "KMSJWT_ISSUER": tokens.issuer,
        "KMSJWT_AUDIENCE": tokens.audience,
    }
    return authorizer.build(environ=environ, clock=clock, log=lambda *_, **__: None)


def test_all_of_them_share_one_clock(
    kmsjwt_clock, kmsjwt_tokens, kmsjwt_gateway, kmsjwt_kms, tmp_path
):
    assert isinstance(kmsjwt_clock, Clock)
    assert isinstance(kmsjwt_tokens, Tokens)
    assert isinstance(kmsjwt_kms, LocalKms)
    kmsjwt_clock.now = 1_900_000_000
    gateway = kmsjwt_gateway(ours(kmsjwt_tokens, kmsjwt_clock, tmp_path), kind="http_api_v2")
    assert isinstance(gateway, Gateway)
    token = {"Authorization": "Bearer " + kmsjwt_tokens.good()}
    assert gateway.request("GET", "/", headers=token).status == 200
    kmsjwt_clock.advance(299)
    assert gateway.request("GET", "/", headers=token).age == 299
    made = kmsjwt_kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    assert made["KeyMetadata"]["CreationDate"].timestamp() == 1_900_000_299


def test_the_kms_signs(kmsjwt_kms):
    key = kmsjwt_kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    environ = {"KMSJWT_KEY": key["KeyMetadata"]["Arn"], "KMSJWT_ISSUER": "https://id.example"}
    give = issue.build(environ=environ, client=kmsjwt_kms, log=lambda *_, **__: None)
    assert give({"sub": "ala", "aud": "orders"})["access_token"].count(".") == 2


def test_each_test_has_its_own(kmsjwt_kms, kmsjwt_clock):
    assert kmsjwt_kms.list_keys()["Keys"] == []
    assert kmsjwt_clock() != 1_900_000_299
"""
ASKING = {
    "in the conftest": 'pytest_plugins = ["kmsjwt.testing"]',
    "after an import": 'import kmsjwt.testing\npytest_plugins = ["kmsjwt.testing"]',
    "after importing the fixtures": (
        'import kmsjwt.testing.fixtures\npytest_plugins = ["kmsjwt.testing"]'
    ),
}


def run(folder, *options) -> Any:
    """Run pytest in a folder of its own, in a process of its own, every warning an error."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def folder(tmp_path) -> Any:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_mine.py").write_text(USERS_TEST)
    return tmp_path


@pytest.mark.parametrize("conftest", ASKING.values(), ids=ASKING)
def test_a_user_s_tests_run_with_that_one_line(folder, conftest):
    (folder / "conftest.py").write_text(conftest + "\n")
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_or_with_a_flag(folder):
    done = run(folder, "-p", "kmsjwt.testing")
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_nobody_has_them_who_did_not_ask(folder):
    done = run(folder)
    assert done.returncode == 1
    assert "fixture 'kmsjwt_clock' not found" in done.stdout


def test_pytest_lists_them_with_what_they_are(folder):
    (folder / "conftest.py").write_text(ASKING["in the conftest"])
    listed = run(folder, "--fixtures").stdout
    for name in ("kmsjwt_clock", "kmsjwt_tokens", "kmsjwt_kms", "kmsjwt_gateway"):
        assert name in listed
    assert "no docstring available" not in listed.split("kmsjwt")[1]


@pytest.mark.parametrize("before", ["", "import pytest; "], ids=["without pytest", "with pytest"])
def test_importing_the_kit_imports_neither_pytest_nor_the_fixtures(before):
    script = f"{before}import sys, kmsjwt.testing; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    loaded = ran.stdout.split()
    assert "kmsjwt.testing.tokens" in loaded
    assert "kmsjwt.testing.fixtures" not in loaded
    assert ("pytest" in loaded) == bool(before)
