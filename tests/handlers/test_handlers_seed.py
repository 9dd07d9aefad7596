"""An authorizer that follows a JWKS by its URL and begins with a seed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.handlers.support import ISSUER, NOW, Recorder
from tests.jwks.servers import Server, body

from kmsjwt.errors import ConfigError
from kmsjwt.handlers import authorizer, jwks
from kmsjwt.testing import Gateway, Tokens, events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOT_FOR_A_COLD_START = {"http.client", "ssl", "socket", "boto3", "botocore", "datetime", "pathlib"}


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(issuer=ISSUER, audience="orders", clock=lambda: NOW)


@pytest.fixture
def published(tokens: Tokens) -> Iterator[Server]:
    """Where the issuer publishes its keys."""
    server = Server()
    server.answer = body(tokens.jwks)
    yield server
    server.stop()


@pytest.fixture
def seed(tokens: Tokens, tmp_path: Path) -> Path:
    path = tmp_path / "jwks-seed.json"
    path.write_text(json.dumps({**tokens.jwks, "read_at": NOW - 3_600}))
    return path


def environ(server: Server, seed: object, **more: str) -> dict[str, str]:
    settings = {"KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": "orders", "KMSJWT_JWKS": server.url}
    return {**settings, "KMSJWT_JWKS_SEED": str(seed), **more}


def status(server: Server, seed: object, token: str, log: Any, **more: str) -> int:
    """Return what a new function answers."""
    made = authorizer.build(environ=environ(server, seed, **more), log=log, clock=lambda: NOW)
    headers = {"Authorization": f"Bearer {token}"}
    return int(
        Gateway(made, kind="rest_token", clock=lambda: NOW)
        .request("GET", "/", headers=headers)
        .status
    )


def test_a_new_function_decides_without_the_network(published, seed, tokens, log) -> None:
    assert status(published, seed, tokens.good(), log) == 200

    assert published.requests == []
    assert log.lines[0]["seed"] == str(seed)


@pytest.mark.parametrize("which", ["missing", "old"])
def test_without_a_seed_of_use_it_follows_the_url_as_ever(
    which, published, seed, tokens, tmp_path, log
) -> None:
    if which == "old":
        seed.write_text(json.dumps({**tokens.jwks, "read_at": NOW - 8 * 86_400}))
    there = tmp_path / "elsewhere.json" if which == "missing" else seed

    assert status(published, there, tokens.good(), log) == 200

    assert published.requests == ["/jwks.json"]
    assert log.lines[0]["seed"] is None


def test_a_token_of_a_key_that_the_seed_lacks_is_looked_for(published, seed, tokens, log) -> None:
    newer = Tokens(issuer=ISSUER, audience="orders", clock=lambda: NOW)
    published.answer = body({"keys": [*tokens.jwks["keys"], *newer.jwks["keys"]]})

    assert status(published, seed, newer.good(), log) == 200

    assert published.requests == ["/jwks.json"]


@pytest.mark.parametrize(
    "source",
    [
        {"KMSJWT_JWKS": "jwks.json"},
        {"KMSJWT_KEYS": "arn:aws:kms:eu-central-1:123456789012:key/mrk-" + "0" * 32},
    ],
    ids=["a file", "keys of KMS"],
)
def test_a_seed_beside_anything_but_a_url_is_a_fault(source, published, seed, log) -> None:
    with pytest.raises(ConfigError, match="KMSJWT_JWKS_SEED is set, and keys come from KMSJWT_"):
        authorizer.build(environ=environ(published, seed, **source), client=object(), log=log)


def test_a_seed_that_is_none_stops_the_function(published, seed, log) -> None:
    seed.write_text('{"keys": []}')

    with pytest.raises(ConfigError, match=r"jwks-seed\.json"):
        authorizer.build(environ=environ(published, seed), log=log)


def test_empty_is_unset(published, tokens) -> None:
    assert status(published, "", tokens.good(), Recorder()) == 200


def test_what_is_published_never_comes_from_a_seed(published, seed, log) -> None:
    answer = jwks.build(environ=environ(published, seed), log=log, clock=lambda: NOW)({})

    assert answer["statusCode"] == 200
    assert published.requests == ["/jwks.json"]


def test_a_cold_start_with_a_seed_loads_nothing_of_the_network(tmp_path) -> None:
    """In a process of its own, with a URL where nobody answers."""
    import time

    tokens = Tokens(issuer=ISSUER, audience="orders")
    seed = tmp_path / "jwks-seed.json"
    seed.write_text(json.dumps({**tokens.jwks, "read_at": int(time.time())}))
    (tmp_path / "event.json").write_text(
        json.dumps(events.rest_token(authorization=f"Bearer {tokens.good()}"))
    )
    program = """
import json, sys
from kmsjwt.handlers.authorizer import handler
answer = handler(json.load(open("event.json")), None)
loaded = sorted(sys.modules)
print(json.dumps([answer["policyDocument"]["Statement"][0]["Effect"], loaded]))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-W", "ignore", "-c", program],
        cwd=tmp_path,
        env={
            "KMSJWT_ISSUER": ISSUER,
            "KMSJWT_AUDIENCE": "orders",
            "KMSJWT_JWKS": "https://127.0.0.1:9/jwks.json",
            "KMSJWT_JWKS_SEED": "jwks-seed.json",
        },
        capture_output=True,
        text=True,
        check=True,
    )

    effect, loaded = json.loads(done.stdout.splitlines()[-1])
    assert effect == "Allow"
    assert set(loaded) & NOT_FOR_A_COLD_START == set()
