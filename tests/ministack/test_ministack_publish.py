"""Publishing to ministack's S3; and whether our own S3 in memory answers as that one does.

ministack's S3 is no more AWS's than ours: two readings of the same guide, made apart.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tests.publish.goods import ALL, ISSUER, keys
from tests.publish.s3 import MemoryS3

from kmsjwt.publish import S3, Publisher

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ministack.cloud import Cloud

_NUMBERS = count()


@pytest.fixture
def bucket(cloud: Cloud) -> str:
    name = f"site-{next(_NUMBERS)}"
    cloud.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    return name


def test_documents_are_published_and_kept_up_to_date(cloud: Cloud, bucket: str):
    s3 = cloud.client("s3")
    publisher = Publisher(S3(bucket, "site", s3), issuer=ISSUER)

    first = publisher.publish(keys("a"))
    again = publisher.publish(keys("a"))
    second = publisher.publish(keys("b"))
    third = publisher.publish(keys("b"), {"a"})

    assert len(first.written) == 3
    assert again.written == ()
    assert second.kept == ("a",)
    assert third.removed == ("a",)
    assert publisher.kids() == {"b"}
    for path in ALL:
        served = s3.head_object(Bucket=bucket, Key=f"site/{path}")
        assert served["ContentType"] == "application/json"
        assert served["CacheControl"] == "public, max-age=300"


def test_two_publishers_lose_no_key(cloud: Cloud, bucket: str):
    """The other one publishes between our reading and our writing; ministack refuses ours."""
    s3 = cloud.client("s3")
    other = Publisher(S3(bucket, client=s3), issuer=ISSUER)

    class Slow:
        """A client that another one overtakes at its first write."""

        refused = 0
        overtaken = False
        get_object = s3.get_object

        def put_object(self, **parameters: Any) -> Any:
            if not self.overtaken:
                self.overtaken = True
                other.publish(keys("b"))
            try:
                return s3.put_object(**parameters)
            except ClientError:
                self.refused += 1
                raise

    for kid in ("a", "c"):
        slow = Slow()
        Publisher(S3(bucket, client=slow), issuer=ISSUER).publish(keys(kid))

    assert other.kids() == {"a", "b", "c"}


Step = tuple[str, dict[str, Any]]
STEPS: dict[str, list[Step]] = {
    "reading what is not there": [("get_object", {"Key": "a"})],
    "asking for what is not there": [("head_object", {"Key": "a"})],
    "another bucket": [("get_object", {"Bucket": "no-such-bucket", "Key": "a"})],
    "writing to another bucket": [("put_object", {"Bucket": "no-such-bucket", "Key": "a"})],
    "writing and reading": [
        ("put_object", {"Key": "a", "Body": b"1", "ContentType": "text/plain"}),
        ("get_object", {"Key": "a"}),
        ("head_object", {"Key": "a"}),
    ],
    "a Cache-Control": [
        ("put_object", {"Key": "a", "Body": b"1", "CacheControl": "public, max-age=7"}),
        ("get_object", {"Key": "a"}),
    ],
    "only if it is not there": [
        ("put_object", {"Key": "a", "Body": b"1", "IfNoneMatch": "*"}),
        ("put_object", {"Key": "a", "Body": b"2", "IfNoneMatch": "*"}),
        ("get_object", {"Key": "a"}),
    ],
    "only if it is this": [
        ("put_object", {"Key": "a", "Body": b"1"}),
        ("put_object", {"Key": "a", "Body": b"2", "IfMatch": '"c4ca4238a0b923820dcc509a6f75849b"'}),
        ("put_object", {"Key": "a", "Body": b"3", "IfMatch": '"c4ca4238a0b923820dcc509a6f75849b"'}),
        ("get_object", {"Key": "a"}),
    ],
    "only if it is this, and it is not there": [
        ("put_object", {"Key": "a", "Body": b"1", "IfMatch": '"c4ca4238a0b923820dcc509a6f75849b"'}),
        ("get_object", {"Key": "a"}),
    ],
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_the_memory_answers_as_ministack_does(cloud: Cloud, bucket: str, steps: list[Step]):
    memory = MemoryS3(bucket)

    ours = [answer(memory, bucket, *step) for step in steps]
    theirs = [answer(cloud.client("s3"), bucket, *step) for step in steps]

    assert ours == theirs


def answer(client: Any, bucket: str, operation: str, parameters: dict[str, Any]) -> Any:
    """Return what can be told apart of an answer or a refusal."""
    method: Callable[..., Any] = getattr(client, operation)
    if operation == "put_object":  # what it is where nobody said, the two think differently of
        parameters = {"ContentType": "application/json", **parameters}
    try:
        answered = method(**{"Bucket": bucket, **parameters})
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return status, error.response["Error"]["Code"]
    told = {
        name: answered[name]
        for name in ("ETag", "ContentType", "CacheControl", "ContentLength")
        if name in answered
    }
    return {**told, "Body": answered["Body"].read() if "Body" in answered else None}
