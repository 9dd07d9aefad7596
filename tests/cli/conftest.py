"""A local KMS over HTTP for all tests of the command line, and a way to type commands."""

from __future__ import annotations

import io
import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from tests.cli import forge

from kmsjwt import Issuer
from kmsjwt.cli import main
from kmsjwt.cli.local import environment
from kmsjwt.jwks import jwks_document
from kmsjwt.key_names import KeyReference
from kmsjwt.kms import KmsSigner
from kmsjwt.kms.public import fetch
from kmsjwt.kms.ring.create import create_ring
from kmsjwt.local import LocalKms
from kmsjwt.local.http import running

ISSUER = "https://id.example"


@pytest.fixture(scope="session")
def kms() -> Any:
    """The KMS behind the server: a ring `auth` of RSA, a ring `ec` of P-256."""
    kms = LocalKms()
    create_ring("auth", client=kms)
    create_ring("ec", spec="ECC_NIST_P256", client=kms)
    return kms


@pytest.fixture(scope="session")
def published(kms) -> Any:
    """The JWKS of `auth`."""
    return jwks_document([fetch(kms, KeyReference.parse("alias/auth"), None, "thumbprint").public])


@pytest.fixture(scope="session")
def token(kms) -> Any:
    """A good token, made without the command line, which makes its own in some tests."""
    issuer = Issuer(ISSUER, KmsSigner("alias/auth", client=kms))
    return issuer.issue(sub="ala", aud="orders").token


@pytest.fixture(scope="session", autouse=True)
def service_models_are_read_once() -> Any:
    """Let botocore parse its JSON files once for all clients, which are made anew per command."""
    load, read = JSONFileLoader.load_file, {}

    def load_file(self, file_path) -> Any:
        if file_path not in read:
            read[file_path] = load(self, file_path)
        return read[file_path]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", load_file)
        yield


@pytest.fixture(scope="session")
def endpoint_url(kms) -> Any:
    with running(kms) as server:
        yield server.endpoint_url


@pytest.fixture(autouse=True)
def no_settings_around(monkeypatch, tmp_path) -> Any:
    for name in list(os.environ):
        if name.startswith(("AWS_", "KMSJWT_", "KMS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def aws(monkeypatch, endpoint_url) -> Any:
    """Settings with which boto3 finds the local KMS."""
    for name, value in environment(os.environ, endpoint_url, "eu-central-1").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def arn(kms) -> Any:
    return kms.describe_key(KeyId="alias/auth")["KeyMetadata"]["Arn"]


@pytest.fixture
def typed(monkeypatch, capsys) -> Any:
    """Type a command: `typed("issue", "--key", "…", stdin="…")`."""

    def run(*words, stdin="") -> Any:
        raw = stdin if isinstance(stdin, bytes) else stdin.encode("utf-8", "surrogateescape")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), "utf-8"))
        capsys.readouterr()
        code = main(list(words))
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return SimpleNamespace(code=code, out=out, err=err)

    return run


@pytest.fixture
def issue_args() -> Any:
    key, demands = ["--key", "alias/auth"], ["--issuer", ISSUER, "--audience", "orders"]
    return ["issue", *key, *demands, "--subject", "ala"]


@pytest.fixture(scope="session")
def rsa_key() -> Any:
    return forge.rsa_key()


@pytest.fixture(scope="session")
def ec_key() -> Any:
    return forge.ec_key()
