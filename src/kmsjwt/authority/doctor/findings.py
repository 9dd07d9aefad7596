"""What a check says: a fact, and where something is wrong, what follows and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Verdict = Literal["ok", "warn", "fail", "unknown", "skip"]
"""``unknown``: asking again may tell. ``skip``: the check does not apply, or what it needs is
wrong already; the fact says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a diagnosis.

    Attributes:
        check: what was looked at, in one word.
        verdict: how it is.
        fact: what is.
        consequence: what follows from it, if something is wrong.
        fix: what to do, if something is wrong.
    """

    check: str
    verdict: Verdict
    fact: str
    consequence: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All that was found, in the order in which it was looked at."""

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst: ``fail`` before ``unknown`` before ``warn`` before ``ok``."""
        found = {each.verdict for each in self.findings}
        order: tuple[Verdict, ...] = ("fail", "unknown", "warn")
        return next((each for each in order if each in found), "ok")

    def count(self, verdict: Verdict) -> int:
        """Return how many findings have that verdict."""
        return sum(each.verdict == verdict for each in self.findings)


class Check:
    """Makes the findings of one check."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def ok(self, fact: str) -> Finding:
        """It is as it should be."""
        return Finding(check=self._name, verdict="ok", fact=fact)

    def warn(self, fact: str, consequence: str, fix: str) -> Finding:
        """It works, and will not for ever or not for everybody."""
        return self._wrong("warn", fact, consequence, fix)

    def fail(self, fact: str, consequence: str, fix: str) -> Finding:
        """It does not work."""
        return self._wrong("fail", fact, consequence, fix)

    def unknown(self, fact: str, fix: str) -> Finding:
        """Nobody could be asked."""
        return self._wrong("unknown", fact, "", fix)

    def skip(self, why: str) -> Finding:
        """It was not looked at."""
        return Finding(check=self._name, verdict="skip", fact=why)

    def _wrong(self, verdict: Verdict, fact: str, consequence: str, fix: str) -> Finding:
        return Finding(
            check=self._name, verdict=verdict, fact=fact, consequence=consequence, fix=fix
        )


if TYPE_CHECKING:
    Findings = Iterator[Finding]
