"""Naming a key four ways, and following an alias that moves: never two keys in one token."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.kms import support
from tests.kms.support import AUD, Clock, Through, header_of, issued, make_key

from kmsjwt import Issuer
from kmsjwt.errors import (
    CannotKnow,
    ConfigError,
    KmsAccessDenied,
    KmsError,
    KmsKeyNotFound,
    KmsKeyUnusable,
    KmsThrottled,
    KmsUnavailable,
)
from kmsjwt.kms import KmsKeys, KmsSigner, KmsVerify
from kmsjwt.local import LocalKms, Propagation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REFRESH, MAX_STALE = 300, 3600


def alias_to(kms: LocalKms, arn: str, name: str = "alias/auth") -> str:
    kms.create_alias(AliasName=name, TargetKeyId=arn)
    return name


def key_that_signed(token: str, kms: LocalKms, *arns: str) -> str:
    """Return the one key whose kid and signature the token has."""
    verified = [arn for arn in arns if _is_of(token, arn, kms)]
    assert len(verified) == 1
    return verified[0]


def _is_of(token: str, arn: str, kms: LocalKms) -> bool:
    key = KmsKeys(arn, client=kms).key(None)
    if header_of(token)["kid"] != key.kid:
        return False
    signed, _, signature = token.rpartition(".")
    key.verify(support.unb64(signature), signed.encode())
    return True


@pytest.mark.parametrize(
    "named",
    [
        lambda arn: arn.rpartition("/")[2],
        lambda arn: arn,
        lambda _: "alias/auth",
        lambda arn: arn.rpartition(":")[0] + ":alias/auth",
    ],
    ids=["id", "arn", "alias", "alias-arn"],
)
def test_a_key_is_named_four_ways(named: Callable[[str], str], kms: LocalKms, arn: str):
    alias_to(kms, arn)
    wire = Through(kms)

    token = issued(named(arn), wire)

    support.verifier(KmsKeys(arn, client=kms)).verify(token)
    (signed,) = [request for name, request in wire.calls if name == "sign"]
    assert signed["KeyId"] == arn  # never by alias: it might have moved since


@pytest.mark.parametrize(
    "name",
    [
        "",
        None,
        b"alias/auth",
        "auth",
        "Alias/auth",
        "alias/",
        "alias/a b",
        "alias/auth\n",
        "arn:aws:kms:eu-west-1:111122223333:auth",
        "arn:aws:kms:eu-west-1:111122223333:1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-west-1:111122223333:key/key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-west-1:1111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:iam::111122223333:role/x",
        "1234abcd-12ab-34cd-56ef-1234567890a",
        "1234ABCD-12AB-34CD-56EF-1234567890AB",
        "Ring:auth",
    ],
    ids=repr,
)
def test_no_name_of_a_key(name: Any, kms: LocalKms):
    for make in (KmsSigner, KmsKeys, KmsVerify):
        with pytest.raises(ConfigError, match="expected an id, ARN, alias") as error:
            make(name, client=kms)
        assert error.value.code == "key_reference"
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["alias/auth", "arn:aws-cn:kms:cn-north-1:111122223333:alias/auth/1"]
)
def test_an_alias_never_verifies(name: str, kms: LocalKms):
    for make in (KmsKeys, KmsVerify):
        with pytest.raises(ConfigError, match="alias moves") as error:
            make(name, client=kms)
        assert error.value.code == "alias_to_verify"


def test_a_moved_alias_is_followed_within_the_refresh_time(
    kms: LocalKms, arn: str, wire: Through, clock: Clock
):
    other = make_key(kms, "ECC_NIST_P256")
    issuer = support.issuer(alias_to(kms, arn), wire, clock=clock, refresh=REFRESH)

    def sign() -> str:
        token = issuer.issue(sub="ala", aud=AUD).token
        return key_that_signed(token, kms, arn, other)

    assert sign() == arn
    kms.update_alias(AliasName="alias/auth", TargetKeyId=other)
    clock.move(REFRESH - 1)
    assert sign() == arn
    assert wire.count("get_public_key") == 1
    clock.move(1)
    assert sign() == other
    assert wire.count("get_public_key") == 2
    clock.move(REFRESH - 1)
    assert sign() == other
    assert wire.count("get_public_key") == 2


@pytest.mark.parametrize("name", ["id", "arn"])
def test_a_key_that_is_no_alias_is_looked_up_once(name: str, arn: str, wire: Through, clock: Clock):
    issuer = support.issuer(
        arn if name == "arn" else arn.rpartition("/")[2], wire, clock=clock, refresh=1
    )
    for _ in range(5):
        issuer.issue(sub="ala", aud=AUD)
        clock.move(100_000)
    assert wire.count("get_public_key") == 1


@pytest.mark.parametrize(
    ("spec", "alg"),
    [("RSA_2048", "RS256"), ("ECC_NIST_P384", "ES384"), ("ML_DSA_44", "ML-DSA-44")],
)
def test_an_alias_moved_to_another_spec_changes_the_algorithm(
    spec: str, alg: str, kms: LocalKms, arn: str, clock: Clock
):
    other = make_key(kms, spec)
    free = support.issuer(alias_to(kms, arn), kms, clock=clock)
    bound = support.issuer("alias/auth", kms, clock=clock, alg="ES256")
    for each in (free, bound):
        assert each.issue(sub="ala", aud=AUD).alg == "ES256"

    kms.update_alias(AliasName="alias/auth", TargetKeyId=other)
    clock.move(REFRESH)

    token = free.issue(sub="ala", aud=AUD)
    assert token.alg == header_of(token.token)["alg"] == alg
    assert key_that_signed(token.token, kms, arn, other) == other
    with pytest.raises(KmsKeyUnusable) as error:
        bound.issue(sub="ala", aud=AUD)
    assert error.value.code == "alg_mismatch"


def test_an_alias_that_moves_during_the_call_itself(kms: LocalKms, arn: str, wire: Through):
    """Moved between the look-up and Sign, and again before Sign is answered."""
    other = make_key(kms, "ECC_NIST_P256")
    alias_to(kms, arn)
    turns = [other, arn, other, arn, other]

    def move(passing: Any) -> Any:
        kms.update_alias(AliasName="alias/auth", TargetKeyId=turns.pop())
        return passing

    wire.before.update(get_public_key=move, sign=move)
    wire.after["sign"] = move
    issuer = support.issuer("alias/auth", wire, refresh=0)

    assert key_that_signed(issuer.issue(sub="a", aud=AUD).token, kms, arn, other) == other
    assert len(turns) == 2


def test_threads_and_an_alias_that_never_rests(kms: LocalKms, arn: str):
    """Two hundred tokens while the alias moves: each has the kid of the key that signed it."""
    other = make_key(kms, "ECC_NIST_P256")
    issuer = support.issuer(alias_to(kms, arn), kms, refresh=0)
    stop = threading.Event()

    def mover() -> None:
        while not stop.is_set():
            for target in (other, arn):
                kms.update_alias(AliasName="alias/auth", TargetKeyId=target)

    tokens: list[str] = []

    def sign() -> None:
        for _ in range(50):
            tokens.append(issuer.issue(sub="ala", aud=AUD).token)  # noqa: PERF401  one after another

    moving = threading.Thread(target=mover)
    signing = [threading.Thread(target=sign) for _ in range(4)]
    moving.start()
    for thread in signing:
        thread.start()
    for thread in signing:
        thread.join()
    stop.set()
    moving.join()

    used = Counter(key_that_signed(token, kms, arn, other) for token in tokens)
    assert used.total() == 200


class AliasMachine(RuleBasedStateMachine):
    """Whatever happens to an alias and to KMS: a token is one key's, and not older than allowed."""

    @initialize()
    def set_up(self) -> None:
        self.clock = Clock()
        lag = Propagation(readers={"signer": Propagation(alias=120, key=0)})
        self.kms = LocalKms(clock=self.clock, propagation=lag)
        specs = ("ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "ECC_NIST_P256")
        self.arns = [make_key(self.kms, spec) for spec in specs]
        self.kms.create_alias(AliasName="alias/auth", TargetKeyId=self.arns[0])
        self.clock.move(1000)
        # When each key was last the target, and the target now.
        self.left: dict[str, float] = {}
        self.target = self.arns[0]
        self.out = False
        self.out_until = 0.0
        self.issuer = support.issuer(
            "alias/auth",
            self.kms.reader("signer"),
            clock=self.clock,
            refresh=REFRESH,
            max_stale=MAX_STALE,
        )
        self.issuer.issue(sub="ala", aud=AUD)

    @rule(which=st.integers(0, 2))
    def move(self, which: int) -> None:
        if self.arns[which] != self.target:
            self.left[self.target] = self.clock.now
        self.target = self.arns[which]
        self.kms.update_alias(AliasName="alias/auth", TargetKeyId=self.target)

    @rule(seconds=st.sampled_from([1, 60, 150, REFRESH, 1000, MAX_STALE]))
    def wait(self, seconds: float) -> None:
        self.clock.move(seconds)

    @rule()
    def toggle_outage(self) -> None:
        self.out = not self.out
        if self.out:
            self.kms.faults.add("GetPublicKey", kind="drop", reader="signer", times=None)
        else:
            self.kms.faults.clear()
            self.out_until = self.clock.now

    @rule()
    def issue(self) -> None:
        try:
            token = self.issuer.issue(sub="ala", aud=AUD).token
        except KmsUnavailable:
            assert self.out
            return
        used = key_that_signed(token, self.kms, *self.arns)
        if used != self.target:
            # Ten seconds is the pause after a look-up that failed, 120 the reader's own delay.
            troubled = self.out or self.clock.now < self.out_until + 10
            allowed = (MAX_STALE if troubled else REFRESH) + 120
            assert self.clock.now - self.left[used] <= allowed


TestAliasMachine = AliasMachine.TestCase
TestAliasMachine.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "drop"}, KmsUnavailable),
        ({"kind": "throttle"}, KmsThrottled),
        ({"kind": "access_denied"}, KmsAccessDenied),
        ({"kind": "error_before", "code": "NotFoundException"}, KmsKeyNotFound),
        ({"kind": "error_before", "code": "KMSInternalException"}, KmsUnavailable),
    ],
    ids=lambda value: value.get("code", value["kind"]) if isinstance(value, dict) else "",
)
def test_a_failing_look_up_uses_the_last_key_until_max_stale_and_then_raises(
    fault: dict[str, Any],
    error: type[KmsError],
    kms: LocalKms,
    arn: str,
    wire: Through,
    clock: Clock,
):
    issuer = support.issuer(
        alias_to(kms, arn), wire, clock=clock, refresh=REFRESH, max_stale=MAX_STALE
    )
    issuer.issue(sub="ala", aud=AUD)
    failing = kms.faults.add("GetPublicKey", times=None, **fault)

    clock.move(REFRESH)
    issuer.issue(sub="ala", aud=AUD)
    issuer.issue(sub="ala", aud=AUD)
    assert wire.count("get_public_key") == 2  # not asked again at once
    clock.move(MAX_STALE - REFRESH - 1)
    issuer.issue(sub="ala", aud=AUD)
    clock.move(1)
    with pytest.raises(error) as told:
        issuer.issue(sub="ala", aud=AUD)
    assert isinstance(told.value, CannotKnow)
    assert "alias/auth" in str(told.value)
    assert "kms:GetPublicKey" in str(told.value)

    failing.remove()
    assert issuer.issue(sub="ala", aud=AUD).token


