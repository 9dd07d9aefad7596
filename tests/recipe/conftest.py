from __future__ import annotations

from typing import Any

import pytest
from tests.recipe.article import ISSUER, NOW, UNTIL, Article

from kmsjwt.local import LocalKms


@pytest.fixture(scope="session")
def kms() -> Any:
    return LocalKms()


@pytest.fixture(scope="session")
def key_arn(kms) -> Any:
    created = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    return created["KeyMetadata"]["Arn"]


@pytest.fixture(scope="session")
def key_id(key_arn) -> Any:
    return key_arn.rpartition("/")[2]


@pytest.fixture(scope="session")
def other_key_id(kms) -> Any:
    created = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    return created["KeyMetadata"]["KeyId"]


@pytest.fixture(scope="session")
def article(kms, key_id) -> Any:
    return Article(kms, key_id)


@pytest.fixture
def clock() -> Any:
    return lambda: NOW


class Recorder:
    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def __call__(self, level: str, event: str, **fields: object) -> None:
        self.lines.append({"level": level, "event": event, **fields})


@pytest.fixture
def log() -> Any:
    return Recorder()


@pytest.fixture
def environ(key_id) -> Any:
    return {
        "KMS_KEY_ID": key_id,
        "KMSJWT_PROFILE": "recipe",
        "KMSJWT_RECIPE_UNTIL": UNTIL,
        "KMSJWT_ISSUER": ISSUER,
        "KMSJWT_AUDIENCE": "orders",
    }
