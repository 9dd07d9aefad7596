"""One suite, several ways to reach a KMS: in process, boto3 in process, boto3 over HTTP, AWS.

AWS joins when KMSJWT_AWS_CHECK=1 is set; its keys are tagged and scheduled for deletion. It takes
``--force-enable-socket`` too, and credentials and Region where boto3 looks for them.
"""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from kmsjwt.local import LocalKms, Strict
from kmsjwt.local.http import running

ON_AWS = os.environ.get("KMSJWT_AWS_CHECK") == "1"
REGION = "eu-central-1"
TAGS = [{"TagKey": "kmsjwt:purpose", "TagValue": "aws-check"}]


def usage_of(spec: str) -> str:
    return "GENERATE_VERIFY_MAC" if spec.startswith("HMAC") else "SIGN_VERIFY"


def boto3_client(**options: Any) -> Any:
    return boto3.client(
        "kms",
        region_name=REGION,
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
        **options,
    )


class Bench:
    """One client, and the keys its account has for all tests."""

    def __init__(self, client: Any, shared: Any) -> None:
        self.client = client
        self._shared = shared
        self.region = client.meta.region_name

    def key(self, spec: Any, usage: Any = None) -> Any:
        """A key shared by the session: never disable it, never alias it."""
        wanted = (spec, usage or usage_of(spec))
        if wanted not in self._shared:
            self._shared[wanted] = self.new_key(*wanted)
        return self._shared[wanted]

    def new_key(self, spec: Any = "ECC_NIST_P256", usage: Any = None, **more: Any) -> Any:
        answer = self.client.create_key(
            KeySpec=spec, KeyUsage=usage or usage_of(spec), Tags=more.pop("Tags", TAGS), **more
        )
        arn = answer["KeyMetadata"]["Arn"]
        self._shared.setdefault("made", []).append(arn)
        return arn

    def sign(self, key: Any, algorithm: Any, message: Any = b"message", **more: Any) -> Any:
        return self.client.sign(KeyId=key, SigningAlgorithm=algorithm, Message=message, **more)


@pytest.fixture(scope="session")
def _reached() -> Any:
    """Every way in, made once; the local ones lead to the same account."""
    strict = LocalKms(region=REGION, strict=Strict(throttle_every=0))
    with LocalKms(region=REGION) as local, running(local) as server:
        shared: dict[Any, Any] = {}
        yield {
            "in-process": Bench(local, shared),
            "boto3": Bench(local.attach(boto3_client()), shared),
            # On its best behaviour but for what every caller must bear: shuffled, short pages.
            "strict": Bench(strict, {}),
            "http": Bench(boto3_client(endpoint_url=server.endpoint_url), shared),
        }


@pytest.fixture(scope="session")
def _aws() -> Any:
    bench = Bench(boto3.client("kms"), {})
    yield bench
    left = [arn for arn in bench._shared.get("made", []) if not deleted(bench.client, arn)]
    assert not left, f"schedule their deletion yourself, they cost money: {left}"


def deleted(client: Any, arn: str) -> bool:
    """Schedule a key's deletion, whatever became of the others."""
    try:
        state = client.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
        if state not in ("PendingDeletion", "PendingReplicaDeletion"):
            client.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    except client.exceptions.ClientError:
        return False
    return True


@pytest.fixture(
    scope="session", params=["in-process", "strict", "boto3", "http", *["aws"] * ON_AWS]
)
def kms(request: Any) -> Any:
    if request.param == "aws":
        return request.getfixturevalue("_aws")
    return request.getfixturevalue("_reached")[request.param]


@pytest.fixture
def alias(kms: Any) -> Any:
    """A free alias name, deleted afterwards if a test has made it."""
    name = f"alias/kmsjwt-check/{uuid.uuid4()}"
    yield name
    with suppress(kms.client.exceptions.NotFoundException):
        kms.client.delete_alias(AliasName=name)


@pytest.fixture
def refused() -> Any:
    """``with refused("NotFoundException") as error``: its code, and later its message."""

    @contextmanager
    def check(code: Any) -> Any:
        seen = SimpleNamespace(message=None)
        with pytest.raises(Exception, match=f"An error occurred .{code}. when calling the ") as got:
            yield seen
        response = got.value.response  # type: ignore[attr-defined]  # a ClientError, by its text
        assert response["Error"]["Code"] == code
        assert response["ResponseMetadata"]["RequestId"]
        seen.message = response["Error"]["Message"]

    return check
