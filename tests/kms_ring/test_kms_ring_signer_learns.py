"""A signer that runs already learns what its key's tags say, and signs nothing that they forbid."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from tests.kms_ring import world
from tests.kms_ring.test_kms_ring_signer import (
    BOTH,
    MAX_LIFETIME,
    REFRESH,
    Switched,
    issued,
)
from tests.kms_ring.world import TIMES, as_tags, born, issuer, point, row, signed_by

from kmsjwt.errors import (
    ClaimsRefused,
    KmsAccessDenied,
    KmsError,
    KmsKeyNotFound,
    KmsKeyUnusable,
    KmsUnavailable,
)
from kmsjwt.kms import KmsSigner

FACTS = {"kmsjwt:ring": "auth", "kmsjwt:generation": "1", **TIMES}
LONG = 80_000


def alias_arn(arn: str, alias: str = "alias/auth") -> str:
    return f"{arn.rpartition(':')[0]}:{alias}"


def unadopted(kms: Any, spec: str = world.SPEC) -> str:
    """Make a key that an alias leads to and no ring knows."""
    arn = str(kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"])
    point(kms, arn)
    return arn


def test_a_key_that_becomes_a_ring_s_is_obeyed_from_the_next_look_up_on(kms, clock):
    arn = unadopted(kms)
    by = issuer("alias/auth", kms, clock)
    assert issued(by, lifetime=LONG)
    kms.tag_resource(KeyId=arn, Tags=as_tags(FACTS))

    clock.move(REFRESH)

    with pytest.raises(ClaimsRefused, match=f"expected at most {MAX_LIFETIME} s"):
        issued(by, lifetime=MAX_LIFETIME + 1)
    assert signed_by(issued(by, lifetime=MAX_LIFETIME), kms, arn) == 1


def test_and_its_algorithm_too(kms, clock):
    arn = unadopted(kms, "RSA_2048")
    by = issuer("alias/auth", kms, clock)
    assert jwt.get_unverified_header(issued(by))["alg"] == "RS256"
    kms.tag_resource(KeyId=arn, Tags=as_tags({**FACTS, "kmsjwt:alg": "PS256"}))

    clock.move(REFRESH)

    assert jwt.get_unverified_header(issued(by))["alg"] == "PS256"


@BOTH
def test_a_maximum_that_was_changed_by_hand_counts_from_the_next_look_up_on(kms, clock, name):
    (arn,) = row(kms, 1, signing=1)
    by = issuer(name, kms, clock)
    issued(by)
    kms.tag_resource(KeyId=arn, Tags=as_tags({"kmsjwt:max-lifetime": "700"}))

    clock.move(REFRESH)

    with pytest.raises(ClaimsRefused, match="at most 700 s"):
        issued(by, lifetime=701)


def test_times_that_were_taken_off_free_nobody_who_knew_them(kms, clock):
    (arn,) = row(kms, 1, signing=1)
    by = issuer("alias/auth", kms, clock)
    issued(by)
    kms.untag_resource(KeyId=arn, TagKeys=["kmsjwt:max-lifetime"])

    clock.move(REFRESH)

    with pytest.raises(ClaimsRefused):
        issued(by, lifetime=MAX_LIFETIME + 1)


@BOTH
def test_as_long_as_nothing_changes_a_look_up_costs_two_calls(kms, clock, name):
    point(kms, born(kms, 1, spec="RSA_2048", alg="PS256"))
    client = Switched(kms)
    by = issuer(name, client, clock)
    issued(by)
    client.calls.clear()

    clock.move(REFRESH)
    issued(by)

    assert [called for called, _ in client.calls] == [
        "get_public_key",
        "list_resource_tags",
        "sign",
    ]


DENIED = pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "access_denied"}, KmsAccessDenied),
        ({"kind": "error_before", "code": "NotFoundException"}, KmsKeyNotFound),
    ],
    ids=["denied", "not found"],
)


@DENIED
def test_by_an_alias_of_its_own_account_nothing_is_signed_before_tags_are_read(
    kms, clock, fault, error
):
    """The ring's maximum is not known, and a token that outlives it dies with the key."""
    row(kms, 1, signing=1)
    kms.faults.add("ListResourceTags", times=1, **fault)
    by = issuer("alias/auth", kms, clock)

    with pytest.raises(error, match="kms:ListResourceTags") as told:
        issued(by, lifetime=LONG)

    assert "name alias/auth by its ARN" in str(told.value.fix)
    with pytest.raises(ClaimsRefused):
        issued(by, lifetime=LONG)
    assert issued(by)


