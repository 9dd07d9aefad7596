from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.gateway.minting import AUDIENCE, ISSUER, Mint
from tests.ministack import certificate as certificates
from tests.ministack import cloud as clouds
from tests.ministack.deployed import Functions, zipped
from tests.ministack.website import TlsServer
from tests.runtime import bundles
from tests.runtime.environments import environment, python_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.ministack.certificate import Certificate
    from tests.ministack.cloud import Cloud
    from tests.ministack.doors import Door, Kind

_OURS = Path(__file__).parent / "functions"


@pytest.fixture(scope="session")
def python() -> Path:
    return python_of(environment(".venv-ministack"))


@pytest.fixture(scope="session")
def certificate(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificates.make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def cloud(
    python: Path, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    with clouds.running(python, certificate, tmp_path_factory.mktemp("ministack")) as running:
        yield running


@pytest.fixture(scope="session")
def mint() -> Mint:
    return Mint()


@pytest.fixture(scope="session")
def bearer(mint: Mint) -> Callable[..., str]:
    """Return an Authorization header; its token is PyJWT's, and good now unless claims differ."""

    def make(**claims: Any) -> str:
        now = int(time.time())
        return "Bearer " + mint.token(**{"iat": now - 10, "exp": now + 890, **claims})

    return make


@pytest.fixture(scope="session")
def code(python: Path, mint: Mint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of every function: kmsjwt as it is installed anywhere, the tests' own, the keys.

    cryptography and boto3 are not in it: functions run on ministack's own Python and see what is
    installed beside it. What a bundle must hold is tested in tests/runtime.
    """
    folder = tmp_path_factory.mktemp("code")
    bundles.install_kmsjwt(folder)
    for file in _OURS.glob("*.*"):
        shutil.copy(file, folder)
    (folder / "jwks.json").write_text(json.dumps(mint.jwks()))
    return folder


@pytest.fixture(scope="session")
def functions(cloud: Cloud, code: Path) -> Functions:
    return Functions(cloud, zipped(code))


@pytest.fixture(scope="session")
def backend(functions: Functions) -> str:
    return functions.arn("backend", "backend.handler", {})


@pytest.fixture(scope="session")
def environ() -> dict[str, str]:
    """What every authorizer of ours is told."""
    return {"KMSJWT_ISSUER": ISSUER, "KMSJWT_AUDIENCE": AUDIENCE, "KMSJWT_JWKS": "jwks.json"}


@pytest.fixture(scope="session")
def in_process(environ: dict[str, str], code: Path) -> Callable[..., Any]:
    """Build our authorizer in this process, for the simulator, as the bundle has it."""
    from tests.ministack.functions.tenants import check

    from kmsjwt.handlers import authorizer

    told = {**environ, "KMSJWT_JWKS": str(code / "jwks.json")}

    def build(**changed: str) -> Any:
        return authorizer.build(check=check, environ={**told, **changed}, log=lambda *_, **__: None)

    return build


@pytest.fixture(scope="session")
def website(certificate: Certificate) -> Iterator[TlsServer]:
    """Where our key set and discovery document are published."""
    server = TlsServer(certificate)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def authorizer(functions: Functions, environ: dict[str, str]) -> Callable[[Kind], str]:
    """Return the ARN of our authorizer for a kind of API."""

    def deployed(kind: Kind) -> str:
        name = f"ours-{kind.response}"
        return functions.arn(name, "tenants.handler", {**environ, **kind.environ})

    return deployed


@pytest.fixture(scope="session")
def doors(
    cloud: Cloud,
    backend: str,
    authorizer: Callable[[Kind], str],
    in_process: Callable[..., Any],
) -> Callable[[Kind], tuple[Door, Door]]:
    """Return our authorizer behind a kind of API: on ministack and simulated, made once each."""
    made: dict[Kind, tuple[Door, Door]] = {}

    def both(kind: Kind) -> tuple[Door, Door]:
        if kind not in made:
            made[kind] = (
                kind.on_ministack(cloud, authorizer(kind), backend),
                kind.simulated(in_process(**kind.environ)),
            )
        return made[kind]

    return both
