"""The summary: a table for the terminal, and the page of the docs."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.mutation.campaign import Verdict
    from scripts.mutation.survivors import Known

_HEAD = """\
# Mutation check

For those who ask whether the tests would notice a missing check: each security check is taken out \
or turned round in turn, and the tests run on what is left. This page is written by that run.

{checks} checks, {mutants} mutants: {killed} noticed by a test, {timed_out} more by their time \
limit, {alive} not noticed; each of these is explained below. Trying them took {minutes:.0f} \
minutes of one process; a verdict is kept as long as the module and the test that noticed are the \
same.

Repeat it with `make mutants`; `.venv/bin/python -m scripts.mutation --help` tells how to try one \
module, one mutant, or only what has changed. It fails if a mutant survives without an explanation \
in `scripts/mutation/survivors.toml`, and if an explanation there is no longer needed.

"""

_HOW = """
## What is changed

- The condition of each `if`, `while`, conditional expression, filter and guard: taken out, turned \
round.
- Each operand of `and` and `or`, and each half of `a <= b <= c`: left out.
- Each `<`, `<=`, `>`, `>=`: its boundary moved by one to either side.
- Each answer of a yes-or-no question: always true, always false. `all` and `any`: exchanged.
- Each `except`: catches nothing, catches one type less, or goes on as if nothing had happened.
- Each call of a function that exists to refuse: deleted.
- Each constant number: one more, one less. Each entry of a constant table: left out.

A survivor that is explained already is tried by the likeliest tests alone; `--thorough` tries \
it by all.

Not examined: {left_out}. Left out: what only composes a message, and regular expressions, which \
the tests of hostile text hold. Tests of the rooms {rooms} are asked, those first that pass \
through the line.

## Survivors

A check may lose an operand unnoticed because a later check refuses the same input alike. Such a \
check is kept where it says what is meant, or where it must not depend on what comes after it.

"""


def table(verdicts: list[Verdict]) -> list[str]:
    """Return a table of the modules: checks, mutants and what became of them."""
    rows = ["| module | checks | mutants | killed | timed out | survived |"]
    rows.append("| --- | --- | --- | --- | --- | --- |")
    modules = list(dict.fromkeys(sorted(verdict.mutant.module for verdict in verdicts)))
    rows += [_row(f"`{m}`", [v for v in verdicts if v.mutant.module == m]) for m in modules]
    return [*rows, _row("all", verdicts)]


def written(
    verdicts: list[Verdict],
    known: Known,
    *,
    rooms: tuple[str, ...],
    left_out: Mapping[str, str],
) -> str:
    """Return the page.

    Args:
        verdicts: of a whole run.
        known: the explanations.
        rooms: the folders of tests that were asked.
        left_out: modules that are not examined, and why.
    """
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    head = _HEAD.format(
        checks=len({verdict.mutant.check for verdict in verdicts}),
        mutants=len(verdicts),
        killed=outcomes["killed"],
        timed_out=outcomes["timed out"],
        alive=sum(verdict.alive for verdict in verdicts),
        minutes=sum(verdict.seconds for verdict in verdicts) / 60,
    )
    how = _HOW.format(
        rooms=", ".join(rooms),
        left_out="; ".join(f"`{module}`, since {why}" for module, why in left_out.items()),
    )
    return (
        head
        + "\n".join(table(verdicts))
        + "\n"
        + how
        + "\n".join(_survivors(verdicts, known))
        + "\n"
    )


def _survivors(verdicts: list[Verdict], known: Known) -> list[str]:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.alive:
            reason = known.reasons.get(verdict.mutant.id, "not explained")
            by_reason[reason].append(verdict.mutant.id)
    lines = ["| mutants | module, function: change: check | why no test notices |"]
    lines.append("| --- | --- | --- |")
    for reason, mutants in sorted(by_reason.items(), key=lambda item: item[1]):
        named = "<br>".join(_code(mutant) for mutant in mutants)
        lines.append(f"| {len(mutants)} | {named} | {reason} |")
    return lines


def _code(text: str) -> str:
    return f"`{text.replace('|', '¦').replace('`', '´')}`"


def _row(name: str, verdicts: list[Verdict]) -> str:
    checks = len({verdict.mutant.check for verdict in verdicts})
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    alive = sum(verdict.alive for verdict in verdicts)
    cells = [name, checks, len(verdicts), outcomes["killed"], outcomes["timed out"], alive]
    return f"| {' | '.join(map(str, cells))} |"
