"""Rings at the command line: rotated, told of, withdrawn and deleted, by a clock that moves."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jwt
import pytest

from kmsjwt.cli.local import environment
from kmsjwt.local import LocalKms
from kmsjwt.local.http import running

ISSUER = ["--issuer", "https://id.example"]
HOUR, DAY = 3_600, 86_400
SPEC = ["--spec", "ECC_NIST_P256"]


@pytest.fixture(scope="module")
def clock() -> Any:
    return SimpleNamespace(now=1_800_000_000.0)


@pytest.fixture(scope="module")
def served(clock) -> Any:
    kms = LocalKms(clock=lambda: clock.now)
    with running(kms) as server:
        yield SimpleNamespace(kms=kms, url=server.endpoint_url)


@pytest.fixture
def ring(served, monkeypatch, typed, request) -> Any:
    """A ring of its own for each test, already published in ./site."""
    for name, value in environment(os.environ, served.url, "eu-central-1").items():
        monkeypatch.setenv(name, value)
    name = f"r{abs(hash(request.node.name))}"
    made = typed("key", "create", name, *SPEC, "--json")
    assert made.code == 0, made.err
    done = typed("key", "rotate", name, *ISSUER, "--to", "site")
    assert done.code == 0, done.err
    return name


def rotate(typed, ring, *more) -> Any:
    return typed("key", "rotate", ring, *ISSUER, "--to", "site", *more)


def kids() -> Any:
    return {
        key["kid"] for key in json.loads(Path("site/.well-known/jwks.json").read_text())["keys"]
    }


def listed(typed, ring) -> Any:
    return json.loads(typed("key", "list", ring, "--json").out)


def stages(typed, ring) -> Any:
    return [(each["generation"], each["stage"]) for each in listed(typed, ring)]


def test_a_dry_run_tells_what_is_due_and_changes_nothing(typed, ring):
    before = listed(typed, ring)

    done = rotate(typed, ring, "--start", "--dry-run")

    lines = done.out.splitlines()
    assert lines[:3] == [
        "due   create 2 · asked for",
        "due   publish · the JWKS lacks the key of generation 2",
        "due   mark-published 2 · its kid is where consumers read",
    ]
    assert [line.split(": ")[1].split(" · ")[0] for line in lines[3:]] == [
        "point 2",
        "mark-draining 1",
        "retire 1",
        "publish",
    ]
    assert "in 24 h: point 2" in lines[3]
    assert listed(typed, ring) == before


def test_what_is_foretold_comes_true(typed, ring, clock):
    foretold = json.loads(rotate(typed, ring, "--start", "--dry-run", "--json").out)["expected"]
    done = json.loads(rotate(typed, ring, "--start", "--json").out)["done"]
    for late, each in enumerate(foretold):
        due = datetime.fromisoformat(each["at"]).timestamp()
        clock.now = max(clock.now, due + 60 * late)
        done += json.loads(rotate(typed, ring, "--json").out)["done"]

    assert [(step["step"], step["generation"]) for step in done] == [
        (each["step"], each["generation"]) for each in foretold
    ]


def test_a_withdrawal_can_be_looked_at_first(typed, ring):
    before = listed(typed, ring)

    done = rotate(typed, ring, "--compromised", "1", "--dry-run")

    assert "accepts the old key until" in done.err
    assert [line.split(" · ")[0] for line in done.out.splitlines()] == [
        "due   withdraw 1",
        "due   create 2",
        "due   publish",
        "due   mark-published 2",
        "due   point 2",
        "due   disable 1",
    ]
    assert listed(typed, ring) == before


def test_an_algorithm_that_is_none_of_the_keys_makes_no_key(typed, ring):
    refused = rotate(typed, ring, "--start", "--alg", "RS256")

    assert (refused.code, "ES256" in refused.err) == (2, True)
    assert len(listed(typed, ring)) == 1
    assert rotate(typed, ring, "--start", "--spec", "RSA_2048", "--alg", "PS256").code == 0
    assert [each["spec"] for each in listed(typed, ring)] == ["RSA_2048", "ECC_NIST_P256"]
    assert typed("key", "create", "other", "--alg", "ES256").code == 2


def test_nothing_due_says_when_something_will_be(typed, ring):
    done = rotate(typed, ring)

    assert done.out.startswith("nothing is due\nlater 2027-")
    assert "in 30 days: generation 2 is made · the period is over then" in done.out


def test_a_whole_rotation(typed, ring, clock):
    started = rotate(typed, ring, "--start")
    assert [line.split(" · ")[0] for line in started.out.splitlines()[:-1]] == [
        "done  create 2",
        "done  publish",
        "done  mark-published 2",
    ]
    assert "in 24 h: generation 2 signs" in started.out
    assert stages(typed, ring) == [(2, "published"), (1, "signing")]
    assert len(kids()) == 2

    clock.now += DAY + 2 * HOUR
    assert "done  point 2" in rotate(typed, ring).out
    assert stages(typed, ring) == [(2, "signing"), (1, "verifying")]

    clock.now += DAY + 2 * HOUR
    assert "done  retire 1" in rotate(typed, ring).out
    new, old = listed(typed, ring)
    assert (new["stage"], old["stage"]) == ("signing", "retired")
    assert kids() == {new["kid"]}
    assert old["state"] == "Enabled"


def test_tokens_issued_on_the_way_pass_another_library_with_what_is_published(typed, ring, clock):
    issue = ["issue", "--key", f"alias/{ring}", *ISSUER, "--audience", "a", "--subject", "s"]
    tokens = [typed(*issue).out.strip()]
    rotate(typed, ring, "--start")
    tokens.append(typed(*issue).out.strip())
    clock.now += DAY + 2 * HOUR
    rotate(typed, ring)
    tokens.append(typed(*issue).out.strip())

    published = jwt.PyJWKSet.from_json(Path("site/.well-known/jwks.json").read_text())
    used = [jwt.get_unverified_header(token)["kid"] for token in tokens]
    for token, kid in zip(tokens, used, strict=True):
        jwt.decode(token, published[kid], ["ES256"], audience="a", issuer="https://id.example")
    assert used[0] == used[1] != used[2]


def test_a_key_that_is_compromised_leaves_at_once_and_its_successor_signs(typed, ring):
    old = listed(typed, ring)[0]["kid"]

    done = rotate(typed, ring, "--compromised", old)

    assert done.code == 0
    assert [(each, stage) for each, stage in stages(typed, ring)] == [
        (2, "signing"),
        (1, "compromised"),
    ]
    new, gone = listed(typed, ring)
    assert (kids(), gone["state"]) == ({new["kid"]}, "Disabled")
    assert "accepts the old key until" in done.err
    assert "HTTP API JWT" in done.err


def test_a_compromised_key_is_left_enabled_if_asked(typed, ring):
    rotate(typed, ring, "--compromised", "1", "--keep-enabled")

    assert listed(typed, ring)[1]["state"] == "Enabled"


def test_bundled_keys_wait_for_a_person(typed, served, monkeypatch, clock):
    for name, value in environment(os.environ, served.url, "eu-central-1").items():
        monkeypatch.setenv(name, value)
    typed("key", "create", "bundled", *SPEC, "--bundle")
    rotate(typed, "bundled")
    rotate(typed, "bundled", "--start")
    clock.now += 30 * HOUR

    waits = rotate(typed, "bundled")
    confirmed = typed("key", "confirm", "bundled")

    assert "generation 2 signs · until kmsjwt key confirm bundled" in waits.out
    assert confirmed.out == "generation 2 of bundled may sign once its time has come\n"
    assert "done  point 2" in rotate(typed, "bundled").out
    again = typed("key", "confirm", "bundled")
    assert (again.code, "no published key that waits for bundles" in again.err) == (2, True)


def _rotated(typed, ring, clock) -> None:
    rotate(typed, ring, "--start")
    for _ in range(2):
        clock.now += DAY + 2 * HOUR
        rotate(typed, ring)


def test_a_retired_key_is_deleted_when_it_has_been_for_long(typed, ring, clock, served):
    _rotated(typed, ring, clock)
    old = listed(typed, ring)[1]["arn"]

    early = typed("key", "delete", ring, "1")
    clock.now += 8 * DAY
    looked = typed("key", "delete", ring, "1", "--dry-run")
    state = served.kms.describe_key(KeyId=old)["KeyMetadata"]["KeyState"]
    done = typed("key", "delete", ring, "1", "--window", "7")

    assert early.code == 2
    assert "days, expected 7" in early.err
    assert (looked.code, state) == (0, "Enabled")
    assert "is deleted on 2027-" in done.out
    assert "cancel-key-deletion" in done.err
    key = served.kms.describe_key(KeyId=old)["KeyMetadata"]
    assert key["KeyState"] == "PendingDeletion"
    tags = {tag["TagKey"] for tag in served.kms.list_resource_tags(KeyId=old)["Tags"]}
    assert "kmsjwt:disabled" in tags
    assert rotate(typed, ring).code == 0


def test_a_key_that_was_used_after_it_retired_is_not_deleted(typed, ring, clock, served):
    _rotated(typed, ring, clock)
    old = listed(typed, ring)[1]["arn"]
    clock.now += 8 * DAY
    served.kms.sign(KeyId=old, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")

    refused = typed("key", "delete", ring, "1", "--force")

    assert (refused.code, "was used at" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (lambda kms, arn: kms.disable_key(KeyId=arn), "was disabled by somebody else"),
        (
            lambda kms, arn: kms.faults.add("GetKeyLastUsage", kind="access_denied", key=arn),
            "kms:GetKeyLastUsage",
        ),
    ],
    ids=["disabled by somebody else", "use unknown"],
)
def test_what_is_not_known_of_a_retired_key_takes_force(typed, ring, clock, served, break_it, told):
    _rotated(typed, ring, clock)
    old = listed(typed, ring)[1]["arn"]
    clock.now += 8 * DAY
    break_it(served.kms, old)

    refused = typed("key", "delete", ring, "1")
    forced = typed("key", "delete", ring, "1", "--force")

    assert (refused.code, told in refused.err, "--force" in refused.err) == (2, True, True)
    assert forced.code == 0


@pytest.mark.parametrize("kid", ["-" + "a" * 42, "--" + "b" * 41])
def test_a_kid_that_begins_with_a_dash_is_no_option(typed, ring, kid):
    """As one thumbprint in 64 does."""
    done = typed("key", "rotate", ring, *ISSUER, "--to", "site", "--compromised", kid)

    assert f"has no key '{kid}'" in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["delete", "{ring}", "1"], "is not retired"),
        (["delete", "{ring}", "7"], "has no generation 7"),
        (["delete", "{ring}", "1", "--window", "3"], "--window is '3', expected 7 to 30"),
        (["rotate", "{ring}"], "no issuer is named"),
        (["rotate", "nonesuch", *ISSUER, "--to", "site"], "kmsjwt key create nonesuch"),
        (["rotate", "{ring}", *ISSUER, "--to", "site", "--compromised", "nokid"], "no key 'nokid'"),
        (
            ["rotate", "{ring}", *ISSUER, "--compromised", "1", "--start"],
            "not go with --start",
        ),
        (
            ["rotate", "{ring}", *ISSUER, "--to", "site", "--compromised", ""],
            "--compromised is empty",
        ),
        (["rotate", "{ring}", *ISSUER, "--keep-enabled"], "goes with --compromised alone"),
        (["rotate", "{ring}", *ISSUER, "--to", "site", "--period", "1m"], "period is 60, expected"),
        (["rotate", "a/b", *ISSUER, "--to", "site"], "the key's name is 'a/b'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_are_told(typed, ring, words, told):
    done = typed("key", *(word.format(ring=ring) for word in words))

    assert done.code == 2
    assert told in done.err
    assert len(done.err.splitlines()) <= 3


def test_a_ring_that_is_read_from_kms_needs_no_documents(typed, ring, clock):
    start = typed("key", "rotate", ring, "--to", "kms", "--start")
    clock.now += DAY + 2 * HOUR
    done = typed("key", "rotate", ring, "--to", "kms")

    assert "done  mark-published 2" in start.out
    assert "done  point 2" in done.out


def test_keys_that_never_got_their_alias_are_listed(typed, ring, served):
    tags = {"kmsjwt:ring": ring, "kmsjwt:generation": "2"}
    lost = served.kms.create_key(
        KeySpec="ECC_NIST_P256",
        KeyUsage="SIGN_VERIFY",
        Tags=[{"TagKey": key, "TagValue": value} for key, value in tags.items()],
    )["KeyMetadata"]["Arn"]

    found = json.loads(typed("key", "list", ring, "--orphans", "--json").out)
    told = typed("key", "list", ring, "--orphans")

    assert [(each["ring"], each["generation"], each["arn"]) for each in found] == [
        (ring, "2", lost)
    ]
    assert lost in told.out
    assert f"schedule-key-deletion --key-id {lost}" in told.err
    assert typed("key", "list", "other", "--orphans").err.startswith("no key without an alias")


def test_a_key_that_lost_its_alias_is_not_for_deletion(typed, ring, served):
    """Its tokens may be alive: what is said gives it its alias again."""
    typed("key", "rotate", ring, "--to", "kms")
    arn = served.kms.describe_key(KeyId=f"alias/{ring}/1")["KeyMetadata"]["Arn"]
    for name in (f"alias/{ring}", f"alias/{ring}/1"):
        served.kms.delete_alias(AliasName=name)

    told = typed("key", "list", ring, "--orphans").err

    assert f"create-alias --alias-name alias/{ring}/1 --target-key-id {arn}" in told
    assert "schedule-key-deletion" not in told


def test_the_report_as_json(typed, ring):
    report = json.loads(rotate(typed, ring, "--start", "--json").out)

    assert [step["step"] for step in report["done"]] == ["create", "publish", "mark-published"]
    assert report["signing"] == 1
    assert [each["stage"] for each in report["generations"]] == ["signing", "published"]
    assert report["later"][0]["what"] == "generation 2 signs"
    assert report["due"] == []
