"""Signing for a ring: what its tags demand holds, whatever KMS shows late or not at all."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.kms_ring import world
from tests.kms_ring.world import (
    ALG,
    AUD,
    TIMES,
    Clock,
    born,
    issuer,
    kid_of,
    mark,
    point,
    row,
    signed_by,
)

from kmsjwt import Issuer, Verifier
from kmsjwt.errors import (
    CannotKnow,
    ClaimsRefused,
    ConfigError,
    KmsAccessDenied,
    KmsError,
    KmsKeyUnusable,
    KmsThrottled,
    KmsUnavailable,
)
from kmsjwt.issuer import Signature
from kmsjwt.jwks import jwks_document
from kmsjwt.kms import KmsKeys, KmsSigner
from kmsjwt.local import LocalKms, Propagation

REFRESH, SIGNER_REFRESH, MAX_LIFETIME, SPREAD = 300, 900, 1800, 300
BOTH = pytest.mark.parametrize("name", ["ring:auth", "alias/auth"])


class Switched:
    """One client that is led to one KMS server now and to another then, and counts."""

    def __init__(self, *servers: Any) -> None:
        self.servers = servers
        self.now = 0
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.calls.append((name, request))
            return getattr(self.servers[self.now], name)(**request)

        return call

    def count(self, name: str) -> int:
        return sum(called == name for called, _ in self.calls)


def issued(by: Issuer, **more: Any) -> str:
    return by.issue(sub="ala", aud=AUD, **more).token


@BOTH
def test_the_pointer_is_followed(kms, clock, name):
    arns = row(kms, 2, signing=1)
    client = Switched(kms)
    by = issuer(name, client, clock)

    assert signed_by(issued(by), kms, *arns) == 1
    point(kms, arns[1])
    clock.move(REFRESH - 1)
    assert signed_by(issued(by), kms, *arns) == 1
    assert client.count("list_resource_tags") == 1
    clock.move(1)
    token = issued(by)
    assert signed_by(token, kms, *arns) == 2
    assert jwt.get_unverified_header(token)["kid"] == kid_of(kms, arns[1])
    assert client.count("list_resource_tags") == 2
    assert {call["KeyId"] for done, call in client.calls if done == "sign"} == set(arns)


@pytest.mark.parametrize(("alg", "expected"), [(None, "RS256"), ("PS256", "PS256")])
@BOTH
def test_the_ring_says_the_algorithm(kms, clock, name, alg, expected):
    point(kms, born(kms, 1, spec="RSA_2048", alg=alg))
    by = issuer(name, kms, clock)
    token = issued(by)
    assert issued(by)

    published = jwks_document(KmsKeys.ring("auth", client=kms, clock=clock).key_set())

    key = jwt.PyJWKSet.from_dict(published).keys[0]
    options: Any = {"verify_exp": False, "verify_iat": False}
    assert jwt.decode(token, key, algorithms=[expected], audience=AUD, options=options)


@pytest.mark.parametrize(
    ("tag", "alg", "refused"),
    [("PS256", "RS256", True), (None, "PS256", True), ("PS256", "PS256", False)],
)
def test_an_alias_with_another_algorithm_than_its_ring_s(kms, clock, tag, alg, refused):
    point(kms, born(kms, 1, spec="RSA_2048", alg=tag))
    by = issuer("alias/auth", kms, clock, alg=alg)
    if not refused:
        assert jwt.get_unverified_header(issued(by))["alg"] == alg
        return
    with pytest.raises(KmsKeyUnusable, match=f"alg is {alg}") as error:
        issued(by)
    assert error.value.code == "ring_alg"


@BOTH
def test_no_token_outlives_the_ring_s_maximum(kms, clock, name):
    point(kms, born(kms, 1))
    by = issuer(name, kms, clock)

    assert by.issue(sub="ala", aud=AUD, lifetime=MAX_LIFETIME).expires_in == MAX_LIFETIME
    with pytest.raises(ClaimsRefused) as error:
        by.issue(sub="ala", aud=AUD, lifetime=MAX_LIFETIME + 1)
    assert error.value.code == "lifetime"
    assert "1801" in str(error.value)
    assert "1800" in str(error.value)
    assert error.value.fix


@BOTH
def test_a_default_lifetime_above_the_maximum_is_not_shortened_in_silence(kms, clock, name):
    point(kms, born(kms, 1, max_lifetime="599"))
    by = issuer(name, kms, clock)

    with pytest.raises(ClaimsRefused, match="600 s") as error:
        issued(by)
    assert error.value.code == "default_lifetime"
    assert "599" in str(error.value)
    assert by.issue(sub="ala", aud=AUD, lifetime=599).expires_in == 599


def test_each_generation_has_a_maximum_of_its_own(kms, clock):
    first, second = born(kms, 1), born(kms, 2, max_lifetime="60")
    point(kms, first)
    by = issuer("ring:auth", kms, clock)
    assert issued(by, lifetime=61)
    point(kms, second)
    clock.move(REFRESH)
    with pytest.raises(ClaimsRefused):
        issued(by, lifetime=61)
    assert issued(by, lifetime=60)


TROUBLE = pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "drop"}, KmsUnavailable),
        ({"kind": "throttle"}, KmsThrottled),
        ({"kind": "error_before", "code": "KMSInternalException"}, KmsUnavailable),
    ],
    ids=["drop", "throttle", "internal"],
)


@TROUBLE
@pytest.mark.parametrize("operation", ["GetPublicKey", "ListResourceTags"])
@BOTH
def test_a_look_up_is_used_for_signer_refresh_and_no_longer(
    kms, clock, name, operation, fault, error
):
    point(kms, born(kms, 1))
    by = issuer(name, kms, clock)
    issued(by)
    kms.faults.add(operation, times=None, **fault)

    clock.move(SIGNER_REFRESH - 1)
    assert issued(by)
    clock.move(1)
    with pytest.raises(error):
        issued(by)
    kms.faults.clear()
    assert issued(by)


@pytest.mark.parametrize(
    ("moved", "asked_again"), [(9, 0), (10, 1), (-0.5, 1), (-86_400, 1)], ids=str
)
def test_a_public_key_whose_tags_could_not_be_read_is_used_for_ten_seconds(
    kms, clock, moved, asked_again
):
    """Of a clock that went backwards nobody can tell how long ago it was."""
    point(kms, born(kms, 1))
    counted = Switched(kms)
    by = issuer("ring:auth", counted, clock)
    kms.faults.add("ListResourceTags", kind="throttle", times=None)
    with pytest.raises(KmsThrottled):
        issued(by)
    before = counted.count("get_public_key")
    clock.move(moved)

    with pytest.raises(KmsThrottled):
        issued(by)

    assert counted.count("get_public_key") == before + asked_again


@BOTH
def test_a_short_signer_refresh_shortens_the_refresh_time(kms, clock, name):
    arns = [born(kms, number, signer_refresh="60") for number in (1, 2)]
    point(kms, arns[0])
    by = issuer(name, kms, clock)
    issued(by)
    point(kms, arns[1])
    clock.move(59)
    assert signed_by(issued(by), kms, *arns) == 1
    clock.move(1)
    assert signed_by(issued(by), kms, *arns) == 2


def lagging(clock: Clock, count: int) -> tuple[LocalKms, Switched, list[str]]:
    """Return a KMS, a client that reaches a prompt and a late server of it, and a row of keys."""
    late = Propagation(alias=SPREAD, tag=SPREAD, key=SPREAD)
    kms = LocalKms(clock=clock, propagation=Propagation(readers={"late": late}))
    arns = row(kms, count, signing=1)
    clock.move(world.HOUR)
    return kms, Switched(kms, kms.reader("late")), arns


@BOTH
def test_a_look_up_that_shows_the_past_changes_nothing(clock, name):
    kms, client, arns = lagging(clock, 2)
    by = issuer(name, client, clock, refresh=0)
    assert signed_by(issued(by), kms, *arns) == 1
    point(kms, arns[1])
    assert signed_by(issued(by), kms, *arns) == 2
    for turn in range(SPREAD - 1):
        clock.move(1)
        client.now = int(turn % 7 != 0)
        assert signed_by(issued(by), kms, *arns) == 2


@BOTH
def test_a_short_signer_refresh_bears_five_minutes_of_the_past(clock, name):
    late = Propagation(alias=SPREAD)
    kms = LocalKms(clock=clock, propagation=Propagation(readers={"late": late}))
    arns = [born(kms, number, signer_refresh="60") for number in (1, 2)]
    point(kms, arns[0])
    clock.move(world.HOUR)
    client = Switched(kms, kms.reader("late"))
    by = issuer(name, client, clock)
    issued(by)
    point(kms, arns[1])
    clock.move(60)
    assert signed_by(issued(by), kms, *arns) == 2
    client.now = 1
    for _ in range(SPREAD // 10):
        clock.move(10)
        assert signed_by(issued(by), kms, *arns) == 2


@BOTH
def test_a_pointer_that_was_moved_back_is_not_followed_back(kms, clock, name):
    """Five minutes may be KMS's lag. Later it is a mistake, and the newer key ends as agreed."""
    arns = row(kms, 2, signing=2)
    by = issuer(name, kms, clock)
    assert signed_by(issued(by), kms, *arns) == 2
    clock.move(world.HOUR)
    assert signed_by(issued(by), kms, *arns) == 2
    point(kms, arns[0])

    clock.move(SIGNER_REFRESH - 1)
    assert signed_by(issued(by), kms, *arns) == 2
    clock.move(1)
    with pytest.raises(KmsError, match="never goes back") as error:
        issued(by)
    assert (error.value.code, error.value.retryable) == ("ring_behind", True)
    point(kms, arns[1])
    assert signed_by(issued(by), kms, *arns) == 2


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (("retired",), "retired"),
        (("compromised",), "compromised"),
        (("compromised", "retired"), "compromised"),
    ],
    ids=["retired", "compromised", "withdrawn"],
)
@pytest.mark.parametrize("late", [False, True], ids=["at first", "later"])
@BOTH
def test_a_withdrawn_key_does_not_sign(kms, clock, name, late, facts, word):
    arns = row(kms, 2, signing=1)
    by = issuer(name, kms, clock)
    if late:
        issued(by)
    mark(kms, arns[0], *facts)
    clock.move(REFRESH)

    for _ in range(2):
        with pytest.raises(KmsKeyUnusable, match=word) as error:
            issued(by)
        assert error.value.code == "ring_withdrawn"
        assert "kmsjwt key rotate auth" in str(error.value)
    kms.faults.add("GetPublicKey", kind="drop")
    with pytest.raises(KmsUnavailable):  # the key is not taken up again when KMS is silent
        issued(by)
    point(kms, arns[1])
    assert signed_by(issued(by), kms, *arns) == 2


