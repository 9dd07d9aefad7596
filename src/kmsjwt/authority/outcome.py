"""What a rotation did, and what one would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._immutable import Immutable
from kmsjwt.kms.ring import tags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kmsjwt.rotation import Forecast, Plan, Ring, Step


_ATTENTION = frozenset({"doubt", "stuck", "settings", "unread"})


class Report(Immutable):
    """What a run did, and what is left.

    Attributes:
        done: the steps taken, each with what came of it.
        plan: what was planned last: steps still due wait for KMS to show their effect.
        ring: the ring as it was read last.
        orphans: keys that came too late to be named; `kmsjwt key list --orphans` finds them.
    """

    __slots__ = ("done", "orphans", "plan", "ring")

    done: tuple[tuple[Step, str], ...]
    plan: Plan
    ring: Ring
    orphans: tuple[str, ...]

    def __init__(
        self, done: Iterable[tuple[Step, str]], plan: Plan, ring: Ring, orphans: Iterable[str] = ()
    ) -> None:
        self._fill(done=tuple(done), plan=plan, ring=ring, orphans=tuple(orphans))

    @property
    def attention(self) -> tuple[str, ...]:
        """What no run will mend by itself, each with its reason; empty if all goes well."""
        return tuple(
            f"{later.what}: {later.why}" for later in self.plan.later if later.reason in _ATTENTION
        )

    def __repr__(self) -> str:
        return f"Report({[step for step, _ in self.done]}, {self.plan!r})"


class Preview(Immutable):
    """What a run would do.

    Attributes:
        ring: the ring as it is, or as it would be after a withdrawal.
        plan: what is due now.
        expected: what will follow if nothing goes wrong.
        unread: why what consumers read could not be read, if so: what was read back before is
            taken for it.
    """

    __slots__ = ("expected", "plan", "ring", "unread")

    ring: Ring
    plan: Plan
    expected: Forecast
    unread: str | None

    def __init__(
        self, ring: Ring, plan: Plan, expected: Forecast, unread: str | None = None
    ) -> None:
        self._fill(ring=ring, plan=plan, expected=expected, unread=unread)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values; times in ISO 8601."""
        from kmsjwt.authority.report import withdrawals

        return {
            "ring": self.ring.name,
            "signing": self.ring.signing,
            "expected": [
                {
                    "at": tags.moment(each.at),
                    "step": each.step.action,
                    "generation": each.step.number,
                    "why": each.step.why,
                }
                for each in self.expected.steps
            ],
            "withdrawals": withdrawals(self.ring),
            "waiting": [
                {"what": later.what, "why": later.why}
                for later in self.expected.rest.later
                if later.at is None
            ],
        }

    def __repr__(self) -> str:
        return f"Preview({self.ring!r}, {self.expected!r})"
