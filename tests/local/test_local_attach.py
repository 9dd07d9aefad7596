"""A genuine boto3 client answered in process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ParamValidationError

from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from kmsjwt.local import LocalKms


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")


@pytest.mark.usefixtures("no_credentials")
def test_it_needs_neither_server_nor_credentials(kms: LocalKms, new_key: Any, sign: Any) -> None:
    client = kms.attach(boto3.client("kms", region_name="eu-central-1"))
    assert sign(client, new_key(client))["Signature"]


def test_botocore_still_checks_parameters_and_makes_the_errors(
    kms: LocalKms, boto3_client: Any
) -> None:
    client = kms.attach(boto3_client())
    with pytest.raises(ParamValidationError):
        client.sign(KeyId="a")
    with pytest.raises(client.exceptions.NotFoundException):
        client.describe_key(KeyId="a")


def test_the_clients_region_decides(kms: LocalKms, boto3_client: Any) -> None:
    client = kms.attach(boto3_client(region="us-west-2"))
    assert ":us-west-2:" in client.create_key()["KeyMetadata"]["Arn"]


def test_a_drop_is_a_lost_connection(
    kms: LocalKms, boto3_client: Any, new_key: Any, sign: Any
) -> None:
    client = kms.attach(boto3_client())
    key = new_key(kms)
    kms.faults.add("Sign", kind="drop")
    with pytest.raises(ConnectionClosedError):
        sign(client, key)


def test_the_reader_is_the_views(kms: LocalKms, boto3_client: Any, new_key: Any, sign: Any) -> None:
    key = new_key(kms)
    kms.permissions.deny("Sign", reader="issuer")
    client = kms.reader("issuer").attach(boto3_client())
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        sign(client, key)


@pytest.mark.parametrize("service", ["sts", None])
def test_anything_else_is_refused(kms: LocalKms, service: str | None) -> None:
    client = object()
    if service:
        client = boto3.client(
            "sts",
            region_name="eu-central-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(),
        )
    with pytest.raises(ConfigError, match="expected a boto3 client for KMS"):
        kms.attach(client)


def test_errors_are_alike_in_process_and_through_botocore(kms: LocalKms, boto3_client: Any) -> None:
    """Code that reads an error by its shape sees the same either way."""
    client = kms.attach(boto3_client(attempts=3))
    for request in ({"KeyId": "a"}, {"KeyId": "x" * 3000}):
        shapes = []
        for one in (kms, client):
            with pytest.raises(one.exceptions.ClientError) as error:
                one.describe_key(**request)
            response = dict(error.value.response)
            response.pop("ResponseMetadata")
            shapes.append((str(error.value), error.value.operation_name, response))
        assert shapes[0] == shapes[1]
