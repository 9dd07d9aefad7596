from __future__ import annotations

from typing import Any

import pytest
from tests.handlers.support import ISSUER, NOW, Recorder

from kmsjwt.local import LocalKms


@pytest.fixture(scope="session")
def kms() -> Any:
    return LocalKms()


def _key(kms, spec) -> Any:
    created = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
    return created["KeyMetadata"]["Arn"]


@pytest.fixture(scope="session")
def rsa_key(kms) -> Any:
    return _key(kms, "RSA_2048")


@pytest.fixture(scope="session")
def second_rsa_key(kms) -> Any:
    return _key(kms, "RSA_2048")


@pytest.fixture(scope="session")
def ec_key(kms) -> Any:
    return _key(kms, "ECC_NIST_P256")


@pytest.fixture(scope="session")
def alias(kms, ec_key) -> Any:
    kms.create_alias(AliasName="alias/auth", TargetKeyId=ec_key)
    return "alias/auth"


@pytest.fixture
def log() -> Any:
    return Recorder()


@pytest.fixture
def clock() -> Any:
    return lambda: NOW


@pytest.fixture
def environ(ec_key) -> Any:
    return {"KMSJWT_KEY": ec_key, "KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": "orders"}
