"""What a withdrawal means to whom: nobody is promised to forget a key sooner than it does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.authority.compat_cases import jwk
from tests.jwks.servers import Clock, Server, body

from kmsjwt._immutable import replaced
from kmsjwt.authority.compat import CONSUMERS, LIMITS
from kmsjwt.authority.compat.limits import UNKNOWN_CACHE
from kmsjwt.authority.in_kms import InKms
from kmsjwt.authority.report import as_json
from kmsjwt.authority.rotate import Rotator
from kmsjwt.authority.withdrawal import Consequence, consequences, rows
from kmsjwt.errors import KmsJwtError, UnknownKey
from kmsjwt.jwks import JwksUrl
from kmsjwt.kms import KmsSigner, RingKeys, create_ring, read_ring
from kmsjwt.kms.arguments import RING_MAX_AGE
from kmsjwt.local import LocalKms, Propagation
from kmsjwt.rotation import Generation, Marks, Ring, RingSettings

MINUTE, HOUR, DAY = 60, 3_600, 86_400
NOW = 1_800_000_000.0
SETTINGS = RingSettings(document_max_age=10 * MINUTE, consumer_cache=2 * HOUR)
ROTATED = NOW - 3 * DAY


def generation(number: int, settings: RingSettings | None = SETTINGS, **marks: Any) -> Generation:
    return Generation(
        number=number,
        arn=f"arn:aws:kms:eu-central-1:111122223333:key/{number}",
        kid=f"kid-{number}",
        spec="RSA_2048",
        state="Enabled",
        born=NOW - 60 * DAY,
        marks=Marks(**marks),
        settings=settings,
    )


def ring(*generations: Generation, signing: int | None = 1) -> Ring:
    return Ring(
        name="auth",
        now=NOW,
        generations=generations,
        signing=signing,
        signing_since=NOW - 20 * DAY,
    )


GONE = Marks(compromised=NOW, disabled=NOW)
ALONE = ring(generation(1, published=NOW - 20 * DAY))


def told(its: Ring, number: int = 1, **more: Any) -> dict[str, Consequence]:
    which = its.generation(number)
    assert which is not None
    return {each.consumer: each for each in consequences(its, which, **more)}


def later(at: float | None, seconds: float = 1) -> float:
    assert at is not None
    return at + seconds


def test_every_consumer_that_is_known_has_a_row():
    assert set(CONSUMERS) <= set(told(ALONE))


@pytest.mark.parametrize("name", [name for name in CONSUMERS if (name, "cache") in LIMITS])
def test_who_caches_is_told_by_the_one_table_of_limits(name):
    kept = LIMITS[name, "cache"]
    asks_again = (name, "asks_again") in LIMITS

    said = told(ALONE)[name]

    assert said.accepts_until == NOW + 10 * MINUTE + kept.value
    assert said.lacks_until == NOW + 10 * MINUTE + (0 if asks_again else kept.value)
    assert said.source == kept.source


@pytest.mark.parametrize("name", ["alb", "appsync", "iam-oidc"])
@pytest.mark.parametrize("cache", [0, 2 * HOUR, 7 * DAY])
def test_of_whom_nothing_is_known_the_longest_is_said_and_no_source(name, cache):
    settings = RingSettings(consumer_cache=cache)

    said = told(ring(generation(1, settings)))[name]

    assert said.accepts_until == said.lacks_until == NOW + 300 + max(cache, UNKNOWN_CACHE)
    assert said.source is None
    assert "not confirmed" in said.why


def test_aws_jwt_verify_has_no_end_but_that_of_its_process():
    said = told(ALONE)["aws-jwt-verify"]

    assert said.accepts_until is None
    assert "process" in said.ends
    assert said.lacks_until == NOW + 10 * MINUTE


@pytest.mark.parametrize("number", [1, 2])
def test_who_has_had_the_next_key_for_long_does_not_lack_it(number):
    """Either it signs already, or it is published and waits."""
    its = ring(
        generation(1, published=NOW - 20 * DAY),
        generation(2, published=ROTATED),
        signing=number,
    )

    said = told(its)

    endless = ["url-blocked", "bundle", "ring-silent", "keys"]  # no time ends these
    pointed = ["issuer"] if number == 1 else []  # an issuer has it when the pointer moves
    lacking = [name for name, each in said.items() if (each.lacks_until or NOW + 1) > NOW]
    assert lacking == [*endless, *pointed]
    assert {each.lacks_until for each in said.values()} - {None} != set()


def test_a_next_key_that_is_published_for_an_hour_is_lacked_for_the_rest():
    its = ring(generation(1, published=NOW - 20 * DAY), generation(2, published=NOW - HOUR))

    assert told(its)["http-api"].lacks_until == NOW - HOUR + 10 * MINUTE + 2 * HOUR


@pytest.mark.parametrize(
    "second",
    [generation(2), replaced(generation(2, published=ROTATED), state="Disabled")],
    ids=["unpublished", "disabled"],
)
def test_a_next_key_that_cannot_sign_counts_for_nothing(second):
    its = ring(generation(1, published=NOW - 20 * DAY), second)

    assert told(its)["http-api"].lacks_until == NOW + 10 * MINUTE + 2 * HOUR


def test_it_counts_from_when_the_key_was_seen_to_be_gone():
    """A key is disabled only once the JWKS was read back without it."""
    withdrawn = NOW - 5 * HOUR
    gone = generation(1, compromised=withdrawn, retired=withdrawn, disabled=NOW - 4 * HOUR)
    its = ring(gone, generation(2, published=withdrawn), signing=2)

    assert told(its)["http-api"].accepts_until == NOW - 2 * HOUR + 10 * MINUTE


def test_where_no_settings_are_known_the_longest_is_said():
    said = told(ring(generation(1, None)))

    assert said["http-api"].accepts_until == NOW + UNKNOWN_CACHE + 2 * HOUR
    assert said["alb"].accepts_until == NOW + 2 * UNKNOWN_CACHE


def test_a_key_that_stays_enabled_is_accepted_by_who_names_it():
    assert told(ALONE)["keys"].accepts_until is not None
    assert told(ALONE, keep_enabled=True)["keys"].accepts_until is None
    kept = ring(generation(1, compromised=NOW, keep_enabled=True), generation(2), signing=2)
    assert told(kept)["keys"].accepts_until is None


@pytest.mark.parametrize(
    ("keep_enabled", "signs", "lacks"),
    [(False, 5 * MINUTE, 5 * MINUTE), (True, 2 * HOUR + 5 * MINUTE, 2 * HOUR + 5 * MINUTE)],
)
def test_an_issuer_sees_the_pointer_late_and_goes_on_with_what_it_knows(keep_enabled, signs, lacks):
    settings = RingSettings(signer_refresh=2 * HOUR)

    said = told(ring(generation(1, settings)), keep_enabled=keep_enabled)["issuer"]

    assert (said.accepts_until, said.lacks_until) == (NOW + signs, NOW + lacks)


@pytest.mark.parametrize("keep_enabled", [False, True])
@pytest.mark.parametrize(("ago", "is_over"), [(10 * MINUTE, False), (65 * MINUTE, True)])
def test_no_issuer_signs_with_a_key_from_which_the_pointer_moved_before(keep_enabled, ago, is_over):
    its = ring(generation(1), generation(2, published=ROTATED), signing=2)
    its = replaced(its, signing_since=NOW - ago)

    said = told(its, keep_enabled=keep_enabled)["issuer"]

    assert ((said.accepts_until or NOW + 1) <= NOW) == is_over
    assert said.accepts_until is not None
    assert said.accepts_until <= NOW - ago + 65 * MINUTE


def test_before_and_after_the_same_is_said():
    gone = generation(1, compromised=NOW, retired=NOW)
    after = replaced(ALONE, generations=[gone])

    assert rows(after, gone) == rows(ALONE, ALONE.generations[0])


def test_a_key_of_which_the_ring_knows_nothing_is_not_the_one_that_signs():
    said = {each.consumer: each for each in consequences(ALONE, None)}

    assert said["http-api"].accepts_until == told(ALONE)["http-api"].accepts_until
    assert said["http-api"].lacks_until == NOW - 20 * DAY + 10 * MINUTE + 2 * HOUR


def test_the_table_for_people():
    its = ring(generation(1, compromised=NOW), generation(2, published=NOW), signing=2)

    head, *said = rows(its, its.generations[0])
    later_on = rows(replaced(its, now=NOW + DAY), replaced(its.generations[0], marks=GONE))

    assert {len(row) for row in said} == {len(head)}
    cells = {row[0]: row[1:3] for row in said}
    assert cells["HTTP API JWT"] == ("2027-01-15T10:10:00Z", "2027-01-15T10:10:00Z")
    assert cells["aws-jwt-verify"] == ("its process ends", "2027-01-15T08:10:00Z")
    assert {row[0]: row[1:3] for row in later_on}["HTTP API JWT"] == ("at once", "at once")


def test_who_reads_kms_is_told_apart():
    reads = [each.reads for each in told(ALONE).values()]

    assert reads == sorted(reads, key=["jwks", "bundle", "answers", "kms"].index)
    assert set(reads) == {"jwks", "bundle", "answers", "kms"}


# ---------------------------------------------------------------- as it is in fact


@pytest.fixture
def server() -> Any:
    server = Server()
    yield server
    server.stop()


def test_our_own_readers_of_a_url_keep_to_what_is_said(server):
    """It reads the document just before the key leaves it, the oldest that may be about."""
    max_age = 10 * MINUTE
    said = told(ALONE)
    old, new = jwk("ES256", "old"), jwk("RS256", "new")
    server.answer = body({"keys": [old]}, Cache_Control=f"max-age={max_age}")
    clock = Clock(NOW + max_age)  # a CDN may give the former document until then
    reader, blocked = (JwksUrl(server.url, clock=clock) for _ in range(2))
    assert reader.key("old") == blocked.key("old")

    server.answer = body({"keys": [new]})
    clock.now = later(said["url"].lacks_until)
    JwksUrl(server.url, clock=clock).key("new")
    clock.now = later(said["url"].accepts_until, -1)
    assert reader.key("old").kid == "old"
    clock.now += 2
    with pytest.raises(UnknownKey):
        reader.key("old")

    server.stop()
    clock.now = later(said["url-blocked"].accepts_until, -1)
    assert blocked.key("old").kid == "old"
    clock.now += 2
    with pytest.raises(KmsJwtError):
        blocked.key("old")


def test_our_own_readers_of_a_ring_keep_to_what_is_said():
    """Others see tags and aliases five minutes late, as KMS's guide says they may."""
    clock, late = Clock(NOW), Propagation(alias=300, tag=300, key=300, permission=300)
    kms = LocalKms(clock=clock, propagation=Propagation(readers={"verifier": late}))
    create_ring("auth", client=kms, spec="ECC_NIST_P256")
    rotator = Rotator("auth", InKms("auth", kms), client=kms, clock=clock)
    rotator.run()
    clock.now += DAY
    elsewhere = kms.reader("verifier")
    keys = RingKeys("auth", client=elsewhere, clock=clock)
    before = read_ring(kms, "auth").ring
    old = str(before.generations[0].kid)
    assert keys.key(old).kid == old

    clock.now += 10
    after = rotator.withdraw("1").ring
    report = {each.consumer: each for each in consequences(after, after.generations[0])}
    new = str(after.generations[1].kid)
    clock.now = later(report["ring"].lacks_until)
    assert RingKeys("auth", client=elsewhere, clock=clock).key(new).kid == new
    clock.now = later(report["ring"].accepts_until, -RING_MAX_AGE - 2)
    assert keys.key(old).kid == old  # it reads the ring just before it sees the tag
    clock.now = later(report["ring"].accepts_until, -3)
    assert keys.key(old).kid == old
    clock.now += 4
    with pytest.raises(UnknownKey):
        keys.key(old)


