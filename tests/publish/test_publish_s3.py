"""S3 through botocore's own client: what it is sent, and what its refusals are told as."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import (
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.response import StreamingBody
from botocore.stub import Stubber
from tests.publish.goods import ISSUER, JWKS, document, keys
from tests.publish.s3 import MemoryS3, error

from kmsjwt import aws
from kmsjwt.errors import (
    ConfigError,
    DocumentUnusable,
    PlaceDenied,
    PlaceNotFound,
    PlaceUnavailable,
    PublishError,
)
from kmsjwt.publish import S3, CloudFront, Conflict, Publisher, Stored

CACHED = "public, max-age=300"
INCOMPLETE: Exception = IncompleteReadError(actual_bytes=1, expected_bytes=2)


def boto_client(service: str) -> Any:
    return botocore.session.Session().create_client(
        service,
        region_name="eu-central-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="not-a-secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def boto() -> Any:
    return boto_client("s3")


@pytest.fixture
def stub(boto) -> Any:
    with Stubber(boto) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def place(stub, boto) -> S3:
    return S3("bucket", "site/id", boto)


def answer(body: bytes) -> dict[str, Any]:
    return {
        "Body": StreamingBody(io.BytesIO(body), len(body)),
        "ETag": '"e1"',
        "ContentType": "application/json",
        "CacheControl": CACHED,
    }


def test_reading(place, stub):
    stub.add_response("get_object", answer(b"{}"), {"Bucket": "bucket", "Key": "site/id/a/b.json"})

    stored = place.read("a/b.json")

    assert (stored.body, stored.version) == (b"{}", '"e1"')
    assert stored.holds(b"{}", 300)
    assert not stored.holds(b"{}", 60)
    assert not stored.holds(b"[]", 300)


@pytest.mark.parametrize(
    ("over", "condition"),
    [
        (None, {"IfNoneMatch": "*"}),
        (Stored(b"old", version='"e1"', headers=("", "")), {"IfMatch": '"e1"'}),
    ],
    ids=["over nothing", "over what was read"],
)
def test_writing_is_always_conditional(place, stub, over, condition):
    expected = {
        "Bucket": "bucket",
        "Key": "site/id/a/b.json",
        "Body": b"{}",
        "ContentType": "application/json",
        "CacheControl": CACHED,
        **condition,
    }
    stub.add_response("put_object", {"ETag": '"e2"'}, expected)

    place.write("a/b.json", b"{}", over=over, max_age=300)


@pytest.mark.parametrize(
    ("code", "status"),
    [("PreconditionFailed", 412), ("ConditionalRequestConflict", 409), ("NoSuchKey", 404)],
)
def test_a_condition_that_does_not_hold_is_a_conflict(place, stub, code, status):
    stub.add_client_error("put_object", code, http_status_code=status)

    with pytest.raises(Conflict):
        place.write("a", b"{}", over=Stored(b"", version='"e1"'), max_age=300)


def test_a_missing_document_is_none(place, stub):
    stub.add_client_error("get_object", "NoSuchKey", http_status_code=404)

    assert place.read("a") is None


REFUSALS: dict[str, tuple[str, int, type[PublishError], str, bool]] = {
    "denied": ("AccessDenied", 403, PlaceDenied, "place_denied", False),
    "no such bucket": ("NoSuchBucket", 404, PlaceNotFound, "place_not_found", False),
    "throttled": ("SlowDown", 503, PlaceUnavailable, "place_unavailable", True),
    "failed inside": ("InternalError", 500, PlaceUnavailable, "place_unavailable", True),
    "expired": ("ExpiredToken", 400, PlaceDenied, "no_credentials", False),
    "no such access key": ("InvalidAccessKeyId", 403, PlaceDenied, "no_credentials", False),
    "bad signature": ("SignatureDoesNotMatch", 403, PlaceDenied, "no_credentials", False),
    "too slow": ("RequestTimeout", 400, PlaceUnavailable, "place_unavailable", True),
    "something else": ("InvalidRequest", 400, PublishError, "publish", False),
}


@pytest.mark.parametrize(
    ("code", "status", "kind", "ours", "retryable"), REFUSALS.values(), ids=REFUSALS
)
@pytest.mark.parametrize("operation", ["get_object", "put_object"])
def test_a_refusal_is_told_as_ours(place, stub, operation, code, status, kind, ours, retryable):
    stub.add_client_error(operation, code, "said by S3", http_status_code=status)

    def act() -> None:
        if operation == "get_object":
            place.read("a.json")
        else:
            place.write("a.json", b"{}", over=None, max_age=300)

    with pytest.raises(PublishError) as raised:
        act()

    told = raised.value
    assert type(told) is kind
    assert (told.code, told.retryable, told.aws_code) == (ours, retryable, code)
    assert told.where == "s3://bucket/site/id/a.json"
    assert told.where in told.message
    assert f"s3:{'GetObject' if operation == 'get_object' else 'PutObject'}" in told.message
    assert told.fix
    assert len(str(told).splitlines()) == 1
    assert ours in {kind.code, "no_credentials"}


class Raises:
    """A client whose every call raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_object(self, **_: Any) -> Any:
        raise self.error

    put_object = create_invalidation = get_object


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (ReadTimeoutError(endpoint_url="https://s3"), PlaceUnavailable),
        (ConnectionResetError(), PlaceUnavailable),
        (TimeoutError(), PlaceUnavailable),
        (INCOMPLETE, PlaceUnavailable),
        (NoCredentialsError(), PlaceDenied),
        (ParamValidationError(report="the body is {SECRET}"), PublishError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_what_never_reached_s3(raised, kind):
    place = S3("bucket", client=Raises(raised))

    def write() -> None:
        place.write("a", b"", over=None, max_age=300)

    for act in (partial(place.read, "a"), write):
        with pytest.raises(PublishError) as caught:
            act()
        assert type(caught.value) is kind
        assert "SECRET" not in str(caught.value)


def test_a_fault_that_is_none_of_aws_is_not_hidden():
    place = S3("bucket", client=Raises(KeyError("x")))

    with pytest.raises(KeyError):
        place.read("a")
    with pytest.raises(KeyError):
        place.write("a", b"", over=None, max_age=300)


def test_a_body_that_breaks_off(place, stub):
    broken = {**answer(b"{}"), "Body": StreamingBody(io.BytesIO(b"{"), 2)}
    stub.add_response("get_object", broken)

    with pytest.raises(PlaceUnavailable):
        place.read("a")


def test_an_object_of_any_size_is_not_swallowed(place, stub):
    stub.add_response("get_object", answer(b"x" * 150_001))

    with pytest.raises(DocumentUnusable) as raised:
        place.read("a")
    assert raised.value.code == "jwks_too_large"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("NoSuchDistribution", PlaceNotFound),
        ("AccessDenied", PlaceDenied),
        ("TooManyInvalidationsInProgress", PlaceUnavailable),
        ("InvalidArgument", PublishError),
    ],
)
def test_cloudfront_by_its_model(code, kind):
    client = boto_client("cloudfront")
    cdn = CloudFront("E2QWRUHAPOMQZL", client=client)
    with Stubber(client) as stubber:
        stubber.add_response("create_invalidation", {})
        cdn.invalidate(["/.well-known/jwks.json"])
        stubber.add_client_error("create_invalidation", code, http_status_code=400)
        with pytest.raises(PublishError) as raised:
            cdn.invalidate(["/.well-known/jwks.json"])

    assert type(raised.value) is kind
    assert "cloudfront:CreateInvalidation" in raised.value.message


