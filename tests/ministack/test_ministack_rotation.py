"""A ring's life on ministack, whose own JWT authorizer keeps a JWKS for 7,200 s, come what may.

Its clock is put forward by libfaketime, in ministack and in the functions it runs alike. Between
it and the bucket is a CDN that keeps the documents for as long as they say.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import pytest
from tests.ministack import cloud as clouds
from tests.ministack.clock import Clock
from tests.ministack.deployed import Functions, zipped
from tests.ministack.rings import RingAtWork
from tests.ministack.website import Cdn

from kmsjwt.rotation import RingSettings

MINUTE, HOUR = 60, 3_600
NATIVE_CACHE = 2 * HOUR  # ministack/services/apigateway.py, _fetch_jwks
LIFETIME = 4 * HOUR
SETTINGS = RingSettings(
    consumer_cache=NATIVE_CACHE, max_lifetime=LIFETIME, signer_refresh=15 * MINUTE
)
TOLD = {
    "KMSJWT_CONSUMER_CACHE": "2h",
    "KMSJWT_MAX_LIFETIME": "4h",
    "KMSJWT_SIGNER_REFRESH": "15m",
}
ACCEPTED, REFUSED = (200, 200), (401, 403)


@pytest.fixture(scope="module")
def clock(python, tmp_path_factory) -> Clock:
    return Clock(python, tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def cloud(python, certificate, clock, tmp_path_factory) -> Any:
    """A ministack of its own, since its clock is put forward."""
    folder = tmp_path_factory.mktemp("ministack-of-rings")
    with clouds.running(python, certificate, folder, clock.environ) as running:
        yield running
    clock.clean_up_after(running.pid)


@pytest.fixture(scope="module")
def functions(cloud, code) -> Functions:
    return Functions(cloud, zipped(code))


@pytest.fixture(scope="module")
def ring(cloud, certificate, functions, clock) -> Any:
    """Return a maker of rings, published in one bucket."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="keys", CreateBucketConfiguration={"LocationConstraint": clouds.REGION})
    site = Cdn(certificate, s3, "keys", clock)
    yield partial(RingAtWork, cloud=cloud, functions=functions, site=site, bucket="keys", **TOLD)
    site.stop()


def test_kms_tells_the_time_that_its_clock_was_put_forward_to(cloud, clock):
    """What every wait of a rotation counts by: the Date header, and when the pointer was moved."""
    kms, began = cloud.client("kms"), clock()
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    for alias in ("alias/clock/1", "alias/clock"):
        kms.create_alias(AliasName=alias, TargetKeyId=key)
    clock.forward(HOUR)
    kms.update_alias(AliasName="alias/clock", TargetKeyId=key)
    clock.forward(HOUR)
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "kmsjwt:ring", "TagValue": "clock"}])

    described = kms.describe_key(KeyId="alias/clock")
    aliases = kms.list_aliases(KeyId=key)["Aliases"]

    told = parsedate_to_datetime(described["ResponseMetadata"]["HTTPHeaders"]["date"])
    dates = {each["AliasName"]: each["LastUpdatedDate"].timestamp() for each in aliases}
    assert told.timestamp() == pytest.approx(began + 2 * HOUR, abs=MINUTE)
    assert described["KeyMetadata"]["CreationDate"].timestamp() == pytest.approx(began, abs=MINUTE)
    assert dates == {
        "alias/clock/1": pytest.approx(began, abs=MINUTE),
        "alias/clock": pytest.approx(began + HOUR, abs=MINUTE),
    }