@BOTH
def test_not_back_to_the_key_before_a_withdrawn_one(kms, clock, name):
    arns = row(kms, 3, signing=1)
    by = issuer(name, kms, clock)
    issued(by)
    mark(kms, arns[1], "compromised")
    point(kms, arns[1])
    clock.move(REFRESH)
    with pytest.raises(KmsKeyUnusable):
        issued(by)
    point(kms, arns[0])
    with pytest.raises(KmsError) as error:
        issued(by)
    assert error.value.code == "ring_behind"
    point(kms, arns[2])
    assert signed_by(issued(by), kms, *arns) == 3


@pytest.mark.parametrize("stop", ["disable_key", "schedule_key_deletion"])
@BOTH
def test_after_an_emergency_the_very_next_token_has_the_new_key(kms, clock, name, stop):
    arns = row(kms, 2, signing=1)
    client = Switched(kms)
    by = issuer(name, client, clock)
    issued(by)
    point(kms, arns[1])
    getattr(kms, stop)(KeyId=arns[0])

    token = issued(by)

    assert signed_by(token, kms, *arns) == 2
    assert jwt.get_unverified_header(token)["kid"] == kid_of(kms, arns[1])
    assert client.count("sign") == 3
    assert client.count("get_public_key") == 2


@BOTH
def test_a_disabled_key_without_successor_is_told_at_once(kms, clock, name):
    (arn,) = row(kms, 1, signing=1)
    client = Switched(kms)
    by = issuer(name, client, clock)
    issued(by)
    kms.disable_key(KeyId=arn)
    with pytest.raises(KmsKeyUnusable, match="is disabled"):
        issued(by)
    assert client.count("sign") == 2
    assert client.count("get_public_key") == 2


