"""What a judgement is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "unknown", "no"]
WORST_LAST: tuple[Verdict, ...] = ("ok", "warn", "unknown", "no")
"""The verdicts; a row has the worst of its findings. Doubt weighs more than a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reason.

    Attributes:
        verdict: what it comes to.
        what: the name of the limit it is about, or ``run`` for what happened here.
        why: what is, and what was expected.
        source: where the limit is written, ``here`` if the consumer's code was run; None if no
            source says anything of it.
    """

    verdict: Verdict
    what: str
    why: str
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Whether one consumer will accept the issuer, and the token if there is one.

    Attributes:
        consumer: its short name.
        title: its name, with its version if its code was run.
        findings: all reasons, at least one, those of verdict ``ok`` too.
    """

    consumer: str
    title: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings."""
        return max((each.verdict for each in self.findings), key=WORST_LAST.index)

    @property
    def told(self) -> list[Finding]:
        """The findings that speak for the verdict: what is wrong, the worst first; else all."""
        amiss = [each for each in self.findings if each.verdict != "ok"]
        amiss.sort(key=lambda each: -WORST_LAST.index(each.verdict))
        return amiss or list(self.findings)
