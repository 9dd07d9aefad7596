"""Each role may do what its part of the product does, and nothing that it does not do.

The product's own code runs against a local KMS through a client that asks the role's policy before
every call; what each statement was used for has to be all that it grants.
"""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tests.authority.enforcing import Enforcing, granted
from tests.authority.evaluator import Request, allowed, deciding

from kmsjwt import Issuer, Verifier
from kmsjwt.authority import iam
from kmsjwt.authority.delete import delete
from kmsjwt.authority.doctor import Deployment, Use, examine
from kmsjwt.authority.iam_names import FixedKeys, Place, Ring, read_keys
from kmsjwt.authority.rotate import Rotator
from kmsjwt.key_names import KeyReference
from kmsjwt.kms import KmsKeys, KmsSigner, KmsVerify
from kmsjwt.kms.public import fetch
from kmsjwt.kms.ring.create import create_ring
from kmsjwt.kms.ring.finding import orphans
from kmsjwt.kms.ring.reading import read
from kmsjwt.local import LocalKms
from kmsjwt.publish import S3, CloudFront, Publisher

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from kmsjwt.authority.iam import Statement
    from kmsjwt.keys import PublicKey

ISS = "https://id.example/tenant"
START = 1_790_000_000
HOUR, DAY = 3_600, 86_400
EC = ["ES256"]
STS = SimpleNamespace(get_caller_identity=lambda: {"Arn": "arn:aws:iam::111122223333:role/x"})


class Clock:
    def __init__(self) -> None:
        self.now = float(START)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kms(clock: Clock) -> LocalKms:
    return LocalKms(clock=clock)


@pytest.fixture
def ring(kms: LocalKms) -> Ring:
    return Ring("auth", Place(kms.meta.region_name, kms.account_id))


class Shelf:
    """Somewhere to publish that is no AWS service."""

    def __init__(self) -> None:
        self.live: dict[str, PublicKey] = {}

    def publish(self, live: Iterable[PublicKey], retired: Collection[str], **more: object) -> None:
        del more
        self.live |= {key.kid: key for key in live}
        self.live = {kid: key for kid, key in self.live.items() if kid not in retired}

    def kids(self, _expected: object = ()) -> frozenset[str]:
        return frozenset(self.live)

    def lingering(self) -> frozenset[str]:
        return self.kids()

    def invalidate(self) -> None:
        pass


def rotator(client: Any, clock: Clock, **more: Any) -> Rotator:
    shelf = more.pop("shelf", None) or Shelf()
    return Rotator("auth", shelf, client=client, spec="ECC_NIST_P256", clock=clock, **more)


def issue_and_verify(client: Any, key: str, keys: Any, clock: Clock) -> None:
    signer = KmsSigner(key, client=client, clock=clock)
    token = Issuer(ISS, signer, clock=clock).issue(sub="ala", aud="orders").token
    if keys is not None:
        Verifier(keys, issuer=ISS, audience="orders", clock=clock).verify(token)


def arn_of(kms: LocalKms) -> str:
    return str(kms.describe_key(KeyId="alias/auth")["KeyMetadata"]["Arn"])


def nothing_missing_nothing_spare(client: Enforcing, statements: list[Statement]) -> None:
    assert client.denied == []
    assert granted(statements) - client.used == set()


def made(kms: LocalKms) -> str:
    """Make the ring, unasked, and return its key."""
    create_ring("auth", spec="ECC_NIST_P256", client=kms)
    return arn_of(kms)


def test_issue_with_a_ring(kms, ring, clock):
    made(kms)
    statements = iam.issue([ring], algs=EC)
    client = Enforcing(kms, statements)

    for key in ("ring:auth", "alias/auth"):
        issue_and_verify(client, key, None, clock)

    nothing_missing_nothing_spare(client, statements)


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_EDWARDS25519", "ML_DSA_44"])
def test_issue_with_one_key(kms, clock, spec):
    alg = {"RSA_2048": "RS256", "ECC_NIST_EDWARDS25519": "Ed25519", "ML_DSA_44": "ML-DSA-44"}[spec]
    key = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    statements = iam.issue(read_keys([key]), algs=[alg])
    client = Enforcing(kms, statements)

    issue_and_verify(client, key, None, clock)

    nothing_missing_nothing_spare(client, statements)


def test_issue_with_raw_messages(kms, clock):
    key = made(kms)
    statements = iam.issue(read_keys([key]), algs=EC, message_type="RAW")
    client = Enforcing(kms, statements)

    signer = KmsSigner(key, client=client, message_type="RAW", clock=clock)
    Issuer(ISS, signer, clock=clock).issue(sub="ala", aud="orders")

    nothing_missing_nothing_spare(client, statements)


