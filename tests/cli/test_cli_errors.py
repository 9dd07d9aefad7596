"""What is wrong is said in three lines at most, without a traceback and without the token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from tests.cli import forge
from tests.cli.conftest import ISSUER

from kmsjwt.cli import main

DEMANDS = ["--issuer", ISSUER, "--audience", "orders"]
OTHER_KEY = forge.rsa_key()
ISSUE = ["issue", *DEMANDS, "--subject", "ala"]


@pytest.fixture
def settings(request, aws, monkeypatch) -> Any:
    """Some settings of AWS's taken away or made wrong."""

    def change(**changes) -> Any:
        for name, value in changes.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return change


NO_ANSWER = {"AWS_ENDPOINT_URL_KMS": "http://127.0.0.1:1"}
NO_CREDENTIALS = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
NO_REGION = dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"))
WRONG = {
    "no command": ([], {}, 2, "usage"),
    "no such command": (["isue"], {}, 2, "invalid choice"),
    "no such option": (["issue", "--kye", "x"], {}, 2, "unrecognized arguments"),
    "half an option": (["issue", "--iss", "x"], {}, 2, "unrecognized arguments"),
    "nothing given": (["issue"], {}, 2, "missing: --key (or KMSJWT_KEY), --issuer"),
    "no key to verify with": (
        ["verify", *DEMANDS, "x"],
        {},
        2,
        "missing: --key (or KMSJWT_KEY) or --jwks (or KMSJWT_JWKS)",
    ),
    "nothing to verify": (["verify"], {}, 2, "missing: TOKEN, --key (or KMSJWT_KEY) or --jwks"),
    "key and jwks": (
        ["verify", "--key", "a", "--jwks", "b", *DEMANDS, "x"],
        {},
        2,
        "both given",
    ),
    "bare alias": ([*ISSUE, "--key", "auth"], {}, 2, "alias/auth"),
    "no such key": ([*ISSUE, "--key", "alias/no"], {}, 2, "kmsjwt key create"),
    "no Region": ([*ISSUE, "--key", "alias/auth"], NO_REGION, 2, "no AWS Region"),
    "no credentials": ([*ISSUE, "--key", "alias/auth"], NO_CREDENTIALS, 2, "no AWS credentials"),
    "KMS does not answer": ([*ISSUE, "--key", "alias/auth"], NO_ANSWER, 3, "could not be reached"),
    "lifetime": ([*ISSUE, "--key", "alias/auth", "--lifetime", "soon"], {}, 2, "expected 15m"),
    "lifetime too long": ([*ISSUE, "--key", "alias/auth", "--lifetime", "2d"], {}, 2, "86400"),
    "claim": ([*ISSUE, "--key", "alias/auth", "--claim", "x"], {}, 2, "name=text or name:=json"),
    "claim of no JSON": ([*ISSUE, "--key", "alias/auth", "--claim", "x:=y"], {}, 2, "not JSON"),
    "claim that smuggles": (
        [*ISSUE, "--key", "alias/auth", "--claim", 'x:=1,"y":2'],
        {},
        2,
        "not JSON",
    ),
    "claim twice": (
        [*ISSUE, "--key", "alias/auth", "--claim", "x=1", "--claim", "x=2"],
        {},
        2,
        "twice",
    ),
    "claim of the issuer": ([*ISSUE, "--key", "alias/auth", "--claim", "iss=x"], {}, 2, "iss"),
    "alg of another key": ([*ISSUE, "--key", "alias/auth", "--alg", "ES256"], {}, 2, "RSA_2048"),
    "wrong variable": (["issue"], {"KMSJWT_LIFETIME": "soon"}, 2, "KMSJWT_LIFETIME is 'soon'"),
    "wrong choice": (["issue"], {"KMSJWT_KID": "arn"}, 2, "thumbprint or key-id"),
    "wrong switch": (["issue"], {"KMSJWT_JSON": "maybe"}, 2, "expected 1 or 0"),
    "KMS to verify by a JWKS": (
        ["verify", "--jwks", "jwks.json", "--verify", "kms", *DEMANDS, "x"],
        {},
        2,
        "--verify kms asks one key",
    ),
    "key name": (["key", "create", "a/b"], {}, 2, "the key's name is 'a/b'"),
    "key without a word": (["key"], {}, 2, "expected create, adopt, list, rotate"),
    "key spec": (["key", "create", "x", "--spec", "RSA"], {}, 2, "signs no JWT"),
    "no JWKS file": (["verify", "--jwks", "no.json", *DEMANDS, "x"], {}, 2, "cannot be read"),
    "HTML for a JWKS": (["verify", "--jwks", "page.html", *DEMANDS, "x"], {}, 2, "HTML"),
    "JWKS server down": (
        ["verify", "--jwks", "http://127.0.0.1:1/jwks", *DEMANDS, forge.good(OTHER_KEY)],
        {},
        3,
        "jwks",
    ),
    "JWKS in plain http": (
        ["verify", "--jwks", "http://id.example/jwks", *DEMANDS, "x"],
        {},
        2,
        "https",
    ),
    "a token for a key": (["verify", "--key", "TOKEN", *DEMANDS, "x"], {}, 2, "KMS key is"),
    "a token for a command": (["TOKEN"], {}, 2, "kmsjwt inspect"),
    "two tokens": (["inspect", "TOKEN", "TOKEN"], {}, 2, "unrecognized arguments: <token>"),
    "a token for a file": (["verify", "--jwks", "TOKEN", *DEMANDS, "x"], {}, 2, "JWKS"),
    "a token with no dots": (["verify", "--jwks", "jwks.json", *DEMANDS, "x"], {}, 1, "dots"),
    "another's token": (["verify", "--jwks", "jwks.json", *DEMANDS, "TOKEN"], {}, 1, "kid is"),
    "nothing on stdin": (["inspect", "-"], {}, 2, "standard input is empty"),
    "no event": (["invoke", "issue", "no.json"], {}, 2, "cannot be read"),
    "event of no JSON": (["invoke", "issue", "page.html"], {}, 2, "no JSON"),
    "function without settings": (["invoke", "issue", "{}"], {}, 2, "KMSJWT_ISSUER is unset"),
    "no command to run": (["local", "run", "--"], {}, 2, "no command is given"),
    "no such command to run": (["local", "run", "--", "no-such-command"], {}, 2, "no-such-command"),
    "no run": (["local", "--", "true"], {}, 2, "kmsjwt local run --"),
    "port": (["local", "--port", "99999"], {}, 2, "expected 0 to 65535"),
}


