"""A clock that stands still until told, and small keys."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config

from kmsjwt.local import LocalKms

START = 1_800_000_000.0
DAY = 86_400


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Any:
    return Clock()


@pytest.fixture
def kms(clock: Any) -> Any:
    return LocalKms(clock=clock)


@pytest.fixture
def new_key() -> Any:
    """Make a small key and return its ARN."""

    def make(kms: Any, spec: Any = "ECC_NIST_P256", usage: Any = "SIGN_VERIFY", **more: Any) -> Any:
        answer = kms.create_key(KeySpec=spec, KeyUsage=usage, **more)
        return answer["KeyMetadata"]["Arn"]

    return make


@pytest.fixture
def sign() -> Any:
    def with_p256(kms: Any, key: Any, **more: Any) -> Any:
        return kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256", **more)

    return with_p256


@pytest.fixture(scope="session")
def boto3_client() -> Any:
    """Make a boto3 client; no retries unless asked for."""

    def make(
        endpoint_url: Any = None,
        *,
        region: Any = "eu-central-1",
        access_key: Any = "any",
        attempts: Any = 1,
    ) -> Any:
        return boto3.client(
            "kms",
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=access_key,
            aws_secret_access_key="any",
            config=Config(
                retries={"total_max_attempts": attempts, "mode": "standard"},
                max_pool_connections=4,
                connect_timeout=20,
                read_timeout=20,
            ),
        )

    return make
