"""KmsKeys: fetched late, refreshed, withdrawn when disabled, kept through an outage."""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from tests.kms import support
from tests.kms.support import NOW, Clock, Through, issued, make_key

from kmsjwt.errors import CannotKnow, ConfigError, KmsError, KmsKeyUnusable, UnknownKey
from kmsjwt.kms import KmsKeys, KmsSigner, KmsVerify
from kmsjwt.local import LocalKms

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_AGE, MAX_STALE = 3600, 86_400


@pytest.fixture
def keys(wire: Through, arn: str, clock: Clock) -> KmsKeys:
    return KmsKeys(arn, client=wire, clock=clock)


@pytest.fixture
def second(kms: LocalKms) -> str:
    return make_key(kms, "ECC_NIST_P256")


@pytest.fixture
def both(wire: Through, arn: str, second: str, clock: Clock) -> KmsKeys:
    return KmsKeys(arn, second, client=wire, clock=clock)


def kid_of(kms: LocalKms, arn: str) -> str:
    return KmsKeys(arn, client=kms).key(None).kid


def test_nothing_is_fetched_until_a_token_comes(
    kms: LocalKms, arn: str, keys: KmsKeys, wire: Through
):
    assert wire.calls == []
    token = issued(arn, kms)
    support.verifier(keys).verify(token)
    support.verifier(keys).verify(token)
    assert wire.count("get_public_key") == 1


def test_it_is_refreshed_and_the_key_stays_the_same_object(
    keys: KmsKeys, wire: Through, clock: Clock
):
    key = keys.key(None)
    for fetched in (2, 3):
        clock.move(MAX_AGE - 1)
        assert keys.key(key.kid) is key
        assert wire.count("get_public_key") == fetched - 1
        clock.move(1)
        assert keys.key(key.kid) is key
        assert wire.count("get_public_key") == fetched


@pytest.mark.parametrize("spoil", ["disable", "delete"])
def test_a_disabled_key_is_withdrawn_at_the_next_refresh(
    spoil: str, kms: LocalKms, arn: str, keys: KmsKeys, clock: Clock
):
    key = keys.key(None)
    if spoil == "disable":
        kms.disable_key(KeyId=arn)
    else:
        kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    clock.move(MAX_AGE - 1)
    assert keys.key(key.kid) is key
    clock.move(1)
    for act in (lambda: keys.key(key.kid), keys.key_set):
        with pytest.raises(KmsKeyUnusable):
            act()

    if spoil == "disable":
        kms.enable_key(KeyId=arn)
        clock.move(30)
        assert keys.key(key.kid).kid == key.kid


def test_beside_a_good_key_a_withdrawn_one_is_just_unknown(
    kms: LocalKms, arn: str, second: str, both: KmsKeys, clock: Clock
):
    first = kid_of(kms, arn)
    both.key(first)
    kms.disable_key(KeyId=arn)
    clock.move(MAX_AGE)
    with pytest.raises(UnknownKey, match="none of the 1 trusted"):
        both.key(first)
    assert [key.kid for key in both.key_set()] == [both.key(kid_of(kms, second)).kid]


