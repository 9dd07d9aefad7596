"""The explained survivors, and what is wrong with the list."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What `survivors.toml` says.

    Attributes:
        wording: functions that only compose a message, left out: the reason by their name.
        reasons: why a mutant survives, by its id.
    """

    wording: dict[str, str]
    reasons: dict[str, str]


def read(path: Path) -> Known:
    """Read the list.

    Raises:
        SystemExit: a mutant is explained twice.
    """
    document = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    reasons: dict[str, str] = {}
    for entry in document.get("survivor", []):
        for mutant in entry["mutants"]:
            if mutant in reasons:
                raise SystemExit(f"explained twice: {mutant}")
            reasons[mutant] = entry["why"]
    wording = {name: entry["why"] for entry in document.get("wording", []) for name in entry["in"]}
    return Known(wording=wording, reasons=reasons)


def complaints(known: Known, existing: Iterable[str], judged: dict[str, bool]) -> list[str]:
    """Return what the list lacks and what it has too much.

    Args:
        known: the list.
        existing: the ids of all mutants there are.
        judged: whether each mutant tried is alive.
    """
    there = set(existing)
    return [
        *(f"no such mutant: {name}" for name in known.reasons if name not in there),
        *(f"explained, but killed: {name}" for name in known.reasons if judged.get(name) is False),
        *(
            f"survivor without explanation: {n}"
            for n, a in judged.items()
            if a and n not in known.reasons
        ),
    ]