def test_authorizer_and_jwks_with_one_key(kms, clock):
    key = made(kms)
    for statements in (
        iam.authorizer(read_keys([key]), keys_from="kms"),
        iam.jwks(read_keys([key])),
    ):
        client = Enforcing(kms, statements)

        issue_and_verify(kms, key, KmsKeys(key, client=client, clock=clock), clock)

        nothing_missing_nothing_spare(client, statements)


def test_authorizer_and_jwks_with_a_ring(kms, ring, clock):
    made(kms)
    for statements in (iam.authorizer([ring], keys_from="kms"), iam.jwks([ring])):
        client = Enforcing(kms, statements)

        issue_and_verify(kms, "alias/auth", KmsKeys.ring("auth", client=client, clock=clock), clock)

        nothing_missing_nothing_spare(client, statements)


def test_verify_with_kms(kms, clock):
    key = made(kms)
    statements = iam.verify_with_kms(read_keys([key]), algs=EC)
    client = Enforcing(kms, statements)

    issue_and_verify(kms, key, KmsVerify(key, client=client), clock)

    nothing_missing_nothing_spare(client, statements)


def test_rotate_through_the_lives_of_several_keys(kms, ring, clock):
    statements = iam.rotate(ring, specs=["ECC_NIST_P256"])
    client = Enforcing(kms, statements)
    its = rotator(client, clock)

    its.run(start=True)
    # To look for what a killed run left of the first key is optional.
    assert {each.action for each in client.denied} == {"kms:ListKeys"}
    client.denied.clear()
    for _ in range(100 * 4):
        clock.now += 6 * HOUR
        its.run()

    generations = [
        alias for alias in kms.list_aliases()["Aliases"] if alias["AliasName"].count("/") == 2
    ]
    assert len(generations) >= 4
    assert any(each.marks.retired for each in read(kms, "auth").ring.generations)
    nothing_missing_nothing_spare(client, statements)


def test_rotate_can_make_the_first_key_by_hand_too(kms, ring):
    client = Enforcing(kms, iam.rotate(ring))

    create_ring("auth", client=client)

    # To look for what a killed run left is optional.
    assert {each.action for each in client.denied} <= {"kms:ListKeys"}
    assert arn_of(kms)


def test_confirm(kms, ring, clock):
    unasked = rotator(kms, clock, changes={"bundle": True})
    unasked.run(start=True)
    clock.now += 31 * DAY
    unasked.run()
    statements = iam.confirm(ring)
    client = Enforcing(kms, statements)

    rotator(client, clock, shelf=unasked._hands.publisher).confirm()

    nothing_missing_nothing_spare(client, statements)


def test_a_compromise_takes_rotate_and_retire_together(kms, ring, clock):
    rotator(kms, clock).run(start=True)
    clock.now += HOUR
    by_rotate, by_retire = iam.rotate(ring, specs=["ECC_NIST_P256"]), iam.retire(ring)
    client = Enforcing(kms, [*by_retire, *by_rotate])

    rotator(client, clock).withdraw("1")
    for _ in range(8):
        clock.now += 6 * HOUR
        rotator(client, clock).run()

    assert client.denied == []
    assert {("DisableKeys", "kms:DisableKey"), ("MarkWithdrawn", "kms:TagResource")} <= client.used


def test_rotate_alone_disables_and_deletes_nothing(kms, ring):
    key = made(kms)
    client = Enforcing(kms, iam.rotate(ring))

    attempts: list[Callable[[], Any]] = [
        lambda: client.disable_key(KeyId=key),
        lambda: client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7),
        lambda: client.sign(
            KeyId=key, Message=b"x" * 32, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
        ),
        lambda: client.delete_alias(AliasName="alias/auth"),
        lambda: client.untag_resource(KeyId=key, TagKeys=["kmsjwt:ring"]),
        lambda: client.update_alias(AliasName="alias/auth/1", TargetKeyId=key),
        lambda: client.tag_resource(
            KeyId=key, Tags=[{"TagKey": "kmsjwt:max-lifetime", "TagValue": "1"}]
        ),
    ]
    for call in attempts:
        with pytest.raises(Exception, match="AccessDenied"):
            call()


def test_retire_finds_orphans_and_deletes_what_is_retired(kms, ring, clock):
    its = rotator(kms, clock)
    its.run(start=True)
    while read(kms, "auth").ring.generations[0].marks.retired is None:
        clock.now += 12 * HOUR
        its.run()
    clock.now += 8 * DAY
    statements = iam.retire(ring)
    client = Enforcing(kms, statements)

    assert list(orphans(client)) == []
    deleted = delete("auth", read(client, "auth").ring.generations[0].number, client=client)

    assert deleted.date is not None
    nothing_missing_nothing_spare(client, statements)


