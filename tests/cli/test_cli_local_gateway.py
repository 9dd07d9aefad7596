"""`local gateway`, asked over HTTP as its users ask it: real processes, real sockets."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import signal
import subprocess
import sys
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest

from kmsjwt.testing import Tokens

RULES = """
[[rule]]
route = "GET /orders/*"
scope = "orders:read"
[[rule]]
route = "/users/{sub}/*"
"""


@contextlib.contextmanager
def served(*words, **environ) -> Any:
    """Serve as long as the block lasts; `told` becomes all of its standard error."""
    env = {**os.environ, **environ}
    with subprocess.Popen(
        [sys.executable, "-m", "kmsjwt", "local", "gateway", "--port", "0", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    ) as process:
        assert process.stdout
        try:
            assert select.select([process.stdout], [], [], 20)[0], "no URL in 20 s"
            api = Client(process.stdout.readline().strip())
            yield api
            process.send_signal(signal.SIGINT)
            api.out, api.told = process.communicate(timeout=20)
            api.code = process.returncode
        finally:
            process.kill()


class Client:
    def __init__(self, url) -> None:
        self.url, self.out, self.told, self.code = url, "", "", -1

    def ask(self, method, path, body=None, **headers) -> Any:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            json_ = answer.headers["content-type"] == "application/json" and text
            return SimpleNamespace(
                status=answer.status,
                text=text,
                body=json.loads(text) if json_ else None,
                why=answer.headers["x-kmsjwt-why"],
            )

    def get(self, path, token=None, method="GET") -> Any:
        return self.ask(method, path, **({"Authorization": f"Bearer {token}"} if token else {}))

    def token(self, **asked) -> Any:
        return self.ask("POST", "/token", json.dumps(asked)).body["access_token"]


def test_with_nothing_set_there_is_a_key_a_token_and_an_api():
    with served() as api:
        token = api.token(sub="ola", claims={"scope": "x"})
        first, again = api.get("/orders/42", token), api.get("/orders/99?q=1", token)
        missing, broken = api.get("/orders/42"), api.get("/orders/42", f"{token[:-9]}AAAAAAAAA")
        jwks = api.get("/.well-known/jwks.json").body

    assert (first.status, first.body["sub"], first.body["principalId"]) == (200, "ola", "ola")
    assert "by the authorizer just now: ok" in first.why
    assert (again.status, again.body) == (200, first.body)
    assert "by its answer of 0 s ago" in again.why
    assert (missing.status, missing.body) == (401, {"message": "Unauthorized"})
    assert missing.why == "missing_identity, by the gateway itself"
    assert (broken.status, broken.body) == (401, {"message": "Unauthorized"})
    assert ": bad_signature: " in broken.why
    key = jwt.PyJWKSet.from_dict(jwks).keys[0]
    claims = jwt.decode(token, key, ["RS256"], issuer="https://id.example", audience="orders")
    assert claims["scope"] == "x"
    assert api.code == 0
    assert api.out == ""  # the URL alone
    assert "GET /orders/99 200 allowed, by its answer of 0 s ago\n" in api.told
    assert "for development only" in api.told
    assert "eyJ" not in api.told


def test_rules_are_obeyed_out_of_the_cache_and_the_policy_is_told(tmp_path):
    (tmp_path / "rules.toml").write_text(RULES)
    with served("--rules", "rules.toml", KMSJWT_AUDIENCE="billing") as api:
        token = api.token(claims={"scope": "orders:read"})
        statuses = [
            api.get(path, token, method).status
            for method, path in (
                ("GET", "/orders/42"),
                ("DELETE", "/orders/42"),
                ("GET", "/users/ala/me"),
                ("GET", "/users/bob/me"),
            )
        ]
        weak = api.get("/orders/42", api.token())

    assert statuses == [200, 403, 200, 403]
    assert weak.status == 403
    assert weak.why.endswith("rule_unmet: 'GET /orders/*' needs scope('orders:read')")
    assert "the authorizer answers: Allow ANY /users/ala/*, GET /orders/*\n" in api.told


def test_an_authorizer_of_ones_own_is_asked(tmp_path):
    (tmp_path / "app.py").write_text(
        "def handler(event, context):\n"
        "    if 'broken' in event['rawPath']:\n"
        "        raise RuntimeError('a bug')\n"
        "    return {'isAuthorized': event['headers']['authorization'] == 'let-me-in'}\n"
    )
    own = ("--authorizer", "app:handler", "--kind", "http_api_v2", "--cache-ttl", "0")
    with served(*own, KMSJWT_RESPONSE="simple") as api:
        answers = [
            api.ask("GET", path, authorization=word)
            for path, word in (("/a", "let-me-in"), ("/a", "please"), ("/broken", "let-me-in"))
        ]

    assert [(each.status, each.body) for each in answers] == [
        (200, {}),
        (403, {"message": "Forbidden"}),
        (500, {"message": "Internal Server Error"}),
    ]
    assert answers[2].why == "authorizer_error, by the authorizer just now: RuntimeError: a bug"


def test_tokens_of_somebody_elses_issuer(tmp_path):
    """No key signs here, so no token is to be had, and those of the JWKS are let in."""
    tokens = Tokens(issuer="https://other.example")
    jwks = str(tokens.write_jwks(tmp_path / "jwks.json"))
    with served(
        KMSJWT_JWKS=jwks,
        KMSJWT_ISSUER=tokens.issuer,
        KMSJWT_TOKEN_FROM="query:t",
        KMSJWT_KIND="rest_request",
    ) as api:
        none = api.ask("POST", "/token")
        good = api.get(f"/orders?t={tokens.good()}")
        expired = api.get(f"/orders?t={tokens.expired()}")

    assert (none.status, none.body["error"]) == (404, "no_key")
    assert (good.status, expired.status) == (200, 401)
    assert "eyJ" not in api.told


def test_a_key_that_is_named_signs_and_verifies(aws, arn):
    """As within `local run`: here the KMS is another process's."""
    with served(KMSJWT_KEY="alias/auth", KMSJWT_KEYS=arn) as api:
        token = api.token()

        assert api.get("/x", token).status == 200


