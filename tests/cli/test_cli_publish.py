"""`kmsjwt publish`: what it writes, what it says of it, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import jwt
import pytest
from tests.jwks.servers import Server, jwk, jwks

from kmsjwt.cli import main
from kmsjwt.kms.ring.create import create_ring

ISSUER = "https://id.example/auth"
JWKS = Path("site/auth/.well-known/jwks.json")


@pytest.fixture
def server():
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def words(aws):
    return ["publish", "--key", "alias/auth", "--issuer", ISSUER, "--to", "site"]


@pytest.fixture
def kid(published):
    return published["keys"][0]["kid"]


def kids() -> list[str]:
    return [each["kid"] for each in json.loads(JWKS.read_text())["keys"]]


def test_what_is_issued_verifies_with_what_is_published(typed, words, token, kid):
    done = typed(*words)

    assert done.code == 0
    lines = done.out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["written", "site/auth/.well-known/jwks.json"],
        ["written", "site/auth/.well-known/openid-configuration"],
        ["written", "site/.well-known/oauth-authorization-server/auth"],
    ]
    assert kid in lines[0]
    assert "read back" in done.err
    key = jwt.PyJWKSet.from_json(JWKS.read_text())[kid]
    assert jwt.decode(token, key, algorithms=["RS256"], audience="orders")["sub"] == "ala"


def test_again_nothing_is_written(typed, words):
    typed(*words)

    done = typed(*words)

    assert [line.split()[0] for line in done.out.splitlines()] == ["unchanged"] * 3


def test_a_dry_run_writes_nothing(typed, words):
    done = typed(*words, "--dry-run")

    assert done.code == 0
    assert done.out.count("would be written") == 3
    assert not Path("site").exists()


def test_a_key_that_nobody_named_is_kept_and_leaves_by_name(typed, words, kid):
    JWKS.parent.mkdir(parents=True)
    JWKS.write_text(json.dumps(jwks("old one", "older")))

    done = typed(*words)

    assert sorted(kids()) == sorted([kid, "old one", "older"])
    assert "kept 'old one'" in done.err
    assert "--remove 'old one'" in done.err
    assert "--remove older" in done.err

    done = typed(*words, "--remove", "old one")

    assert sorted(kids()) == sorted([kid, "older"])
    assert "removed old one" in done.out


def test_a_kept_kid_commands_no_terminal(typed, words):
    JWKS.parent.mkdir(parents=True)
    JWKS.write_text(json.dumps({"keys": [{**jwk("a"), "kid": "\x1b[2Jold"}]}))

    done = typed(*words)

    assert done.code == 0
    assert "\x1b" not in done.out + done.err


def test_a_kept_kid_that_names_an_account_is_warned_of(typed, words):
    JWKS.parent.mkdir(parents=True)
    JWKS.write_text(json.dumps({"keys": [{**jwk("a"), "kid": "alias/mine"}]}))

    assert "warning: 'alias/mine' names" in typed(*words).err


REMOVALS = {
    "one that is not there": (["--remove", "no"], "not in the published JWKS"),
    "the one to publish": (["--remove", "{kid}"], "is retired"),
}


@pytest.mark.parametrize(("more", "says"), REMOVALS.values(), ids=REMOVALS)
def test_what_is_not_removed(typed, words, kid, more, says):
    typed(*words)
    before = JWKS.read_bytes()

    done = typed(*words, *(word.format(kid=kid) for word in more))

    assert done.code == 2
    assert says in done.err
    assert JWKS.read_bytes() == before


def test_to_remove_is_never_the_environments_word(typed, words, monkeypatch):
    JWKS.parent.mkdir(parents=True)
    JWKS.write_text(json.dumps(jwks("old")))
    monkeypatch.setenv("KMSJWT_REMOVE", "old")

    done = typed(*words)

    assert "old" in kids()
    assert "KMSJWT_REMOVE" in done.err  # warned of as no setting


def test_a_broken_document_stays(typed, words):
    JWKS.parent.mkdir(parents=True)
    JWKS.write_text("{")

    done = typed(*words)

    assert done.code == 2
    assert str(JWKS) in done.err
    assert "fix:" in done.err
    assert JWKS.read_text() == "{"


def test_a_jwks_file_is_published_too(typed, tmp_path):
    (tmp_path / "keys.json").write_text(json.dumps(jwks("a", "b")))

    done = typed("publish", "--jwks", "keys.json", "--issuer", ISSUER, "--to", "site")

    assert done.code == 0
    assert kids() == ["a", "b"]


def test_a_ring_says_itself_what_is_retired(typed, words, kid):
    done = typed(*(word.replace("alias/", "ring:") for word in words))

    assert (done.code, kids()) == (0, [kid])


def test_what_a_ring_has_retired_leaves(typed, words, kms):
    """The first generation's tags say so; the second one signs."""
    ring = [word.replace("alias/auth", "ring:turn") for word in words]
    create_ring("turn", spec="ECC_NIST_P256", client=kms)
    typed(*ring)
    (first,) = kids()
    second = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    tag(kms, second, ring="turn", generation="2")
    kms.create_alias(AliasName="alias/turn/2", TargetKeyId=second)
    kms.update_alias(AliasName="alias/turn", TargetKeyId=second)
    typed(*ring)
    assert len(kids()) == 2

    then = "2026-11-01T00:00:00Z"
    old = kms.describe_key(KeyId="alias/turn/1")["KeyMetadata"]["Arn"]
    tag(kms, old, kid=first, published=then, draining=then, retired=then)
    done = typed(*ring)

    assert done.code == 0
    assert f"removed {first}" in done.out
    assert first not in kids()


def tag(kms, arn, **tags) -> None:
    named = [{"TagKey": f"kmsjwt:{name}", "TagValue": value} for name, value in tags.items()]
    kms.tag_resource(KeyId=arn, Tags=named)


@pytest.mark.parametrize(("published_there", "code"), [(True, 0), (False, 3)])
def test_the_issuers_url_is_read_back(typed, tmp_path, server, published_there, code):
    (tmp_path / "keys.json").write_text(json.dumps(jwks("a")))
    server.publish("a" if published_there else "b")

    words = ["publish", "--jwks", "keys.json", "--issuer", server.origin, "--to", "site"]
    done = typed(*words, "--public")

    assert done.code == code
    assert server.requests == ["/.well-known/jwks.json"]
    assert ("cannot be read back yet" in done.err) is not published_there


def test_what_is_missing_is_named(typed):
    done = typed("publish")

    assert done.code == 2
    for option in ("--key", "--jwks", "--issuer", "--to"):
        assert option in done.err


@pytest.mark.parametrize("place", ["https://id.example", "s3://B", "gs://bucket"])
def test_what_is_no_place(typed, words, place):
    done = typed(*words[:-1], place)

    assert done.code == 2
    assert "fix:" in done.err or "expected" in done.err


def test_the_max_age_has_a_setting(typed, words, monkeypatch):
    monkeypatch.setenv("KMSJWT_DOCUMENT_MAX_AGE", "2d")

    assert "max_age is 172800" in typed(*words).err


def test_help_runs(capsys):
    assert main(["publish", "--help"]) == 0
    assert "--remove" in capsys.readouterr().out