@DENIED
def test_an_alias_s_arn_may_be_another_account_s_where_nobody_may_read_tags(
    kms, clock, fault, error
):
    arns = row(kms, 2, signing=1)
    kms.faults.add("ListResourceTags", times=None, **fault)
    by = issuer(alias_arn(arns[0]), kms, clock)

    assert signed_by(issued(by, lifetime=LONG), kms, *arns) == 1
    point(kms, arns[1])
    clock.move(REFRESH)
    assert signed_by(issued(by), kms, *arns) == 2
    with pytest.raises(error):
        issued(issuer("ring:auth", kms, clock))
    kms.faults.clear()
    clock.move(REFRESH)
    with pytest.raises(ClaimsRefused):
        issued(by, lifetime=LONG)


def test_a_key_id_is_no_name_in_a_ring_so_its_tokens_wait_for_no_tags(kms, clock):
    arn = unadopted(kms)
    kms.permissions.deny("ListResourceTags")

    token = issued(issuer("alias/auth", kms, clock, kid="key-id"), lifetime=LONG)

    assert jwt.get_unverified_header(token)["kid"] == arn.rpartition("/")[2]


@pytest.mark.parametrize("by_arn", [False, True], ids=["alias", "alias ARN"])
@pytest.mark.parametrize("later", [False, True], ids=["at first", "once it is one"])
def test_an_alias_that_is_a_ring_s_pointer_takes_no_other_kid_than_the_ring(
    kms, clock, later, by_arn
):
    arn = unadopted(kms)
    name = alias_arn(arn) if by_arn else "alias/auth"
    by = issuer(name, kms, clock, kid="key-id")
    if later:
        assert issued(by)
    kms.tag_resource(KeyId=arn, Tags=as_tags(FACTS))
    clock.move(REFRESH)

    for _ in range(2):
        with pytest.raises(KmsKeyUnusable, match="kid is key-id") as refused:
            issued(by)
        assert refused.value.code == "ring_kid"
        assert refused.value.fix


@pytest.mark.parametrize("name", ["arn", "alias/auth/1", "alias/other"])
def test_what_is_no_pointer_may_name_its_tokens_by_key_id(kms, clock, name):
    arn = born(kms, 1)
    point(kms, arn, "alias/other")
    by = issuer(arn if name == "arn" else name, kms, clock, kid="key-id")

    assert jwt.get_unverified_header(issued(by))["kid"] == arn.rpartition("/")[2]


def test_a_ring_that_is_named_as_such_is_not_followed_without_its_tags(kms, clock):
    row(kms, 1, signing=1)
    kms.faults.add("ListResourceTags", kind="error_before", code="InvalidArnException")

    with pytest.raises(KmsError):
        issued(issuer("ring:auth", kms, clock))


@pytest.mark.parametrize("first", [60, 69])
@BOTH
def test_five_minutes_of_the_past_are_borne_and_not_a_second_more(kms, clock, name, first):
    """The look-ups are ten seconds apart; the last that counts as a good one is used for 60 s."""
    arns = [born(kms, number, signer_refresh="60") for number in (1, 2)]
    point(kms, arns[0])
    by = issuer(name, kms, clock)
    issued(by)
    clock.move(world.HOUR)
    point(kms, arns[1])
    issued(by)
    began = clock.now
    point(kms, arns[0])

    clock.move(first)
    while clock.now - began < 300:
        assert signed_by(issued(by), kms, *arns) == 2
        last, _ = clock.now, clock.move(10)
    while clock.now < last + 59:
        assert signed_by(issued(by), kms, *arns) == 2
        clock.move(1)
    clock.move(1)
    with pytest.raises(KmsError, match="never goes back"):
        issued(by)


