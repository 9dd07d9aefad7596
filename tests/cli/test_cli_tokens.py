"""`key`, `issue`, `verify` and `jwks` over boto3 and HTTP, and what they print where."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from tests.cli import forge
from tests.cli.conftest import ISSUER

from kmsjwt.local import LocalKms
from kmsjwt.local.http import running

pytestmark = pytest.mark.usefixtures("aws")
DEMANDS = ["--issuer", ISSUER, "--audience", "orders"]


def as_pyjwt_sees(token, published, **demands) -> Any:
    key = jwt.PyJWKSet.from_dict(published).keys[0]
    return jwt.decode(token, key, ["RS256", "ES256"], **demands)


def test_a_token_that_pyjwt_accepts_by_the_jwks_that_is_printed(typed, issue_args):
    published = json.loads(typed("jwks", "--key", "alias/auth").out)
    token = typed(*issue_args).out.strip()

    claims = as_pyjwt_sees(token, published, audience="orders", issuer=ISSUER)

    assert claims["sub"] == "ala"
    assert claims["exp"] - claims["iat"] == 900
    assert jwt.get_unverified_header(token)["kid"] == published["keys"][0]["kid"]


def test_stdout_carries_the_token_alone(typed, issue_args):
    done = typed(*issue_args)

    assert done.code == 0
    assert done.out.count(".") == 2
    assert done.out.count("\n") == 1
    assert done.out.strip() not in done.err


def test_every_option_of_issue_reaches_the_token(typed, issue_args, published):
    done = typed(
        *issue_args,
        *("--audience", "billing", "--lifetime", "PT5M", "--client-id", "app"),
        *("--claim", "tenant=t1", "--claim", 'roles:=["a",{"b":null}]', "--claim", "n:=3"),
        *("--claim", "text=a=b:=c"),
    )
    claims = as_pyjwt_sees(done.out.strip(), published, audience="billing")

    assert jwt.get_unverified_header(done.out.strip())["typ"] == "at+jwt"
    assert claims["exp"] - claims["iat"] == 300
    assert {name: claims[name] for name in ("tenant", "roles", "n", "text", "client_id")} == {
        "tenant": "t1",
        "roles": ["a", {"b": None}],
        "n": 3,
        "text": "a=b:=c",
        "client_id": "app",
    }
    assert claims["aud"] == ["orders", "billing"]


def test_the_environment_stands_in_for_every_option(typed, monkeypatch, published):
    for name, value in {
        "KEY": "alias/auth",
        "ISSUER": ISSUER,
        "AUDIENCE": "orders billing",
        "SUBJECT": "ala",
        "LIFETIME": "10m",
        "CLAIM": "tenant=t1 'name=Ala ma kota' level:=3",
        "JSON": "1",
        "KID": "",
    }.items():
        monkeypatch.setenv(f"KMSJWT_{name}", value)

    answer = json.loads(typed("issue").out)
    claims = as_pyjwt_sees(answer["access_token"], published, audience="orders")

    assert (answer["expires_in"], answer["token_type"]) == (600, "Bearer")
    assert answer["jti"] == claims["jti"]
    assert (claims["tenant"], claims["name"], claims["level"]) == ("t1", "Ala ma kota", 3)


def test_what_is_typed_wins_over_the_environment(typed, issue_args, monkeypatch, published):
    monkeypatch.setenv("KMSJWT_LIFETIME", "1h")

    token = typed(*issue_args, "--lifetime", "60").out.strip()

    claims = as_pyjwt_sees(token, published, audience="orders")
    assert claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize("by", ["--key ARN", "--key ALIAS", "--jwks", "--verify kms"])
def test_a_good_token_is_verified(typed, token, published, arn, tmp_path, by):
    (tmp_path / "jwks.json").write_text(json.dumps(published))
    named = {
        "--key ARN": ["--key", arn],
        "--key ALIAS": ["--key", "alias/auth"],
        "--jwks": ["--jwks", "jwks.json"],
        "--verify kms": ["--key", arn, "--verify", "kms"],
    }[by]

    done = typed("verify", *named, *DEMANDS, "-", stdin=f"{token}\n")

    assert done.code == 0
    assert json.loads(done.out)["sub"] == "ala"
    assert token not in done.err


def test_with_json_the_header_is_told_too(typed, token):
    done = typed("verify", "--key", "alias/auth", *DEMANDS, "--json", token)

    assert set(json.loads(done.out)) == {"header", "claims"}


@pytest.mark.parametrize(
    ("demands", "code"),
    [
        (["--issuer", ISSUER, "--audience", "billing"], 1),
        (["--issuer", "https://other.example", "--audience", "orders"], 1),
        (["--issuer", ISSUER, "--audience", "billing", "--audience", "orders"], 0),
        (["--issuer", "ANY", "--audience", "ANY"], 0),
        ([*DEMANDS, "--typ", "at+jwt"], 1),
        ([*DEMANDS, "--typ", "ANY"], 0),
        ([*DEMANDS, "--max-lifetime", "60"], 1),
        (["--issuer", ISSUER], 2),
        (["--audience", "orders"], 2),
    ],
)
def test_the_demands_decide(typed, token, published, tmp_path, demands, code):
    (tmp_path / "jwks.json").write_text(json.dumps(published))

    done = typed("verify", "--jwks", "jwks.json", *demands, token)

    assert done.code == code
    assert bool(done.out) == (code == 0)


def test_the_keys_that_verify_are_looked_for_before_the_one_that_signs(
    typed, token, monkeypatch, kms, arn
):
    monkeypatch.setenv("KMSJWT_KEY", "alias/ec")
    monkeypatch.setenv("KMSJWT_KEYS", arn)

    assert typed("verify", *DEMANDS, token).code == 0
    assert typed("verify", "--key", "alias/ec", *DEMANDS, token).code == 1


def test_a_token_of_the_alias_former_key_is_told_apart(typed, token):
    done = typed("verify", "--key", "alias/ec", *DEMANDS, token)

    assert done.code == 1
    assert "an alias names one key" in done.err


def test_the_jwks_of_several_keys(typed):
    done = typed("jwks", "--key", "alias/auth", "--key", "alias/ec")

    keys = jwt.PyJWKSet.from_dict(json.loads(done.out)).keys
    assert {key.algorithm_name for key in keys} == {"RS256", "ES256"}


def test_the_keys_that_verify_are_the_ones_to_publish(typed, monkeypatch, arn, published):
    monkeypatch.setenv("KMSJWT_KEY", "alias/ec")
    monkeypatch.setenv("KMSJWT_KEYS", arn)

    assert json.loads(typed("jwks").out) == published


def test_a_key_is_made_once_and_found_by_either_name(typed):
    first = typed("key", "create", "once", "--spec", "ECC_NIST_P256", "--json")
    second = typed("key", "create", "alias/once", "--json")

    made = json.loads(first.out)
    assert (first.code, second.code) == (0, 0)
    assert set(made) == {"arn", "alias", "kid"}
    assert made["alias"] == "alias/once"
    assert json.loads(second.out) == made
    assert json.loads(typed("jwks", "--key", "alias/once").out)["keys"][0]["kid"] == made["kid"]


def test_create_key_is_sent_once_whatever_happens(typed, kms):
    before = len(kms.list_keys()["Keys"])
    with kms.faults.add("CreateKey", kind="drop_after", times=None) as fault:
        lost = typed("key", "create", "sentonce", "--spec", "ECC_NIST_P256")
        hits = fault.hits
    found = typed("key", "create", "sentonce", "--spec", "ECC_NIST_P256")

    assert (lost.code, hits) == (3, 1)
    assert found.code == 0
    assert len(kms.list_keys()["Keys"]) == before + 1


def test_rings_are_listed(typed):
    listed = json.loads(typed("key", "list", "auth", "alias/ec", "--json").out)

    assert [(each["alias"], each["signing"]) for each in listed] == [
        ("alias/auth/1", True),
        ("alias/ec/1", True),
    ]
    assert typed("key", "list", "auth").out.splitlines()[1].split()[:4] == [
        *("alias/auth/1", "signing", "Enabled", "RSA_2048"),
    ]
    assert {"auth", "ec"} <= {
        each["ring"] for each in json.loads(typed("key", "list", "--json").out)
    }


def test_a_ring_that_is_not_there(typed):
    done = typed("key", "list", "nonesuch")

    assert done.code == 2
    assert "kmsjwt key create nonesuch" in done.err


def test_both_generations_of_a_rotated_ring_are_found_by_asking_for_them(monkeypatch, typed):
    kms = LocalKms()
    with running(kms) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", server.endpoint_url)
        typed("key", "create", "auth", "--spec", "ECC_NIST_P256")
        new = kms.create_key(
            KeySpec="ECC_NIST_P256",
            KeyUsage="SIGN_VERIFY",
            Tags=[
                {"TagKey": "kmsjwt:ring", "TagValue": "auth"},
                {"TagKey": "kmsjwt:generation", "TagValue": "2"},
            ],
        )["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/auth/2", TargetKeyId=new)
        kms.update_alias(AliasName="alias/auth", TargetKeyId=new)
        kms.faults.add("ListAliases", kind="access_denied", times=None)

        listed = json.loads(typed("key", "list", "auth", "--json").out)

    assert [(each["alias"], each["signing"]) for each in listed] == [
        ("alias/auth/2", True),
        ("alias/auth/1", False),
    ]


def test_inspect_with_a_kms_key(typed, token):
    done = typed("inspect", "--key", "alias/auth", "-", stdin=token)

    assert done.code == 0
    assert "VERIFIED: by key" in done.out


def test_inspect_goes_on_without_keys_it_cannot_have(typed, token):
    done = typed("inspect", "--key", "alias/nonesuch", token)

    assert done.code == 2
    assert "alias/nonesuch is not there" in done.err
    assert "NOT VERIFIED: the keys could not be had" in done.out


def test_inspect_json(typed, rsa_key):
    expired = forge.good(rsa_key, claims={**forge.CLAIMS, "iat": 1, "exp": 2})

    done = typed("inspect", "--json", expired)

    told = json.loads(done.out)
    assert done.code == 1
    assert [each["code"] for each in told["findings"]] == ["expired"]
    assert told["verdict"] == "not_checked"
