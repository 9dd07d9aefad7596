"""The example files run as they stand, with a JWKS beside them."""

from __future__ import annotations

import json
import runpy
import time
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from starlette.testclient import TestClient
from tests.web import shapes, world

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "protected"


@pytest.fixture
def example(tmp_path, monkeypatch) -> Any:
    (tmp_path / "jwks.json").write_text(json.dumps(world.MINT.jwks()))
    monkeypatch.chdir(tmp_path)
    return lambda name: runpy.run_path(str(EXAMPLES / name))


def live() -> list[tuple[str, str]]:
    now = int(time.time())
    return world.bearer(world.MINT.token(iat=now, exp=now + 600, scope="orders:read"))


@pytest.mark.parametrize("name", ["function_url.py", "powertools_app.py"])
def test_functions(example, name):
    handler = example(name)["handler"]

    def ask(headers) -> Any:
        return handler(shapes.payload_2_0("GET", "/orders/7", headers), LambdaContext())

    assert ask([])["statusCode"] == 401
    good = ask(live())
    assert good["statusCode"] == 200
    assert json.loads(good["body"])["for"] == "ala"


@pytest.mark.parametrize("name", ["fastapi_app.py", "starlette_app.py"])
def test_services(example, name):
    client = TestClient(example(name)["app"])

    assert client.get("/orders/7").status_code == 401
    good = client.get("/orders/7", headers=dict(live()))
    assert (good.status_code, good.json()) == (200, {"number": 7, "for": "ala"})