@BOTH
def test_a_look_up_that_finds_the_key_disabled_ends_it(kms, clock, name):
    (arn,) = row(kms, 1, signing=1)
    client = Switched(kms)
    by = issuer(name, client, clock)
    issued(by)
    kms.disable_key(KeyId=arn)
    clock.move(REFRESH)
    for _ in range(2):
        with pytest.raises(KmsKeyUnusable) as error:
            issued(by)
        assert error.value.action == "GetPublicKey"
    assert client.count("sign") == 1


def test_a_key_that_is_no_alias_is_not_looked_up_again(kms, clock):
    (arn,) = row(kms, 1, signing=1)
    client = Switched(kms)
    by = issuer(arn, client, clock)
    issued(by)
    kms.disable_key(KeyId=arn)
    with pytest.raises(KmsKeyUnusable) as error:
        issued(by)
    assert error.value.action == "Sign"
    assert (client.count("sign"), client.count("get_public_key")) == (2, 1)


@BOTH
def test_a_view_of_the_past_whose_key_is_disabled_stops_nobody(clock, name):
    late = Propagation(alias=SPREAD)
    kms = LocalKms(clock=clock, propagation=Propagation(readers={"late": late}))
    arns = row(kms, 2, signing=1)
    clock.move(world.HOUR)
    client = Switched(kms, kms.reader("late"))
    by = issuer(name, client, clock, refresh=0)
    issued(by)
    point(kms, arns[1])
    issued(by)
    kms.disable_key(KeyId=arns[0])
    client.now = 1
    clock.move(60)

    assert signed_by(issued(by), kms, *arns) == 2


