"""Verifying with a ring: who started a moment ago and who runs for long agree."""

from __future__ import annotations

import re
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kms_ring import world
from tests.kms_ring.world import (
    ALG,
    AUD,
    ISS,
    Clock,
    born,
    kid_of,
    mark,
    point,
    row,
    verdict,
)

from kmsjwt import Verifier
from kmsjwt.errors import (
    CannotKnow,
    ConfigError,
    KmsAccessDenied,
    KmsError,
    KmsKeyNotFound,
    KmsThrottled,
    KmsUnavailable,
    UnknownKey,
)
from kmsjwt.jwks import jwks_document
from kmsjwt.kms import KmsKeys, KmsVerify
from kmsjwt.kms.ring.finding import orphans
from kmsjwt.local import LocalKms, Propagation

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_AGE, MAX_STALE, COOL_DOWN = 300, 86_400, 30


class Counting:
    """A client that counts its calls, and may wait in them."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls: Counter[str] = Counter()
        self.before: Callable[[str], object] = lambda _: None

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.calls[name] += 1
            self.before(name)
            return getattr(self.client, name)(**request)

        return call


def ring(kms: Any, clock: Clock, **options: Any) -> Any:
    return KmsKeys.ring("auth", client=kms, clock=clock, **options)


def test_tokens_of_every_live_generation_verify(kms, clock):
    arns = row(kms, 2, signing=1)
    keys = ring(kms, clock)
    verifier = Verifier(keys, issuer=ISS, audience=AUD, clock=clock)
    tokens = []
    for arn in arns:
        point(kms, arn)
        tokens.append(world.issuer("ring:auth", kms, clock).issue(sub="ala", aud=AUD).token)

    document = jwt.PyJWKSet.from_dict(jwks_document(keys.key_set()))

    assert keys.key_count == 2
    for token in tokens:
        assert verifier.verify(token).claims["sub"] == "ala"
        kid = jwt.get_unverified_header(token)["kid"]
        read = jwt.decode(
            token,
            document[kid],
            algorithms=[ALG],
            audience=AUD,
            options={"verify_exp": False, "verify_iat": False},
        )
        assert read["sub"] == "ala"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda kms, arn: mark(kms, arn, "retired"), "refused"),
        (lambda kms, arn: mark(kms, arn, "compromised", "retired"), "refused"),
        (lambda kms, arn: mark(kms, arn, "compromised"), "refused"),
        (lambda kms, arn: kms.disable_key(KeyId=arn), "refused"),
        (lambda kms, arn: kms.schedule_key_deletion(KeyId=arn), "refused"),
        (mark, "known"),
        (lambda kms, arn: mark(kms, arn, "confirmed", "draining"), "known"),
    ],
    ids=["retired", "withdrawn", "compromised", "disabled", "deleted", "nothing", "other facts"],
)
@pytest.mark.parametrize("which", [0, 1], ids=["draining", "signing"])
def test_only_its_own_facts_take_a_key_away(kms, clock, change, expected, which):
    arns = row(kms, 3, signing=2)
    kid, others = kid_of(kms, arns[which]), [kid_of(kms, arn) for arn in arns]
    others.remove(kid)
    old = ring(kms, clock)
    assert verdict(old, kid) == "known"

    change(kms, arns[which])
    clock.move(MAX_AGE)

    fresh = ring(kms, clock)
    assert verdict(old, kid) == verdict(fresh, kid) == expected
    for other in others:
        assert verdict(old, other) == verdict(fresh, other) == "known"
    published = [key.kid for key in old.key_set()]
    assert published == [key.kid for key in fresh.key_set()]
    assert (kid in published) == (expected == "known")


def test_whoever_slept_through_two_retirements_trusts_neither_key(kms, clock):
    """The reader stops at the newest retired generation and never sees the one below."""
    arns = row(kms, 3, signing=3)
    kids = [kid_of(kms, arn) for arn in arns]
    old = ring(kms, clock)
    assert verdict(old, kids[0]) == "known"

    mark(kms, arns[0], "retired")
    mark(kms, arns[1], "retired")
    clock.move(MAX_AGE)

    fresh = ring(kms, clock)
    for source in (old, fresh):
        assert [verdict(source, kid) for kid in kids] == ["refused", "refused", "known"]


def test_a_generation_withdrawn_out_of_turn_takes_no_older_one_along(kms, clock):
    arns = row(kms, 3, signing=3)
    kids = [kid_of(kms, arn) for arn in arns]
    old = ring(kms, clock)
    assert verdict(old, kids[0]) == "known"

    mark(kms, arns[1], "retired", "compromised")
    clock.move(MAX_AGE)

    for source in (old, ring(kms, clock)):
        assert [verdict(source, kid) for kid in kids] == ["known", "refused", "known"]


def test_a_withdrawn_generation_hides_no_older_one_whose_alias_is_missing(kms, clock):
    arns = row(kms, 3, signing=3)
    kids = [kid_of(kms, arn) for arn in arns]
    old = ring(kms, clock)
    assert verdict(old, kids[0]) == "known"

    mark(kms, arns[1], "retired", "compromised")
    kms.delete_alias(AliasName="alias/auth/1")
    clock.move(MAX_AGE)

    assert [verdict(old, kid) for kid in kids] == ["known", "refused", "known"]
    assert verdict(ring(kms, clock), kids[0]) == "unsure"


def test_a_new_generation_is_read_at_max_age_and_on_an_unknown_kid(kms, clock):
    (first,) = row(kms, 1, signing=1)
    waiting, asking = ring(kms, clock), ring(kms, clock)
    for source in (waiting, asking):
        assert verdict(source, kid_of(kms, first)) == "known"
    second = kid_of(kms, born(kms, 2))

    clock.move(COOL_DOWN - 1)
    assert verdict(asking, second) == "refused"
    clock.move(1)
    assert verdict(asking, second) == "known"
    clock.move(MAX_AGE - COOL_DOWN - 1)
    assert [key.kid for key in waiting.key_set()] == [kid_of(kms, first)]
    clock.move(1)
    assert second in [key.kid for key in waiting.key_set()]


def test_unknown_kids_cost_one_reading_per_cool_down(kms, clock):
    row(kms, 2, signing=2)
    counting = Counting(kms)
    keys = ring(counting, clock)

    for number in range(50):
        assert verdict(keys, f"kid-{number}") == "refused"
    once = sum(counting.calls.values())
    clock.move(COOL_DOWN - 1)
    assert verdict(keys, "kid") == "refused"
    assert sum(counting.calls.values()) == once
    clock.move(1)
    for number in range(50):
        assert verdict(keys, f"kid-{number}") == "refused"
    assert sum(counting.calls.values()) == 2 * once


def test_a_key_whose_replicas_are_to_be_deleted_first_is_withdrawn_with_them(kms, clock):
    tags = world.as_tags({"kmsjwt:ring": "auth", "kmsjwt:generation": "1", **world.TIMES})
    made = kms.create_key(KeySpec=world.SPEC, KeyUsage="SIGN_VERIFY", MultiRegion=True, Tags=tags)[
        "KeyMetadata"
    ]
    for alias in ("alias/auth", "alias/auth/1"):
        kms.create_alias(AliasName=alias, TargetKeyId=made["Arn"])
    kid, keys = kid_of(kms, made["Arn"]), ring(kms, clock)
    assert verdict(keys, kid) == "known"
    kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion="eu-west-1")
    clock.move(world.HOUR)

    kms.schedule_key_deletion(KeyId=made["KeyId"])

    assert kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]["KeyState"].startswith("PendingRep")
    assert verdict(keys, kid) == "refused"
    with pytest.raises(KmsError, match="no key of it may be trusted") as told:
        keys.key_set()
    assert told.value.code == "ring_not_known"


def test_a_clock_that_went_back_a_little_makes_kms_be_asked(kms, clock):
    (arn,) = row(kms, 1, signing=1)
    counting, kid = Counting(kms), kid_of(kms, arn)
    keys = ring(counting, clock)
    keys.key(kid)
    readings = counting.calls["list_resource_tags"]
    clock.move(-0.5)

    assert verdict(keys, kid) == "known"
    assert counting.calls["list_resource_tags"] == 2 * readings


@pytest.mark.parametrize("outage", [False, True], ids=["denied alone", "then an outage"])
@pytest.mark.parametrize("last", [0, 1, MAX_AGE - 1], ids=["just now", "a second ago", "long ago"])
def test_a_set_that_lacks_a_key_which_was_not_seen_for_long_is_not_published(
    kms, clock, last, outage
):
    arns = row(kms, 3, signing=3)
    kids, keys = [kid_of(kms, arn) for arn in arns], ring(kms, clock)
    assert [key.kid for key in keys.key_set()] == kids
    kms.permissions.deny("DescribeKey", key="alias/auth/2")

    clock.move(MAX_STALE - 1 - last)
    assert [key.kid for key in keys.key_set()] == kids
    clock.move(last)
    assert [key.kid for key in keys.key_set()] == kids
    if outage:
        kms.faults.add(kind="drop", times=None)
    clock.move(1)
    for seconds in (0, MAX_AGE, MAX_AGE):
        clock.move(seconds)
        with pytest.raises(KmsError):
            keys.key_set()
        assert verdict(keys, kids[2]) == "known"
        assert verdict(keys, kids[0]) == "unsure"


def test_a_clock_that_went_back_far_publishes_no_less_while_kms_is_away(kms, clock):
    arns = row(kms, 2, signing=2)
    kids, keys = [kid_of(kms, arn) for arn in arns], ring(kms, clock)
    keys.key_set()
    clock.move(-30 * world.DAY)
    kms.faults.add(kind="drop", times=None)

    assert [key.kid for key in keys.key_set()] == kids
    clock.move(MAX_STALE - 1)
    assert [key.kid for key in keys.key_set()] == kids
    clock.move(1)
    with pytest.raises(KmsUnavailable):
        keys.key_set()


def test_a_live_key_whose_public_half_may_not_be_read_is_missed(kms, clock):
    arns = row(kms, 2, signing=2)
    mark(kms, arns[0], "kid", text=kid_of(kms, arns[0]))
    kms.permissions.deny("GetPublicKey", key=arns[0])
    keys = ring(kms, clock)

    assert verdict(keys, kid_of(kms, arns[1])) == "known"
    with pytest.raises(KmsError, match="the public key of generation 1 may not be read"):
        keys.key_set()
    kms.permissions.deny("DescribeKey", key="alias/auth/1")
    clock.move(MAX_AGE)
    with pytest.raises(KmsError, match="alias/auth/1 is denied"):
        keys.key_set()  # it never was seen, and is not forgotten


def test_the_retirement_of_a_key_in_doubt_takes_no_older_one_along(kms, clock):
    arns = row(kms, 3, signing=3)
    kids, keys = [kid_of(kms, arn) for arn in arns], ring(kms, clock)
    keys.key_set()
    mark(kms, arns[1], "retired")
    mark(kms, arns[1], "kid", text="another")
    kms.delete_alias(AliasName="alias/auth/1")

    clock.move(MAX_AGE)

    assert verdict(keys, kids[0]) == "known"


def test_a_key_that_is_to_verify_another_algorithm_from_now_on_does(kms, clock):
    arn = born(kms, 1, spec="RSA_2048", alg="RS256")
    point(kms, arn)
    keys = ring(kms, clock)
    (before,) = keys.key_set()
    mark(kms, arn, "alg", text="PS256")

    clock.move(MAX_AGE)

    assert before.alg.name == "RS256"
    assert keys.key(before.kid).alg.name == "PS256"


def test_there_is_one_key_at_least_before_kms_was_asked(kms, clock):
    row(kms, 2, signing=1)
    keys = ring(kms, clock)

    assert keys.key_count == 1
    keys.key_set()
    assert keys.key_count == 2


@pytest.mark.parametrize("known", [True, False])
def test_after_a_reading_that_failed_kms_has_five_seconds_of_rest(kms, clock, known):
    (arn,) = row(kms, 1, signing=1)
    counting, kid = Counting(kms), kid_of(kms, arn)
    keys = ring(counting, clock)
    if known:
        keys.key(kid)
        clock.move(MAX_AGE)
    kms.faults.add("DescribeKey", kind="throttle", times=None)
    expected = "known" if known else "unsure"

    assert verdict(keys, kid) == expected
    tries = counting.calls["describe_key"]
    for seconds, more in ((4.999, 0), (0.001, 1), (4.999, 1), (0.001, 2), (-0.5, 3)):
        clock.move(seconds)
        assert verdict(keys, kid) == expected
        assert counting.calls["describe_key"] == tries + more


def test_a_known_kid_costs_nothing_while_the_reading_is_young(kms, clock):
    (arn,) = row(kms, 1, signing=1)
    counting, kid = Counting(kms), kid_of(kms, arn)
    keys = ring(counting, clock)
    assert sum(counting.calls.values()) == 0
    first = keys.key(kid)
    once = sum(counting.calls.values())
    clock.move(MAX_AGE - 1)
    assert keys.key(kid) is first
    assert sum(counting.calls.values()) == once
    clock.move(1)
    assert keys.key(kid) is first  # read again, and the identical object
    assert sum(counting.calls.values()) == 2 * once


def test_a_token_without_kid_means_no_key_of_a_ring(kms, clock):
    """The first day, when there is one key, as in a year."""
    row(kms, 1, signing=1)
    with pytest.raises(UnknownKey) as error:
        ring(kms, clock).key(None)
    assert error.value.code == "kid_missing"


TROUBLE = pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "drop"}, KmsUnavailable),
        ({"kind": "throttle"}, KmsThrottled),
        ({"kind": "access_denied"}, KmsAccessDenied),
        ({"kind": "error_before", "code": "NotFoundException"}, KmsKeyNotFound),
        ({"kind": "error_before", "code": "KMSInternalException"}, KmsUnavailable),
    ],
    ids=["drop", "throttle", "denied", "not found", "internal"],
)


@TROUBLE
def test_trouble_keeps_the_keys_for_max_stale_and_no_longer(kms, clock, fault, error):
    arns = row(kms, 2, signing=2)
    kids = [kid_of(kms, arn) for arn in arns]
    old = ring(kms, clock)
    assert verdict(old, kids[0]) == "known"
    kms.faults.add(times=None, **fault)

    half = MAX_STALE // 2
    for seconds in (MAX_AGE, half, MAX_STALE - half - MAX_AGE - 1):
        clock.move(seconds)
        assert [verdict(old, kid) for kid in kids] == ["known", "known"]
        assert verdict(old, "another") == "unsure"
        assert len(old.key_set()) == 2
        assert verdict(ring(kms, clock), kids[0]) == "unsure"
    clock.move(1)
    for ask in (lambda: old.key(kids[0]), old.key_set, lambda: ring(kms, clock).key(kids[0])):
        with pytest.raises(CannotKnow) as told:
            ask()
        assert isinstance(told.value, (error, KmsUnavailable))

    kms.faults.clear()
    clock.move(5)
    assert verdict(old, kids[0]) == "known"


@TROUBLE
@pytest.mark.parametrize("operation", ["DescribeKey", "ListResourceTags", "GetPublicKey"])
@pytest.mark.parametrize("which", ["pointer", 1, 2, 3])
def test_trouble_with_one_call_refuses_no_live_token(kms, clock, fault, error, operation, which):
    """Whatever one call answers: nobody is refused, and what was known goes on."""
    arns = row(kms, 3, signing=3)
    kids = [kid_of(kms, arn) for arn in arns]
    old = ring(kms, clock)
    assert verdict(old, kids[0]) == "known"
    named = "alias/auth" if which == "pointer" else arns[which - 1]
    kms.faults.add(operation, key=named, times=None, **fault)
    clock.move(MAX_AGE)

    fresh = ring(kms, clock)

    assert [verdict(old, kid) for kid in kids] == ["known"] * 3
    assert "refused" not in [verdict(fresh, kid) for kid in kids]


@pytest.mark.parametrize(
    ("gone", "fresh"),
    [
        ("alias/auth/1", "unsure known known"),
        ("alias/auth/2", "unsure unsure known"),
        ("alias/auth/3", "known known known"),
        ("alias/auth", "known known known"),
    ],
)
def test_a_missing_alias_takes_no_key_away(kms, clock, gone, fresh):
    arns = row(kms, 3, signing=3)
    kids = [kid_of(kms, arn) for arn in arns]
    old = ring(kms, clock)
    assert verdict(old, kids[0]) == "known"
    kms.delete_alias(AliasName=gone)

    clock.move(MAX_AGE)
    assert [verdict(old, kid) for kid in kids] == ["known"] * 3
    assert [key.kid for key in old.key_set()] == kids
    new = ring(kms, clock)
    assert [verdict(new, kid) for kid in kids] == fresh.split()
    if "unsure" in fresh:
        with pytest.raises(KmsError, match="is not there"):
            new.key_set()
    else:
        assert [key.kid for key in new.key_set()] == kids

    for _ in range(MAX_STALE // 3600):
        clock.move(3600)
        old.key(kids[2])
    assert [verdict(old, kid) for kid in kids] == fresh.split()  # nothing of it for a day


def test_what_to_do_about_an_alias_that_was_deleted_is_said_and_helps(kms, clock):
    """The command that the error names, on the key that the list of lost keys has."""
    arns = row(kms, 3, signing=3)
    kms.tag_resource(
        KeyId=arns[1], Tags=[{"TagKey": "kmsjwt:kid", "TagValue": kid_of(kms, arns[1])}]
    )
    kms.delete_alias(AliasName="alias/auth/2")
    new = ring(kms, clock)

    with pytest.raises(KmsError) as error:
        new.key_set()

    assert error.value.code == "ring_not_known"
    command = re.search(
        r"aws kms (\S+) --alias-name (\S+) --target-key-id KEY", str(error.value.fix)
    )
    assert command is not None
    assert command.groups() == ("create-alias", "alias/auth/2")
    assert "kmsjwt key list auth --orphans" in str(error.value.fix)
    (lost,) = orphans(kms)
    assert (lost.arn, lost.generation, lost.published) == (arns[1], "2", True)
    kms.create_alias(AliasName=command[2], TargetKeyId=lost.arn)
    assert [key.kid for key in ring(kms, clock).key_set()] == [kid_of(kms, arn) for arn in arns]


def test_another_doubt_is_mended_otherwise(kms, clock):
    row(kms, 2, signing=2)
    kms.permissions.deny("GetPublicKey", key="alias/auth/1")

    with pytest.raises(KmsError, match="may not be read") as error:
        ring(kms, clock).key_set()

    assert "create-alias" not in str(error.value.fix)


@pytest.mark.parametrize(
    ("cache", "age", "expected"),
    [
        ("7200", 7 * world.DAY - 1, "unsure"),
        ("7200", 7 * world.DAY, "refused"),
        (str(30 * world.DAY), 32 * world.DAY, "unsure"),
        (str(30 * world.DAY), 32 * world.DAY + 1499, "unsure"),
        (str(30 * world.DAY), 32 * world.DAY + 1500, "refused"),
        ("", 100 * world.DAY, "unsure"),
    ],
    ids=["a week", "longer", "cached for a month", "a moment less", "longer", "times unknown"],
)
def test_an_alias_that_is_missing_for_long_is_a_deleted_key_s(kms, clock, cache, age, expected):
    (first,) = row(kms, 1, signing=1)
    second = born(kms, 2, consumer_cache=cache or None)
    point(kms, second)
    kms.delete_alias(AliasName="alias/auth/1")
    clock.move(age)
    keys = ring(kms, clock)

    assert verdict(keys, kid_of(kms, first)) == expected
    assert verdict(keys, kid_of(kms, second)) == "known"
    if expected == "refused":
        assert len(keys.key_set()) == 1


def test_below_a_retired_generation_nothing_is_missed(kms, clock):
    """Long deleted keys, whose aliases KMS deletes too, leave no doubt."""
    arns = row(kms, 3, signing=3)
    for arn in arns[:2]:
        mark(kms, arn, "retired")
    kms.delete_alias(AliasName="alias/auth/1")
    assert verdict(ring(kms, clock), "another") == "refused"


@pytest.mark.parametrize(
    "garble",
    [
        lambda kms, arn: mark(kms, arn, "published", text="soon"),
        lambda kms, arn: mark(kms, arn, "retired", text="2026-13-01T00:00:00Z"),
        lambda kms, arn: mark(kms, arn, "ring", text="other"),
        lambda kms, arn: mark(kms, arn, "generation", text="9"),
        lambda kms, arn: mark(kms, arn, "kid", text="another"),
        lambda kms, arn: kms.untag_resource(KeyId=arn, TagKeys=["kmsjwt:ring"]),
    ],
    ids=["published", "retired", "ring", "generation", "kid", "untagged"],
)
@pytest.mark.parametrize("which", [0, 1, 2], ids=["draining", "signing", "next"])
def test_a_garbled_tag_takes_no_key_away(kms, clock, garble, which):
    arns = row(kms, 3, signing=2)
    kids = [kid_of(kms, arn) for arn in arns]
    old = ring(kms, clock)
    assert verdict(old, kids[which]) == "known"
    garble(kms, arns[which])
    clock.move(MAX_AGE)

    fresh = ring(kms, clock)

    assert [verdict(old, kid) for kid in kids] == ["known"] * 3
    assert "refused" not in [verdict(fresh, kid) for kid in kids]
    assert len(old.key_set()) == 3
    if which == 2:
        assert verdict(fresh, kids[which]) == "unsure"
        assert [key.kid for key in fresh.key_set()] == kids[:2]  # nobody signs with it yet
    else:
        with pytest.raises(KmsError) as told:
            fresh.key_set()
        assert told.value.code == "ring_not_known"


def test_a_stranger_s_retirement_retires_nobody(kms, clock):
    arns = row(kms, 3, signing=3)
    kids = [kid_of(kms, arn) for arn in arns]
    old = ring(kms, clock)
    assert verdict(old, kids[0]) == "known"
    stranger = born(kms, 7, ring="other", retired=world.MARK)
    kms.update_alias(AliasName="alias/auth/2", TargetKeyId=stranger)
    clock.move(MAX_AGE)

    assert verdict(old, kids[0]) == "known"
    assert verdict(ring(kms, clock), kids[0]) == "known"
    assert verdict(ring(kms, clock), kids[1]) == "unsure"
    assert verdict(ring(kms, clock), kid_of(kms, stranger)) == "unsure"


def test_a_denied_alias_below_leaves_an_unknown_kid_open(kms, clock):
    arns = row(kms, 2, signing=2)
    kms.permissions.deny("DescribeKey", key="alias/auth/1")
    fresh = ring(kms, clock)

    assert verdict(fresh, kid_of(kms, arns[1])) == "known"
    with pytest.raises(KmsError, match=r"alias/auth/1 is denied") as told:
        fresh.key("another")
    assert (told.value.code, told.value.retryable) == ("ring_not_known", True)
    with pytest.raises(KmsError):
        fresh.key_set()


def test_a_ring_that_is_not_there(kms, clock):
    for ask in (lambda: ring(kms, clock).key("a"), ring(kms, clock).key_set):
        with pytest.raises(KmsKeyNotFound, match="kmsjwt key create auth"):
            ask()


def test_the_first_key_is_published_before_there_is_a_pointer(kms, clock):
    arn = born(kms, 1)
    assert [key.kid for key in ring(kms, clock).key_set()] == [kid_of(kms, arn)]


def test_the_pointer_at_a_stranger(kms, clock):
    arns = row(kms, 2, signing=2)
    old = ring(kms, clock)
    kids = [kid_of(kms, arn) for arn in arns]
    assert verdict(old, kids[0]) == "known"
    stranger = born(kms, 1, ring="other")
    point(kms, stranger)
    clock.move(MAX_AGE)

    for source in (old, ring(kms, clock)):
        assert [verdict(source, kid) for kid in kids] == ["known", "known"]
        assert verdict(source, kid_of(kms, stranger)) == "unsure"
    assert [key.kid for key in old.key_set()] == kids
    with pytest.raises(KmsError, match="not tagged as a key of ring auth"):
        ring(kms, clock).key_set()  # another may hide behind a missing alias


def test_two_keys_that_are_the_same_generation(kms, clock):
    arns = row(kms, 2, signing=2)
    twin = born(kms, 2, ring="auth-twin")
    mark(kms, twin, "ring", text="auth")
    point(kms, twin)

    assert verdict(ring(kms, clock), kid_of(kms, arns[0])) == "known"
    assert verdict(ring(kms, clock), kid_of(kms, twin)) == "unsure"


def test_a_clock_that_goes_backwards_keeps_no_key_for_ever(kms, clock):
    (arn,) = row(kms, 1, signing=1)
    kid, keys = kid_of(kms, arn), ring(kms, clock)
    assert verdict(keys, kid) == "known"
    clock.move(-30 * world.DAY)
    kms.faults.add(kind="drop", times=None)
    assert verdict(keys, kid) == "known"
    clock.move(MAX_STALE - 1)
    assert verdict(keys, kid) == "known"
    clock.move(1)
    assert verdict(keys, kid) == "unsure"


def test_a_withdrawal_is_seen_late_and_no_later_than_that(clock):
    kms = LocalKms(clock=clock, propagation=Propagation(readers={"late": Propagation(tag=300)}))
    arns = row(kms, 2, signing=2)
    clock.move(world.HOUR)
    kid, old = kid_of(kms, arns[0]), ring(kms.reader("late"), clock)
    assert verdict(old, kid) == "known"
    mark(kms, arns[0], "retired")

    clock.move(299)
    assert verdict(old, kid) == "known"
    assert verdict(ring(kms, clock), kid) == "refused"
    clock.move(1)
    assert verdict(old, kid) == "refused"


def test_threads_read_a_ring_once(kms, clock):
    (arn,) = row(kms, 1, signing=1)
    counting, kid = Counting(kms), kid_of(kms, arn)
    keys = ring(counting, clock)
    started = threading.Semaphore(0)
    found: list[Any] = []

    def hold(name: str) -> None:
        for _ in range(8):
            assert started.acquire(timeout=10)
        counting.before = lambda _: None

    def ask() -> None:
        started.release()
        found.append(keys.key(kid))

    counting.before = hold
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(map(id, found))) == 1
    assert counting.calls["list_resource_tags"] <= 2  # of one reading


def test_whose_key_is_at_hand_does_not_wait_for_a_reading(kms, clock):
    (arn,) = row(kms, 1, signing=1)
    counting, kid = Counting(kms), kid_of(kms, arn)
    keys = ring(counting, clock)
    keys.key(kid)
    clock.move(MAX_AGE)
    reading, go_on = threading.Event(), threading.Event()

    def hold(name: str) -> None:
        reading.set()
        assert go_on.wait(10)

    counting.before = hold
    slow = threading.Thread(target=keys.key, args=(kid,))
    slow.start()
    assert reading.wait(10)
    assert verdict(keys, kid) == "known"  # would wait for ten seconds, and then fail
    go_on.set()
    slow.join()


@pytest.mark.parametrize(
    ("settings_", "told"),
    [
        ({"name": "a/b"}, "letters, digits"),
        ({"name": "ring:"}, "letters, digits"),
        ({"max_age": -1}, "max_age"),
        ({"max_age": 10, "max_stale": 9}, "max_stale"),
        ({"clock": 1}, "clock"),
    ],
    ids=repr,
)
def test_settings_that_make_no_sense(kms, settings_, told):
    with pytest.raises(ConfigError, match=told):
        KmsKeys.ring(**{"name": "auth", "client": kms, **settings_})


def test_one_client_for_a_ring(monkeypatch):
    from botocore.session import Session

    made, create = [], Session.create_client

    def counted(*given: Any, **named: Any) -> Any:
        made.append(given)
        return create(*given, **named)

    monkeypatch.setattr(Session, "create_client", counted)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    KmsKeys.ring("auth", region="eu-central-1")
    assert len(made) == 1


@pytest.mark.parametrize("make", [KmsKeys, KmsVerify])
def test_a_ring_is_no_key_and_the_message_names_the_way(kms, make):
    with pytest.raises(ConfigError, match=r"KmsKeys\.ring\('auth'\)") as error:
        make("ring:auth", client=kms)
    assert error.value.code == "ring_of_keys"


HARM = st.one_of(
    st.tuples(st.just("lose"), st.sampled_from(["", "/1", "/2", "/3", "/4"])),
    st.tuples(
        st.sampled_from(["DescribeKey", "ListResourceTags", "GetPublicKey"]),
        st.integers(0, 3),
    ),
    st.tuples(st.just("garble"), st.integers(0, 3)),
)


@settings(max_examples=150, deadline=None)
@given(
    signing=st.integers(1, 4),
    retired=st.integers(0, 3),
    compromised=st.sets(st.integers(1, 4), max_size=1),
    harm=st.lists(HARM, max_size=2),
    pause=st.sampled_from([MAX_AGE, MAX_STALE - 1, MAX_STALE]),
)
def test_the_old_and_the_fresh_never_contradict_each_other(
    signing, retired, compromised, harm, pause
):
    """Nor do they refuse a live key, or accept one that both see withdrawn."""
    clock = Clock()
    kms = LocalKms(clock=clock)
    arns = row(kms, 4, signing=signing)
    kids = [kid_of(kms, arn) for arn in arns]
    old = ring(kms, clock)
    assert [verdict(old, kid) for kid in kids] == ["known"] * 4
    gone = set(range(1, min(retired, signing - 1) + 1)) | compromised
    for number in gone:
        mark(kms, arns[number - 1], "retired", *(("compromised",) * (number in compromised)))
    for what, where in harm:
        if what == "lose":
            with suppress(kms.exceptions.NotFoundException):
                kms.delete_alias(AliasName=f"alias/auth{where}")
        elif what == "garble":
            mark(kms, arns[where], "confirmed", text="never")
        else:
            kms.permissions.deny(what, key=arns[where])
    clock.move(pause)
    fresh = ring(kms, clock)

    # Nobody signs with a generation above the pointer, so nothing is promised of it.
    for number, kid in enumerate(kids[:signing], 1):
        before, now = verdict(old, kid), verdict(fresh, kid)
        assert {before, now} != {"known", "refused"}
        if number not in gone:
            assert "refused" not in (before, now)
        elif not harm:
            assert (before, now) == ("refused", "refused")