def test_the_first_look_up_has_nothing_to_fall_back_on(kms: LocalKms, arn: str):
    issuer = support.issuer(alias_to(kms, arn), kms)
    kms.faults.add("GetPublicKey", kind="drop")
    with pytest.raises(KmsUnavailable):
        issuer.issue(sub="ala", aud=AUD)
    assert issuer.issue(sub="ala", aud=AUD).token  # and asks again at once


def test_after_the_outage_the_new_key_is_found_within_seconds(
    kms: LocalKms, arn: str, clock: Clock
):
    other = make_key(kms, "ECC_NIST_P256")
    issuer = support.issuer(alias_to(kms, arn), kms, clock=clock)
    issuer.issue(sub="ala", aud=AUD)
    kms.update_alias(AliasName="alias/auth", TargetKeyId=other)
    kms.faults.add("GetPublicKey", kind="drop")
    clock.move(REFRESH)
    assert key_that_signed(issuer.issue(sub="ala", aud=AUD).token, kms, arn, other) == arn
    clock.move(10)
    assert key_that_signed(issuer.issue(sub="ala", aud=AUD).token, kms, arn, other) == other


def test_a_clock_that_goes_backwards_does_not_keep_an_old_key(
    house: LocalKms, arns: Mapping[str, str], clock: Clock
):
    kms, arn, other = house, arns["ES256"], make_key(house, "ECC_NIST_P256")
    issuer = support.issuer(alias_to(kms, arn), kms, clock=clock)
    issuer.issue(sub="ala", aud=AUD)
    kms.update_alias(AliasName="alias/auth", TargetKeyId=other)
    clock.move(-86_400)
    assert key_that_signed(issuer.issue(sub="ala", aud=AUD).token, kms, arn, other) == other


def test_many_threads_look_an_alias_up_once(kms: LocalKms, arn: str, wire: Through):
    """Seven come while the first one's look-up is under way, and each has a time of its own."""
    ticks = iter(range(10**9))
    at_the_door = threading.Semaphore(0)

    def wait_for_the_others(_: object) -> None:
        for _ in range(8):
            assert at_the_door.acquire(timeout=10)

    def jti() -> str:  # asked for just before the key
        at_the_door.release()
        return "1"

    wire.before["get_public_key"] = wait_for_the_others
    signer = KmsSigner(
        alias_to(kms, arn), client=wire, clock=lambda: support.NOW + next(ticks) / 1e6
    )
    issuer = Issuer(support.ISS, signer, new_jti=jti)
    tokens: list[str] = []

    def sign() -> None:
        tokens.append(issuer.issue(sub="ala", aud=AUD).token)

    threads = [threading.Thread(target=sign) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 8
    assert wire.count("get_public_key") == 1