def test_our_own_readers_of_a_ring_while_kms_is_silent():
    clock = Clock(NOW)
    kms = LocalKms(clock=clock)
    create_ring("auth", client=kms, spec="ECC_NIST_P256")
    its = read_ring(kms, "auth").ring
    keys = RingKeys("auth", client=kms, clock=clock)
    old = str(its.generations[0].kid)
    clock.now += 300  # who sees tags late reads the key as good until then
    keys.key(old)

    said = told(its)["ring-silent"]
    kms.faults.add(kind="drop", times=None)
    clock.now = later(said.accepts_until, -1)
    assert keys.key(old).kid == old
    clock.now += 2
    with pytest.raises(KmsJwtError):
        keys.key(old)


@pytest.mark.parametrize("keep_enabled", [False, True])
def test_our_own_issuers_keep_to_what_is_said(keep_enabled):
    """One looks the pointer up just before it sees that it has moved, and KMS is silent then."""
    clock, late = Clock(NOW), Propagation(alias=300, tag=300, key=0, permission=300)
    kms = LocalKms(clock=clock, propagation=Propagation(readers={"issuer": late}))
    create_ring("auth", client=kms, spec="ECC_NIST_P256")
    rotator = Rotator("auth", InKms("auth", kms), client=kms, clock=clock)
    rotator.run()
    clock.now += DAY
    signer = KmsSigner("ring:auth", client=kms.reader("issuer"), clock=clock)
    old = signer.current().kid
    clock.now += 10

    report = rotator.withdraw("1", keep_enabled=keep_enabled)
    after, withdrawn = report.ring, report.ring.generations[0]
    said = {each.consumer: each for each in consequences(after, withdrawn)}["issuer"]

    def signs_with() -> str:
        key = signer.current()
        key.sign(b"a.b")
        return key.kid

    if not keep_enabled:
        with pytest.raises(KmsJwtError):
            signs_with()  # the look-up is old, and the key disabled
        clock.now = later(said.lacks_until, -2)
        with pytest.raises(KmsJwtError):
            signs_with()
        clock.now += 3
        assert signs_with() not in ("", old)
        return
    clock.now = later(said.lacks_until, -HOUR - 1)
    assert signs_with() == old
    for name in ("DescribeKey", "GetPublicKey", "ListResourceTags"):
        kms.faults.add(name, kind="drop", times=None, reader="issuer")
    clock.now = later(said.accepts_until, -2)
    assert signs_with() == old
    clock.now += 3
    with pytest.raises(KmsJwtError):
        signs_with()


# ---------------------------------------------------------------- as JSON


def test_the_report_of_a_withdrawal_has_the_consequences():
    clock = Clock(NOW)
    kms = LocalKms(clock=clock)
    create_ring("auth", client=kms, spec="ECC_NIST_P256")
    rotator = Rotator("auth", InKms("auth", kms), client=kms, clock=clock)

    before = rotator.run()
    dry = as_json(before, withdrawing=before.ring.generations[0])["withdrawals"]
    done = json.loads(json.dumps(as_json(rotator.withdraw("1"))))["withdrawals"]

    assert as_json(before)["withdrawals"] == []
    (mine,) = done
    assert (mine["generation"], mine["kid"]) == (1, before.ring.generations[0].kid)
    by_name = {each["consumer"]: each for each in mine["consequences"]}
    assert by_name["aws-jwt-verify"]["accepts_old_until"] is None
    assert "process" in by_name["aws-jwt-verify"]["ends_with"]
    assert by_name["http-api"]["accepts_old_until"].startswith("2027-01-15T10:")
    assert by_name["http-api"]["source"] == LIMITS["http-api", "cache"].source
    assert [each["consumer"] for each in dry[0]["consequences"]] == list(by_name)