@pytest.fixture
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("make", [aws.s3_client, aws.cloudfront_client])
def test_clients_do_not_wait_long(make):
    settings = make().meta.config

    assert settings.connect_timeout + settings.read_timeout < 10
    assert settings.retries["total_max_attempts"] <= 2


@pytest.mark.usefixtures("credentials")
def test_a_region_of_ones_own():
    assert aws.s3_client().meta.region_name == "eu-central-1"
    assert aws.s3_client("ap-southeast-2").meta.region_name == "ap-southeast-2"


def test_a_profile_that_is_not_there(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    with pytest.raises(ConfigError, match="S3"):
        S3("bucket").read("a")


BUCKETS = ("a", "Bucket", "a_b", "-ab", "ab-", "a..b", "xn--ab", "a" * 64, "", "a b", "arn:aws:s3")
PREFIXES = ("a//b", "../a", "a/./b", "a b", "a\\b", "ä", "a?b", "a%20b")


@pytest.mark.parametrize(
    ("bucket", "prefix"),
    [*((bucket, "") for bucket in BUCKETS), *(("bucket", prefix) for prefix in PREFIXES)],
)
def test_names_that_cannot_be(bucket, prefix):
    with pytest.raises(ConfigError) as raised:
        S3(bucket, prefix)
    assert raised.value.code == "place"


@pytest.mark.parametrize("prefix", ["", "/", "site", "/site/", "site/id"])
def test_prefixes(prefix):
    s3 = MemoryS3()
    Publisher(S3("bucket", prefix, s3), issuer=ISSUER).publish(keys("a"))

    assert s3.object(f"{prefix.strip('/')}/{JWKS}".lstrip("/")) is not None


class TestTheStandIn:
    """What the memory says is what the S3 user guide says of conditional writes."""

    def test_a_condition_on_what_is_gone(self, s3):
        with pytest.raises(Exception, match="NoSuchKey"):
            s3.put_object(Bucket="bucket", Key="a", Body=b"", IfMatch='"e"')

    def test_a_parameter_that_s3_does_not_have(self, s3):
        with pytest.raises(ParamValidationError):
            s3.put_object(Bucket="bucket", Key="a", Body=b"", IfMatches="x")

    def test_another_bucket(self, s3):
        with pytest.raises(Exception, match="NoSuchBucket"):
            s3.get_object(Bucket="other", Key="a")

    def test_errors_are_botocores(self, s3):
        s3.fault("get_object", "deny")

        with pytest.raises(type(error("AccessDenied", 403, "GetObject"))) as raised:
            s3.get_object(Bucket="bucket", Key="a")
        assert raised.value.response["Error"]["Code"] == "AccessDenied"

    def test_after_takes_effect_and_before_does_not(self, s3):
        for kind in ("before", "after"):
            s3.fault("put_object", kind)
            with pytest.raises(Exception, match="timeout"):
                s3.put_object(Bucket="bucket", Key=kind, Body=b"x")

        assert s3.object("before") is None
        assert s3.object("after").body == b"x"

    def test_a_stale_read_is_the_former_state(self, s3):
        for body in (b"1", b"2"):
            s3.put("a", body)
        s3.fault("get_object", "stale")

        assert s3.get_object(Bucket="bucket", Key="a")["Body"].read() == b"1"
        assert s3.get_object(Bucket="bucket", Key="a")["Body"].read() == b"2"

    def test_faults_come_after_the_calls_that_go_well(self, s3):
        s3.put("a", document())
        s3.fault("get_object", "throttle", skip=1, times=2)

        outcomes = []
        for _ in range(4):
            try:
                s3.get_object(Bucket="bucket", Key="a")
                outcomes.append("ok")
            except Exception as refused:  # noqa: BLE001  what it is, is another test's matter
                outcomes.append(type(refused).__name__)
        assert outcomes == ["ok", "ClientError", "ClientError", "ok"]
        assert s3.calls["get_object"] == 4
