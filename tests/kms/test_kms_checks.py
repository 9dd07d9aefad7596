"""Each condition of the KMS room at its limit: times, names in answers, what is shared."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.kms.support import AUD, Clock, Through, header_of, issued, make_key, verifier

from kmsjwt.errors import ConfigError, KmsError, KmsKeyUnusable
from kmsjwt.kms import KmsKeys, KmsSigner, KmsVerify

if TYPE_CHECKING:
    from kmsjwt.local import LocalKms

ALIAS = "alias/auth"
REFRESH, MAX_STALE, RETRY = 300, 3600, 10


@pytest.fixture
def two(kms: LocalKms) -> tuple[str, str]:
    """Two keys; the alias stands for the first."""
    first, second = make_key(kms, "ECC_NIST_P256"), make_key(kms, "ECC_NIST_P256")
    kms.create_alias(AliasName=ALIAS, TargetKeyId=first)
    return first, second


@pytest.mark.parametrize(("passed", "which"), [(REFRESH - 1, 0), (REFRESH, 1)])
def test_when_an_alias_is_looked_up_again(
    kms: LocalKms, clock: Clock, two: tuple[str, str], passed: int, which: int
):
    signer = KmsSigner(ALIAS, client=kms, clock=clock)
    assert signer.current().arn == two[0]
    kms.update_alias(AliasName=ALIAS, TargetKeyId=two[1])
    clock.move(passed)

    assert signer.current().arn == two[which]


@pytest.mark.parametrize(("passed", "signs"), [(MAX_STALE - 1, True), (MAX_STALE, False)])
def test_how_long_the_last_answer_signs(
    kms: LocalKms, clock: Clock, two: tuple[str, str], passed: int, signs: bool
):
    signer = KmsSigner(ALIAS, client=kms, clock=clock)
    signer.current()
    kms.faults.add("GetPublicKey", kind="throttle", times=None)
    clock.move(passed)

    if signs:
        assert signer.current().arn == two[0]
    else:
        with pytest.raises(KmsError):
            signer.current()


@pytest.mark.parametrize(("passed", "asked"), [(RETRY - 1, 2), (RETRY, 3)])
def test_how_soon_a_silent_kms_is_asked_again(
    wire: Through, kms: LocalKms, clock: Clock, two: tuple[str, str], passed: int, asked: int
):
    assert two
    signer = KmsSigner(ALIAS, client=wire, clock=clock)
    signer.current()
    kms.faults.add("GetPublicKey", kind="throttle", times=None)
    clock.move(REFRESH)
    signer.current()
    clock.move(passed)
    signer.current()

    assert wire.count("get_public_key") == asked


def test_a_key_that_is_still_the_same_is_the_same_object(
    kms: LocalKms, clock: Clock, two: tuple[str, str]
):
    assert two
    signer = KmsSigner(ALIAS, client=kms, clock=clock)
    before = signer.current()
    clock.move(REFRESH)

    assert signer.current() is before


@pytest.mark.parametrize("named", ["nonsense", "alias/auth", "", None, 7])
@pytest.mark.parametrize("make", [KmsSigner, KmsKeys, KmsVerify])
def test_an_answer_that_names_no_key_is_no_answer(
    wire: Through, two: tuple[str, str], make: Any, named: object
):
    wire.after["get_public_key"] = lambda answer: {**answer, "KeyId": named}
    source = make(ALIAS if make is KmsSigner else two[0], client=wire)

    with pytest.raises(KmsError) as caught:
        source.current() if make is KmsSigner else source.key(None)
    assert caught.value.code == "kms_wrong_answer"


def test_an_answer_with_the_spec_s_former_name_alone(wire: Through, arn: str):
    def older(answer: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in answer.items() if name != "KeySpec"}

    wire.after["get_public_key"] = older

    assert KmsKeys(arn, client=wire).key(None).alg.name == "ES256"


def test_an_answer_with_the_spec_s_present_name_alone(wire: Through, arn: str):
    def newer(answer: dict[str, Any]) -> dict[str, Any]:
        return {n: v for n, v in answer.items() if n != "CustomerMasterKeySpec"}

    wire.after["get_public_key"] = newer

    assert KmsKeys(arn, client=wire).key(None).alg.name == "ES256"


@pytest.mark.parametrize("kid", ["thumbprint", "key-id"])
def test_what_tokens_call_a_key(kms: LocalKms, arn: str, kid: Any):
    keys = KmsKeys(arn, client=kms, kid=kid)
    token = issued(arn, kms, kid=kid)

    named = header_of(token)["kid"]
    assert (named == arn.rpartition("/")[2]) == (kid == "key-id")
    assert named == keys.key(None).kid
    assert verifier(keys).verify(token).claims["aud"] == AUD


YEAR_9999 = 253_402_300_799  # its last second


@pytest.mark.parametrize("time", ["refresh", "max_stale"])
def test_a_time_that_no_date_can_name_is_refused(kms: LocalKms, arn: str, time: str):
    with pytest.raises(ConfigError, match=f"{time} is {YEAR_9999 + 1}, expected seconds from 0"):
        KmsSigner(arn, client=kms, **{time: YEAR_9999 + 1})  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "times",
    [{"refresh": 0}, {"max_stale": 0}, {"refresh": 0.5}, {"max_stale": YEAR_9999}],
    ids=str,
)
def test_the_shortest_times_and_the_longest(kms: LocalKms, arn: str, times: dict[str, float]):
    assert KmsSigner(arn, client=kms, **times).current().arn == arn  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "settings",
    [{"alg": "none"}, {"alg": 7}, {"alg": "none", "kid": "arn"}, {"kid": "arn"}],
    ids=str,
)
@pytest.mark.parametrize("make", [KmsSigner, KmsKeys, KmsVerify])
def test_settings_that_make_no_sense_are_told_at_once(
    wire: Through, arn: str, make: Any, settings: dict[str, Any]
):
    with pytest.raises(ConfigError) as caught:
        make(arn, client=wire, **settings)
    for name in settings:
        assert f"{name} is " in str(caught.value)
    assert wire.calls == []


def test_a_key_that_was_silent_is_asked_again_though_another_is_fresh(
    kms: LocalKms, clock: Clock, two: tuple[str, str]
):
    keys = KmsKeys(*two, client=kms, clock=clock)
    kms.faults.add("GetPublicKey", kind="throttle", times=1)
    with pytest.raises(KmsError):
        keys.key_set()
    clock.move(RETRY)

    assert len(keys.key_set()) == 2


@pytest.mark.parametrize(("passed", "asked"), [(29, 2), (30, 3)])
def test_how_soon_keys_that_serve_are_asked_for_again(
    wire: Through, kms: LocalKms, clock: Clock, arn: str, passed: int, asked: int
):
    keys = KmsKeys(arn, client=wire, clock=clock)
    keys.key(None)
    kms.faults.add("GetPublicKey", kind="throttle", times=None)
    clock.move(3600)
    keys.key(None)
    clock.move(passed)
    keys.key(None)

    assert wire.count("get_public_key") == asked


@pytest.mark.parametrize(("passed", "asked"), [(0.9, 1), (1, 2)])
def test_how_soon_a_key_nothing_is_known_of_is_asked_for_again(
    wire: Through, kms: LocalKms, clock: Clock, arn: str, passed: float, asked: int
):
    kms.faults.add("GetPublicKey", kind="throttle", times=None)
    keys = KmsKeys(arn, client=wire, clock=clock)
    for wait in (passed, 0):
        with pytest.raises(KmsError):
            keys.key(None)
        clock.move(wait)

    assert wire.count("get_public_key") == asked


@pytest.mark.parametrize(("passed", "asked"), [(29, 1), (30, 2)])
def test_how_soon_a_withdrawn_key_is_asked_for_again(
    wire: Through, kms: LocalKms, clock: Clock, arn: str, passed: int, asked: int
):
    kms.disable_key(KeyId=arn)
    keys = KmsKeys(arn, client=wire, clock=clock)
    for wait in (passed, 0):
        with pytest.raises(KmsError):
            keys.key(None)
        clock.move(wait)

    assert wire.count("get_public_key") == asked


def test_one_wrong_answer_keeps_no_other_key_from_being_asked_for(
    wire: Through, two: tuple[str, str]
):
    """Only a Region that is silent is not asked again at once."""
    wrong = [True]

    def once(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "KeyId": "nonsense"} if wrong and wrong.pop() else answer

    wire.after["get_public_key"] = once
    keys = KmsKeys(*two, client=wire)
    second = KmsKeys(two[1], client=wire)

    with pytest.raises(KmsError):
        keys.key_set()
    assert wire.count("get_public_key") == 2
    assert keys.key(second.key(None).kid).kid == second.key(None).kid


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        ({"kind": "error_before", "code": "KMSInternalException", "times": 1}, 2),
        ({"kind": "throttle", "times": 1}, 2),
    ],
    ids=["internal error", "throttled"],
)
def test_a_region_that_answers_at_all_is_asked_for_its_other_keys(
    wire: Through, kms: LocalKms, two: tuple[str, str], fault: dict[str, Any], asked: int
):
    kms.faults.add("GetPublicKey", **fault)
    keys = KmsKeys(*two, client=wire)

    with pytest.raises(KmsError):
        keys.key_set()
    assert wire.count("get_public_key") == asked


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("DisabledException", 2),
        ("KMSInvalidStateException", 2),
        ("InvalidKeyUsageException", 1),
        ("UnsupportedOperationException", 1),
    ],
)
def test_only_a_key_that_is_out_of_use_has_its_alias_looked_up_again(
    wire: Through, kms: LocalKms, clock: Clock, two: tuple[str, str], code: str, asked: int
):
    signer = KmsSigner(ALIAS, client=wire, clock=clock)
    kms.faults.add("Sign", kind="error_before", code=code, times=1)

    with pytest.raises(KmsKeyUnusable):
        signer.current().sign(b"a.b")
    assert signer.current().arn == two[0]
    assert wire.count("get_public_key") == asked


def test_every_setting_that_makes_no_sense_is_told_at_once(wire: Through, arn: str):
    with pytest.raises(ConfigError) as caught:
        KmsSigner(arn, client=wire, alg="none", message_type="COOKED")

    assert "alg is 'none'" in str(caught.value)
    assert "'COOKED'" in str(caught.value)


def test_who_waited_for_a_look_up_makes_none_of_its_own(
    wire: Through, clock: Clock, two: tuple[str, str]
):
    under_way, answered = threading.Event(), threading.Event()

    def slowly(_request: object) -> None:
        under_way.set()
        answered.wait(5)

    wire.before["get_public_key"] = slowly
    signer = KmsSigner(ALIAS, client=wire, clock=clock)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(signer.current().arn)) for _ in "ab"]
    threads[0].start()
    assert under_way.wait(5)
    threads[1].start()
    threads[1].join(0.01)  # it has come to wait
    answered.set()
    for thread in threads:
        thread.join(5)

    assert found == [two[0]] * 2
    assert wire.count("get_public_key") == 1