@pytest.mark.parametrize(
    "stranger",
    [
        {"ring": "other"},
        {"number": 0},
        {"number": "01"},
    ],
    ids=repr,
)
def test_only_a_generation_of_its_own_ring_is_obeyed(kms, clock, stranger):
    arn = born(kms, 7, ring="other", max_lifetime="60", retired=world.MARK)
    facts = {"kmsjwt:ring": stranger.get("ring", "auth")}
    facts["kmsjwt:generation"] = str(stranger.get("number", 7))
    kms.tag_resource(KeyId=arn, Tags=world.as_tags(facts))
    point(kms, arn)

    assert issued(issuer("alias/auth", kms, clock), lifetime=80_000)
    with pytest.raises(KmsError, match="not tagged as a key of that ring") as error:
        issued(issuer("ring:auth", kms, clock))
    assert error.value.code == "ring_not_followed"


@pytest.mark.parametrize("name", ["arn", "alias/auth/1", "alias/aut"])
def test_a_name_that_is_no_pointer_of_the_ring_follows_nothing(kms, clock, name):
    arn = born(kms, 1, max_lifetime="60", retired=world.MARK)
    point(kms, arn, "alias/aut")
    client = Switched(kms)
    assert issued(issuer(arn if name == "arn" else name, client, clock), lifetime=80_000)
    assert client.count("list_resource_tags") == (1 if name == "alias/aut" else 0)


def test_an_alias_s_arn_is_its_ring_s_pointer(kms, clock):
    arn = born(kms, 1, max_lifetime="60")
    point(kms, arn)
    by = issuer(arn.rpartition(":")[0] + ":alias/auth", kms, clock)
    with pytest.raises(ClaimsRefused):
        issued(by, lifetime=61)


def test_without_times_an_alias_is_free_and_a_ring_does_not_sign(kms, clock):
    """As keys were tagged before rings had settings."""
    arn = born(kms, 1)
    kms.untag_resource(KeyId=arn, TagKeys=list(TIMES))
    point(kms, arn)
    assert issued(issuer("alias/auth", kms, clock), lifetime=80_000)
    with pytest.raises(KmsError, match="do not say the ring's times"):
        issued(issuer("ring:auth", kms, clock))


@BOTH
def test_a_fact_that_cannot_be_read_is_no_leave_to_sign(kms, clock, name):
    (arn,) = row(kms, 1, signing=1)
    mark(kms, arn, "retired", text="today")
    with pytest.raises(KmsError, match="kmsjwt:retired"):
        issued(issuer(name, kms, clock))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "access_denied"},
        {"kind": "error_before", "code": "NotFoundException"},
        {"kind": "error_before", "code": "InvalidArnException"},
    ],
    ids=["denied", "not found", "foreign"],
)
def test_where_tags_may_not_be_read_an_alias_s_arn_is_followed_and_a_ring_is_not(kms, clock, fault):
    """As from another account."""
    arns = row(kms, 2, signing=1)
    kms.faults.add("ListResourceTags", times=None, **fault)
    by = issuer(arns[0].rpartition(":")[0] + ":alias/auth", kms, clock)

    assert signed_by(issued(by, lifetime=80_000), kms, *arns) == 1
    point(kms, arns[1])
    clock.move(REFRESH)
    assert signed_by(issued(by), kms, *arns) == 2
    with pytest.raises(KmsError) as error:
        issued(issuer("ring:auth", kms, clock))
    if fault["kind"] == "access_denied":
        assert isinstance(error.value, KmsAccessDenied)
        assert "kms:ListResourceTags" in str(error.value)
        assert "alias/auth" in str(error.value.fix)