def test_retire_deletes_nothing_that_is_not_retired(kms, ring):
    client = Enforcing(kms, iam.retire(ring))

    with pytest.raises(Exception, match="AccessDenied"):
        client.schedule_key_deletion(KeyId=made(kms), PendingWindowInDays=7)


def test_doctor(kms, ring, clock):
    key = made(kms)
    for name, keys in (("ring:auth", [ring]), (key, read_keys([key]))):
        statements = iam.doctor(keys)
        client = Enforcing(kms, statements)

        examine(
            Deployment(function="jwks", uses=(Use(name=name, action="read"),)),
            kms=client,
            sts=STS,
            clock=clock,
        )

        nothing_missing_nothing_spare(client, statements)


def test_doctor_beside_the_functions_own_role_tries_to_sign(kms, ring, clock):
    made(kms)
    client = Enforcing(kms, [*iam.issue([ring], algs=EC), *iam.doctor([ring])])

    examine(
        Deployment(function="issue", uses=(Use(name="ring:auth", action="sign"),)),
        kms=client,
        sts=STS,
        clock=clock,
    )

    assert client.denied == []
    assert ("SignDigests", "kms:Sign") in client.used


class Missing(Exception):
    response = {"Error": {"Code": "NoSuchKey", "Message": ""}, "ResponseMetadata": {}}  # noqa: RUF012  botocore's own shape


class Bucket:
    """An S3 client that asks a policy; all that it holds is in memory."""

    def __init__(self, statements: list[Statement]) -> None:
        self._statements = statements
        self._objects: dict[str, dict[str, Any]] = {}
        self.used: set[tuple[str, str, str]] = set()
        self.denied: list[Request] = []

    def _authorize(self, action: str, resource: str) -> None:
        statement = deciding(self._statements, Request(action, resource))
        if statement is None:
            self.denied.append(Request(action, resource))
        else:
            self.used.add((statement["Sid"], action, resource))

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803  named as in S3
        self._authorize("s3:GetObject", f"arn:aws:s3:::{Bucket}/{Key}")
        if Key not in self._objects:
            self._authorize("s3:ListBucket", f"arn:aws:s3:::{Bucket}")
            raise Missing
        return {**self._objects[Key], "Body": io.BytesIO(self._objects[Key]["Body"])}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **more: Any) -> dict[str, Any]:  # noqa: N803  named as in S3
        self._authorize("s3:PutObject", f"arn:aws:s3:::{Bucket}/{Key}")
        self._objects[Key] = {**more, "Body": Body, "ETag": f'"{hash(Body)}"'}
        return {"ETag": self._objects[Key]["ETag"]}


@pytest.mark.parametrize("issuer", ["https://id.example", ISS])
@pytest.mark.parametrize("prefix", ["", "/some/prefix"])
def test_publish_and_rotate_touch_three_documents(kms, ring, clock, issuer, prefix):
    key = made(kms)
    public = fetch(kms, KeyReference.parse(key), None, "thumbprint").public
    where = f"s3://my-issuer{prefix}"
    for statements in (
        iam.publish([ring], where=where, issuer=issuer),
        iam.rotate(ring, where=where, issuer=issuer),
    ):
        bucket = Bucket(statements)
        place = S3("my-issuer", prefix.strip("/"), client=bucket)

        publisher = Publisher(place, issuer=issuer)
        publisher.publish([public])
        publisher.publish([public])
        assert publisher.kids() == {public.kid}

        assert bucket.denied == []
        grants = {
            (each["Sid"], action, resource)
            for each in statements
            for action in each["Action"]
            for resource in each["Resource"]
            if action.startswith("s3:")
        }
        assert bucket.used == grants
        assert len({resource for _, action, resource in grants if action == "s3:PutObject"}) == 3


def test_rotate_invalidates_one_distribution(ring):
    statements = iam.rotate(ring, distribution="E2QWRUHAPOMQZL")
    asked: list[Request] = []

    class Client:
        def create_invalidation(self, *, DistributionId: str, **_: Any) -> None:  # noqa: N803  named as in CloudFront
            arn = f"arn:aws:cloudfront::111122223333:distribution/{DistributionId}"
            asked.append(Request("cloudfront:CreateInvalidation", arn))

    for distribution in ("E2QWRUHAPOMQZL", "E2QWRUHAPOMQZM"):
        CloudFront(distribution, client=Client()).invalidate(["/x"])

    assert [allowed(statements, each) for each in asked] == [True, False]


def test_one_keys_policy_is_of_that_key_alone(kms, clock):
    mine, other = (
        kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        for _ in range(2)
    )
    keys = read_keys([mine])
    client = Enforcing(kms, iam.issue(keys, algs=EC))

    assert isinstance(keys[0], FixedKeys)
    issue_and_verify(client, mine, None, clock)
    with pytest.raises(Exception, match="denied"):
        issue_and_verify(client, other, None, clock)