def test_no_token_is_lost_while_a_key_comes_and_another_goes(clock, ring):
    at_work = ring("life", KMSJWT_PUBLIC="yes")

    # The first key signs at once: nobody has a JWKS without it.
    run = at_work.rotate(start=True)
    assert run.done == ["create 1", "publish 0", "mark-published 1", "point 1"]
    first = at_work.issue(LIFETIME)
    assert at_work.statuses(first) == [ACCEPTED]

    # The next counts as published when it is read back where consumers read: after the CDN.
    run = at_work.rotate(start=True)
    assert (run.done, run.stages) == (["create 2", "publish 0"], ["signing", "new"])
    clock.forward(SETTINGS.document_max_age)
    run = at_work.rotate()
    assert (run.done, run.stages) == (["mark-published 2"], ["signing", "published"])
    published, (old, new) = clock(), run.kids
    assert at_work.published() == {old, new}
    second = at_work.issue(LIFETIME)
    assert at_work.statuses(first, second) == [ACCEPTED] * 2

    # It waits, and signs; whoever looked its predecessor up just before goes on with that.
    clock.forward_to(published + SETTINGS.publish_wait - MINUTE)
    assert at_work.rotate().done == []
    third = at_work.issue(LIFETIME)
    clock.forward(2 * MINUTE)
    run = at_work.rotate()
    assert (run.done, run.stages) == (["point 2", "mark-draining 1"], ["verifying", "signing"])
    moved = clock()
    assert at_work.statuses(first, second, third) == [ACCEPTED] * 3
    clock.forward(2 * MINUTE)
    fourth = at_work.issue(LIFETIME)
    clock.forward(SETTINGS.signer_refresh)
    fifth = at_work.issue(LIFETIME)
    assert [each.kid for each in (third, fourth, fifth)] == [old, old, new]
    assert at_work.statuses(first, second, third, fourth, fifth) == [ACCEPTED] * 5

    # Its predecessor stays until its last token has expired, and a little longer.
    clock.forward_to(fourth.exp - MINUTE)
    assert at_work.rotate().done == []
    assert at_work.statuses(fourth, fifth) == [ACCEPTED] * 2
    clock.forward_to(moved + SETTINGS.drain - MINUTE)
    assert at_work.rotate().done == []
    assert at_work.published() == {old, new}
    assert at_work.statuses(first, second, third, fourth) == [REFUSED] * 4  # they have expired
    sixth = at_work.issue(LIFETIME)
    assert sixth.exp == pytest.approx(clock() + LIFETIME, abs=MINUTE)  # by the function's clock

    # It retires. Whatever it signs from now on nobody takes, once caches are over.
    clock.forward(2 * MINUTE)
    run = at_work.rotate()
    assert (run.done, run.stages) == (["retire 1", "publish 0"], ["retired", "signing"])
    assert at_work.published() == {new}
    assert at_work.statuses(sixth, at_work.issue()) == [ACCEPTED] * 2
    clock.forward(NATIVE_CACHE + SETTINGS.document_max_age)
    late = at_work.signed_by(1, clock)
    assert at_work.statuses(sixth, at_work.issue(), late) == [ACCEPTED, ACCEPTED, REFUSED]


def test_a_pointer_that_is_moved_too_early_costs_tokens_and_one_that_waits_does_not(clock, ring):
    at_work = ring("hasty")
    at_work.rotate(start=True)
    at_work.ours(at_work.issue())

    # By hand: after as long as the gateway keeps a JWKS, and no longer.
    published, second = _published_unseen(at_work, clock)
    clock.forward_to(published + NATIVE_CACHE + MINUTE)
    at_work.point_by_hand(2)
    lost = at_work.issue(LIFETIME)
    assert lost.kid == second
    assert at_work.statuses(lost) == [(401, 200)]  # ours reads the JWKS anew for a new kid

    # By the rotate function: the CDN's time is counted in.
    clock.forward(HOUR)
    published, third = _published_unseen(at_work, clock)
    assert at_work.statuses(lost) == [ACCEPTED]  # it was good all the time
    clock.forward_to(published + NATIVE_CACHE + MINUTE)
    assert at_work.rotate().done == []
    kept = at_work.issue(LIFETIME)
    clock.forward_to(published + SETTINGS.publish_wait + MINUTE)
    assert at_work.rotate().done == ["point 3", "mark-draining 2"]
    clock.forward(SETTINGS.signer_refresh)
    new = at_work.issue(LIFETIME)
    assert (kept.kid, new.kid) == (second, third)
    assert at_work.statuses(kept, new) == [ACCEPTED] * 2


def _published_unseen(at_work: RingAtWork, clock: Clock) -> tuple[float, str]:
    """Publish a new key, and let the gateway read a JWKS without it, as late as it can.

    Returns:
        When the key was published, and its ``kid``.
    """
    clock.forward(SETTINGS.document_max_age)
    at_work.ours(at_work.issue())  # the CDN reads the JWKS for it
    run = at_work.rotate(start=True)
    assert run.stages[-2:] == ["signing", "published"]
    published = clock()
    clock.forward_to(published + SETTINGS.document_max_age - MINUTE)
    token = at_work.issue()
    assert (token.kid, at_work.native(token)) == (run.kids[-2], 200)
    return published, run.kids[-1]


def test_a_withdrawn_key_is_taken_for_as_long_as_its_jwks_is_kept(clock, ring):
    at_work = ring("withdrawn")
    [stolen] = at_work.rotate(start=True).kids
    token = at_work.issue(LIFETIME)
    assert at_work.statuses(token) == [ACCEPTED]

    run = at_work.rotate(compromised=stolen)

    assert run.stages == ["compromised", "signing"]
    assert run.done[-1] == "disable 1"
    assert at_work.published() == {run.kids[1]}
    clock.forward(2 * SETTINGS.document_max_age)  # the CDN's, and our authorizer's
    new = at_work.issue(LIFETIME)
    assert new.kid == run.kids[1]
    assert at_work.statuses(token, new) == [(200, 403), (401, 200)]
    clock.forward(NATIVE_CACHE)
    assert token.exp > clock() + HOUR
    assert at_work.statuses(token, new) == [REFUSED, ACCEPTED]
