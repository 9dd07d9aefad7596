"""The page of the functions names every event that any of them logs."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEVELS = {"INFO", "WARN", "ERROR"}


def logged(source: str) -> set[str]:
    """Return each text that is passed just after a level, or after what takes the line."""
    calls = (each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call))
    return {
        event.value
        for call in calls
        for before, event in pairwise(call.args)
        if isinstance(event, ast.Constant) and isinstance(event.value, str) and _leads(before)
    }


def _leads(argument: ast.expr) -> bool:
    texts = {each.value for each in ast.walk(argument) if isinstance(each, ast.Constant)}
    return bool(texts & LEVELS) or ast.unparse(argument).endswith("log")


def events() -> set[str]:
    sources = (ROOT / "src" / "kmsjwt").rglob("*.py")
    return set().union(*(logged(path.read_text("utf-8")) for path in sources))


def listed() -> set[str]:
    text = (ROOT / "docs" / "reference" / "lambda-functions.md").read_text("utf-8")
    table = text.split("\n| `event` | when | level |\n", 1)[1].split("\n\n", 1)[0]
    return {row.split("`")[1] for row in table.splitlines()[1:]}


def test_every_event_that_is_logged_is_listed_and_nothing_else():
    assert listed() == events()