TROUBLES: dict[str, dict[str, Any]] = {
    "dropped": {"kind": "drop"},
    "throttled": {"kind": "throttle"},
    "denied": {"kind": "access_denied"},
    "not found": {"kind": "error_before", "code": "NotFoundException"},
    "internal": {"kind": "error_before", "code": "KMSInternalException"},
    "unheard of": {"kind": "error_before", "code": "SomethingNewException"},
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_other_trouble_keeps_the_key_until_max_stale(
    trouble: dict[str, Any], kms: LocalKms, keys: KmsKeys, wire: Through, clock: Clock
):
    key = keys.key(None)
    failing = kms.faults.add("GetPublicKey", times=None, **trouble)
    clock.move(MAX_AGE)
    assert keys.key(key.kid) is key
    assert keys.key(key.kid) is key
    assert wire.count("get_public_key") == 2  # it is not asked for every token
    clock.move(30)
    assert keys.key(key.kid) is key
    assert wire.count("get_public_key") == 3
    assert list(keys.key_set()) == [key]
    clock.move(MAX_STALE - MAX_AGE - 31)
    assert keys.key(key.kid) is key
    clock.move(1)
    for act in (lambda: keys.key(key.kid), keys.key_set):
        with pytest.raises(CannotKnow) as told:
            act()
        assert not isinstance(told.value, UnknownKey)
    failing.remove()
    clock.move(1)
    assert keys.key(key.kid).kid == key.kid


def test_the_first_fetch_that_fails_is_tried_again_after_a_second(
    kms: LocalKms, arn: str, keys: KmsKeys, wire: Through, clock: Clock
):
    """One dropped packet at a cold start must not mean half a minute of 500s."""
    kms.faults.add("GetPublicKey", kind="throttle")
    for _ in range(3):
        with pytest.raises(KmsError):
            keys.key("any")
    assert wire.count("get_public_key") == 1
    clock.move(1)
    assert keys.key(kid_of(kms, arn)).kid


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_an_unknown_kid_while_a_key_is_missing_is_not_known_to_be_bad(
    trouble: dict[str, Any], kms: LocalKms, arn: str, second: str, both: KmsKeys
):
    known, missing = kid_of(kms, arn), kid_of(kms, second)
    kms.faults.add("GetPublicKey", key=second, times=None, **trouble)
    assert both.key(known).kid == known  # the trouble of one is not the other's
    for kid in (missing, "never heard of"):
        with pytest.raises(KmsError) as told:
            both.key(kid)
        assert second in str(told.value)
    with pytest.raises(KmsError):
        both.key_set()
    with pytest.raises(UnknownKey) as unknown:  # of two keys no key is meant, whatever they are
        both.key(None)
    assert unknown.value.code == "kid_missing"


def test_an_unknown_kid_is_bad_once_all_keys_are_known(both: KmsKeys, wire: Through):
    with pytest.raises(UnknownKey, match="none of the 2 trusted keys"):
        both.key("never heard of")
    with pytest.raises(UnknownKey, match="names no kid, and 2 keys"):
        both.key(None)
    assert wire.count("get_public_key") == 2  # and no token makes KMS be asked again


def test_how_many_keys_there_are_is_known_without_asking(both: KmsKeys, wire: Through):
    assert both.key_count == 2
    assert wire.calls == []


def test_a_silent_kms_is_waited_for_once(kms: LocalKms, both: KmsKeys, wire: Through, clock: Clock):
    """Two time-outs of five seconds would outlive the authorizer that has keys to go on with."""
    kids = [key.kid for key in both.key_set()]
    kms.faults.add("GetPublicKey", kind="drop", times=None)
    clock.move(MAX_AGE)
    assert [both.key(kid).kid for kid in kids] == kids
    assert wire.count("get_public_key") == 3


def test_a_clock_that_goes_backwards_makes_keys_old(house: LocalKms, clock: Clock):
    arn = make_key(house, "ECC_NIST_P256")
    wire = Through(house)
    keys = KmsKeys(arn, client=wire, clock=clock)
    key = keys.key(None)
    house.disable_key(KeyId=arn)
    clock.move(-1_000_000)
    with pytest.raises(KmsKeyUnusable):
        keys.key(key.kid)
    assert wire.count("get_public_key") == 2


def test_a_small_step_back_during_an_outage_loses_no_key(
    kms: LocalKms, keys: KmsKeys, clock: Clock
):
    key = keys.key(None)
    kms.faults.add("GetPublicKey", kind="drop", times=None)
    clock.move(-2)
    assert keys.key(key.kid) is key
    clock.move(MAX_STALE - 1)
    assert keys.key(key.kid) is key
    clock.move(1)
    with pytest.raises(CannotKnow):
        keys.key(key.kid)


def test_threads_fetch_once_and_a_late_one_does_not_undo_it(kms: LocalKms, arn: str):
    """Each thread reads a time of its own before it waits for the others."""
    wire = Through(kms)
    lock, ticks = threading.Lock(), iter(range(10**9))

    def clock() -> float:
        with lock:
            return NOW + next(ticks) / 1e6

    keys = KmsKeys(arn, client=wire, clock=clock)
    gate = threading.Barrier(8)
    found: list[str] = []

    def look() -> None:
        gate.wait()
        found.append(keys.key(None).kid)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert wire.count("get_public_key") == 1


def test_a_thread_that_waited_through_a_fetch_takes_its_result(kms: LocalKms, arn: str):
    """The one that waits saw the clock first; its time must not make the answer look too new."""
    wire = Through(kms)
    times = iter([NOW, NOW, *[NOW + 5] * 20])
    waiting, fetched = threading.Event(), threading.Event()
    main = threading.current_thread()

    def clock() -> float:
        if threading.current_thread() is not main and not fetched.is_set():
            waiting.set()
            now = NOW - 1  # read just before the other one started
            fetched.wait(5)
            return now
        return next(times)

    keys = KmsKeys(arn, client=wire, clock=clock)
    found: list[str] = []
    late = threading.Thread(target=lambda: found.append(keys.key(None).kid))
    late.start()
    waiting.wait(5)
    keys.key(None)
    fetched.set()
    late.join()
    assert len(found) == 1
    assert wire.count("get_public_key") == 1


def test_an_error_told_again_keeps_no_caller_alive(kms: LocalKms, keys: KmsKeys):
    kms.faults.add("GetPublicKey", kind="drop", times=None)

    def depth() -> int:
        with pytest.raises(KmsError) as told:
            keys.key("any")
        return len(traceback.extract_tb(told.value.__traceback__))

    first = depth()
    assert {depth() for _ in range(20)} == {first}


def test_one_name_given_twice_is_one_key(wire: Through, arn: str):
    assert KmsKeys(arn, arn, client=wire).key(None).alg.name == "ES256"
    assert wire.count("get_public_key") == 1


def test_one_key_named_twice_is_published_once(kms: LocalKms, arn: str):
    keys = KmsKeys(arn, arn.rpartition("/")[2], arn, client=kms)
    assert len(keys.key_set()) == 1


@pytest.mark.parametrize(
    ("names", "options", "code"),
    [
        ((), {}, "keys"),
        (("ARN",), {"kid": "arn"}, "kid"),
        (("ARN",), {"alg": "HS256"}, "unknown_alg"),
        (("ARN", "alias/auth"), {}, "alias_to_verify"),
    ],
)
def test_senseless_settings(
    names: tuple[str, ...], options: dict[str, Any], code: str, kms: LocalKms, arn: str
):
    with pytest.raises(ConfigError) as error:
        KmsKeys(*(arn if name == "ARN" else name for name in names), client=kms, **options)
    assert error.value.code == code


@pytest.mark.parametrize("make", [lambda arn, kms: KmsKeys(arn, client=kms, alg="RS256")])
def test_an_algorithm_the_key_does_not_sign(
    make: Callable[[str, LocalKms], KmsKeys], kms: LocalKms, arn: str
):
    with pytest.raises(KmsKeyUnusable) as error:
        make(arn, kms).key(None)
    assert error.value.code == "alg_mismatch"


def test_keys_of_several_regions_each_get_a_client_of_their_own():
    key = "1234abcd-12ab-34cd-56ef-1234567890ab"
    other = "1234abcd-12ab-34cd-56ef-1234567890ac"
    keys = KmsKeys(
        f"arn:aws:kms:eu-west-1:111122223333:key/{key}",
        f"arn:aws:kms:us-east-1:111122223333:key/{key}",
        f"arn:aws:kms:eu-west-1:111122223333:key/{other}",
    )
    clients = [cell._client for cell in keys._cells]
    regions = [client.meta.region_name for client in clients]  # type: ignore[attr-defined]  # a client is Any here
    assert regions == ["eu-west-1", "us-east-1", "eu-west-1"]
    assert clients[0] is clients[2]


def test_keys_are_not_given_up_before_they_are_fetched_again(kms: LocalKms, arn: str):
    KmsKeys(arn, client=kms, max_age=60, max_stale=60)
    with pytest.raises(ConfigError, match=r"max_stale is 59 s, .* max_age, 60 s"):
        KmsKeys(arn, client=kms, max_age=60, max_stale=59)


@pytest.mark.parametrize("make", [KmsKeys, KmsSigner])
def test_a_clock_is_a_function(make: Callable[..., object], kms: LocalKms, arn: str):
    with pytest.raises(ConfigError, match="clock is 1790000000, expected a function"):
        make(arn, client=kms, clock=NOW)


WRONG: dict[str, tuple[Any, str]] = {
    "client": (LocalKms().in_region("us-east-1"), "the KMS client is in us-east-1"),
    "kid": ("arn", "kid is 'arn'"),
    "alg": ("HS256", "HS256"),
    "max_age": (-1, "max_age is -1"),
    "refresh": (-1, "refresh is -1"),
    "max_stale": ("1h", "max_stale is '1h'"),
    "message_type": ("raw", "message_type is 'raw'"),
    "clock": (NOW, "clock is"),
}


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (KmsKeys, "client kid alg max_age max_stale clock"),
        (KmsVerify, "client kid alg"),
        (KmsSigner, "client kid alg refresh max_stale message_type clock"),
    ],
)
def test_everything_wrong_is_told_at_once(make: Callable[..., object], settings: str, arn: str):
    named = settings.split()
    with pytest.raises(ConfigError) as error:
        make(arn, **{name: WRONG[name][0] for name in named})
    assert error.value.code == "kms_settings"
    assert [name for name in named if WRONG[name][1] not in str(error.value)] == []


