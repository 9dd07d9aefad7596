"""The threat model names tests that exist, and no threat goes without one."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "threat-model.md"
LINK = re.compile(r"\[`(\w+)`\]\((\.\./\.\./tests/[^)\s]+\.py)\)")
TEXT = PAGE.read_text("utf-8")


def threats() -> dict[str, str]:
    """Return the rows of every table by what the attacker tries."""
    lines = [line for line in TEXT.splitlines() if line.startswith("| ")]
    cells = {line: [cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines}
    return {
        row[0]: line
        for line, row in cells.items()
        if not row[0].startswith("---") and row[-1] != "test"
    }


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, functions))


@pytest.mark.parametrize("threat", threats())
def test_each_threat_has_a_test_that_exists(threat: str):
    named = LINK.findall(threats()[threat])

    assert named != []
    missing = [
        name for name, path in named if name not in functions_of((PAGE.parent / path).resolve())
    ]
    assert missing == []
    assert [name for name, _ in named if not name.startswith("test_")] == []


def test_no_link_to_a_test_is_written_in_another_way():
    """Such a link would not be checked."""
    to_tests = re.findall(r"\]\((\.\./\.\./tests/test[^)\s]*|[^)\s]*/test_[^)\s]*)\)", TEXT)

    assert len(to_tests) == len(LINK.findall(TEXT))


def test_every_kind_of_attacker_has_threats():
    sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    without = [text.splitlines()[0] for text in sections if "\n| " not in text]

    assert without == ["What is not defended"]
    assert len(threats()) >= 50