def test_a_folder_keeps_the_key_between_runs():
    with served("--folder", "keys") as api:
        token = api.token()
    with served("--folder", "keys") as api:
        assert api.get("/x", token).status == 200


@pytest.fixture(scope="module")
def api(tmp_path_factory) -> Any:
    os.chdir(tmp_path_factory.mktemp("api"))
    with served() as api:
        yield api


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("no json", 400, "bad_body"),
        ("[]", 400, "bad_body"),
        ("[" * 9_000, 400, "bad_body"),
        (json.dumps({"sub": "x" * 20_000}), 400, "bad_body"),
        ("x" * 200_000, 400, "bad_body"),
        ('{"sub": 3}', 400, "sub"),
        ('{"lifetime": 999999999}', 400, "lifetime"),
        ('{"secret": "eyJhbGciOiJub25lIn0"}', 400, "not_direct"),
    ],
    ids=["text", "list", "deep", "long", "endless", "sub", "lifetime", "member"],
)
def test_what_becomes_no_token(api, body, status, error):
    answer = api.ask("POST", "/token", body)

    assert (answer.status, answer.body["error"]) == (status, error)


def test_a_token_alone(api):
    answer = api.ask("POST", "/token", accept="text/plain")

    assert api.get("/x", answer.text.strip()).status == 200
    assert answer.text.count(".") == 2


def test_a_name_that_was_made_to_point_here_is_refused(api):
    """DNS rebinding: a web page's own name, resolved to this machine, gets no token."""
    assert api.ask("POST", "/token", host="evil.example").status == 403


def test_a_head_request_is_judged_as_one(api):
    assert api.get("/x", method="HEAD").status == 401


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--", "true"], "expected none"),
        (["--rules", "r.toml", "--authorizer", "app:x"], "expected no --authorizer"),
        (["--authorizer", "nowhere:x"], "cannot be imported: No module named 'nowhere'"),
        (["--authorizer", "json:nothing"], "cannot be imported"),
        (["--authorizer", "json"], "cannot be imported"),
        (["--authorizer", "sys:path"], "expected a handler"),
        (["--rules", "nowhere.toml"], "cannot be read"),
        (["--kind", "websocket"], "invalid choice"),
        (["--cache-ttl", "2h"], "KMSJWT_CACHE_TTL is 7200, expected 0 to 3600"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_told_before_anything_is_served(typed, words, told):
    done = typed("local", "gateway", "--port", "0", *words)

    assert done.code == 2
    assert told in done.err
    assert done.out == ""