def test_every_key_that_is_wrong_is_named(kms: LocalKms, arn: str):
    with pytest.raises(ConfigError) as error:
        KmsKeys("alias/auth", arn, "auth", "alias/other", client=kms, kid="arn")  # type: ignore[arg-type]  # wrong on purpose
    for fault in ("alias/auth is an alias", "alias/other is an alias", "is 'auth'", "kid is 'arn'"):
        assert fault in str(error.value)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 10**400, "60", True])
def test_times_that_are_none_are_refused_at_once(kms: LocalKms, seconds: Any):
    """A mistyped time would keep a withdrawn key, or ask KMS for each token."""
    with pytest.raises(ConfigError, match=r"max_age is .*; max_stale is "):
        KmsKeys(
            "1234abcd-12ab-34cd-56ef-1234567890ab", client=kms, max_age=seconds, max_stale=seconds
        )


def test_one_key_that_does_not_fit_stops_no_other(kms: LocalKms, wire: Through, clock: Clock):
    """Its own tokens are not denied for what the deployment got wrong; the others pass."""
    fits, other = make_key(kms, "RSA_2048"), make_key(kms, "ECC_NIST_P256")
    keys = KmsKeys(fits, other, client=wire, clock=clock, alg="RS256")

    assert keys.key(kid_of(kms, fits)).alg.name == "RS256"
    with pytest.raises(KmsKeyUnusable) as error:
        keys.key(kid_of(kms, other))
    assert error.value.code == "alg_mismatch"
