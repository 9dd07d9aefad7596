"""The bundle as the command makes it, under AWS's own runtime client in a clean environment."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from tests.gateway.minting import AUDIENCE, ISSUER, Mint
from tests.runtime import bundles
from tests.runtime.environments import environment, python_of
from tests.runtime.lambda_service import Function

from benchmarks import tls_kms
from kmsjwt.testing import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., Function]

HANDLER = "kmsjwt.handlers.{}.handler"
# Python itself, awslambdaric and what it brings, and the bundle: nothing else is to be had.
FROM_RUNTIME = {"__main__", "awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py"}
FROM_BUNDLE = {"kmsjwt", "cryptography", "_openssl", "_cffi_backend", "app"}


@pytest.fixture(scope="module")
def unpacked(for_here, shared, tmp_path_factory) -> Path:
    """The folder that Lambda makes of the zip, with its own programs."""
    import zipfile

    folder: Path = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(shared / Path(for_here["path"]).name) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def lambdas_boto3(tmp_path_factory) -> Path:
    return bundles.boto3_of_lambda(tmp_path_factory.mktemp("boto3"))


@pytest.fixture(scope="module")
def kms(tmp_path_factory) -> Iterator[tls_kms.Kms]:
    with tls_kms.running(tmp_path_factory.mktemp("kms")) as running:
        yield running


@pytest.fixture
def start(unpacked) -> Iterator[Start]:
    python = python_of(environment(".venv-runtime"))
    running: list[Function] = []

    def one(handler: str, *, environ: dict[str, str], beside: Path | None = None) -> Function:
        function = Function(handler, python=python, bundle=unpacked, beside=beside, environ=environ)
        running.append(function)
        return function

    yield one
    for function in running:
        function.end()


def test_the_authorizer_needs_nothing_but_the_bundle(start, tmp_path):
    mint = Mint()
    (tmp_path / "jwks.json").write_text(json.dumps(mint.jwks()))
    settings = {
        "KMSJWT_ISSUER": ISSUER,
        "KMSJWT_AUDIENCE": AUDIENCE,
        "KMSJWT_JWKS": str(tmp_path / "jwks.json"),
    }
    now = int(time.time())
    good = mint.token(iat=now - 10, exp=now + 900)

    posted = start("app.handler", environ=settings).invoke(
        events.rest_token(authorization=f"Bearer {good}")
    )

    assert posted.what == "response", posted.text
    assert posted.body["answer"]["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert posted.body["boto3"] == "missing"
    assert set(posted.body["imported"]) <= FROM_RUNTIME | FROM_BUNDLE


def test_an_authorizer_with_a_seed_asks_nobody_at_first(start, signing_key):
    """Where its URL says nobody answers: what was put in is enough."""
    settings = {
        "KMSJWT_ISSUER": ISSUER,
        "KMSJWT_AUDIENCE": AUDIENCE,
        "KMSJWT_JWKS": "https://127.0.0.1:9/.well-known/jwks.json",
        "KMSJWT_JWKS_SEED": "jwks-seed.json",
    }
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ala", "iat": now - 10, "exp": now + 900}
    key = signing_key.read_text()

    function = start("app.handler", environ=settings)

    def posted(kid: str) -> Any:
        token = jwt.encode(claims, key, algorithm="ES256", headers={"kid": kid})
        return function.invoke(events.rest_token(authorization=f"Bearer {token}"))

    known, unknown = posted("k1"), posted("k2")

    assert known.what == "response", known.text
    assert known.body["answer"]["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert unknown.what == "error"  # not known, and so no refusal either
    assert "JwksUnavailable" in unknown.text


def test_the_others_need_boto3_beside_it_and_nothing_else(start, kms, lambdas_boto3):
    settings = {
        **kms.environment(tls=True),
        "KMSJWT_KEY": kms.arns["ES256"],
        "KMSJWT_ISSUER": ISSUER,
        "KMSJWT_AUDIENCE": AUDIENCE,
    }
    issue = start(HANDLER.format("issue"), environ=settings, beside=lambdas_boto3)
    jwks = start(HANDLER.format("jwks"), environ=settings, beside=lambdas_boto3)

    issued = issue.invoke({"sub": "ala"})
    published = jwks.invoke(events.http_api_v2("GET", "/.well-known/jwks.json"))

    assert (issued.what, published.what) == ("response", "response"), issued.text + published.text
    token = issued.body["access_token"]
    keys = jwt.PyJWKSet.from_json(published.body["body"])
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER
    )
    assert claims["sub"] == "ala"


def test_the_rotate_function_makes_the_first_key(start, kms, lambdas_boto3):
    settings = {**kms.environment(tls=True), "KMSJWT_RING": "bundled", "KMSJWT_TO": "kms"}
    rotate = start(HANDLER.format("rotate"), environ=settings, beside=lambdas_boto3)

    posted = rotate.invoke({"start": True})

    assert posted.what == "response", posted.text
    aliases = kms.client().list_aliases()["Aliases"]
    assert "alias/bundled/1" in {each["AliasName"] for each in aliases}


def test_every_module_of_the_bundle_can_be_imported(unpacked, lambdas_boto3):
    """Nothing that was left out is asked for by what was not."""
    import subprocess

    program = """
import importlib, pkgutil, sys
sys.path[:0] = sys.argv[1:]
import kmsjwt
failed = []
for found in pkgutil.walk_packages(kmsjwt.__path__, "kmsjwt."):
    if found.name.startswith("kmsjwt.web."):  # asks for frameworks
        continue
    try:
        importlib.import_module(found.name)
    except Exception as error:
        failed.append((found.name, repr(error)))
print(failed)
"""
    python = python_of(environment(".venv-runtime"))
    done = subprocess.run(
        [str(python), "-I", "-c", program, str(unpacked), str(lambdas_boto3)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"
