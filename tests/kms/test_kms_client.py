"""The client made for KMS: the same requests as botocore's own, whatever it was spared to read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest
from botocore.loaders import JSONFileLoader

from kmsjwt import aws

ENDPOINTS = json.loads((Path(botocore.__file__).parent / "data/endpoints.json").read_text())
REGIONS = [
    region
    for partition in ENDPOINTS["partitions"]
    for region in [*partition["regions"], f"{next(iter(partition['regions']))[:-1]}9"]
]
SETTINGS = {
    "plain": {},
    "fips": {"AWS_USE_FIPS_ENDPOINT": "true"},
    "dual stack": {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
    "an endpoint": {"AWS_ENDPOINT_URL_KMS": "https://127.0.0.1:9"},
}


class NotSent(Exception):
    """Raised where a request would leave."""


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")


def request_of(client: Any) -> tuple[str, str]:
    """Return the URL asked, and the Region and service of the signature."""
    asked: list[tuple[str, str]] = []

    def keep(request: Any, **_: object) -> None:
        signed = request.headers["Authorization"].decode()
        asked.append((request.url, signed.split("Credential=")[1].split(",")[0].split("/", 2)[2]))
        raise NotSent

    client.meta.events.register("before-send.kms", keep)
    with pytest.raises(NotSent):
        client.get_public_key(KeyId="alias/auth")
    return asked[0]


def attempt(make: Any) -> tuple[str, str] | str:
    try:
        return request_of(make())
    except Exception as error:  # noqa: BLE001  whatever botocore says of a Region, ours must too
        return str(error)


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_region_is_asked_where_botocore_would_ask_it(setting: str, monkeypatch):
    for name, value in SETTINGS[setting].items():
        monkeypatch.setenv(name, value)
    session = botocore.session.Session()
    different = {}
    for region in REGIONS:
        expected = attempt(lambda r=region: session.create_client("kms", region_name=r))
        ours = attempt(lambda r=region: aws.kms_client(r))
        if isinstance(expected, str) is not isinstance(ours, str) or (
            isinstance(ours, tuple) and ours != expected
        ):
            different[region] = (ours, expected)

    assert different == {}
    assert len(REGIONS) > 40


def test_a_region_of_the_commercial_partition_costs_no_reading_of_all_endpoints(monkeypatch):
    read: list[str] = []
    load_file = JSONFileLoader.load_file

    def noted(loader: Any, path: str) -> Any:
        read.append(path)
        return load_file(loader, path)

    monkeypatch.setattr(JSONFileLoader, "load_file", noted)
    aws.kms_client("eu-central-1")
    assert [path for path in read if path.endswith("endpoints")] == []

    aws.kms_client("us-gov-west-1")
    assert [path for path in read if path.endswith("endpoints")] != []


@pytest.mark.parametrize("named", ["{folder}", "$MODELS", "~/models"])
def test_models_of_the_users_own_are_found(named: str, tmp_path, monkeypatch):
    """AWS_DATA_PATH goes on naming folders of service models, as it may be written."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MODELS", str(tmp_path / "models"))
    model = Path(botocore.__file__).parent / "data/kms/2014-11-01"
    folder = tmp_path / "models" / "kms" / "2099-01-01"
    folder.mkdir(parents=True)
    for file in model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    path = named.format(folder=tmp_path / "models")
    monkeypatch.setenv("AWS_DATA_PATH", f"{tmp_path / 'none'}:{path}")

    client = aws.kms_client("eu-central-1")

    assert client._loader.determine_latest_version("kms", "service-2") == "2099-01-01"


PROFILES = {
    "a role": """
[profile it]
role_arn = arn:aws:iam::123456789012:role/auth
source_profile = base
[profile base]
aws_access_key_id = AKIDEXAMPLE
aws_secret_access_key = not-a-secret
""",
    "a web identity": """
[profile it]
role_arn = arn:aws:iam::123456789012:role/auth
web_identity_token_file = {folder}/token
""",
    "single sign-on": """
[profile it]
sso_session = us
sso_account_id = 123456789012
sso_role_name = auth
[sso-session us]
sso_start_url = https://us.example/start
sso_region = eu-central-1
""",
}


@pytest.mark.parametrize("profile", PROFILES)
def test_credentials_come_from_wherever_botocore_gets_them(profile: str, tmp_path, monkeypatch):
    """The session that makes KMS clients knows no other service; its credentials may need one."""
    (tmp_path / "config").write_text(PROFILES[profile].format(folder=tmp_path))
    (tmp_path / "token").write_text("a token")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "it")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    for service in ("STS", "SSO", "SSO_OIDC"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", "http://127.0.0.1:9")

    def fault(make: Any) -> str:
        with pytest.raises(Exception) as caught:  # noqa: PT011  whichever botocore raises
            make().get_public_key(KeyId="alias/auth")
        return caught.typename

    expected = fault(lambda: botocore.session.Session().create_client("kms", "eu-central-1"))

    assert fault(lambda: aws.kms_client("eu-central-1")) == expected
    assert expected != "UnknownServiceError"


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://127.0.0.1:9", True),
        ("http://localhost:8080/kms", True),
        ("http://[::1]:9", True),
        ("https://kms.eu-west-1.amazonaws.com", False),
        ("https://localhost.example", False),
        ("https://127.0.0.1.example:9", False),
        ("https://example/127.0.0.1", False),
    ],
)
def test_a_stand_in_on_this_machine_is_told_by_where_requests_go(monkeypatch, url, is_here):
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", url)

    assert aws.is_local(aws.kms_client("eu-west-1")) is is_here


def test_when_aws_answered_stands_in_the_date_header():
    headers = {"date": "Sun, 06 Nov 1994 08:49:37 GMT"}  # RFC 9110 section 5.6.7

    assert aws.answered_at({"ResponseMetadata": {"HTTPHeaders": headers}}) == 784_111_777


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "Sun, 06 Nov 1994 08:49:37 GMT",
        {},
        {"ResponseMetadata": {}},
        {"ResponseMetadata": {"HTTPHeaders": {}}},
        {"ResponseMetadata": {"HTTPHeaders": {"date": None}}},
        {"ResponseMetadata": {"HTTPHeaders": {"date": "yesterday"}}},
    ],
)
def test_without_a_date_nobody_knows_when_aws_answered(answer):
    assert aws.answered_at(answer) is None
