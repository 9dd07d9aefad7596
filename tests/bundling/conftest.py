"""Bundles as the command makes them, from a folder of wheels: no network is asked."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm
from tests.bundling import wheelhouse
from tests.runtime.environments import HERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Make = Callable[..., dict[str, Any]]

APP = '''"""A function of the user's own."""

from kmsjwt.handlers.authorizer import handler as authorizer


def handler(event: object, context: object) -> object:
    import sys

    answer = authorizer(event, context)
    try:
        import boto3
    except ModuleNotFoundError:
        boto3 = "missing"
    found = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
    return {"answer": answer, "boto3": str(boto3), "imported": sorted(found)}
'''


@pytest.fixture(scope="session")
def pip_environment() -> dict[str, str]:
    """Settings with which pip takes wheels from the folder and asks nobody."""
    quiet = {
        name: text for name, text in os.environ.items() if not name.startswith(("PIP_", "KMSJWT_"))
    }
    return {
        **quiet,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheelhouse.wheels()),
        "PIP_CONFIG_FILE": os.devnull,
    }


@pytest.fixture(autouse=True)
def _no_network(pip_environment, monkeypatch) -> None:
    for name in list(os.environ):
        if name.startswith(("PIP_", "KMSJWT_")):
            monkeypatch.delenv(name)
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_CONFIG_FILE"):
        monkeypatch.setenv(name, pip_environment[name])


@pytest.fixture(scope="session")
def tree(shared) -> Path:
    """A copy of our source, so that nobody's editor changes it between two builds."""
    folder: Path = shared / "tree"
    with only_one(shared / "tree.lock"):
        if not folder.exists():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(wheelhouse.ROOT / "src", folder, ignore=ignored)
    return folder


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Have the processes of a test run go through here one by one."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def make(pip_environment, tree) -> Make:
    """Run `kmsjwt bundle` in a process and return what it says, as JSON."""

    def run(out: Path, *words: str, **environ: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "kmsjwt", "bundle", "--json", "--out", str(out), *words],
            cwd=out.parent,
            env={**pip_environment, "PYTHONPATH": str(tree), **environ},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return {**json.loads(done.stdout), "told": done.stderr}

    return run


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that all processes of a test run have in common."""
    base: Path = tmp_path_factory.getbasetemp()
    own = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = own / "bundles"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def built(make, shared) -> Make:
    """Make a bundle once for all tests and processes of a run."""

    def once(name: str, *words: str) -> dict[str, Any]:
        told = shared / f"{name}.json"
        with only_one(shared / f"{name}.lock"):
            if not told.exists():
                made = make(shared / f"{name}.zip", *words)
                told.write_text(json.dumps(made))
        said: dict[str, Any] = json.loads(told.read_text())
        return said

    return once


@pytest.fixture(scope="session")
def app(shared) -> Path:
    path: Path = shared / "app.py"
    with only_one(shared / "app.lock"):
        path.write_text(APP)
    return path


@pytest.fixture(scope="session")
def signing_key(shared) -> Path:
    """The private key of whoever issues tokens, as PEM."""
    path: Path = shared / "signing.pem"
    with only_one(shared / "signing.lock"):
        if not path.exists():
            made = ec.generate_private_key(ec.SECP256R1())
            path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.fixture(scope="session")
def seed(shared, signing_key) -> Path:
    """The issuer's JWKS as it was read an hour ago."""
    path: Path = shared / "read.json"
    private: Any = load_pem_private_key(signing_key.read_bytes(), None)
    jwk = {
        **json.loads(ECAlgorithm.to_jwk(private.public_key())),
        "kid": "k1",
        "alg": "ES256",
        "use": "sig",
    }
    with only_one(shared / "read.lock"):
        if not path.exists():
            told = {"keys": [jwk], "read_at": int(time.time()) - 3_600}
            path.write_text(
                json.dumps({**told, "read_from": "https://127.0.0.1:9/.well-known/jwks.json"})
            )
    return path


@pytest.fixture(scope="session")
def for_here(built, app, seed) -> dict[str, Any]:
    """A bundle of a function for this machine's processor and this Python."""
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}[os.uname().machine]
    words = ["--arch", machine, "--python", HERE, "--with", str(app)]
    words += ["--jwks", str(seed)]
    bundle: dict[str, Any] = built("here", *words)
    return bundle
