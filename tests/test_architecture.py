"""What importing loads, and how long files are. The layers are the import linter's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_SOURCE = Path(__file__).resolve().parents[1] / "src" / "kmsjwt"

# Never loaded, not even by way of `cryptography`.
_NEVER = frozenset(
    "boto3 botocore http.client ssl argparse dataclasses logging asyncio".split()  # noqa: SIM905
)
# Not loaded by us; what `cryptography` loads by itself is measured and left out.
_HEAVY = _NEVER | frozenset(
    "socket urllib.request email concurrent.futures multiprocessing inspect pathlib hashlib".split()  # noqa: SIM905
)
_WARM = """
import cryptography.exceptions
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
"""
_MEASURE = """
import importlib, json, sys
{warm}
before = set(sys.modules)
{act}
print(json.dumps([sorted(before), sorted(sys.modules)]))
"""
_VERIFY = """
from kmsjwt import Verifier
from kmsjwt.errors import TokenError
from kmsjwt.jwks import JwksFile
try:
    Verifier(JwksFile({path!r}), issuer="https://id.example", audience="orders").verify({token!r})
except TokenError as error:
    assert error.code == "expired", error.code
"""
_MODULES = [
    "kmsjwt",
    "kmsjwt.verifier",
    "kmsjwt.issuer",
    "kmsjwt.jwks",
    "kmsjwt.recipe",
    "kmsjwt.gateway",
    "kmsjwt.handlers.authorizer",
    "kmsjwt.rules",
    "kmsjwt.web.aws_lambda",
]


def loaded(act: str, warm: str = "") -> tuple[set[str], set[str]]:
    """Return the modules a fresh interpreter has before and after ``act``."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE.format(warm=warm, act=act)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    before, after = json.loads(done.stdout)
    return set(before), set(after)


@pytest.mark.parametrize("module", _MODULES)
def test_importing_loads_nothing_heavy(module: str):
    _, after = loaded(f"import {module}")
    before, with_warmth = loaded(f"import {module}", _WARM)

    assert after.isdisjoint(_NEVER), sorted(after.intersection(_NEVER))
    added = (with_warmth - before).intersection(_HEAVY)
    assert added == set()


def test_cryptography_alone_loads_none_of_it_either():
    """Otherwise the promise above would be the library's, not ours, to keep."""
    _, after = loaded("", _WARM)

    assert after.isdisjoint(_NEVER)


def test_a_whole_verification_from_a_bundled_jwks_loads_nothing_heavy(tmp_path: Path):
    from tests.core import helpers

    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [helpers.held("RS256").public.to_jwk()]}))
    made = helpers.forge("RS256")
    token = made.token(claims=made.claims(exp=1_700_000_600, iat=1_700_000_000))

    _, after = loaded(_VERIFY.format(path=str(path), token=token))

    assert after.isdisjoint(_NEVER)


def test_no_source_file_is_longer_than_400_lines():
    lengths = {
        str(path.relative_to(_SOURCE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in _SOURCE.rglob("*.py")
    }

    assert len(lengths) > 15
    assert {name: length for name, length in lengths.items() if length > 400} == {}
