"""The fuzz targets without the fuzzer: seeds, what was ever found, and hypothesis's bytes."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz import TARGETS

REGRESSIONS = Path(__file__).parent / "regressions"
"""``TARGET-what_it_shows``: broke a promise of the code, or of a copy with one check taken out."""

found = sorted(REGRESSIONS.glob("*-*"))


def target(name: str) -> Any:
    return import_module(f"fuzz.{name}")


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_keeps_the_promises(name: str):
    seeds = list(target(name).seeds())

    for seed in seeds:
        target(name).one_input(seed)
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("file", found, ids=lambda file: file.name)
def test_what_was_found_stays_mended(file: Path):
    target(file.name.partition("-")[0]).one_input(file.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=400))
def test_any_bytes_keep_the_promises(name: str, data: bytes):
    target(name).one_input(data)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_seeds_with_changes_keep_the_promises(name: str, data: st.DataObject):
    seed = data.draw(st.sampled_from(list(target(name).seeds())))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(seed)))
        seed = (
            seed[:at] + data.draw(st.binary(max_size=3)) + seed[at + data.draw(st.integers(0, 3)) :]
        )
    target(name).one_input(seed)


@pytest.mark.parametrize("name", ["reference", "keys", "draw"])
def test_what_judges_shares_nothing_with_what_is_judged(name: str):
    tree = ast.parse(inspect.getsource(target(name)))
    imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    ]

    assert imported
    assert not [module for module in imported if str(module).startswith("kmsjwt")]
