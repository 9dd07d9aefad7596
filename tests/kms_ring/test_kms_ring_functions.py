"""The functions and the command line with a ring where keys are named."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from tests.handlers.support import Recorder, body_of, http_api
from tests.kms_ring import world
from tests.kms_ring.world import ALG, AUD, ISS, Clock, born, kid_of, mark, point, row

from kmsjwt.cli import program
from kmsjwt.errors import ClaimsRefused, ConfigError
from kmsjwt.handlers import authorizer, issue, jwks
from kmsjwt.handlers._environment import Environment
from kmsjwt.handlers._key_settings import JwksSettings
from kmsjwt.handlers._sources import published_keys
from kmsjwt.kms import KmsKeys
from kmsjwt.local import LocalKms
from kmsjwt.local.http import running
from kmsjwt.testing import events

ANY = ("--issuer", "ANY", "--audience", "ANY")
EVENT = events.http_api_v2
BASE = {"KMSJWT_ISSUER": ISS, "KMSJWT_AUDIENCE": AUD}


def issued(kms: Any, clock: Clock, **environ: str) -> str:
    function = issue.build(environ={**BASE, **environ}, client=kms, log=Recorder(), clock=clock)
    return str(function({"sub": "ala"})["access_token"])


def allowed(kms: Any, clock: Clock, token: str, **environ: str) -> bool:
    function = authorizer.build(
        environ={**BASE, **environ}, client=kms, log=Recorder(), clock=clock
    )
    answer = function(EVENT(headers={"Authorization": f"Bearer {token}"}))
    return bool(answer["policyDocument"]["Statement"][0]["Effect"] == "Allow")


@pytest.mark.parametrize(
    "environ",
    [
        {"KMSJWT_KEYS": "ring:auth"},
        {"KMSJWT_KEY": "ring:auth"},
        {"KMSJWT_KEYS": "ring:auth", "KMSJWT_KEY": "alias/auth"},
        {"KMSJWT_KEYS": "ring:other ring:auth"},
    ],
    ids=["KEYS", "KEY alone", "beside the signing alias", "two rings"],
)
def test_a_ring_from_token_to_policy_and_jwks(kms, clock, environ):
    arns = row(kms, 2, signing=1)
    point(kms, born(kms, 1, ring="other"), "alias/other")
    old = issued(kms, clock, KMSJWT_KEY="ring:auth")
    point(kms, arns[1])
    new = issued(kms, clock, KMSJWT_KEY="ring:auth")

    assert allowed(kms, clock, old, **environ)
    assert allowed(kms, clock, new, **environ)
    mark(kms, arns[0], "retired")
    assert not allowed(kms, clock, old, **environ)
    assert allowed(kms, clock, new, **environ)
    function = jwks.build(environ=environ, client=kms, log=Recorder(), clock=clock)
    published = jwt.PyJWKSet.from_dict(body_of(function({})))
    options: Any = {"verify_exp": False, "verify_iat": False}
    key = published[jwt.get_unverified_header(new)["kid"]]
    assert jwt.decode(new, key, algorithms=[ALG], audience=AUD, options=options)
    assert kid_of(kms, arns[0]) not in [each.key_id for each in published.keys]


def test_moving_from_one_key_to_a_ring(kms, clock):
    """Named beside the ring, the old key verifies as long as its tokens live."""
    alone = kms.create_key(KeySpec=world.SPEC, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    before = issued(kms, clock, KMSJWT_KEY=alone, KMSJWT_KID="key-id")
    (first,) = row(kms, 1, signing=1)
    after = issued(kms, clock, KMSJWT_KEY="ring:auth")
    both = {"KMSJWT_KEYS": f"ring:auth {alone}", "KMSJWT_KID": "key-id"}

    assert allowed(kms, clock, before, **both)
    assert allowed(kms, clock, after, **both)
    assert not allowed(kms, clock, before, KMSJWT_KEYS="ring:auth")
    function = jwks.build(environ=both, client=kms, log=Recorder(), clock=clock)
    kids = {key["kid"] for key in body_of(function({}))["keys"]}
    assert kids == {alone.rpartition("/")[2], kid_of(kms, first)}


def test_a_key_named_by_itself_and_by_its_ring_is_published_once(kms, clock):
    (first,) = row(kms, 1, signing=1)
    environ = {"KMSJWT_KEYS": f"{first} ring:auth"}
    function = jwks.build(environ=environ, client=kms, log=Recorder(), clock=clock)
    assert [key["kid"] for key in body_of(function({}))["keys"]] == [kid_of(kms, first)]


def test_a_kid_of_a_named_key_does_not_have_the_ring_read(kms, clock):
    alone = kms.create_key(KeySpec=world.SPEC, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    token = issued(kms, clock, KMSJWT_KEY=alone)
    reading = kms.faults.add("DescribeKey", kind="drop", times=None)
    assert allowed(kms, clock, token, KMSJWT_KEYS=f"ring:auth {alone}")
    assert reading.hits == 0


def test_a_token_without_kid_is_nobody_s_beside_a_ring(kms, clock):
    (alone,) = row(kms, 1, signing=1)
    log = Recorder()
    environ = {**BASE, "KMSJWT_KEYS": f"ring:auth {alone}"}
    function = authorizer.build(environ=environ, client=kms, log=log, clock=clock)
    payload = {"iss": ISS, "aud": AUD, "exp": clock.now + 60, "sub": "ala"}
    token = jwt.encode(payload, "x" * 32, algorithm="HS256", headers={"typ": "JWT"})
    answer = function(EVENT(headers={"Authorization": f"Bearer {token}"}))
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert log.last["reason"] == "kid_missing"


def test_the_start_line_names_the_rings(kms, clock):
    log = Recorder()
    authorizer.build(environ={**BASE, "KMSJWT_KEYS": "ring:auth"}, client=kms, log=log, clock=clock)
    assert log.last["keys"] == ["ring:auth"]


def test_the_ring_s_maximum_in_the_issue_function(kms, clock):
    point(kms, born(kms, 1, max_lifetime="60"))
    environ = {**BASE, "KMSJWT_KEY": "ring:auth", "KMSJWT_CALLERS": "iam"}
    function = issue.build(environ=environ, client=kms, log=Recorder(), clock=clock)
    arn = "arn:aws:sts::123456789012:assumed-role/shop/x"

    told = function(http_api({"lifetime": 61}, arn=arn))
    assert (told["statusCode"], body_of(told)["error"]) == (400, "lifetime")
    assert "60 s" in body_of(told)["message"]
    assert function(http_api({"lifetime": 60}, arn=arn))["statusCode"] == 200
    with pytest.raises(ClaimsRefused, match="KMSJWT_LIFETIME"):
        issued(kms, clock, KMSJWT_KEY="ring:auth")


@pytest.mark.parametrize(
    ("build", "environ", "told"),
    [
        (authorizer.build, {"KMSJWT_KEYS": "ring:auth", "KMSJWT_VERIFY": "kms"}, "keys change"),
        (jwks.build, {"KMSJWT_KEY": "ring:auth", "KMSJWT_VERIFY": "kms"}, "KMSJWT_KEY is"),
        (authorizer.build, {"KMSJWT_KEYS": "ring:auth", "KMSJWT_ALG": "ES256"}, "KMSJWT_ALG is"),
        (authorizer.build, {"KMSJWT_KEYS": "ring:auth", "KMSJWT_KID": "key-id"}, "thumbprints"),
        (issue.build, {"KMSJWT_KEY": "ring:auth", "KMSJWT_ALG": "ES256"}, "KMSJWT_ALG is"),
        (issue.build, {"KMSJWT_KEY": "ring:auth", "KMSJWT_KID": "key-id"}, "thumbprints"),
        (issue.build, {"KMSJWT_KEY": "ring:a/b"}, "expected letters, digits"),
        (authorizer.build, {"KMSJWT_KEYS": "ring:"}, "expected letters, digits"),
        (authorizer.build, {"KMSJWT_KEYS": "ring:a.b"}, "KMSJWT_KEYS: the key"),
    ],
    ids=lambda value: " ".join(map("=".join, value.items())) if isinstance(value, dict) else "",
)
def test_what_does_not_go_with_a_ring_is_told_at_start_and_once(kms, build, environ, told):
    with pytest.raises(ConfigError) as error:
        build(environ={**BASE, **environ}, client=kms)
    assert error.value.code == "environment"
    assert str(error.value).count(told) == 1


@pytest.mark.parametrize("build", [issue.build, authorizer.build])
def test_the_recipe_has_one_key_and_no_ring(kms, build):
    environ = {
        **BASE,
        "KMSJWT_PROFILE": "recipe",
        "KMSJWT_RECIPE_UNTIL": "2027-01-15T08:00:00Z",
        "KMSJWT_KEY": "ring:auth",
    }
    with pytest.raises(ConfigError, match="ring:auth"):
        build(environ=environ, client=kms)


@pytest.mark.parametrize("max_age", [60, 300])
def test_the_jwks_function_says_how_old_its_ring_may_be(kms, clock, max_age):
    row(kms, 1, signing=1)
    keys = JwksSettings(Environment({"KMSJWT_KEYS": "ring:auth"})).keys
    source = published_keys(keys, kms, clock, Recorder(), max_age=max_age)
    assert len(source.key_set()) == 1
    born(kms, 2)
    clock.move(max_age - 1)
    assert len(source.key_set()) == 1
    clock.move(1)
    assert len(source.key_set()) == 2


@pytest.fixture
def served(monkeypatch):
    kms = LocalKms()
    with running(kms) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", server.endpoint_url)
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        yield kms


def run(capsys, *words: str) -> tuple[int, str, str]:
    code = program.main(list(words))
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_ring_at_the_command_line(served, capsys):
    arns = row(served, 2, signing=1)
    checks = ["--issuer", ISS, "--audience", AUD]
    asked = ["issue", "--key", "ring:auth", *checks, "--subject", "ala"]
    code, token, _ = run(capsys, *asked)
    assert code == 0
    point(served, arns[1])

    code, claims, _ = run(capsys, "verify", "--key", "ring:auth", *checks, token.strip())
    assert (code, json.loads(claims)["sub"]) == (0, "ala")
    code, document, _ = run(capsys, "jwks", "--key", "ring:auth", "--key", arns[0])
    kids = {key["kid"] for key in json.loads(document)["keys"]}
    assert (code, kids) == (0, {kid_of(served, arn) for arn in arns})

    code, _, told = run(capsys, *asked, "--lifetime", "2h")
    assert (code, "1800 s" in told) == (2, True)
    mark(served, arns[0], "retired")
    code, _, told = run(capsys, "verify", "--key", "ring:auth", *checks, token.strip())
    assert (code, "none of the 1 keys of the ring" in told) == (1, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["jwks", "--key", "ring:auth", "--alg", "ES256"], "--alg"),
        (["jwks", "--key", "ring:auth", "--kid", "key-id"], "--kid"),
        (["jwks", "--key", "ring:a/b"], "letters, digits"),
        (["jwks", "--key", "ring:none"], "kmsjwt key create none"),
        (["verify", "a.b.c", *ANY, "--verify", "kms", "--key", "ring:auth"], "is a ring"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_the_command_line_refuses(served, capsys, words, told):
    code, _, text = run(capsys, *words)
    assert (code, told in text) == (2, True)


def test_the_ring_source_is_one_of_kms_keys(kms):
    assert repr(KmsKeys.ring("ring:auth", client=kms)) == "RingKeys('auth')"
