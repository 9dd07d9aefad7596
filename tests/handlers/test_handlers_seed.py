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
def seed(tokens: Tokens, published: Server, tmp_path: Path) -> Path:
    path = tmp_path / "jwks-seed.json"
    path.write_text(seed_of(tokens, published.url))
    return path


def seed_of(tokens: Tokens, url: str, *, age: int = 3_600) -> str:
    """Return a seed that was read from there so many seconds ago."""
    return json.dumps({**tokens.jwks, "read_at": NOW - age, "read_from": url})


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
    assert (log.lines[0]["level"], log.lines[0]["warnings"]) == ("INFO", None)


USELESS = {
    "missing": None,
    "old": "its time was over at",
    "of a time to come": "later than now",
    "of another URL": "it was read from 'https://dev.example/jwks.json'",
}


@pytest.mark.parametrize("function", ["authorizer", "guard"])
@pytest.mark.parametrize("which", USELESS)
def test_a_seed_that_is_there_and_of_no_use_is_warned_of_at_start(
    which, function, published, seed, tokens, log
) -> None:
    useless(which, seed, tokens, published)
    make = authorizer.build if function == "authorizer" else authorizer.for_guard
    make(environ=environ(published, seed), log=log, clock=lambda: NOW)

    start, why = log.lines[0], USELESS[which]
    assert (start["level"], start["seed"]) == ("WARN" if why else "INFO", None)
    assert len(start["warnings"] or ()) == bool(why)
    for warning in start["warnings"] or ():
        assert warning.startswith("KMSJWT_JWKS_SEED is ")
        assert why in warning


@pytest.mark.parametrize("which", USELESS)
def test_without_a_seed_of_use_it_follows_the_url_as_ever(
    which, published, seed, tokens, log
) -> None:
    useless(which, seed, tokens, published)

    assert status(published, seed, tokens.good(), log) == 200

    assert published.requests == ["/jwks.json"]


def useless(which: str, seed: Path, tokens: Tokens, published: Server) -> None:
    """Take the seed away, or make it one that must not be used."""
    seed.unlink()
    if which == "old":
        seed.write_text(seed_of(tokens, published.url, age=8 * 86_400))
    elif which == "of a time to come":
        seed.write_text(seed_of(tokens, published.url, age=-2 * 3_600))
    elif which == "of another URL":
        seed.write_text(seed_of(tokens, "https://dev.example/jwks.json"))


def test_keys_of_another_environment_are_not_trusted(published, seed, log) -> None:
    """One zip for dev and prod: dev's keys lie beside prod's URL."""
    dev = Tokens(issuer=ISSUER, audience="orders", clock=lambda: NOW)
    seed.write_text(seed_of(dev, "https://dev.example/jwks.json"))

    assert status(published, seed, dev.good(), log) == 401


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


@pytest.mark.parametrize("member", ["read_at", "read_from"])
def test_a_seed_that_lacks_what_it_must_say_stops_the_function(
    member, published, seed, log
) -> None:
    told = json.loads(seed.read_text())
    del told[member]
    seed.write_text(json.dumps(told))

    with pytest.raises(ConfigError, match=f"KMSJWT_JWKS_SEED: .* has {member} None"):
        authorizer.build(environ=environ(published, seed), log=log, clock=lambda: NOW)


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
    url = "https://127.0.0.1:9/jwks.json"
    told = {**tokens.jwks, "read_at": int(time.time()), "read_from": url}
    seed.write_text(json.dumps(told))
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
            "KMSJWT_JWKS": url,
            "KMSJWT_JWKS_SEED": "jwks-seed.json",
        },
        capture_output=True,
        text=True,
        check=True,
    )

    effect, loaded = json.loads(done.stdout.splitlines()[-1])
    assert effect == "Allow"
    assert set(loaded) & NOT_FOR_A_COLD_START == set()
