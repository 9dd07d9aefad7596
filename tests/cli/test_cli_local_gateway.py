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
import tempfile
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
    with (
        tempfile.TemporaryFile("w+") as told,
        subprocess.Popen(
            [sys.executable, "-m", "kmsjwt", "local", "gateway", "--port", "0", *words],
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            env=env,
        ) as process,
    ):
        assert process.stdout
        try:
            ready = select.select([process.stdout], [], [], 20)[0]
            api = Client(process.stdout.readline().strip() if ready else "")
            api.told = read(told)
            assert api.url, api.told
            yield api
            process.send_signal(signal.SIGINT)
            api.out, _ = process.communicate(timeout=20)
            api.told, api.code = read(told), process.returncode
        finally:
            process.kill()


def read(file) -> str:
    file.seek(0)
    return str(file.read())


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


def test_a_path_is_taken_as_it_is_written(api):
    """Decoded, the first would hand out a token, and the second be a path that begins with '/'."""
    token, unbegun = api.ask("POST", "/%74oken"), api.get("%2Fadmin")

    assert (token.status, token.body) == (401, {"message": "Unauthorized"})
    assert (unbegun.status, unbegun.body["error"]) == (400, "bad_path")


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
        (["--cache-ttl", "2h"], "--cache-ttl is 7200, expected 0 to 3600"),
        (["--cache-ttl", "5 min"], "--cache-ttl is '5 min', expected such as"),
        (
            ["--cache-ttl", "5 min", "--authorizer", "json:loads"],
            "--cache-ttl is '5 min', expected such as",
        ),
        (["--rules", "nowhere.toml"], "--rules: the rules file 'nowhere.toml'"),
        (["--authorizer", "app:x", "--rules", "r.toml"], "expected no --authorizer"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_told_before_anything_is_served(typed, words, told):
    done = typed("local", "gateway", "--port", "0", *words)

    assert done.code == 2
    assert told in done.err
    assert done.out == ""


OURS = """
from kmsjwt.handlers import authorizer

print("imported")
handler = authorizer.build(check=lambda header, claims: claims["sub"] != "bob")
"""


def test_what_an_authorizer_of_ones_own_prints_goes_to_standard_error(tmp_path):
    tokens = Tokens()
    (tmp_path / "app.py").write_text(OURS)
    with served(
        *("--authorizer", "app:handler", "--kind", "http_api_v2"),
        KMSJWT_JWKS=str(tokens.write_jwks("jwks.json")),
        KMSJWT_ISSUER=tokens.issuer,
        KMSJWT_AUDIENCE="orders",
        KMSJWT_RULES=str(rules_file(tmp_path)),  # read by the authorizer's own settings
    ) as api:
        assert api.url.startswith("http://127.0.0.1:")
        assert "imported\n" in api.told
        good = api.get("/orders/42", tokens.good(scope="orders:read"))
        late = api.get("/orders/42", tokens.expired())
        bob = api.get("/orders/42", tokens.good(sub="bob", scope="orders:read"))

    assert api.out == ""
    assert '"event":"start"' in api.told
    assert '"decision":"allow"' in api.told
    assert (good.status, late.status, bob.status) == (200, 403, 403)
    assert "by the authorizer just now: ok" in good.why
    assert ": expired: exp passed " in late.why
    assert ": forbidden" in bob.why


@pytest.mark.parametrize("statement", ["x", None, 5, ["x"]], ids=repr)
def test_statements_that_are_none_are_told(tmp_path, statement):
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    answer = {"principalId": "x", "policyDocument": policy}
    (tmp_path / "app.py").write_text(f"def handler(event, context):\n    return {answer!r}\n")
    with served("--authorizer", "app:handler") as api:
        asked = api.get("/a", "any")

    assert asked.status == 500
    assert asked.why == ("malformed_answer, by the authorizer just now: a Statement is no object")
    assert "Traceback" not in api.told


def rules_file(folder) -> Any:
    (folder / "rules.toml").write_text(RULES)
    return folder / "rules.toml"


def test_a_denial_out_of_the_cache_says_why_as_the_first_did(tmp_path):
    with served("--rules", str(rules_file(tmp_path)), "--kind", "http_api_v2") as api:
        token = api.token()
        first, again = api.get("/orders/42", token), api.get("/orders/43", token)
        other = api.get("/users/bob/x", token)

    assert (first.status, again.status, other.status) == (403, 403, 403)
    assert "by the authorizer just now: rule_unmet: 'GET /orders/*' needs" in first.why
    assert "by its answer of 0 s ago: rule_unmet: 'GET /orders/*' needs scope" in again.why
    assert "by its answer of 0 s ago: no_rule: " in other.why
    assert "'/users/{sub}/*' takes a token with that very {sub}" in other.why
    assert api.told.count("the authorizer answers") == 1


SIMPLE = {"KMSJWT_RESPONSE": "simple"}
KEYED = '[[rule]]\nroute = "POST /orders"\nscope = "orders:write"\n'
CLAIMS = '[[rule]]\nroute = "/t/x"\nequals = { tenant = "t1" }\n'
OWN = '[[rule]]\nroute = "/users/{sub}/*"\n'
TRIED: dict[str, tuple[list[str], dict[str, str], str]] = {
    "nothing set": ([], {}, ""),
    "rules": (["--rules", "rules.toml"], {}, RULES),
    "rules of one's own path": (["--rules", "rules.toml"], {}, OWN),
    "rules of a method": (["--rules", "rules.toml"], {}, KEYED),
    "of every token": (["--rules", "rules.toml"], {}, '[require]\nscope = "api"\n'),
    "simple": (["--rules", "rules.toml", "--kind", "http_api_v2"], SIMPLE, KEYED),
    "cookie": (["--kind", "rest_request"], {"KMSJWT_TOKEN_FROM": "cookie:session"}, ""),
    "query": (["--kind", "http_api_v2"], {"KMSJWT_TOKEN_FROM": "query:t"}, ""),
    "header": ([], {"KMSJWT_TOKEN_FROM": "header:X-Token"}, ""),
}


@pytest.mark.parametrize(("words", "environ", "rules"), TRIED.values(), ids=TRIED)
def test_what_is_told_to_try_is_let_in(tmp_path, words, environ, rules):
    if rules:
        (tmp_path / "rules.toml").write_text(rules)
    with served(*words, **environ) as api:
        tries = api.told.partition("try:\n")[2]
        done = subprocess.run(
            ["bash", "-c", tries], capture_output=True, text=True, timeout=20, check=False
        )

    assert done.stdout.startswith("HTTP/1.1 200 "), (tries, done.stdout)


def test_rules_that_ask_for_more_than_scopes_are_told_to_be_met(tmp_path):
    (tmp_path / "rules.toml").write_text(CLAIMS)
    with served("--rules", "rules.toml") as api:
        pass

    assert "put into claims what your rules ask for" in api.told


def test_without_a_key_no_token_is_told_to_be_had(tmp_path):
    tokens = Tokens()
    with served(KMSJWT_JWKS=str(tokens.write_jwks("jwks.json"))) as api:
        none = api.ask("POST", "/token")

    assert none.status == 404
    assert "/token" not in api.told
    assert "no key signs here" in api.told
    assert "token=" in api.told


@pytest.mark.parametrize("state", ["good", *Tokens.BAD])
def test_a_token_in_any_state_is_to_be_had(api, state):
    answer = api.ask("POST", "/token", json.dumps({"state": state, "sub": "ola"}))
    asked = api.get("/x", answer.body["access_token"])

    told = "not_compact" if state in ("alg_none", "malformed") else state
    assert asked.status == (200 if state == "good" else 401)
    assert f": {'ok' if state == 'good' else told}" in asked.why


@pytest.mark.parametrize("name", ["state", "self", "begin", "key", "claims"])
def test_a_claim_of_any_name_goes_into_such_a_token(api, name):
    asked = {"state": "good", "claims": {name: "CA"}}
    answer = api.ask("POST", "/token", json.dumps(asked))

    assert answer.status == 200, answer.text
    token = answer.body["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})[name] == "CA"


def test_such_a_token_lives_as_long_as_the_settings_say(tmp_path):
    with served(KMSJWT_LIFETIME="60", KMSJWT_MAX_LIFETIME="60") as api:
        answer = api.ask("POST", "/token", '{"state": "good"}')
        asked = api.get("/x", answer.body["access_token"])

    assert asked.status == 200, asked.why


def test_a_state_that_is_none_is_told_which_there_are(api):
    answer = api.ask("POST", "/token", '{"state": "old"}')

    assert (answer.status, answer.body["error"]) == (400, "state")
    assert "expired" in answer.body["message"]
    assert api.ask("POST", "/token", '{"state": "good", "scope": "x"}').status == 400
    assert api.ask("POST", "/token", '{"state": "good", "claims": []}').status == 400


def test_a_claim_beside_sub_is_told_where_it_belongs(api):
    answer = api.ask("POST", "/token", '{"sub": "ala", "scope": "x"}')

    assert "put scope inside claims" in answer.body["message"]


def test_a_token_is_posted_for(api):
    answer = api.get("/token")

    assert (answer.status, answer.body["error"]) == (405, "post")
    assert "POST" in answer.body["message"]


@pytest.mark.parametrize(
    "words",
    [
        ["invoke", "jwks", "{}", "--jwks", "jwks.json"],
        ["local", "gateway", "--port", "0"],
    ],
    ids=["invoke", "gateway"],
)
def test_a_misspelt_variable_stops_what_it_would_stop_in_lambda(typed, monkeypatch, words):
    Tokens().write_jwks("jwks.json")
    monkeypatch.setenv("KMSJWT_ISSUR", "https://id.example")
    done = typed(*words)

    assert done.code == 2
    assert done.out == ""
    assert "error: 'KMSJWT_ISSUR' is no setting of kmsjwt, was KMSJWT_ISSUER meant?" in done.err
    assert done.err.count("KMSJWT_ISSUR'") == 1