@pytest.mark.parametrize(("words", "changes", "code", "told"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_told_with_its_cause(
    typed, settings, tmp_path, rsa_key, words, changes, code, told
):
    (tmp_path / "page.html").write_text("<html>no</html>")
    jwks = forge.jwks(forge.jwk(OTHER_KEY, kid="other"))
    (tmp_path / "jwks.json").write_text(json.dumps(jwks))
    settings(**changes)
    token = forge.good(rsa_key)

    done = typed(*[token if word == "TOKEN" else word for word in words])

    assert done.code == code
    assert told in done.err
    assert done.out == ""
    for part in token.split("."):
        assert part[:24] not in done.err
    assert "'<token>" not in done.err
    lines = done.err.strip().splitlines()
    if words:
        assert any(line.startswith("error: ") for line in lines)
        others = ("local KMS", "{", "  KMSJWT_")  # the last: a line for each of several faults
        assert len([line for line in lines if not line.startswith(others)]) <= 3


@pytest.mark.parametrize(
    ("fault", "operation", "code", "told"),
    [
        ({"kind": "access_denied"}, "Sign", 2, "kms:Sign"),
        ({"kind": "access_denied"}, "GetPublicKey", 2, "kms:GetPublicKey"),
        ({"kind": "throttle"}, "Sign", 3, "throttled"),
        ({"kind": "drop"}, "Sign", 3, "could not be reached"),
        ({"kind": "error_before", "code": "DisabledException"}, "Sign", 2, "disabled"),
        ({"kind": "error_before", "code": "KMSInvalidStateException"}, "Sign", 2, "deletion"),
        ({"kind": "error_before", "code": "InvalidKeyUsageException"}, "Sign", 2, "usage"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
@pytest.mark.usefixtures("aws")
def test_what_kms_refuses_is_told(typed, kms, fault, operation, code, told):
    with kms.faults.add(operation, **fault, times=None):
        done = typed(*ISSUE, "--key", "alias/auth")

    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert len(done.err.strip().splitlines()) <= 3


# As people run it, whatever runs these tests: what could not be written is tried again at exit.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def python_m_kmsjwt(*words, **settings) -> Any:
    return subprocess.Popen(
        [sys.executable, "-m", "kmsjwt", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**BUFFERED, **settings},
    )


@pytest.mark.parametrize("word", ["demo", "--version", "--help"])
def test_a_reader_that_is_gone_is_no_traceback(word):
    with python_m_kmsjwt(word) as process:
        process.stdout.close()
        error = process.stderr.read().decode()

    assert "Traceback" not in error
    assert "Exception ignored" not in error
    assert process.returncode == 141


def in_a_shell(redirected, *words) -> Any:
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirected}', "sh", sys.executable, "-m", "kmsjwt", *words],
        capture_output=True,
        env=BUFFERED,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [["demo"], ["--version"], ["issue", "--help"], ["inspect", "x"]])
@pytest.mark.parametrize(
    ("where", "told"),
    [(">&-", "standard output is closed"), (">/dev/full", "standard output takes no more")],
)
def test_an_output_that_takes_nothing_is_told_in_one_line(words, where, told):
    done = in_a_shell(where, *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {told}")
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
def test_without_standard_error_the_answer_comes_all_the_same(where):
    done = in_a_shell(where, "inspect", "a.b.c")

    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert in_a_shell(where, "issue").returncode == 2


def test_a_terminal_that_knows_ascii_only_gets_the_answer_all_the_same():
    with python_m_kmsjwt("demo", PYTHONIOENCODING="ascii") as process:
        out, error = process.communicate()

    assert (process.returncode, error) == (0, b"")
    assert b"kmsjwt demo" in out


def test_extras_that_are_missing_are_named_with_the_command_that_installs_them(tmp_path):
    """A module that raises ImportError stands where botocore and uvicorn would be found."""
    for name in ("botocore", "uvicorn"):
        (tmp_path / f"{name}.py").write_text("raise ImportError")

    for words, extra in (
        (["jwks", "--key", "alias/auth"], b"pip install 'kmsjwt[aws]'"),
        (["local", "--port", "0"], b"pip install 'kmsjwt[local]'"),
        (["local", "run", "--", "true"], b"pip install 'kmsjwt[local]'"),
    ):
        with python_m_kmsjwt(*words, PYTHONPATH=str(tmp_path)) as process:
            out, error = process.communicate()
        assert (process.returncode, out) == (2, b"")
        assert extra in error


@pytest.mark.parametrize("words", [[], ["issue"], ["local", "run"], ["key", "create"]])
def test_help_has_an_example(capsys, words):
    assert main([*words, "--help"]) == 0

    assert "kmsjwt" in capsys.readouterr().out.split("e", 1)[1]


def test_a_token_that_begins_otherwise_is_hidden_too(typed):
    spaced = forge.b64url(b'{ "alg": "RS256" }')
    payload, signature = forge.b64url(b'{ "sub": "ala" }'), forge.b64url(bytes(64))

    done = typed("inspect", "x", f"{spaced}.{payload}.{signature}")

    assert "unrecognized arguments: <token>" in done.err


def test_the_version(typed):
    assert typed("--version").out.strip()[0].isdigit()


def test_an_interrupt_is_no_traceback(typed, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kmsjwt.cli.inputs.text", interrupted)

    assert typed("inspect", "-").code == 130


def test_what_should_not_happen_is_told_by_its_type_alone(typed, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("eyJhbGciOiJSUzI1NiJ9.secret")

    monkeypatch.setattr("kmsjwt.cli.inputs.text", broken)

    done = typed("inspect", "-")

    assert done.code == 3
    assert "RuntimeError" in done.err
    assert "eyJ" not in done.err