def test_a_clock_that_went_back_makes_the_past_count_no_longer(kms, clock):
    arns = row(kms, 2, signing=2)
    by = issuer("ring:auth", kms, clock)
    issued(by)
    point(kms, arns[0])
    clock.move(-30 * world.DAY)

    assert signed_by(issued(by), kms, *arns) == 2
    for _ in range(89):
        clock.move(10)
        issued(by)
    clock.move(10)
    with pytest.raises(KmsError, match="never goes back"):
        issued(by)


@BOTH
def test_a_pointer_at_a_disabled_key_is_told_though_the_former_cannot_be_asked_about(
    kms, clock, name
):
    arns = row(kms, 2, signing=1)
    by = issuer(name, kms, clock)
    issued(by)
    point(kms, arns[1])
    kms.disable_key(KeyId=arns[1])
    kms.faults.add("GetPublicKey", kind="throttle", key=arns[0], times=None)
    clock.move(REFRESH)

    for _ in range(2):
        with pytest.raises(KmsKeyUnusable, match="is disabled"):
            issued(by)


def test_an_alias_of_no_ring_does_not_go_back_from_a_disabled_key(kms, clock):
    """Only generations have an order; of any other alias the latest answer is the one."""
    former, latest = unadopted(kms), unadopted(kms)
    point(kms, former)
    by = issuer("alias/auth", kms, clock)
    issued(by)
    point(kms, latest)
    kms.disable_key(KeyId=latest)
    clock.move(REFRESH)

    for _ in range(2):
        with pytest.raises(KmsKeyUnusable, match="is disabled"):
            issued(by)


@BOTH
def test_two_tokens_that_find_one_key_disabled_both_say_so(kms, clock, name):
    (arn,) = row(kms, 1, signing=1)
    signing = KmsSigner(name, client=kms, clock=clock).current()
    kms.disable_key(KeyId=arn)

    for _ in range(2):
        with pytest.raises(KmsKeyUnusable, match="is disabled"):
            signing.sign(b"a.b")


@BOTH
def test_a_former_key_that_turns_out_disabled_has_the_present_one_not_looked_up_again(
    kms, clock, name
):
    arns = row(kms, 2, signing=1)
    client = Switched(kms)
    signer = KmsSigner(name, client=client, clock=clock)
    former = signer.current()
    point(kms, arns[1])
    clock.move(REFRESH)
    present = signer.current()
    kms.disable_key(KeyId=arns[0])
    with pytest.raises(KmsKeyUnusable):
        former.sign(b"a.b")

    looked_up = client.count("get_public_key")
    assert signer.current() is present
    assert client.count("get_public_key") == looked_up


@pytest.mark.parametrize(("name", "signs"), [("alias/auth", True), ("ring:auth", False)])
def test_an_emulator_that_knows_no_tags_signs_by_an_alias_and_for_no_ring(kms, clock, name, signs):
    (arn,) = row(kms, 1, signing=1)
    code = "UnknownOperationException"
    kms.faults.add("ListResourceTags", kind="error_before", code=code, times=None)
    by = issuer(name, kms, clock)

    if signs:
        assert signed_by(issued(by), kms, arn) == 1
    else:
        with pytest.raises(KmsError):
            issued(by)


@BOTH
def test_of_a_key_that_is_known_for_long_the_past_counts_as_no_look_up(kms, clock, name):
    arns = [born(kms, number, signer_refresh="60") for number in (1, 2)]
    point(kms, arns[1])
    by = issuer(name, kms, clock)
    for _ in range(6):
        issued(by)
        clock.move(60)
    issued(by)
    point(kms, arns[0])

    clock.move(59)
    assert signed_by(issued(by), kms, *arns) == 2
    clock.move(1)
    with pytest.raises(KmsError, match="never goes back"):
        issued(by)


@BOTH
def test_a_silent_kms_is_not_taken_for_a_late_one(kms, clock, name):
    point(kms, born(kms, 1, signer_refresh="60"))
    by = issuer(name, kms, clock)
    issued(by)
    kms.faults.add(kind="drop", operation="GetPublicKey", times=None)

    clock.move(59)
    issued(by)
    clock.move(1)
    with pytest.raises(KmsUnavailable):
        issued(by)
