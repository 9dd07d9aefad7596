"""What importing loads, and how long files are. The layers are the import linter's business."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

_SOURCE = Path(__file__).resolve().parents[1] / "src" / "kmsjwt"

# Never loaded, not even by way of `cryptography`.
_NEVER = frozenset(
    "boto3 botocore http.client ssl argparse dataclasses logging asyncio".split()  # noqa: SIM905  a list of words reads better
)
# Not loaded by us; what `cryptography` loads by itself is measured and left out.
_HEAVY = _NEVER | frozenset(
    "socket urllib.request email concurrent.futures multiprocessing inspect pathlib hashlib".split()  # noqa: SIM905  a list of words reads better
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


def _imported(tree: ast.AST, modules: set[str]) -> set[str]:
    """Return the modules of ours that a module names in imports, wherever they stand.

    What only the type checker reads counts for nothing: it never runs.
    """
    found: set[str] = set()
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            left += node.orelse
            continue
        left += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names if names <= modules else names | {str(node.module)}
    return found & modules


def _imports(folder: Path) -> dict[str, set[str]]:
    paths = {
        ".".join(("kmsjwt", *path.relative_to(folder).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path
        for path in folder.rglob("*.py")
    }
    return {
        name: _imported(ast.parse(path.read_text(encoding="utf-8")), set(paths))
        for name, path in paths.items()
    }


def _cycle(folder: Path) -> list[str]:
    try:
        TopologicalSorter(_imports(folder)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_not_even_inside_functions():
    assert _cycle(_SOURCE) == []


def test_a_cycle_through_a_function_would_be_found(tmp_path: Path):
    (tmp_path / "a.py").write_text("from kmsjwt.b import one\n")
    (tmp_path / "b.py").write_text("def f():\n    from kmsjwt import a\n")
    (tmp_path / "c.py").write_text("if TYPE_CHECKING:\n    from kmsjwt import c\n")

    assert set(_cycle(tmp_path)) == {"kmsjwt.a", "kmsjwt.b"}