@pytest.mark.parametrize(("fault", "told"), [("access_denied", True), ("throttle", False)])
def test_only_who_may_not_read_tags_is_told_of_the_way_without(kms, clock, fault, told):
    row(kms, 1, signing=1)
    kms.faults.add("ListResourceTags", kind=fault, times=None)

    with pytest.raises(KmsError) as error:
        issued(issuer("ring:auth", kms, clock))
    assert ("name alias/auth by its ARN" in str(error.value)) is told


def test_a_throttled_look_at_an_alias_s_tags_is_told_as_it_is(kms, clock):
    row(kms, 1, signing=1)
    kms.faults.add("ListResourceTags", kind="throttle", times=None)

    with pytest.raises(KmsThrottled) as error:
        issued(issuer("alias/auth", kms, clock))
    assert "without reading tags" not in str(error.value)


class SignsAlone:
    """A stand-in for KMS that knows the operations of signing and no other."""

    def __init__(self, kms: Any) -> None:
        self.get_public_key = kms.get_public_key
        self.sign = kms.sign


def test_a_stand_in_that_knows_no_tags_signs_by_an_alias_and_for_no_ring(kms, clock):
    (arn,) = row(kms, 1, signing=1)

    assert signed_by(issued(issuer("alias/auth", SignsAlone(kms), clock)), kms, arn) == 1
    with pytest.raises(AttributeError, match="list_resource_tags"):
        issued(issuer("ring:auth", SignsAlone(kms), clock))


def test_a_permission_that_is_withdrawn_later_makes_nobody_forget(kms, clock):
    arns = row(kms, 2, signing=2)
    by = issuer("alias/auth", kms, clock)
    issued(by)
    kms.permissions.deny("ListResourceTags")
    clock.move(REFRESH)
    with pytest.raises(ClaimsRefused):
        issued(by, lifetime=MAX_LIFETIME + 1)
    assert signed_by(issued(by), kms, *arns) == 2


def test_nor_go_back_to_a_key_whose_place_in_the_ring_was_known(kms, clock):
    arns = row(kms, 2, signing=1)
    by = issuer("alias/auth", kms, clock)
    issued(by)
    point(kms, arns[1])
    clock.move(REFRESH)
    issued(by)
    kms.permissions.deny("ListResourceTags")
    point(kms, arns[0])
    clock.move(REFRESH)
    assert signed_by(issued(by), kms, *arns) == 2
    kms.faults.add("GetPublicKey", kind="drop", times=None)
    clock.move(SIGNER_REFRESH)
    with pytest.raises(KmsUnavailable):
        issued(by)


def test_a_ring_whose_tags_cannot_be_read_any_more_signs_for_signer_refresh(kms, clock):
    row(kms, 1, signing=1)
    by = issuer("ring:auth", kms, clock)
    issued(by)
    kms.permissions.deny("ListResourceTags")
    clock.move(SIGNER_REFRESH - 1)
    issued(by)
    clock.move(1)
    with pytest.raises(KmsAccessDenied):
        issued(by)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"key": "ring:a/b"}, "letters, digits"),
        ({"key": "ring:"}, "letters, digits"),
        ({"key": "ring:auth", "alg": "RS256"}, "neither alg nor kid"),
        ({"key": "ring:auth", "kid": "key-id"}, "neither alg nor kid"),
    ],
    ids=repr,
)
def test_settings_that_make_no_sense(kms, options, told):
    with pytest.raises(ConfigError, match=told):
        KmsSigner(client=kms, **options)


def test_what_a_signer_shows_of_itself(kms):
    assert repr(KmsSigner("ring:auth", client=kms)) == "KmsSigner('ring:auth')"
    assert repr(KmsSigner("alias/auth", client=kms)) == "KmsSigner('alias/auth')"


