"""A table of figures, and how it reads on a terminal and in the handbook."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Table:
    """Figures of one measurement; the first column names the row, figures are set right.

    Attributes:
        title: What was measured.
        note: A sentence or two below the title: method, units. May be empty.
        columns: The heads of the columns.
        rows: As many cells a row as there are columns.
        targets: The figures among them that promise something; see `Target`.
    """

    title: str
    note: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    targets: list[Target] = field(default_factory=list)

    def text(self) -> str:
        """Return the table for a terminal."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        drawn = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, self._right(), strict=True)
            ).rstrip()
            for line in lines
        ]
        rule = "-" * max(map(len, drawn))
        return "\n".join([self.title, rule, *drawn, *([self.note] if self.note else [])])

    def markdown(self) -> str:
        """Return the table as a section of a Markdown page."""
        rule = ["---:" if right else "---" for right in self._right()]
        lines = [self.columns, tuple(rule), *self.rows]
        drawn = ["| " + " | ".join(_escaped(cell) for cell in line) + " |" for line in lines]
        note = [self.note, ""] if self.note else []
        return "\n".join([f"### {self.title}", "", *note, *drawn])

    def _right(self) -> list[bool]:
        """Tell which columns are figures, to be set right: by the first row.

        The first column never is: a name may begin with a number, too.
        """
        first = self.rows[0] if self.rows else self.columns
        return [False, *(cell[:1].isdigit() for cell in first[1:])]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure the project promises itself: met when it was measured and is at most the limit.

    Attributes:
        figure: What it is, in words.
        limit: The largest value that still meets it.
        measured: The value; None where it could not be measured, and `reason` tells why.
        reason: Why it was not measured.
    """

    figure: str
    limit: float
    measured: float | None
    reason: str = ""

    @property
    def met(self) -> bool:
        """Whether it was measured and holds."""
        return self.measured is not None and self.measured <= self.limit

    @property
    def missed(self) -> bool:
        """Whether it was measured and does not hold."""
        return self.measured is not None and not self.met


def step_rows(
    medians: Mapping[str, float],
    step: Callable[[str, str], float],
    last: Callable[[str], str],
) -> list[tuple[str, ...]]:
    """Return the rows of a table whose every row does what those above it do, and one thing more.

    Args:
        medians: The figure of each row, in order.
        step: Tells what a row adds to the one above it, by the names of both.
        last: Makes the last cell of a row, by its name.

    Returns:
        Name, figure, step and last cell of each; the first row is a step of its own.
    """
    names = list(medians)
    steps = [medians[names[0]], *(step(name, above) for above, name in pairwise(names))]
    return [
        (name, f"{medians[name]:.1f}", f"{added:z.1f}", last(name))
        for name, added in zip(names, steps, strict=True)
    ]


def target_table(targets: list[Target]) -> Table:
    """Return the table of every target, met or not."""
    return Table(
        title="Targets",
        note="A target is met when the measured value is at most the limit.",
        columns=("figure", "target", "measured", "met"),
        rows=[_target_row(target) for target in targets],
    )


def _target_row(target: Target) -> tuple[str, ...]:
    limit = f"≤ {target.limit:g}"
    if target.measured is None:
        return target.figure, limit, "not measured", target.reason or "no"
    return target.figure, limit, f"{target.measured:.3f}", "yes" if target.met else "NO"


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
