"""The example's two functions, loaded as Lambda does: by boto3 and the environment alone."""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.recipe.article import ISSUER

from kmsjwt.local.http import running
from kmsjwt.testing import Gateway

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "recipe"


@pytest.fixture
def load(kms, key_id, monkeypatch):
    environ = {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "KMS_KEY_ID": key_id,
        "KMSJWT_PROFILE": "recipe",
        "KMSJWT_RECIPE_UNTIL": "2027-01-15T08:00:00Z",
        "KMSJWT_ISSUER": ISSUER,
        "KMSJWT_AUDIENCE": "orders",
    }

    def handler(name: str) -> Any:
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.handler

    with running(kms) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", server.endpoint_url)
        for variable, value in environ.items():
            monkeypatch.setenv(variable, value)
        yield handler


def test_the_examples_token_is_let_in_by_the_examples_authorizer(load):
    token = json.loads(load("token_function")({}, None)["body"])
    gateway = Gateway(load("authorizer_function"))

    answer = gateway.request("GET", "/orders/42", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status, answer.context["principalId"]) == (200, "recipe")
    assert gateway.request("GET", "/orders/42", headers={}).status == 401


def test_the_examples_own_check_forbids(load, article):
    gateway = Gateway(load("authorizer_function"))
    iat = int(time.time()) - 10
    nobody = article.token(claims={"user_name": None, "iat": iat, "exp": iat + 60})

    answer = gateway.request("GET", "/", headers={"Authorization": f"Bearer {nobody}"})

    assert answer.status == 403
