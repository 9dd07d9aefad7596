from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.deploy import stacks
from tests.ministack import certificate as certificates
from tests.ministack import cloud as clouds
from tests.ministack.deployed import zipped
from tests.runtime import bundles
from tests.runtime.environments import environment, python_of

from kmsjwt.deploy import StackSettings, template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ministack.certificate import Certificate
    from tests.ministack.cloud import Cloud

_HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificates.make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def cloud(certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    python = python_of(environment(".venv-ministack"))
    strict = stacks.python_path(tmp_path_factory.mktemp("strict"), _HERE / "standin.py")
    folder = tmp_path_factory.mktemp("ministack")
    with clouds.running(python, certificate, folder, strict) as running:
        code = tmp_path_factory.mktemp("code")
        bundles.install_kmsjwt(code)
        stacks.upload(running, zipped(code))
        yield running


@pytest.fixture(scope="session")
def rendered() -> Any:
    """Return the template as ministack can take it.

    It runs functions on its own Python. An alarm of an expression is more than it knows: those
    are left out, and a test says so.
    """
    settings = StackSettings(code=stacks.CODE, runtime="python3.11", architecture="x86_64")
    return stacks.without_unknown(template(settings))


@pytest.fixture(scope="session")
def domain(cloud: Cloud, certificate: Certificate) -> Iterator[Any]:
    """Make domains that lead to the distribution of the stack whose name has their port."""
    made: list[stacks.Domain] = []

    def one() -> stacks.Domain:
        made.append(stacks.Domain(cloud, certificate))
        return made[-1]

    yield one
    for each in made:
        each.stop()
