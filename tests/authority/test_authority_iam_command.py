"""``kmsjwt iam`` prints what the functions render, explains it, and refuses what it cannot mean."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.authority.policies import (
    ACCOUNT,
    EVERY,
    FIXED,
    IDENTITY,
    KEY,
    KEY_POLICIES,
    PUBLISH,
    REGION,
    RING,
    ROTATOR,
)

from kmsjwt.authority import iam
from kmsjwt.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "iam.md"
AT = ["--region", REGION, "--account", ACCOUNT]
ON_RING = ["--key", "ring:auth", *AT]
TO_S3 = ["--to", PUBLISH["where"], "--issuer", PUBLISH["issuer"]]
PRINTED = {
    "issue": (["issue", *ON_RING], iam.issue([RING])),
    "issue, two algorithms": (
        ["issue", *ON_RING, "--alg", "RS256", "--alg", "Ed25519"],
        iam.issue([RING], algs=["RS256", "Ed25519"]),
    ),
    "issue, raw": (["issue", *ON_RING, "--message-type", "RAW"], IDENTITY["issue, raw"]),
    "issue, a key": (["issue", "--key", KEY], IDENTITY["issue, key"]),
    "authorizer": (["authorizer"], []),
    "authorizer, kms": (
        ["authorizer", "--keys-from", "kms", *ON_RING],
        IDENTITY["authorizer with kms"],
    ),
    "verify-with-kms": (["verify-with-kms", "--key", KEY], iam.verify_with_kms(FIXED)),
    "jwks": (["jwks", *ON_RING], iam.jwks([RING])),
    "publish": (
        ["publish", *ON_RING, *TO_S3],
        IDENTITY["publish"],
    ),
    "rotate": (
        ["rotate", *ON_RING, "--cdn", "E2QWRUHAPOMQZL", *TO_S3],
        IDENTITY["rotate"],
    ),
    "rotate, specs": (
        ["rotate", *ON_RING, "--spec", "rsa_2048", "--spec", "ECC_NIST_P256"],
        iam.rotate(RING, specs=["RSA_2048", "ECC_NIST_P256"]),
    ),
    "confirm": (["confirm", *ON_RING], IDENTITY["confirm"]),
    "retire": (["retire", *ON_RING], IDENTITY["retire"]),
    "doctor": (["doctor", *ON_RING], iam.doctor([RING])),
    "guard": (["guard", *ON_RING, "--may-change", ROTATOR], IDENTITY["guard"]),
    "key-policy": (["key-policy", *AT], KEY_POLICIES["key policy"]),
    "key-policy, named": (
        ["key-policy", *AT, "--may-sign", ROTATOR, "--may-change", ROTATOR],
        KEY_POLICIES["key policy, named"],
    ),
}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "KMSJWT_KEY", "KMSJWT_ALG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("words", "statements"), PRINTED.values(), ids=PRINTED)
def test_the_command_prints_the_policy_and_explains_each_statement(words, statements, capsys):
    code = main(["iam", *words])

    printed, told = capsys.readouterr()
    assert (code, json.loads(printed)) == (0, iam.policy(statements))
    explained = [line.split(":")[0] for line in told.splitlines() if not line.startswith("no ")]
    assert explained == [statement["Sid"] for statement in statements]
    assert told.startswith("no statement") is (statements == [])


REFUSED = {
    "no role": ([], "required"),
    "no such role": (["signer"], "invalid choice"),
    "no key": (["issue"], "missing: --key"),
    "no account": (["issue", "--key", "ring:auth", "--region", REGION], "missing: account"),
    "an option of another role": (["issue", *ON_RING, "--to", "s3://bucket"], "--to"),
    "nowhere to publish": (["publish", *ON_RING], "missing: --to"),
    "a key is no ring": (["rotate", "--key", KEY], "of one ring"),
    "two rings": (["retire", *ON_RING, "--key", "ring:other"], "of one ring"),
    "a spec that signs nothing": (["rotate", *ON_RING, "--spec", "HMAC_256"], "signs no JWT"),
    "a guard for nobody": (["guard", *ON_RING], "no role is named"),
    "a key policy of nowhere": (["key-policy"], "missing: --region"),
}


@pytest.mark.parametrize(("words", "told"), REFUSED.values(), ids=REFUSED)
def test_the_command_says_what_is_wrong(words, told, capsys):
    code = main(["iam", *words])

    printed, error = capsys.readouterr()
    assert (code, printed) == (2, "")
    assert told in error
    assert len(error.splitlines()) <= 3


def test_the_region_may_come_from_the_environment(monkeypatch, capsys):
    monkeypatch.setenv("AWS_REGION", REGION)

    assert main(["iam", "jwks", "--key", "ring:auth", "--account", ACCOUNT]) == 0
    assert json.loads(capsys.readouterr().out) == iam.policy(iam.jwks([RING]))


ROLES = tuple(dict.fromkeys(words[0] for words, _ in PRINTED.values()))


def table(heading: str) -> list[list[str]]:
    """Return the rows of the page's table under a heading."""
    section = PAGE.read_text("utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `([A-Za-z-]+)` \| ([^|]*) \|", section, re.MULTILINE)
    return [list(row) for row in rows]


def test_the_page_says_which_role_has_which_statement():
    rendered: dict[str, set[str]] = {}
    for name, statements in EVERY.items():
        role = next(role for role in ROLES if name.replace(" ", "-").startswith(role))
        for statement in statements:
            rendered.setdefault(statement["Sid"].rstrip("0123456789"), set()).add(role)

    told = {sid: re.split(", (?!with)", roles) for sid, roles in table("Statements")}

    assert {sid: {role.split(",")[0] for role in roles} for sid, roles in told.items()} == rendered


def test_the_page_and_the_command_know_the_same_roles(capsys):
    main(["iam", "--help"])
    (listed,) = re.findall(r"ROLE\s+(issue,[^-]*(?:-[^-]+)*?key-policy)", capsys.readouterr().out)

    assert [role for role, _ in table("Roles")] == [each.strip() for each in listed.split(",")]
    assert set(ROLES) == {each.strip() for each in listed.split(",")}
