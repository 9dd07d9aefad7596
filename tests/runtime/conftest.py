from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.gateway.minting import AUDIENCE, ISSUER, Mint
from tests.runtime import bundles
from tests.runtime.environments import environment, python_of
from tests.runtime.lambda_service import Function

from benchmarks import tls_kms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Token = Callable[..., str]
    Start = Callable[..., Function]

# A user's own files, beside kmsjwt in the bundle.
_OWN_FILES = {
    "closed.py": """
from kmsjwt.handlers import authorizer

def check(header, claims):
    if claims["tenant"] == "closed":
        raise authorizer.Forbidden("tenant closed")

handler = authorizer.build(check=check)
""",
    "imported.py": """
import sys
from kmsjwt.handlers.authorizer import handler as authorizer

def handler(event, context):
    answer = authorizer(event, context)
    try:
        import boto3
    except ModuleNotFoundError as error:
        boto3 = error.name
    found = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
    return {"answer": answer, "boto3": boto3, "imported": sorted(found)}
""",
    "rules.toml": """
[[rule]]
route = "GET /orders/*"
scope = "orders:read"
""",
}


@pytest.fixture(scope="session")
def runtime_python() -> Path:
    return python_of(environment(".venv-runtime"))


@pytest.fixture(scope="session")
def mint() -> Mint:
    return Mint()


@pytest.fixture(scope="session")
def token(mint: Mint) -> Token:
    """Return a token by PyJWT, good now unless claims say otherwise."""

    def make(**claims: Any) -> str:
        now = int(time.time())
        return mint.token(**{"iat": now - 10, "exp": now + 890, "tenant": "t1", **claims})

    return make


@pytest.fixture(scope="session")
def bundle(runtime_python: Path, mint: Mint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is deployed: kmsjwt, cryptography, a key set, and code of the user's."""
    folder = bundles.deployment(tmp_path_factory.mktemp("bundle"))
    (folder / "jwks.json").write_text(json.dumps(mint.jwks()))
    for name, code in _OWN_FILES.items():
        (folder / name).write_text(code)
    return folder


@pytest.fixture(scope="session")
def lambdas_boto3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundles.boto3_of_lambda(tmp_path_factory.mktemp("boto3"))


@pytest.fixture(scope="session")
def settings() -> dict[str, str]:
    """What an authorizer with its keys in the bundle is told."""
    return {
        "KMSJWT_ISSUER": ISSUER,
        "KMSJWT_AUDIENCE": AUDIENCE,
        "KMSJWT_JWKS": "jwks.json",
    }


@pytest.fixture
def start(runtime_python: Path, bundle: Path) -> Iterator[Start]:
    """Start functions; they end with the test."""
    running: list[Function] = []

    def one(handler: str, **settings: Any) -> Function:
        running.append(partial(Function, python=runtime_python, bundle=bundle)(handler, **settings))
        return running[-1]

    yield one
    for function in running:
        function.end()


@pytest.fixture(scope="session")
def kms(runtime_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tls_kms.Kms]:
    """The local KMS in a process of its own, with TLS.

    Inside Lambda kmsjwt refuses an endpoint without TLS, and these functions are inside Lambda
    for all they can tell. So the honest way is to give the stand-in a certificate that they are
    told to trust, and to leave the refusal as it is.
    """
    with tls_kms.running(tmp_path_factory.mktemp("kms")) as running:
        yield running