def test_other_signers_have_no_maximum():
    class Key:
        kid, alg = "k", jwt_alg()

        def sign(self, signing_input: bytes) -> Any:
            assert signing_input
            return Signature(bytes(64))

    class Other:
        def current(self) -> Any:
            return Key()

    assert Issuer(world.ISS, Other()).issue(sub="a", aud="b", lifetime=86_400).expires_in == 86_400


def jwt_alg() -> Any:
    from kmsjwt.algorithms import algorithm

    return algorithm(ALG)


class RingMachine(RuleBasedStateMachine):
    """Rotations forward, servers that lag, outages, and signers that come and go.

    A token is signed by a generation no later than the pointer's move away from it, the spread of
    that, and one signer refresh; no signer ever goes back; every token verifies with the ring.
    """

    @initialize()
    def set_up(self) -> None:
        self.clock = Clock()
        late = Propagation(alias=SPREAD, tag=SPREAD)
        self.kms = LocalKms(clock=self.clock, propagation=Propagation(readers={"late": late}))
        self.arns = row(self.kms, 1, signing=1)
        self.clock.move(world.HOUR)
        self.left: dict[int, float] = {}
        self.clients: list[Switched] = []
        self.issuers: list[Issuer] = []
        self.reached: list[int] = []
        self.new_signer()
        self.moved = self.clock.now

    @rule()
    def new_signer(self) -> None:
        if len(self.issuers) < 3:
            self.clients.append(Switched(self.kms, self.kms.reader("late")))
            self.issuers.append(issuer("ring:auth", self.clients[-1], self.clock))
            self.reached.append(0)

    @rule()
    def rotate(self) -> None:
        # As the plan does: published hours before, and not twice within 15 minutes.
        if self.clock.now - self.moved < SIGNER_REFRESH:
            return
        self.arns.append(born(self.kms, len(self.arns) + 1))
        self.clock.move(2 * world.HOUR)
        point(self.kms, self.arns[-1])
        self.moved = self.left[len(self.arns) - 1] = self.clock.now

    @rule(which=st.integers(0, 2), server=st.integers(0, 1))
    def switch(self, which: int, server: int) -> None:
        self.clients[which % len(self.clients)].now = server

    @rule(seconds=st.sampled_from([1, 60, 150, SPREAD, SIGNER_REFRESH, 3 * world.HOUR]))
    def wait(self, seconds: float) -> None:
        self.clock.move(seconds)

    @rule(operation=st.sampled_from(["GetPublicKey", "ListResourceTags", None]))
    def toggle_outage(self, operation: str | None) -> None:
        if self.kms.faults:
            self.kms.faults.clear()
        else:
            self.kms.faults.add(operation or "GetPublicKey", kind="drop", times=None)

    @rule(which=st.integers(0, 2))
    def issue(self, which: int) -> None:
        which %= len(self.issuers)
        try:
            token = issued(self.issuers[which])
        except CannotKnow:
            assert self.kms.faults
            return
        number = signed_by_one(token, self.kms, self.arns)
        assert number >= self.reached[which]
        self.reached[which] = number
        if number in self.left:
            assert self.clock.now - self.left[number] <= SPREAD + SIGNER_REFRESH

    @invariant()
    def the_ring_verifies(self) -> None:
        if hasattr(self, "kms") and not self.kms.faults:
            keys = KmsKeys.ring("auth", client=self.kms, clock=self.clock).key_set()
            assert len(keys) == len(self.arns)


def signed_by_one(token: str, kms: Any, arns: list[str]) -> int:
    with_faults, faults = list(kms.faults), kms.faults
    faults.clear()
    number = signed_by(token, kms, *arns)
    for fault in with_faults:
        faults.add(fault.operation, kind=fault.kind, times=None)
    return number


TestRingMachine = RingMachine.TestCase
TestRingMachine.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)


def test_a_verifier_and_a_signer_of_one_ring(kms, clock):
    row(kms, 1, signing=1)
    verifier = Verifier(
        KmsKeys.ring("auth", client=kms, clock=clock), issuer=world.ISS, audience=AUD, clock=clock
    )
    assert verifier.verify(issued(issuer("ring:auth", kms, clock))).alg == ALG
