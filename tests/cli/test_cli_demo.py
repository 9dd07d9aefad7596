"""The demo: every line of it happened, with the core alone and with libraries around."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from kmsjwt.cli import others, stage


def test_the_demo_shows_the_whole_story(typed):
    done = typed("demo")

    assert (done.code, done.err) == (0, "")
    statuses = re.findall(r"(?:GET|DELETE) .*? ([2-5]\d\d) ", done.out)
    assert statuses == ["200", "200", "403", "200", "403", "401", "401", "401", "500", "200"]
    for words in (
        "kms:CreateKey RSA_2048 SIGN_VERIFY",
        "alias/demo/1",
        "256-byte signature",
        "expired: exp passed",
        "bad_signature",
        "that takes orders:write",
        "1 x GetPublicKey",
        "kmsjwt key create auth",
    ):
        assert words in done.out
    assert re.search(r"PyJWT [\d.]+ +ok", done.out)
    assert "\x1b" not in done.out
    assert max(map(len, done.out.splitlines())) <= 108


def test_a_line_that_is_not_as_it_should_be_fails_the_demo(typed, monkeypatch):
    """Did the gateway not cache, the demo would say so and not pass."""
    monkeypatch.setattr(stage, "_TTL", 0)

    done = typed("demo")

    assert done.code == 1
    assert done.out.count("EXPECTED 200") == 2
    assert "not as they should be" in done.err


def test_a_library_that_accepts_anything_is_caught():
    gullible = others.Library("gullible 1.0", lambda *_: {"sub": "ala"})
    stern = others.Library("stern 1.0", lambda *_: {"sub": int("no")})

    assert not stage._opinion(gullible, {}, "a.b.c", "a.b.d").good
    assert not stage._opinion(stern, {}, "a.b.c", "a.b.d").good


@pytest.mark.parametrize("colour", [True, False])
def test_colours_are_for_terminals_alone(typed, monkeypatch, colour):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("TERM", raising=False)

    assert ("\x1b[32m" in typed("demo").out) == colour


def test_the_core_alone_is_enough(tmp_path):
    """Neither boto3 nor a server nor another JWT library is loaded."""
    for name in ("boto3", "botocore", "uvicorn"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not in the core')")
    hide = "import sys; sys.modules.update(dict.fromkeys(['jwt', 'joserfc', 'jwcrypto']));"
    script = f"{hide} import runpy; sys.argv = ['kmsjwt', 'demo']; runpy.run_module('kmsjwt')"

    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"PyJWT is not installed +skip", done.stdout)


def test_what_has_to_be_installed_stands_before_the_commands_that_need_it(typed, monkeypatch):
    monkeypatch.setattr("kmsjwt.cli.demo.find_spec", lambda _: None)

    said = typed("demo").out.partition("Do it yourself:")[2]

    assert said.splitlines()[0].strip() == "pip install 'kmsjwt[aws,local]'"
    assert "kmsjwt key create auth" in said.splitlines()[1]
